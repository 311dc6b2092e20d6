//! An API server, asked in its own words.

use std::time::Duration;

use http::{Method, Request};
use kube::Client;
use kube::client::Body;
use kube::config::AuthInfo;
use serde_json::{Value, json};

/// Who asks an API server.
#[derive(Clone)]
pub struct Api {
    client: Client,
    tries: usize,
}

/// What it answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub code: u16,
    /// What it warns of.
    pub warnings: Vec<String>,
    /// The object, the list, or the `Status` that says what is wrong.
    pub body: Value,
}

impl Api {
    /// Asks the server at `url` with a bearer token; `ca` is in PEM.
    pub fn new(url: &str, ca: &str, token: &str) -> Self {
        Self::with(url, ca, AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() })
    }

    /// Asks without saying who it is.
    pub fn anonymous(url: &str, ca: &str) -> Self {
        Self::with(url, ca, AuthInfo::default())
    }

    fn with(url: &str, ca: &str, auth_info: AuthInfo) -> Self {
        let mut config = kube::Config::new(url.parse().expect("a URL"));
        config.root_cert = Some(certificates(ca));
        config.auth_info = auth_info;
        config.default_retry = false;
        Self { client: Client::try_from(config).expect("a client of plain settings"), tries: 1 }
    }

    /// The same, asking again until there is an answer, as the components of a cluster do whose
    /// server is away.
    #[must_use]
    pub fn persistent(self) -> Self {
        Self { tries: 300, ..self }
    }

    /// The client of kube.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Reads what is at `path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None, "application/json").await
    }

    /// Makes an object of the collection at `path`.
    pub async fn create(&self, path: &str, object: &Value) -> Answer {
        self.ask(Method::POST, path, Some(object), "application/json").await
    }

    /// Changes the object at `path` by a JSON merge patch, in the name of that field manager.
    pub async fn patch(&self, path: &str, manager: &str, change: &Value) -> Answer {
        let path = format!("{path}?fieldManager={manager}");
        self.ask(Method::PATCH, &path, Some(change), "application/merge-patch+json").await
    }

    /// Deletes the object at `path`, which has so long to end.
    pub async fn delete(&self, path: &str, grace_seconds: u64) -> Answer {
        let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": grace_seconds, "propagationPolicy": "Background"});
        self.ask(Method::DELETE, path, Some(&options), "application/json").await
    }

    /// Makes a namespace with its default `ServiceAccount`, with which pods can be made in it.
    pub async fn create_namespace(&self, name: &str) {
        let namespace = json!({"metadata": {"name": name}});
        self.create("/api/v1/namespaces", &namespace).await.unless_there();
        self.create_service_account(name, "default").await;
    }

    /// Makes a `ServiceAccount`, if a controller has not done it yet.
    pub async fn create_service_account(&self, namespace: &str, name: &str) {
        let account = json!({"metadata": {"name": name}});
        self.create(&format!("/api/v1/namespaces/{namespace}/serviceaccounts"), &account).await.unless_there();
    }

    /// A token of a `ServiceAccount`, good for so many seconds (600 at least).
    pub async fn token_of(&self, namespace: &str, account: &str, seconds: u64) -> String {
        let request = json!({"spec": {"expirationSeconds": seconds}});
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let answer = self.create(&path, &request).await.expect("a token");
        answer["status"]["token"].as_str().expect("an issued token").to_owned()
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>, form: &str) -> Answer {
        const PAUSE: Duration = Duration::from_millis(300);
        let body = body.map(|value| value.to_string().into_bytes());
        let mut answer = self.ask_once(&method, path, body.clone(), form).await;
        for _ in 1..self.tries {
            if !matches!(answer.code, 0 | 429 | 500..) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            answer = self.ask_once(&method, path, body.clone(), form).await;
        }
        answer
    }

    async fn ask_once(&self, method: &Method, path: &str, body: Option<Vec<u8>>, form: &str) -> Answer {
        let request = Request::builder().method(method).uri(path).header("content-type", form);
        let request = request.body(body.map_or_else(Body::empty, Body::from)).expect("a request");
        match self.client.send(request).await {
            Ok(response) => Answer::of(response).await,
            Err(error) => Answer::none(&error),
        }
    }
}

impl Answer {
    async fn of(response: http::Response<Body>) -> Self {
        let code = response.status().as_u16();
        let warnings = response.headers().get_all("warning").iter();
        let warnings = warnings.map(|warning| String::from_utf8_lossy(warning.as_bytes()).into_owned()).collect();
        match response.into_body().collect_bytes().await {
            Ok(bytes) => {
                let plain = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
                Self { code, warnings, body: serde_json::from_slice(&bytes).unwrap_or_else(|_| plain()) }
            }
            Err(error) => Self::none(&error),
        }
    }

    fn none(error: &kube::Error) -> Self {
        Self { code: 0, warnings: Vec::new(), body: Value::String(format!("{error:?}")) }
    }

    /// Whether it did what was asked.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// What it gave.
    ///
    /// # Panics
    /// It refused; its own words are in the message.
    #[track_caller]
    pub fn expect(self, what: &str) -> Value {
        assert!(self.is_success(), "{what}: {}", self.refusal());
        self.body
    }

    /// Passes over that what was to be made is there already.
    ///
    /// # Panics
    /// It refused for another reason.
    #[track_caller]
    pub fn unless_there(self) {
        assert!(self.is_success() || self.code == 409, "{}", self.refusal());
    }

    /// Its code and its words.
    pub fn refusal(&self) -> String {
        let words = self.body["message"].as_str().map_or_else(|| self.body.to_string(), str::to_owned);
        format!("{}: {words}", self.code)
    }
}

/// The certificates of a PEM text in DER.
fn certificates(pem: &str) -> Vec<Vec<u8>> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .map(|certificate| certificate.expect("a certificate in PEM").to_vec())
        .collect()
}

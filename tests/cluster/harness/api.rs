//! A client of an API server with raw requests.

use std::time::Duration;

use http::{Method, Request};
use kube::Client;
use kube::client::Body;
use kube::config::AuthInfo;
use serde_json::{Value, json};

/// A client of an API server.
#[derive(Clone)]
pub struct Api {
    client: Client,
    tries: usize,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub code: u16,
    /// Its warnings.
    pub warnings: Vec<String>,
    /// The object, the list, or the `Status` of an error.
    pub body: Value,
}

impl Api {
    /// A client of the server at `url` with a bearer token; `ca` is in PEM.
    pub fn new(url: &str, ca: &str, token: &str) -> Self {
        Self::with(url, ca, AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() })
    }

    /// A client without credentials.
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

    /// The same, retrying until there is an answer, like the components of a cluster whose server is down.
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

    /// Creates an object in the collection at `path`.
    pub async fn create(&self, path: &str, object: &Value) -> Answer {
        self.ask(Method::POST, path, Some(object), "application/json").await
    }

    /// Changes the object at `path` by a JSON merge patch, as that field manager.
    pub async fn patch(&self, path: &str, manager: &str, change: &Value) -> Answer {
        let path = format!("{path}?fieldManager={manager}");
        self.ask(Method::PATCH, &path, Some(change), "application/merge-patch+json").await
    }

    /// Deletes the object at `path`, with that grace period.
    pub async fn delete(&self, path: &str, grace_seconds: u64) -> Answer {
        let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": grace_seconds, "propagationPolicy": "Background"});
        self.ask(Method::DELETE, path, Some(&options), "application/json").await
    }

    /// Creates a namespace with its default `ServiceAccount`, without which no pods can be created in it.
    pub async fn create_namespace(&self, name: &str) {
        let namespace = json!({"metadata": {"name": name}});
        self.create("/api/v1/namespaces", &namespace).await.unless_there();
        self.create_service_account(name, "default").await;
    }

    /// Creates a `ServiceAccount`, unless a controller has done so already.
    pub async fn create_service_account(&self, namespace: &str, name: &str) {
        let account = json!({"metadata": {"name": name}});
        self.create(&format!("/api/v1/namespaces/{namespace}/serviceaccounts"), &account).await.unless_there();
    }

    /// A token of a `ServiceAccount`, valid for that many seconds (at least 600).
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

    /// Whether the request succeeded.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// The body.
    ///
    /// # Panics
    /// The request failed; the server's message is included.
    #[track_caller]
    pub fn expect(self, what: &str) -> Value {
        assert!(self.is_success(), "{what}: {}", self.refusal());
        self.body
    }

    /// Ignores that the object to be created exists already.
    ///
    /// # Panics
    /// The request failed for another reason.
    #[track_caller]
    pub fn unless_there(self) {
        assert!(self.is_success() || self.code == 409, "{}", self.refusal());
    }

    /// The code and the message.
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

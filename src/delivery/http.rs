//! Posts to receivers over HTTP/1.1.
//!
//! Invariants:
//! - Nothing that leaves this module shows an address: errors are fixed texts.
//! - A redirect is an answer like any other: it is not followed.
//! - Everything is bounded: connecting, the whole exchange, the answer's size.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use http::header::{CONTENT_TYPE, HOST, HeaderMap, PROXY_AUTHORIZATION, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::connect::{Connector, is_https};
pub use super::failure::Failure;
use super::failure::of_tls;
use super::network::{Material, Network, NetworkError, Way};
use super::proxy::{Environment, Proxy};
use super::secret::Secret;
use crate::runtime::clock;
use crate::time::Time;

/// Timeout for the whole exchange; Slack answers within a second, or not at all.
const WHOLE: Duration = Duration::from_secs(10);
/// Maximum number of bytes read of an answer: error texts are short.
const ANSWER: usize = 64 * 1024;

/// Posts, each time over a new connection: at most one a second is needed, and none can be stale.
#[derive(Clone, Debug)]
pub struct Client {
    connector: Connector,
    proxies: Proxies,
    whole: Duration,
}

/// Which proxy an address is reached through.
#[derive(Clone, Debug)]
enum Proxies {
    Of(Environment),
    One(Option<Proxy>),
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The requested wait, if there is one.
    pub wait: Option<Duration>,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

impl Client {
    /// A client for that network.
    ///
    /// # Errors
    /// There are no usable certificates, or the proxy's address is none.
    pub fn new(network: &Network) -> Result<Self, NetworkError> {
        Self::of(&network.read()?)
    }

    /// A client for what was read of a network.
    ///
    /// # Errors
    /// There are no usable certificates.
    pub fn of(material: &Material) -> Result<Self, NetworkError> {
        let proxies = match material.way() {
            Way::Environment => Proxies::Of(Environment::current()),
            Way::Direct => Proxies::One(None),
            Way::Proxy(proxy) => Proxies::One(Some(proxy.clone())),
        };
        Ok(Self { connector: Connector::new(material.tls()?), proxies, whole: WHOLE }.within(WHOLE))
    }

    /// The same with another timeout for the whole exchange.
    #[must_use]
    pub fn within(self, whole: Duration) -> Self {
        // Half of the time is left for the exchange itself.
        Self { connector: self.connector.within(whole / 2), whole, ..self }
    }

    /// Posts a body: JSON, unless the headers contain another type.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn post(&self, address: &Secret, headers: HeaderMap, body: Vec<u8>) -> Result<Answer, Failure> {
        let uri = check(address)?;
        let proxy = self.proxies.proxy(&uri)?;
        let request = request(&uri, proxy.as_ref(), headers, body)?;
        let exchange = async {
            let stream = self.connector.connect(&uri, proxy.as_ref()).await?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
            let answered = pin!(answer(sender, request));
            match select(answered, pin!(connection)).await {
                Either::Left((answer, _)) => answer,
                // The connection ended; what arrived of the answer before that is still to be read.
                Either::Right((_, answered)) => answered.await,
            }
        };
        let answer = tokio::time::timeout(self.whole, exchange).await.unwrap_or(Err(Failure::TimedOut))?;
        let is_of_proxy = answer.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED && proxy.is_some();
        if is_of_proxy { Err(Failure::ProxyAuthentication) } else { Ok(answer) }
    }
}

impl Proxies {
    fn proxy(&self, uri: &Uri) -> Result<Option<Proxy>, Failure> {
        match self {
            Self::Of(environment) => environment.proxy(uri),
            Self::One(proxy) => Ok(proxy.clone()),
        }
    }
}

/// Whether an address can be posted to.
///
/// # Errors
/// It cannot.
pub fn check(address: &Secret) -> Result<Uri, Failure> {
    let uri: Uri = address.reveal().parse().map_err(|_| Failure::Address)?;
    let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    if scheme && plain { Ok(uri) } else { Err(Failure::Address) }
}

/// The request as it is written: a proxy that passes it on is told the whole address (RFC 9112, 3.2.2).
fn request(
    uri: &Uri,
    proxy: Option<&Proxy>,
    headers: HeaderMap,
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>, Failure> {
    const AGENT: &str = concat!("probehound/", env!("CARGO_PKG_VERSION"));
    let host = uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    let passed_on = proxy.filter(|_| !is_https(uri));
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = match passed_on {
        Some(_) => uri.clone(),
        None => uri.path_and_query().map_or_else(Uri::default, |path| Uri::from(path.clone())),
    };
    *request.headers_mut() = headers;
    let headers = request.headers_mut();
    headers.insert(HOST, host.ok_or(Failure::Address)?);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    if let Some(credentials) = passed_on.and_then(|proxy| proxy.credentials.as_ref()) {
        headers.insert(PROXY_AUTHORIZATION, credentials.clone());
    }
    Ok(request)
}

async fn answer(mut sender: http1::SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
    let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
    let (head, body) = response.into_parts();
    let wait = head.headers.get(RETRY_AFTER).and_then(|value| wait(value, clock::now()));
    Ok(Answer { status: head.status, wait, body: beginning(body).await? })
}

/// The beginning of a body; the rest is not read.
async fn beginning(mut body: Incoming) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&error))?;
        let Some(data) = frame.data_ref() else { continue };
        bytes.extend_from_slice(&data[..data.len().min(ANSWER - bytes.len())]);
        if bytes.len() == ANSWER {
            break;
        }
    }
    Ok(bytes)
}

/// A server says only after the handshake that it wants another client certificate (TLS 1.3).
fn broken(error: &hyper::Error) -> Failure {
    of_tls(error, Failure::Broken)
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
fn wait(value: &HeaderValue, now: Time) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Time::from_millis(date.timestamp().as_millisecond()).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_with_a_host_and_without_a_user() {
        for good in ["https://hooks.example/services/T/B/x", "http://127.0.0.1:8080/", "http://am:9093"] {
            assert!(check(&Secret::new(good)).is_ok(), "{good}");
        }
        for bad in ["", "hooks.example/services", "/services", "ftp://a/b", "https://me:pw@a/b", "https://", "a b"] {
            assert_eq!(check(&Secret::new(bad)), Err(Failure::Address), "{bad}");
        }
    }

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let now = Time::parse("2026-11-22T14:00:00Z").expect("valid");
        let of = |text: &'static str| wait(&HeaderValue::from_static(text), now);
        assert_eq!(of("30"), Some(Duration::from_secs(30)));
        assert_eq!(of("Sun, 22 Nov 2026 14:01:00 GMT"), Some(Duration::from_mins(1)));
        assert_eq!(of("Sun, 22 Nov 2026 13:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(of("soon"), None);
        assert_eq!(of("-1"), None);
    }
}

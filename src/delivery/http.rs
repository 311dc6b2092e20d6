//! Posts to receivers over HTTP/1.1.
//!
//! Invariants:
//! - Nothing that leaves this module shows an address: errors are fixed texts.
//! - A redirect is an answer like any other: it is not followed.
//! - Everything is bounded: connecting, the whole exchange, the answer's size.

use std::error::Error;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HOST, HeaderMap, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::secret::Secret;
use crate::runtime::clock;
use crate::time::Time;

/// Connect timeout.
const CONNECT: Duration = Duration::from_secs(5);
/// Timeout for the whole exchange; Slack answers within a second, or not at all.
const WHOLE: Duration = Duration::from_secs(10);
/// Maximum number of bytes read of an answer: error texts are short.
const ANSWER: usize = 64 * 1024;

/// Posts, each time over a new connection: at most one a second is needed, and none can be stale.
#[derive(Clone, Debug)]
pub struct Client {
    inner: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    whole: Duration,
}

/// Why no client could be built.
#[derive(thiserror::Error, Debug)]
pub enum ClientError {
    /// The file holds no certificate.
    #[error("cannot read certificates from {}: {what}", file.display())]
    Certificates {
        /// Its path.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The system's certificates cannot be used.
    #[error("the system's certificates cannot be used: {0}")]
    System(rustls::Error),
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

/// Why there is no answer; the message may have arrived all the same.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, thiserror::Error)]
pub enum Failure {
    /// The address is invalid.
    #[error("its address is no URL: http:// or https://, a host, and no user or password is wanted")]
    Address,
    /// The host name does not resolve.
    #[error("the name of its host does not resolve")]
    Name,
    /// The connection was refused.
    #[error("it refuses the connection")]
    Refused,
    /// The host cannot be reached.
    #[error("it cannot be connected to")]
    Unreachable,
    /// The certificate is not trusted.
    #[error("its certificate is not trusted")]
    Certificate,
    /// The host does not speak TLS, or no safe version of it.
    #[error("no TLS connection to it can be made")]
    Tls,
    /// The exchange timed out.
    #[error("it did not answer in time")]
    TimedOut,
    /// The connection broke.
    #[error("the connection broke before it answered")]
    Broken,
}

impl Client {
    /// A client that trusts the system's certificates, or those of a file instead.
    ///
    /// # Errors
    /// There are no usable certificates.
    pub fn new(authorities: Option<&Path>) -> Result<Self, ClientError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT));
        let https = HttpsConnectorBuilder::new().with_tls_config(tls(authorities)?).https_or_http().enable_http1();
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.pool_max_idle_per_host(0).retry_canceled_requests(false);
        Ok(Self { inner: builder.build(https.wrap_connector(tcp)), whole: WHOLE })
    }

    /// The same with another timeout for the whole exchange.
    #[must_use]
    pub fn within(self, whole: Duration) -> Self {
        Self { whole, ..self }
    }

    /// Posts a JSON body.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn post(&self, address: &Secret, headers: HeaderMap, body: Vec<u8>) -> Result<Answer, Failure> {
        let request = request(address, headers, body)?;
        let exchange = async {
            let response = self.inner.request(request).await.map_err(|error| why(&error))?;
            let (head, body) = response.into_parts();
            let wait = head.headers.get(RETRY_AFTER).and_then(|value| wait(value, clock::now()));
            Ok(Answer { status: head.status, wait, body: beginning(body).await? })
        };
        tokio::time::timeout(self.whole, exchange).await.unwrap_or(Err(Failure::TimedOut))
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

fn request(address: &Secret, headers: HeaderMap, body: Vec<u8>) -> Result<Request<Full<Bytes>>, Failure> {
    const AGENT: &str = concat!("probehound/", env!("CARGO_PKG_VERSION"));
    let uri = check(address)?;
    let host = uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request.headers_mut().insert(HOST, host.ok_or(Failure::Address)?);
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(AGENT));
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(request)
}

fn tls(authorities: Option<&Path>) -> Result<ClientConfig, ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ClientError::System)?;
    let builder = match authorities {
        None => builder.try_with_platform_verifier().map_err(ClientError::System)?,
        Some(file) => builder.with_root_certificates(roots(file)?),
    };
    Ok(builder.with_no_client_auth())
}

fn roots(file: &Path) -> Result<RootCertStore, ClientError> {
    let failed = |what: String| ClientError::Certificates { file: file.to_owned(), what };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| failed(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        roots.add(certificate).map_err(|error| failed(error.to_string()))?;
    }
    if roots.is_empty() { Err(failed("there are none in it".to_owned())) } else { Ok(roots) }
}

/// The beginning of a body; the rest is not read.
async fn beginning(mut body: Incoming) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| why(&error))?;
        let Some(data) = frame.data_ref() else { continue };
        bytes.extend_from_slice(&data[..data.len().min(ANSWER - bytes.len())]);
        if bytes.len() == ANSWER {
            break;
        }
    }
    Ok(bytes)
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

/// The kind of an error, as a fixed text that shows nothing of where it happened.
fn why(error: &(dyn Error + 'static)) -> Failure {
    let chain: Vec<&(dyn Error + 'static)> =
        std::iter::successors(Some(error), |error| source(*error)).take(16).collect();
    if let Some(error) = chain.iter().find_map(|error| error.downcast_ref::<rustls::Error>()) {
        let certificate = matches!(error, rustls::Error::InvalidCertificate(_));
        return if certificate { Failure::Certificate } else { Failure::Tls };
    }
    if chain.iter().any(|error| error.to_string() == "dns error") {
        return Failure::Name;
    }
    let connecting =
        chain.iter().any(|error| error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect));
    let kind = chain.iter().find_map(|error| error.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
    match kind {
        Some(ErrorKind::ConnectionRefused) => Failure::Refused,
        Some(ErrorKind::TimedOut) => Failure::TimedOut,
        _ if connecting => Failure::Unreachable,
        _ => Failure::Broken,
    }
}

/// The source of an error; an IO error hides what it wraps.
fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
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

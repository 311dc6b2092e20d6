//! Connections to receivers: directly, or through a proxy, with TLS where the address asks for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower::ServiceExt;

use super::failure::{Failure, connecting, of_tls};
use super::proxy::Proxy;

/// Maximum size of a proxy's answer to `CONNECT`.
const HEAD: usize = 8192;

/// A connection, whatever it consists of.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector,
    tls: TlsConnector,
    limit: Duration,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Connector {
    /// One that verifies and shows the certificates of these settings.
    pub fn new(tls: ClientConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        Self { tcp, tls: TlsConnector::from(Arc::new(tls)), limit: Duration::MAX }
    }

    /// The same, with at most `limit` for each step.
    pub fn within(mut self, limit: Duration) -> Self {
        self.tcp.set_connect_timeout(Some(limit));
        Self { limit, ..self }
    }

    /// A connection over which to talk to the host of `uri`; without TLS a proxy is talked to instead.
    ///
    /// # Errors
    /// None can be made.
    pub async fn connect(&self, uri: &Uri, proxy: Option<&Proxy>) -> Result<Box<dyn Stream>, Failure> {
        let stream: Box<dyn Stream> = match proxy {
            None => Box::new(self.dial(uri).await?),
            Some(proxy) => self.to_proxy(uri, proxy).await?,
        };
        if is_https(uri) { self.secure(uri, stream).await } else { Ok(stream) }
    }

    async fn to_proxy(&self, uri: &Uri, proxy: &Proxy) -> Result<Box<dyn Stream>, Failure> {
        let tcp = self.dial(&proxy.uri).await.map_err(Failure::of_proxy)?;
        let mut stream: Box<dyn Stream> = Box::new(tcp);
        if is_https(&proxy.uri) {
            stream = self.secure(&proxy.uri, stream).await.map_err(Failure::of_proxy)?;
        }
        if is_https(uri) {
            let tunnel = tunnel(&mut stream, uri, proxy.credentials.as_ref());
            timeout(self.limit, tunnel).await.unwrap_or(Err(Failure::ProxyTimedOut))?;
        }
        Ok(stream)
    }

    async fn dial(&self, uri: &Uri) -> Result<TcpStream, Failure> {
        let stream = self.tcp.clone().oneshot(uri.clone()).await.map_err(|error| connecting(&error))?;
        Ok(stream.into_inner())
    }

    async fn secure(&self, uri: &Uri, stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, Failure> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Failure::Address)?;
        let secured = timeout(self.limit, self.tls.connect(name, stream)).await.map_err(|_| Failure::TimedOut)?;
        secured.map(|stream| Box::new(stream) as Box<dyn Stream>).map_err(|error| of_tls(&error, Failure::Unreachable))
    }
}

/// Whether an address is one of HTTPS.
pub(super) fn is_https(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https")
}

/// Has the proxy connect to the host of `uri` (RFC 9110, 9.3.6).
async fn tunnel(stream: &mut Box<dyn Stream>, uri: &Uri, credentials: Option<&HeaderValue>) -> Result<(), Failure> {
    let to = format!("{}:{}", uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(443));
    let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n").into_bytes();
    if let Some(credentials) = credentials {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(credentials.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await.map_err(|_| Failure::ProxyBroken)?;
    match status(&head(stream).await?).ok_or(Failure::ProxyBroken)? {
        200..=299 => Ok(()),
        407 => Err(Failure::ProxyAuthentication),
        status => Err(Failure::ProxyRefused(status)),
    }
}

/// The head of the proxy's answer, and nothing of what follows it.
async fn head(stream: &mut Box<dyn Stream>) -> Result<Vec<u8>, Failure> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD {
            return Err(Failure::ProxyBroken);
        }
        // The server's first byte belongs to TLS: only as much is read as is known to be the proxy's.
        head.push(stream.read_u8().await.map_err(|_| Failure::ProxyBroken)?);
    }
    Ok(head)
}

/// The status of `HTTP/1.1 200 Connection established`.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    let (_, rest) = line.split_once(' ')?;
    let status = rest.split(' ').next().filter(|status| status.len() == 3)?;
    status.parse().ok().filter(|status| *status >= 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_answer_has_a_status_of_three_digits() {
        for (head, expected) in [
            ("HTTP/1.1 200 Connection established\r\n\r\n", Some(200)),
            ("HTTP/1.0 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n", Some(407)),
            ("HTTP/1.1 403\r\n\r\n", Some(403)),
            ("HTTP/1.1 2000 OK\r\n\r\n", None),
            ("HTTP/1.1 100 Continue\r\n\r\n", None),
            ("HTTP/2 200 OK\r\n\r\n", None),
            ("SSH-2.0-OpenSSH\r\n\r\n", None),
            ("", None),
        ] {
            assert_eq!(status(head.as_bytes()), expected, "{head:?}");
        }
    }
}

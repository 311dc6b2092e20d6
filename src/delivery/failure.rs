//! Why there was no answer: fixed texts that show no address and no secret.

use std::error::Error;
use std::io::{self, ErrorKind};

use rustls::AlertDescription;

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
    /// The server wants a client certificate, or another one.
    #[error("it does not accept the client certificate, or wants one")]
    ClientCertificate,
    /// The host does not speak TLS, or no safe version of it.
    #[error("no TLS connection to it can be made")]
    Tls,
    /// The exchange timed out.
    #[error("it did not answer in time")]
    TimedOut,
    /// The connection broke.
    #[error("the connection broke before it answered")]
    Broken,
    /// The proxy's address is invalid.
    #[error(
        "the address of its proxy is no URL: http:// or https://, perhaps user and password, and a host are wanted"
    )]
    ProxyAddress,
    /// The name of the proxy does not resolve.
    #[error("the name of its proxy does not resolve")]
    ProxyName,
    /// The proxy cannot be reached.
    #[error("its proxy cannot be connected to")]
    ProxyUnreachable,
    /// The proxy's certificate is not trusted, or it does not speak TLS.
    #[error("no TLS connection to its proxy can be made, or the proxy's certificate is not trusted")]
    ProxyTls,
    /// The proxy answers 407.
    #[error("its proxy answers 407: it wants a user and a password, or others")]
    ProxyAuthentication,
    /// The proxy does not connect to the host.
    #[error("its proxy answers {0} and does not connect to it")]
    ProxyRefused(u16),
    /// The proxy broke the connection, or does not speak HTTP.
    #[error("its proxy broke the connection, or is none")]
    ProxyBroken,
    /// The proxy did not connect in time.
    #[error("its proxy did not connect to it in time")]
    ProxyTimedOut,
}

impl Failure {
    /// The same failure where the proxy is what was connected to.
    pub(super) const fn of_proxy(self) -> Self {
        match self {
            Self::Name => Self::ProxyName,
            Self::Refused | Self::Unreachable => Self::ProxyUnreachable,
            Self::Certificate | Self::ClientCertificate | Self::Tls => Self::ProxyTls,
            Self::TimedOut => Self::ProxyTimedOut,
            Self::Address => Self::ProxyAddress,
            Self::Broken => Self::ProxyBroken,
            of_proxy => of_proxy,
        }
    }
}

/// What an error while connecting means.
pub(super) fn connecting(error: &(dyn Error + 'static)) -> Failure {
    let chain = chain(error);
    if chain.iter().any(|error| error.to_string() == "dns error") {
        return Failure::Name;
    }
    match chain.iter().find_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => Failure::Refused,
        Some(ErrorKind::TimedOut) => Failure::TimedOut,
        _ => Failure::Unreachable,
    }
}

/// What an error of a TLS handshake, or after it, means; `otherwise` if it is none of TLS.
pub(super) fn of_tls(error: &(dyn Error + 'static), otherwise: Failure) -> Failure {
    let chain = chain(error);
    match chain.iter().find_map(|error| error.downcast_ref::<rustls::Error>()) {
        None => otherwise,
        Some(rustls::Error::InvalidCertificate(_)) => Failure::Certificate,
        Some(rustls::Error::AlertReceived(alert)) if is_about_our_certificate(*alert) => Failure::ClientCertificate,
        Some(_) => Failure::Tls,
    }
}

/// Alerts by which a server refuses a client's certificate (RFC 8446, 6.2).
const fn is_about_our_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| source(*error)).take(16).collect()
}

/// The source of an error; an IO error hides what it wraps.
fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
}

//! The tail of a failed probe's message → what went wrong.

use std::sync::Arc;

use super::Handler;

/// What went wrong when a probe failed, from the kubelet's own words.
///
/// Classified with the probe's handler: whatever an exec probe printed is never taken for what the
/// kubelet's HTTP, TCP or gRPC prober would have said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// HTTP: the server answered with this status.
    Status(u16),
    /// Nothing listens on the port.
    Refused,
    /// No answer within the timeout (also of a connect, an exec, a gRPC check).
    TimedOut,
    /// The host's name does not resolve.
    NoSuchHost,
    /// No route, network unreachable.
    Unreachable,
    /// The connection was closed or reset while the answer was awaited.
    Reset,
    /// HTTP answered to HTTPS, proven by the client's words.
    PlainHttp,
    /// No TLS on the port, by the client's words (`first record does not look like a TLS handshake`).
    NotTls,
    /// The server wants a client certificate.
    CertificateWanted,
    /// Another TLS failure.
    Tls,
    /// The answer was HTTP/2 or gRPC.
    Http2,
    /// The answer was not HTTP at all.
    Malformed,
    /// Ten redirects and no end.
    TooManyRedirects,
    /// gRPC: no connection within the timeout: refused, TLS, HTTP/1 and hang alike.
    GrpcNoConnection,
    /// gRPC: the health service does not know the service's name.
    GrpcUnknownService,
    /// gRPC: the server does not implement the health protocol.
    GrpcNoHealth,
    /// gRPC: the server says that it is unhealthy.
    GrpcNotServing,
    /// gRPC: another status.
    GrpcStatus,
    /// Exec: the command, or one that its shell calls, does not exist in the image.
    CommandMissing {
        /// The command's or file's name.
        name: Arc<str>,
    },
    /// Exec: it ran and said no.
    CommandFailed,
    /// Errored: no port of the container has the probe's name.
    PortNameMissing,
    /// Errored because the container was not running; says nothing.
    NotRunning,
    /// Words that this version does not know.
    Unrecognised,
}

impl Failure {
    /// Classifies what came after "probe failed: ".
    pub fn of_failed(handler: &Handler, output: &str) -> Self {
        let _ = (handler, output);
        Self::Unrecognised
    }

    /// Classifies what came after "probe errored: ".
    pub fn of_errored(handler: &Handler, output: &str) -> Self {
        let _ = (handler, output);
        Self::Unrecognised
    }
}

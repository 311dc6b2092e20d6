//! The tail of a failed probe's message → a typed failure.

use std::sync::Arc;

use super::quoted::{get_error, unquote};
use super::redirect::{self, Redirect};
use super::{Handler, HttpGet, exec, network, runtime};

/// A container's declared ports: name, if any, and number.
type Ports = [(Option<Arc<str>>, i32)];

/// Why a probe failed, from the kubelet's message.
///
/// Classified with the probe's handler: output of an exec probe is never taken for a message of the
/// kubelet's HTTP, TCP or gRPC prober.
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
    /// The connection was closed or reset while waiting for the answer.
    Reset,
    /// HTTP: the server redirected, and this happened at the redirect's target.
    AfterRedirect(Arc<Redirect>),
    /// HTTP: the probe's path was parsed as a URL without a host (`localhost:8080/health`), so that no
    /// request was made.
    PathIsUrl,
    /// The probe's host is invalid: no request was made. Errored for HTTP, counted for TCP.
    BadHost,
    /// HTTP: a header cannot be sent, so that no request was made; counted.
    BadHeader {
        /// The header's name, as written.
        name: Arc<str>,
    },
    /// Errored: the answer broke off or stalled within the part of its body that the kubelet reads,
    /// whatever its status was.
    BodyCutOff,
    /// HTTP answered to HTTPS, proven by the client's message.
    PlainHttp,
    /// No TLS on the port, by the client's message (`first record does not look like a TLS handshake`).
    NotTls,
    /// TLS bytes were answered to plain HTTP.
    TlsAnswered,
    /// The server requires a client certificate.
    CertificateWanted,
    /// The server ended the TLS handshake without a reason: it may require a client certificate, or a TLS
    /// version or cipher that the client lacks.
    TlsRefused,
    /// Another TLS failure.
    Tls,
    /// The answer was HTTP/2 or gRPC.
    Http2,
    /// The answer was not HTTP at all.
    Malformed,
    /// Ten redirects without an end.
    TooManyRedirects,
    /// gRPC: no connection within the timeout: the same for refused, TLS, HTTP/1 and hanging servers.
    GrpcNoConnection,
    /// gRPC: the health service does not know the service's name.
    GrpcUnknownService,
    /// gRPC: the server does not implement the health protocol.
    GrpcNoHealth,
    /// gRPC: an HTTP server answered, with this status if reported, and no gRPC server.
    GrpcHttp(Option<u16>),
    /// gRPC: the server does not authorize the probe (`Unauthenticated`, `PermissionDenied`).
    GrpcUnauthorized,
    /// gRPC: the server reports that it is unhealthy.
    GrpcNotServing,
    /// gRPC: another status.
    GrpcStatus,
    /// Exec: the command, or one that its shell calls, does not exist in the image.
    CommandMissing {
        /// The command's or file's name.
        name: Arc<str>,
    },
    /// Exec: the file exists, but cannot be executed.
    NotExecutable {
        /// The file or folder, if the runtime names it.
        name: Option<Arc<str>>,
        /// Why not.
        why: Obstacle,
    },
    /// Exec: the container runtime could not run the command for reasons of its own: no process IDs left, a
    /// failing runtime. Not a result of the app.
    RuntimeRefused,
    /// Exec: it ran and failed. (Kubelets 1.20 to 1.22 report nothing about one that timed out, so for
    /// these it may be a time-out.)
    CommandFailed,
    /// Errored: no port of the container has the probe's name.
    PortNameMissing,
    /// Errored: the kubelet does not know this kind of probe (`grpc` before 1.23).
    HandlerUnknown,
    /// Errored because the container was not running; proves nothing.
    NotRunning,
    /// A message that this version does not know.
    Unrecognised,
}

/// Why an existing file cannot be executed.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Obstacle {
    /// The interpreter in its first line does not exist; with Windows line ends, none does.
    Interpreter,
    /// It is neither a program for this machine nor a script with `#!` in its first line.
    Format,
    /// No permission to execute it.
    Permission,
    /// It is a directory.
    Directory,
    /// The working directory (`workingDir`) is missing or not a directory.
    WorkingDir,
}

impl Failure {
    /// Classifies what follows "probe failed: "; `ports` are those that the container declares.
    pub fn of_failed(handler: &Handler, ports: &Ports, output: &str) -> Self {
        match handler {
            Handler::Http(get) => http(get, ports, output.trim_end()),
            Handler::Tcp { .. } => network::tcp(output.trim_end()),
            Handler::Grpc { .. } => network::grpc(output.trim_end()),
            Handler::Exec(command) => exec::failed(command, output),
        }
    }

    /// Classifies what follows "probe errored: ".
    pub fn of_errored(handler: &Handler, output: &str) -> Self {
        let output = output.trim_end();
        if output.starts_with("missing probe handler for ") {
            return Self::HandlerUnknown;
        }
        match handler {
            Handler::Exec(_) => runtime::errored(output),
            _ if names_missing_port(output) => Self::PortNameMissing,
            Handler::Http(_) => network::http_errored(output),
            _ => Self::Unrecognised,
        }
    }
}

fn http(get: &HttpGet, ports: &Ports, output: &str) -> Failure {
    let failure = network::http(output);
    let url = get_error(output).map(|(url, _)| url);
    let target = url.and_then(|url| redirect::target(get, ports, &url));
    match (target, failure) {
        // The limit explains it, and an unknown message does not show where it comes from.
        (None, failure)
        | (_, failure @ (Failure::TooManyRedirects | Failure::Unrecognised | Failure::BadHeader { .. })) => failure,
        (Some(target), failure) => Failure::AfterRedirect(Arc::new(target.with(failure))),
    }
}

/// `strconv.Atoi: parsing "metrics": invalid syntax` (≤1.36), `port "metrics" not found` (≥1.37).
fn names_missing_port(output: &str) -> bool {
    let behind = |words: &str| {
        let at = output.find(words)? + words.len();
        unquote(&output[at..])?.rest
    };
    behind("strconv.Atoi: parsing ").is_some_and(|rest| rest.starts_with(": invalid syntax"))
        || behind("port ").is_some_and(|rest| rest.starts_with(" not found"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{HttpGet, Port, Scheme};
    use super::*;

    #[test]
    fn a_missing_port_name_is_told_in_two_wordings() {
        for output in [
            r#"strconv.Atoi: parsing "metrics": invalid syntax"#,
            r#"port "metrics" not found"#,
            r#"resolving the port: port "metrics" not found in container app"#,
        ] {
            assert_eq!(Failure::of_errored(&http(), output), Failure::PortNameMissing, "{output}");
            assert_eq!(Failure::of_errored(&exec(&["x"]), output), Failure::Unrecognised, "{output}");
        }
        for output in ["", "invalid port number: 0", r#"the file "port" not found"#, r#"port "x"#] {
            assert_eq!(Failure::of_errored(&http(), output), Failure::Unrecognised, "{output}");
        }
    }

    #[test]
    fn what_an_exec_probe_printed_is_never_an_http_answer() {
        for output in [
            "",
            "HTTP probe failed with statuscode: 404",
            "dial tcp 10.0.0.7:5432: connect: connection refused",
            "context deadline exceeded",
        ] {
            assert_eq!(Failure::of_failed(&exec(&["check"]), &[], output), Failure::CommandFailed, "{output}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_classified_and_exec_never_speaks_http(output in words(), script in words()) {
            for handler in [http(), tcp(), grpc()] {
                Failure::of_failed(&handler, &[], &output);
                Failure::of_errored(&handler, &output);
            }
            let handler = exec(&["sh", "-c", &script]);
            let failed = Failure::of_failed(&handler, &[], &output);
            prop_assert!(
                matches!(
                    failed,
                    Failure::TimedOut
                        | Failure::CommandMissing { .. }
                        | Failure::NotExecutable { .. }
                        | Failure::NotRunning
                        | Failure::RuntimeRefused
                        | Failure::CommandFailed
                ),
                "{failed:?}"
            );
            let errored = Failure::of_errored(&handler, &output);
            prop_assert!(
                matches!(
                    errored,
                    Failure::CommandMissing { .. }
                        | Failure::NotExecutable { .. }
                        | Failure::HandlerUnknown
                        | Failure::NotRunning
                        | Failure::RuntimeRefused
                        | Failure::Unrecognised
                ),
                "{errored:?}"
            );
        }
    }

    /// Pieces of real messages, mixed with anything.
    fn words() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<String>(),
            "[\"'\\\\;|$(): a-z0-9]{0,8}",
            prop::sample::select(vec![
                "Get \"http://10.0.0.7:80/",
                "\": ",
                "dial tcp ",
                "10.0.0.7:80: ",
                "EOF",
                "connection refused",
                "tls: ",
                "HTTP probe failed with statuscode: ",
                "404",
                "malformed HTTP response \"\\x00\\x00",
                "timed out",
                "command timed out: \"",
                "command \"",
                "sh: ",
                "curl",
                ": not found",
                "exec: \"",
                "rpc error: code = ",
                "service unhealthy (responded with \"",
                "error: health rpc probe failed: ",
                "$(",
                "***",
                "$$",
                "task ",
                "no such file or directory",
                "OCI runtime exec failed: ",
                "no running task",
                "port \"",
                "\n",
            ])
            .prop_map(str::to_owned),
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    fn http() -> Handler {
        Handler::Http(HttpGet {
            scheme: Scheme::Http,
            host: None,
            port: Port::Name("web".into()),
            path: "/health".into(),
            headers: Box::default(),
            headers_mark: 0,
        })
    }

    fn tcp() -> Handler {
        Handler::Tcp { host: None, port: Port::Number(9090) }
    }

    fn grpc() -> Handler {
        Handler::Grpc { port: Port::Number(8080), service: "".into() }
    }

    fn exec(words: &[&str]) -> Handler {
        Handler::Exec(words.iter().map(|&word| word.into()).collect())
    }
}

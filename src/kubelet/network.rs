//! Messages of the kubelet's HTTP, TCP and gRPC probers.

use std::sync::Arc;

use super::Failure;
use super::quoted::{get_error, unquote};

/// Classifies the output of an HTTP probe (`pkg/probe/http/http.go`).
pub fn http(output: &str) -> Failure {
    if let Some(code) = output.strip_prefix("HTTP probe failed with statuscode: ") {
        return code.parse().map_or(Failure::Unrecognised, Failure::Status);
    }
    let Some((url, Some(error))) = get_error(output) else {
        return Failure::Unrecognised;
    };
    let error = error.strip_prefix("net/http: HTTP/1.x transport connection broken: ").unwrap_or(error);
    // A malformed answer is the server's own text, so nothing else is looked for in it.
    if let Some(what) = error.strip_prefix("malformed ") {
        return of_malformed(what);
    }
    if error.starts_with("stopped after ") && error.ends_with(" redirects") {
        return Failure::TooManyRedirects;
    }
    not_asked(&url, error)
        .or_else(|| of_tls(error))
        .or_else(|| hung_up_on(&url, error))
        .or_else(|| of_connection(error))
        .unwrap_or(Failure::Unrecognised)
}

/// Classifies the message of an errored HTTP probe.
pub fn http_errored(output: &str) -> Failure {
    // There was an answer; the error is from reading its body.
    const IN_BODY: [&str; 4] =
        ["unexpected EOF", "while reading body)", "connection reset by peer", "context deadline exceeded"];
    if output.starts_with("parse ") {
        return Failure::BadHost;
    }
    if IN_BODY.iter().any(|ending| output.ends_with(ending)) { Failure::BodyCutOff } else { Failure::Unrecognised }
}

/// What kept Go's client from making a request at all.
fn not_asked(url: &str, error: &str) -> Option<Failure> {
    if error.ends_with("http: no Host in request URL") {
        return (!url.contains("://")).then_some(Failure::PathIsUrl);
    }
    let header = ["net/http: invalid header field value for ", "net/http: invalid header field name "];
    let name = header.iter().find_map(|words| error.strip_prefix(words))?;
    Some(Failure::BadHeader { name: Arc::from(unquote(name)?.text()) })
}

/// The error of a TLS client if the server hangs up during or right after the handshake.
fn hung_up_on(url: &str, error: &str) -> Option<Failure> {
    const WORDS: [&str; 2] = ["write: broken pipe", "http2: client conn could not be established"];
    let hung_up = url.starts_with("https://") && WORDS.iter().any(|words| error.ends_with(words));
    hung_up.then_some(Failure::TlsRefused)
}

/// An HTTP/2 server starts with a SETTINGS frame: three bytes of length, type 4, no flags.
fn of_malformed(what: &str) -> Failure {
    let answer = what.strip_prefix("HTTP response ").and_then(unquote);
    match answer.as_ref().map(|answer| answer.bytes.as_slice()) {
        Some([0, 0, _, 4, 0, ..]) => Failure::Http2,
        Some([0x15 | 0x16, 3, ..]) => Failure::TlsAnswered,
        _ => Failure::Malformed,
    }
}

/// Errors of Go's TLS client, and of its HTTP client about a scheme.
fn of_tls(error: &str) -> Option<Failure> {
    const CERTIFICATE_WANTED: [&str; 2] =
        ["remote error: tls: certificate required", "remote error: tls: bad certificate"];
    if error.ends_with("http: server gave HTTP response to HTTPS client") {
        return Some(Failure::PlainHttp);
    }
    if error.ends_with("tls: first record does not look like a TLS handshake") {
        return Some(Failure::NotTls);
    }
    if CERTIFICATE_WANTED.iter().any(|words| error.ends_with(words)) {
        return Some(Failure::CertificateWanted);
    }
    if error.ends_with("remote error: tls: handshake failure") {
        return Some(Failure::TlsRefused);
    }
    (error.contains("tls: ") || error.contains("x509: ")).then_some(Failure::Tls)
}

/// Classifies the output of a TCP probe (`pkg/probe/tcp/tcp.go`).
pub fn tcp(output: &str) -> Failure {
    if !output.starts_with("dial ") {
        return Failure::Unrecognised;
    }
    if output.starts_with("dial tcp: address ") {
        return Failure::BadHost;
    }
    of_connection(output).unwrap_or(Failure::Unrecognised)
}

/// Errors of Go's network code for a connection that failed or broke.
fn of_connection(error: &str) -> Option<Failure> {
    if error.starts_with("dial tcp: lookup ") {
        // A resolver that is down or slow proves nothing about the name.
        return error.ends_with("no such host").then_some(Failure::NoSuchHost);
    }
    let ends = |endings: &[&str]| endings.iter().any(|ending| error.ends_with(ending));
    if ends(&["connection refused"]) {
        return Some(Failure::Refused);
    }
    if ends(&["no route to host", "network is unreachable", "host is unreachable", "host is down"]) {
        return Some(Failure::Unreachable);
    }
    let deadline = ends(&["i/o timeout", "context deadline exceeded", "connection timed out", "TLS handshake timeout"]);
    if deadline || error.contains("Client.Timeout") || error.starts_with("net/http: request canceled") {
        return Some(Failure::TimedOut);
    }
    let cut_off =
        ends(&["connection reset by peer", "broken pipe", "server closed idle connection", "connection aborted"]);
    (cut_off || error == "EOF" || ends(&[": EOF", "unexpected EOF"])).then_some(Failure::Reset)
}

/// Classifies the output of a gRPC probe (`pkg/probe/grpc/grpc.go`).
pub fn grpc(output: &str) -> Failure {
    const NO_CONNECTION: [&str; 2] = ["timeout: failed to connect service ", "error: failed to connect service at "];
    if NO_CONNECTION.iter().any(|words| output.starts_with(words)) {
        return Failure::GrpcNoConnection;
    }
    if output.starts_with("timeout: health rpc did not complete") {
        return Failure::TimedOut;
    }
    if let Some(words) = output.strip_prefix("error: this server does not implement the grpc health protocol") {
        let words = words.strip_prefix(" (grpc.health.v1.Health): ").unwrap_or(words);
        return of_http_server(words).unwrap_or(Failure::GrpcNoHealth);
    }
    if let Some(error) = output.strip_prefix("error: health rpc probe failed: ") {
        return of_grpc_status(error);
    }
    match output.strip_prefix("service unhealthy (responded with ").and_then(unquote) {
        Some(status) if status.bytes == b"SERVICE_UNKNOWN" => Failure::GrpcUnknownService,
        Some(_) => Failure::GrpcNotServing,
        None => Failure::Unrecognised,
    }
}

/// The gRPC client's error for an HTTP answer; a server's own text may quote it, so only at the beginning.
fn of_http_server(words: &str) -> Option<Failure> {
    if let Some(status) = words.strip_prefix("unexpected HTTP status code received from server: ") {
        let digits = status.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
        return Some(Failure::GrpcHttp(digits.parse().ok()));
    }
    let not_grpc = ["malformed header: missing HTTP content-type", "transport: received unexpected content-type "];
    not_grpc.iter().any(|start| words.starts_with(start)).then_some(Failure::GrpcHttp(None))
}

/// `rpc error: code = NotFound desc = …`: the code is from the protocol, the rest from the server.
fn of_grpc_status(error: &str) -> Failure {
    let (code, words) = match error.strip_prefix("rpc error: code = ").and_then(|words| words.split_once(" desc = ")) {
        Some((code, words)) => (Some(code), words),
        None => (error.strip_prefix("rpc error: code = "), ""),
    };
    if let Some(failure) = of_http_server(words) {
        return failure;
    }
    match code {
        Some("NotFound") => Failure::GrpcUnknownService,
        Some("Unimplemented") => Failure::GrpcNoHealth,
        Some("DeadlineExceeded") => Failure::TimedOut,
        Some("Unauthenticated" | "PermissionDenied") => Failure::GrpcUnauthorized,
        _ => Failure::GrpcStatus,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read() {
        assert_eq!(http("HTTP probe failed with statuscode: 404"), Failure::Status(404));
        assert_eq!(http("HTTP probe failed with statuscode: 503"), Failure::Status(503));
        assert_eq!(http("HTTP probe failed with statuscode: 99999"), Failure::Unrecognised);
        assert_eq!(http("HTTP probe failed with statuscode: "), Failure::Unrecognised);
    }

    #[test]
    fn every_error_of_an_http_probe_is_classified() {
        for (error, expected) in [
            ("dial tcp 10.0.0.7:8080: connect: connection refused", Failure::Refused),
            ("dial tcp 10.0.0.7:8080: i/o timeout", Failure::TimedOut),
            ("context deadline exceeded (Client.Timeout exceeded while awaiting headers)", Failure::TimedOut),
            ("context deadline exceeded", Failure::TimedOut),
            (
                "net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
                Failure::TimedOut,
            ),
            ("net/http: TLS handshake timeout", Failure::TimedOut),
            ("dial tcp: lookup health.internal.invalid on 10.0.0.2:53: no such host", Failure::NoSuchHost),
            ("dial tcp: lookup app on 10.0.0.2:53: server misbehaving", Failure::Unrecognised),
            (
                "dial tcp: lookup app on 10.0.0.2:53: read udp 10.0.0.1:4->10.0.0.2:53: i/o timeout",
                Failure::Unrecognised,
            ),
            ("dial tcp: lookup app: Temporary failure in name resolution", Failure::Unrecognised),
            ("EOF", Failure::Reset),
            ("unexpected EOF", Failure::Reset),
            ("net/http: HTTP/1.x transport connection broken: unexpected EOF", Failure::Reset),
            ("read tcp 10.0.0.1:41000->10.0.0.7:8080: read: connection reset by peer", Failure::Reset),
            ("http: server closed idle connection", Failure::Reset),
            ("stopped after 10 redirects", Failure::TooManyRedirects),
            ("http: server gave HTTP response to HTTPS client", Failure::PlainHttp),
            ("tls: first record does not look like a TLS handshake", Failure::NotTls),
            ("remote error: tls: certificate required", Failure::CertificateWanted),
            ("remote error: tls: bad certificate", Failure::CertificateWanted),
            ("remote error: tls: handshake failure", Failure::TlsRefused),
            ("write tcp 10.0.0.1:41000->10.0.0.7:8080: write: broken pipe", Failure::TlsRefused),
            ("http2: client conn could not be established", Failure::TlsRefused),
            ("remote error: tls: protocol version not supported", Failure::Tls),
            ("net/http: invalid header field value for \"X-Token\"", Failure::BadHeader { name: "X-Token".into() }),
            ("net/http: invalid header field name \"X Y\"", Failure::BadHeader { name: "X Y".into() }),
            ("http: no Host in request URL", Failure::Unrecognised),
            ("dial tcp 10.0.0.7:8080: connect: no route to host", Failure::Unreachable),
            ("dial tcp 10.0.0.7:8080: connect: network is unreachable", Failure::Unreachable),
            ("something new", Failure::Unrecognised),
        ] {
            let output = format!(r#"Get "https://10.0.0.7:8080/health": {error}"#);
            assert_eq!(http(&output), expected, "{output}");
        }
    }

    #[test]
    fn a_malformed_answer_is_the_server_s_own_words() {
        for (error, expected) in [
            (r#"malformed HTTP response "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00@\x00""#, Failure::Http2),
            (
                r#"net/http: HTTP/1.x transport connection broken: malformed HTTP response "\x00\x00\x18\x04\x00\x00\x00""#,
                Failure::Http2,
            ),
            (r#"malformed HTTP response "SSH-2.0-OpenSSH_9.6""#, Failure::Malformed),
            (r#"malformed HTTP response "tls: EOF""#, Failure::Malformed),
            (r#"malformed HTTP response "\x15\x03\x01\x00\x02\x02""#, Failure::TlsAnswered),
            (r#"malformed HTTP status code "connection refused""#, Failure::Malformed),
            ("malformed MIME header line: connection refused", Failure::Malformed),
        ] {
            assert_eq!(http(&format!(r#"Get "http://10.0.0.7:8080/": {error}"#)), expected, "{error}");
        }
    }

    #[test]
    fn a_broken_pipe_without_tls_is_a_closed_connection() {
        let output = r#"Get "http://10.0.0.7:80/": write tcp 10.0.0.1:4->10.0.0.7:80: write: broken pipe"#;
        assert_eq!(http(output), Failure::Reset);
    }

    #[test]
    fn a_path_that_is_a_url_asks_nobody() {
        let output = r#"Get "http:8080/health": http: no Host in request URL"#;
        assert_eq!(http(output), Failure::PathIsUrl);
    }

    #[test]
    fn an_http_probe_that_errored_never_asked_or_was_not_told_all() {
        for (output, expected) in [
            (
                r#"parse "http://[10.0.0.9:8080]:8080/health": invalid host: ParseAddr("10.0.0.9:8080"): unexpected character (at ":8080")"#,
                Failure::BadHost,
            ),
            (r#"parse "http://[http://web]:80/x": invalid character "/" in host name"#, Failure::BadHost),
            ("unexpected EOF", Failure::BodyCutOff),
            (
                "context deadline exceeded (Client.Timeout or context cancellation while reading body)",
                Failure::BodyCutOff,
            ),
            ("read tcp 10.0.0.1:4->10.0.0.7:80: read: connection reset by peer", Failure::BodyCutOff),
            ("invalid port number: 0", Failure::Unrecognised),
        ] {
            assert_eq!(http_errored(output), expected, "{output}");
        }
    }

    #[test]
    fn a_grpc_probe_that_an_http_server_answers_is_told_so() {
        for (output, status) in [
            (
                "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unexpected HTTP status code received from server: 404 (Not Found); transport: received unexpected content-type \"text/html\"",
                Some(404),
            ),
            (
                "error: health rpc probe failed: rpc error: code = Unauthenticated desc = unexpected HTTP status code received from server: 401 (Unauthorized)",
                Some(401),
            ),
            (
                "error: health rpc probe failed: rpc error: code = Unknown desc = unexpected HTTP status code received from server: 200 (OK); transport: received unexpected content-type \"text/html\"",
                Some(200),
            ),
            (
                "error: health rpc probe failed: rpc error: code = Internal desc = malformed header: missing HTTP content-type",
                None,
            ),
            (
                "error: health rpc probe failed: rpc error: code = Unknown desc = transport: received unexpected content-type \"application/json\"",
                None,
            ),
        ] {
            assert_eq!(grpc(output), Failure::GrpcHttp(status), "{output}");
        }
        let quoted = "error: health rpc probe failed: rpc error: code = Internal desc = backend: unexpected HTTP status code received from server: 503";
        assert_eq!(grpc(quoted), Failure::GrpcStatus);
    }

    #[test]
    fn the_words_of_a_url_are_not_taken_for_an_error() {
        for path in ["EOF", "statuscode: 404", r#"a\": EOF"#, "connection refused", "tls: x", r"\\"] {
            let output = format!(r#"Get "http://10.0.0.7:80/{path}": something new"#);
            assert_eq!(http(&output), Failure::Unrecognised, "{output}");
            let output = format!(r#"Get "http://10.0.0.7:80/{path}"#);
            assert_eq!(http(&output), Failure::Unrecognised, "{output}");
        }
    }

    #[test]
    fn a_tcp_probe_is_classified_by_its_dial_error() {
        for (output, expected) in [
            ("dial tcp 10.0.0.7:9090: connect: connection refused", Failure::Refused),
            ("dial tcp 10.0.0.7:9090: i/o timeout", Failure::TimedOut),
            ("dial tcp [fd00::7]:9090: connect: no route to host", Failure::Unreachable),
            ("dial tcp: lookup db on 10.0.0.2:53: no such host", Failure::NoSuchHost),
            ("dial tcp: address web:80:9090: too many colons in address", Failure::BadHost),
            ("HTTP probe failed with statuscode: 404", Failure::Unrecognised),
            ("connection refused", Failure::Unrecognised),
        ] {
            assert_eq!(tcp(output), expected, "{output}");
        }
    }

    #[test]
    fn every_wording_of_a_grpc_probe_is_classified() {
        for (output, expected) in [
            (
                r#"timeout: failed to connect service "10.0.0.7:8080" within 1s: context deadline exceeded"#,
                Failure::GrpcNoConnection,
            ),
            (r#"error: failed to connect service at "10.0.0.7:8080": x"#, Failure::GrpcNoConnection),
            ("timeout: health rpc did not complete within 1s", Failure::TimedOut),
            (
                "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service grpc.health.v1.Health",
                Failure::GrpcNoHealth,
            ),
            (
                "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service",
                Failure::GrpcUnknownService,
            ),
            (
                "error: health rpc probe failed: rpc error: code = Unavailable desc = code = NotFound",
                Failure::GrpcStatus,
            ),
            (
                "error: health rpc probe failed: rpc error: code = Unauthenticated desc = no token",
                Failure::GrpcUnauthorized,
            ),
            ("error: health rpc probe failed: rpc error: code = PermissionDenied desc = ", Failure::GrpcUnauthorized),
            ("error: health rpc probe failed: rpc error: code = Internal desc = boom", Failure::GrpcStatus),
            (r#"service unhealthy (responded with "NOT_SERVING")"#, Failure::GrpcNotServing),
            (r#"service unhealthy (responded with "UNKNOWN")"#, Failure::GrpcNotServing),
            (r#"service unhealthy (responded with "SERVICE_UNKNOWN")"#, Failure::GrpcUnknownService),
            ("HTTP probe failed with statuscode: 404", Failure::Unrecognised),
        ] {
            assert_eq!(grpc(output), expected, "{output}");
        }
    }
}

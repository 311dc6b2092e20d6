//! Probes, with the API's defaults filled in.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::Observer;
use super::words::words;
use crate::kubelet::{Handler, HttpGet, Port, ProbeSpec, Scheme};
use crate::source::mask::{self, MAX_NAME};
use crate::source::objects::{GrpcLite, HttpGetLite, Maybe, Oddity, ProbeLite, TcpLite, TextOrNumber};
use crate::text::cut;

/// Maximum value of a numeric field of a probe.
const MAX_NUMBER: u32 = i32::MAX as u32;

/// The shared copy of a probe; `None` if it has no known handler, or a handler without a port.
pub fn spec(observer: &mut Observer, probe: &ProbeLite) -> Option<Arc<ProbeSpec>> {
    let handler = handler(observer, probe)?;
    let grace = &probe.termination_grace_period_seconds;
    let spec = ProbeSpec {
        handler,
        initial_delay: seconds(observer, &probe.initial_delay_seconds, "initialDelaySeconds", 0),
        period: seconds(observer, &probe.period_seconds, "periodSeconds", 10),
        timeout: seconds(observer, &probe.timeout_seconds, "timeoutSeconds", 1),
        failure_threshold: number(observer, &probe.failure_threshold, "failureThreshold").unwrap_or(3),
        grace: match grace {
            Maybe::Is(0) => Some(Duration::from_secs(1)),
            _ => {
                number(observer, grace, "terminationGracePeriodSeconds").map(|grace| Duration::from_secs(grace.into()))
            }
        },
    };
    Some(observer.probes.get(spec))
}

fn seconds(observer: &mut Observer, field: &Maybe<i64>, name: &str, default: u32) -> Duration {
    Duration::from_secs(number(observer, field, name).unwrap_or(default).into())
}

/// A number; zero means the default, as the API server fills it in.
fn number(observer: &mut Observer, field: &Maybe<i64>, name: &str) -> Option<u32> {
    observer.count(field, name, MAX_NUMBER).filter(|number| *number != 0)
}

fn handler(observer: &mut Observer, probe: &ProbeLite) -> Option<Handler> {
    if let Some(get) = observer.read(&probe.http_get, "httpGet", |observer, get| http_get(observer, get)) {
        return get.map(Handler::Http);
    }
    if let Some(tcp) = observer.read(&probe.tcp_socket, "tcpSocket", |observer, tcp| tcp_socket(observer, tcp)) {
        return tcp;
    }
    if let Some(grpc) = observer.read(&probe.grpc, "grpc", |observer, it| grpc(observer, it)) {
        return grpc;
    }
    observer.read(&probe.exec, "exec", |observer, exec| {
        let words = words(observer, &exec.command, "command");
        Handler::Exec(mask::command(words.iter().map(|word| &**word)).into_iter().map(Arc::from).collect())
    })
}

fn tcp_socket(observer: &mut Observer, tcp: &TcpLite) -> Option<Handler> {
    Some(Handler::Tcp { host: host(observer, &tcp.host), port: port(observer, &tcp.port)? })
}

fn grpc(observer: &mut Observer, grpc: &GrpcLite) -> Option<Handler> {
    let service = observer.text(&grpc.service, "service");
    Some(Handler::Grpc { port: port(observer, &grpc.port)?, service: observer.name(cut(service, MAX_NAME)) })
}

fn http_get(observer: &mut Observer, get: &HttpGetLite) -> Option<HttpGet> {
    let mut headers = Vec::new();
    let mut values = DefaultHasher::new();
    observer.each(&get.http_headers, "httpHeaders", |observer, header| {
        let name = observer.text(&header.name, "name");
        (name, &header.value).hash(&mut values);
        headers.push(observer.name(cut(name, MAX_NAME)));
    });
    let scheme = observer.text(&get.scheme, "scheme");
    let path = observer.text(&get.path, "path");
    Some(HttpGet {
        scheme: if scheme.eq_ignore_ascii_case("https") { Scheme::Https } else { Scheme::Http },
        host: host(observer, &get.host),
        port: port(observer, &get.port)?,
        path: observer.name(&if path.is_empty() { "/".into() } else { mask::path(path) }),
        headers: headers.into_boxed_slice(),
        headers_mark: values.finish(),
    })
}

fn host(observer: &mut Observer, field: &Maybe<String>) -> Option<Arc<str>> {
    let host = observer.text(field, "host");
    (!host.is_empty()).then(|| observer.name(cut(&mask::path(host), MAX_NAME)))
}

fn port(observer: &mut Observer, field: &Maybe<TextOrNumber>) -> Option<Port> {
    match observer.needed(field, "port")? {
        TextOrNumber::Text(name) => Some(Port::Name(observer.name(cut(name, MAX_NAME)))),
        TextOrNumber::Number(number) => {
            let fits = i32::try_from(*number).map(Port::Number);
            observer.or_note(fits.map_err(|_| Oddity::value("port", format!("{number} is out of range"))))
        }
    }
}

//! Probes, with the API's defaults filled in.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::{Observer, template};
use crate::kubelet::{Handler, HttpGet, Port, ProbeSpec, Scheme};
use crate::source::mask::{self, MAX_NAME, cut};
use crate::source::objects::{HttpGetLite, Maybe, Oddity, ProbeLite, TextOrNumber};

/// A probe; `None` where it has no handler that is known here.
pub fn spec(observer: &mut Observer, probe: &ProbeLite) -> Result<Option<ProbeSpec>, Oddity> {
    let Some(handler) = handler(observer, probe)? else {
        return Ok(None);
    };
    let threshold = number(&probe.failure_threshold, "failureThreshold", 3)?;
    let grace = &probe.termination_grace_period_seconds;
    Ok(Some(ProbeSpec {
        handler,
        initial_delay: seconds(&probe.initial_delay_seconds, "initialDelaySeconds", 0)?,
        period: seconds(&probe.period_seconds, "periodSeconds", 10)?,
        timeout: seconds(&probe.timeout_seconds, "timeoutSeconds", 1)?,
        failure_threshold: threshold,
        grace: match grace.known("terminationGracePeriodSeconds")? {
            Some(_) => Some(seconds(grace, "terminationGracePeriodSeconds", 1)?),
            None => None,
        },
    }))
}

fn seconds(field: &Maybe<i64>, name: &str, default: u32) -> Result<Duration, Oddity> {
    Ok(Duration::from_secs(number(field, name, default)?.into()))
}

/// A count; zero stands for the default, as the API server fills it in.
fn number(field: &Maybe<i64>, name: &str, default: u32) -> Result<u32, Oddity> {
    match *field.known(name)?.unwrap_or(&0) {
        0 => Ok(default),
        number => u32::try_from(number)
            .ok()
            .filter(|number| i32::try_from(*number).is_ok())
            .ok_or_else(|| Oddity::value(name, format!("{number} is out of range"))),
    }
}

fn handler(observer: &mut Observer, probe: &ProbeLite) -> Result<Option<Handler>, Oddity> {
    if let Some(get) = probe.http_get.read("httpGet", |get| http_get(observer, get))? {
        return Ok(Some(Handler::Http(get)));
    }
    let tcp = probe.tcp_socket.read("tcpSocket", |tcp| {
        Ok(Handler::Tcp { host: host(observer, &tcp.host)?, port: port(observer, &tcp.port)? })
    })?;
    if tcp.is_some() {
        return Ok(tcp);
    }
    let grpc = probe.grpc.read("grpc", |grpc| {
        let service = grpc.service.known("service")?.map_or("", String::as_str);
        Ok(Handler::Grpc { port: port(observer, &grpc.port)?, service: observer.name(cut(service, MAX_NAME)) })
    })?;
    if grpc.is_some() {
        return Ok(grpc);
    }
    probe.exec.read("exec", |exec| {
        let words = template::words(&exec.command, "command")?;
        Ok(Handler::Exec(mask::command(words).into_iter().map(Arc::from).collect()))
    })
}

fn http_get(observer: &mut Observer, get: &HttpGetLite) -> Result<HttpGet, Oddity> {
    let mut headers = Vec::new();
    let mut values = DefaultHasher::new();
    get.http_headers.each("httpHeaders", |_, header| {
        let name = header.name.known("name")?.map_or("", String::as_str);
        (name, &header.value).hash(&mut values);
        headers.push(observer.name(cut(name, MAX_NAME)));
        Ok(())
    })?;
    let scheme = get.scheme.known("scheme")?.map_or("", String::as_str);
    let path = get.path.known("path")?.map_or("", String::as_str);
    Ok(HttpGet {
        scheme: if scheme.eq_ignore_ascii_case("https") { Scheme::Https } else { Scheme::Http },
        host: host(observer, &get.host)?,
        port: port(observer, &get.port)?,
        path: Arc::from(if path.is_empty() { "/".into() } else { mask::path(path) }),
        headers: headers.into_boxed_slice(),
        headers_mark: values.finish(),
    })
}

fn host(observer: &mut Observer, field: &Maybe<String>) -> Result<Option<Arc<str>>, Oddity> {
    let host = field.known("host")?.filter(|host| !host.is_empty());
    Ok(host.map(|host| observer.name(cut(&mask::path(host), MAX_NAME))))
}

fn port(observer: &mut Observer, field: &Maybe<TextOrNumber>) -> Result<Port, Oddity> {
    match field.required("port")? {
        TextOrNumber::Text(name) => Ok(Port::Name(observer.name(cut(name, MAX_NAME)))),
        TextOrNumber::Number(number) => i32::try_from(*number)
            .map(Port::Number)
            .map_err(|_| Oddity::value("port", format!("{number} is out of range"))),
    }
}

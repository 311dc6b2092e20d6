//! What a revision changed.

use std::time::Duration;

use crate::kubelet::{Handler, ProbeKind, ProbeSpec};
use crate::template::ContainerSpec;

/// A field that differs, as a manifest would show it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// `image`, `livenessProbe.httpGet.path`
    pub field: String,
    /// The value before, if there was one.
    pub from: Option<String>,
    /// The value after, if there is one.
    pub to: Option<String>,
}

/// The difference that touches a field, or else the first one that there is.
pub(super) fn between(before: &ContainerSpec, after: &ContainerSpec, field: Option<&str>) -> Option<Difference> {
    let mut all = differences(before, after);
    let touching = field.and_then(|field| all.iter().position(|difference| touches(&difference.field, field)));
    match touching {
        Some(at) => Some(all.swap_remove(at)),
        None if all.is_empty() => None,
        None => {
            let mut first = all.swap_remove(0);
            first.from = first.from.map(|value| format!("{} {value}", first.field));
            first.to = first.to.map(|value| format!("{} {value}", first.field));
            Some(first)
        }
    }
}

/// The value of a field of a container as a manifest would show it.
pub(super) fn value_of(container: &ContainerSpec, field: &str) -> Option<String> {
    fields(container).into_iter().find(|(name, _)| name == field).map(|(_, value)| value)
}

/// Whether the values of a field are compared between templates at all.
pub(super) fn is_compared(field: &str) -> bool {
    const OF_A_PROBE: [&str; 14] = [
        "httpGet.path",
        "httpGet.port",
        "httpGet.scheme",
        "httpGet.host",
        "tcpSocket.port",
        "tcpSocket.host",
        "grpc.port",
        "grpc.service",
        "exec.command",
        "initialDelaySeconds",
        "periodSeconds",
        "timeoutSeconds",
        "failureThreshold",
        "httpGet.httpHeaders",
    ];
    match field.split_once("Probe.") {
        Some((_, below)) => OF_A_PROBE.contains(&below),
        None => matches!(field, "image" | "command" | "ports" | "resources.limits.memory"),
    }
}

fn touches(one: &str, other: &str) -> bool {
    one == other || one.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'))
}

fn differences(before: &ContainerSpec, after: &ContainerSpec) -> Vec<Difference> {
    let (old, new) = (fields(before), fields(after));
    let mut all = Vec::new();
    for (field, value) in &new {
        let from = old.iter().find(|(other, _)| other == field).map(|(_, value)| value.clone());
        if from.as_ref() != Some(value) {
            all.push(Difference { field: field.clone(), from, to: Some(value.clone()) });
        }
    }
    for (field, value) in old {
        if !new.iter().any(|(other, _)| *other == field) {
            all.push(Difference { field, from: Some(value), to: None });
        }
    }
    if before.env_mark != after.env_mark {
        all.push(Difference { field: "env".into(), from: None, to: Some("changed".into()) });
    }
    all
}

/// All fields that may differ, most telling first.
fn fields(container: &ContainerSpec) -> Vec<(String, String)> {
    let mut fields = vec![("image".to_owned(), container.image.to_string())];
    if !container.invocation.is_empty() {
        fields.push(("command".into(), container.invocation.to_string()));
    }
    for kind in ProbeKind::ALL {
        if let Some(probe) = container.probe(kind) {
            probe_fields(kind, probe, &mut fields);
        }
    }
    let ports = container.ports.iter().map(|(name, number)| match name {
        Some(name) => format!("{name}:{number}"),
        None => number.to_string(),
    });
    let ports = ports.collect::<Vec<_>>().join(",");
    fields.push(("ports".into(), ports));
    if let Some(limit) = &container.memory_limit {
        fields.push(("resources.limits.memory".into(), limit.to_string()));
    }
    fields
}

fn probe_fields(kind: ProbeKind, probe: &ProbeSpec, fields: &mut Vec<(String, String)>) {
    let mut put = |field: &str, value: String| fields.push((format!("{}.{field}", kind.field()), value));
    match &probe.handler {
        Handler::Http(get) => {
            put("httpGet.path", get.path.to_string());
            put("httpGet.port", get.port.to_string());
            put("httpGet.scheme", get.scheme.word().to_owned());
            if let Some(host) = &get.host {
                put("httpGet.host", host.to_string());
            }
            if !get.headers.is_empty() {
                put("httpGet.httpHeaders", get.headers.join(","));
            }
        }
        Handler::Tcp { host, port } => {
            put("tcpSocket.port", port.to_string());
            if let Some(host) = host {
                put("tcpSocket.host", host.to_string());
            }
        }
        Handler::Grpc { port, service } => {
            put("grpc.port", port.to_string());
            put("grpc.service", service.to_string());
        }
        Handler::Exec(words) => put("exec.command", words.join(" ")),
    }
    let seconds = |span: Duration| span.as_secs().to_string();
    put("initialDelaySeconds", seconds(probe.initial_delay));
    put("periodSeconds", seconds(probe.period));
    put("timeoutSeconds", seconds(probe.timeout));
    put("failureThreshold", probe.failure_threshold.to_string());
}

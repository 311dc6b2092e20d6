//! What a revision changed.

use std::time::Duration;

use crate::finding::field::{ContainerField, Field, ProbeField};
use crate::kubelet::{Handler, ProbeKind, ProbeSpec};
use crate::template::ContainerSpec;

/// A changed field, as a manifest would show it.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    /// `image`, `livenessProbe.httpGet.path`
    pub field: Field,
    /// The value before, if there was one.
    pub from: Option<String>,
    /// The value after, if there is one.
    pub to: Option<String>,
}

/// The difference in a field, or else the first difference.
pub fn between(before: &ContainerSpec, after: &ContainerSpec, field: Option<&Field>) -> Option<Difference> {
    let mut all = differences(before, after);
    let touching = field.and_then(|field| all.iter().position(|difference| difference.field.is_within(field)));
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
pub fn value_of(container: &ContainerSpec, field: &Field) -> Option<String> {
    let fields = match field {
        Field::OfProbe(kind, asked) => {
            let mut value = None;
            probe_fields(container.probe(*kind)?, |field, say| {
                if field == *asked {
                    value = Some(say());
                }
            });
            return value;
        }
        Field::OfContainer(_) => fields(container),
        Field::Probe(_) | Field::Other(_) => return None,
    };
    fields.into_iter().find(|(known, _)| known == field).map(|(_, value)| value)
}

/// Whether the values of a field are compared between templates at all.
pub const fn is_compared(field: &Field) -> bool {
    match field {
        Field::OfProbe(_, field) => {
            !matches!(field, ProbeField::Http | ProbeField::Tcp | ProbeField::Grpc | ProbeField::Exec)
        }
        Field::OfContainer(field) => matches!(
            field,
            ContainerField::Image | ContainerField::Command | ContainerField::Ports | ContainerField::MemoryLimit
        ),
        Field::Probe(_) | Field::Other(_) => false,
    }
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
        all.push(Difference { field: ContainerField::Env.into(), from: None, to: Some("changed".into()) });
    }
    all
}

/// All fields that are compared, most significant first.
fn fields(container: &ContainerSpec) -> Vec<(Field, String)> {
    let mut fields = vec![(ContainerField::Image.into(), container.image.to_string())];
    if !container.invocation.is_empty() {
        fields.push((ContainerField::Command.into(), container.invocation.to_string()));
    }
    for kind in ProbeKind::ALL {
        if let Some(probe) = container.probe(kind) {
            probe_fields(probe, |field, say| fields.push((Field::OfProbe(kind, field), say())));
        }
    }
    let ports = container.ports.iter().map(|(name, number)| match name {
        Some(name) => format!("{name}:{number}"),
        None => number.to_string(),
    });
    let ports = ports.collect::<Vec<_>>().join(",");
    fields.push((ContainerField::Ports.into(), ports));
    if let Some(limit) = &container.memory_limit {
        fields.push((ContainerField::MemoryLimit.into(), limit.to_string()));
    }
    fields
}

/// Passes on the fields of a probe, each with what writes its value.
fn probe_fields(probe: &ProbeSpec, mut put: impl FnMut(ProbeField, &dyn Fn() -> String)) {
    match &probe.handler {
        Handler::Http(get) => {
            put(ProbeField::HttpPath, &|| get.path.to_string());
            put(ProbeField::HttpPort, &|| get.port.to_string());
            put(ProbeField::HttpScheme, &|| get.scheme.word().to_owned());
            if let Some(host) = &get.host {
                put(ProbeField::HttpHost, &|| host.to_string());
            }
            if !get.headers.is_empty() {
                put(ProbeField::HttpHeaders, &|| get.headers.join(","));
            }
        }
        Handler::Tcp { host, port } => {
            put(ProbeField::TcpPort, &|| port.to_string());
            if let Some(host) = host {
                put(ProbeField::TcpHost, &|| host.to_string());
            }
        }
        Handler::Grpc { port, service } => {
            put(ProbeField::GrpcPort, &|| port.to_string());
            put(ProbeField::GrpcService, &|| service.to_string());
        }
        Handler::Exec(words) => put(ProbeField::ExecCommand, &|| words.join(" ")),
    }
    let seconds = |span: Duration| span.as_secs().to_string();
    put(ProbeField::InitialDelay, &|| seconds(probe.initial_delay));
    put(ProbeField::Period, &|| seconds(probe.period));
    put(ProbeField::Timeout, &|| seconds(probe.timeout));
    put(ProbeField::FailureThreshold, &|| probe.failure_threshold.to_string());
}

//! The port of a probe.

use super::pod::{Container, Declared, Pod, Probe};
use super::value::is_placeholder;
use super::{Finding, Rule};
use crate::kubelet::ProbeKind;
use crate::source::manifest::Value;

/// Maximum length of a port name.
const NAME: usize = 15;

/// Problems with the port of a probe.
pub fn probe(probe: &Probe<'_>, container: &Container<'_>, pod: &Pod<'_>, all: &mut Vec<Finding>) {
    let Some((kind, handler)) = probe.handler().filter(|(kind, _)| *kind != "exec") else { return };
    let finding =
        |rule, why: &str| Finding::new(rule, probe.place(&[kind, "port"]), probe.field(&format!("{kind}.port")), why);
    let Some(port) = handler.get("port") else {
        return all.push(finding(Rule::PortInvalid, "it asks no port: the API server refuses it"));
    };
    match &port.value {
        Value::Number(number) if !(1..=65_535).contains(number) => {
            let why = "a port is a number from 1 to 65535: the API server refuses it";
            all.push(finding(Rule::PortInvalid, why).current(number));
        }
        Value::Text(name) if is_placeholder(name) => {}
        Value::Text(name) if kind == "grpc" => {
            let why = "a gRPC probe takes the number of a port, not its name: the API server refuses it";
            let known = container.ports().find(|declared| declared.name == Some(&**name));
            let finding = finding(Rule::PortInvalid, why).current(format_args!("{name:?}"));
            let number = known.and_then(|known| known.number).or_else(|| name.parse().ok());
            all.push(number.map(|number| format!("port: {number}")).into_iter().fold(finding, Finding::suggest));
        }
        Value::Text(name) if !is_name(name) => {
            let why = match name.parse::<u16>() {
                Ok(_) => "in quotes it is a name, and a name has a letter in it: the API server refuses it",
                Err(_) => {
                    "a port's name has up to 15 lower-case letters, digits and single dashes: the API server refuses it"
                }
            };
            let finding = finding(Rule::PortInvalid, why).current(format_args!("{name:?}"));
            let number = name.parse::<u16>().ok().map(|number| format!("port: {number}"));
            all.push(number.into_iter().fold(finding, Finding::suggest));
        }
        Value::Text(name) if !container.ports().any(|declared| declared.name == Some(&**name)) => {
            all.push(no_such_name(probe, name, container, pod, finding(Rule::PortName, "")));
        }
        _ => {}
    }
}

/// Named ports are resolved only within the container (`pkg/probe/util.go`).
fn no_such_name(probe: &Probe<'_>, name: &str, container: &Container<'_>, pod: &Pod<'_>, finding: Finding) -> Finding {
    let names: Vec<&str> = container.ports().filter_map(|declared| declared.name).collect();
    let has = match names.as_slice() {
        [] => "declares no port by name".to_owned(),
        names => format!("has {}", names.join(", ")),
    };
    let effect = match probe.kind {
        ProbeKind::Liveness => "it cannot run, never counts as failed, and protects nothing",
        ProbeKind::Readiness => "it cannot run, so the pod never becomes ready",
        ProbeKind::Startup => {
            "it cannot run, so the container never counts as started, and the pod never becomes ready"
        }
    };
    let elsewhere = pod.containers.iter().find_map(|other| {
        let same = |declared: &Declared<'_>| declared.name == Some(name);
        other.ports().find(same).map(|declared| (other.name, declared.number))
    });
    let why = format!("the container {has}, and a name is looked up in the container alone: {effect}");
    let finding = Finding { why, ..finding }.current(name);
    let numbers: Vec<i64> = container.ports().filter_map(|declared| declared.number).collect();
    match (elsewhere, names.as_slice(), numbers.as_slice()) {
        (Some((owner, Some(number))), ..) => {
            finding.suggest(format!("port: {number}, which container {owner} calls so; all of a pod share one address"))
        }
        (_, [only], _) => finding.suggest(format!("port: {only}, if that is the one that is meant")),
        (_, [], [number]) => {
            finding.suggest(format!("name: {name} beside containerPort: {number}, if that is the one that is meant"))
        }
        _ => finding,
    }
}

/// Whether the API server accepts it as a port name (`IsValidPortName`).
fn is_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty()
        && name.len() <= NAME
        && name.bytes().all(inner)
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
        && !name.contains("--")
        && !name.starts_with('-')
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{ids, of_container, of_probe};

    #[test]
    fn a_port_that_can_be_asked_is_not_flagged() {
        for probe in [
            "readinessProbe: {httpGet: {port: http}}",
            "readinessProbe: {tcpSocket: {port: 9999}}",
            "readinessProbe: {grpc: {port: 9000}}",
            "readinessProbe: {httpGet: {port: \"{{ .Values.port }}\"}}",
        ] {
            assert_eq!(ids(&of_probe(probe)), Vec::<&str>::new(), "{probe}");
        }
    }

    #[test]
    fn a_port_that_cannot_is() {
        for (probe, id) in [
            ("readinessProbe: {httpGet: {path: /}}", "port-invalid"),
            ("readinessProbe: {httpGet: {port: 0}}", "port-invalid"),
            ("readinessProbe: {tcpSocket: {port: 70000}}", "port-invalid"),
            ("readinessProbe: {httpGet: {port: \"8080\"}}", "port-invalid"),
            ("readinessProbe: {httpGet: {port: HTTP}}", "port-invalid"),
            ("readinessProbe: {grpc: {port: http}}", "port-invalid"),
            ("readinessProbe: {httpGet: {port: metrics}}", "port-name"),
            ("livenessProbe: {httpGet: {port: metrics}, failureThreshold: 6}", "port-name"),
        ] {
            assert_eq!(ids(&of_probe(probe)), [id], "{probe}");
        }
    }

    #[test]
    fn a_name_of_another_container_is_named_with_its_number() {
        let said = of_container(
            "containers: [{name: a, image: i, readinessProbe: {httpGet: {port: admin}}}, \
             {name: proxy, image: i, ports: [{name: admin, containerPort: 9901}]}]",
        );
        assert_eq!(ids(&said), ["port-name"]);
        assert_eq!(said[0].current.as_deref(), Some("admin"));
        let suggestion = said[0].suggestion.as_deref().unwrap();
        assert!(suggestion.starts_with("port: 9901, which container proxy calls so"), "{suggestion}");
    }
}

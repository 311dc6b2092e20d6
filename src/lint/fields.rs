//! Unknown fields: refused by `kubectl apply`, silently dropped by others.

use super::pod::{HANDLERS, Pod, Probe};
use super::{Container, Finding, Rule};
use crate::kubelet::ProbeKind;
use crate::source::manifest::{Entry, Node};

/// The fields of a probe besides its handler (1.37).
const OF_PROBE: [&str; 6] = [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
    "terminationGracePeriodSeconds",
];

/// The fields of a handler (1.37).
const OF_HANDLER: [(&str, &[&str]); 4] = [
    ("exec", &["command"]),
    ("httpGet", &["path", "port", "host", "scheme", "httpHeaders", "protocol"]),
    ("tcpSocket", &["port", "host"]),
    ("grpc", &["port", "service", "mode"]),
];

const WHY: &str = "there is no such field: kubectl refuses it, and where nothing does it is dropped in silence";

/// Problems with the fields of a probe and its handler.
pub fn probe(probe: &Probe<'_>, all: &mut Vec<Finding>) {
    let known: Vec<&str> = HANDLERS.into_iter().chain(OF_PROBE).collect();
    for entry in unknown(probe.node, &known) {
        all.push(finding(entry, probe.field(&entry.key), &known));
    }
    for (name, known) in OF_HANDLER {
        let handler = probe.node.get(name);
        for entry in handler.into_iter().flat_map(|handler| unknown(handler, known)) {
            all.push(finding(entry, probe.field(&format!("{name}.{}", entry.key)), known));
        }
    }
}

/// Fields of a container that were meant for a probe.
pub fn container(container: &Container<'_>, all: &mut Vec<Finding>) {
    let known = ProbeKind::ALL.map(ProbeKind::field);
    let like = |entry: &&Entry| {
        let key = entry.key.to_lowercase();
        (key.ends_with("probe") || key.ends_with("probes")) && !known.contains(&&*entry.key)
    };
    let fields = container.node.entries().iter().filter(like);
    all.extend(fields.map(|entry| finding(entry, entry.key.clone(), &known)));
}

/// Probes beside the containers instead of in one.
pub fn pod(pod: &Pod<'_>, all: &mut Vec<Finding>) {
    for entry in ProbeKind::ALL.into_iter().filter_map(|kind| pod.spec.entry(kind.field())) {
        let finding = Finding::new(Rule::UnknownField, entry.at, &entry.key, format!("{WHY}; a pod has no probes"));
        all.push(finding.suggest("move it into the container that it is about"));
    }
}

fn unknown<'a>(node: &'a Node, known: &[&str]) -> impl Iterator<Item = &'a Entry> {
    node.entries().iter().filter(|entry| !known.contains(&&*entry.key) && !entry.key.starts_with("x-"))
}

fn finding(entry: &Entry, field: String, known: &[&str]) -> Finding {
    let finding = Finding::new(Rule::UnknownField, entry.at, field, WHY);
    let near = known.iter().find(|known| is_near(&entry.key, known));
    match near {
        Some(near) => finding.suggest(format!("{near} is probably meant")),
        None => finding.suggest(format!("known here: {}", known.join(", "))),
    }
}

/// Whether they differ only in case, or in a letter or two.
fn is_near(typed: &str, known: &str) -> bool {
    let (typed, known) = (typed.to_lowercase(), known.to_lowercase());
    let same = typed.chars().zip(known.chars()).take_while(|(a, b)| a == b).count();
    let ends = typed.chars().rev().zip(known.chars().rev()).take_while(|(a, b)| a == b).count();
    typed == known || same + ends + 2 >= known.chars().count().max(typed.chars().count())
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{ids, of_container, of_pod, of_probe};

    #[test]
    fn a_mistyped_field_is_named_with_the_right_one() {
        for (probe, field, near) in [
            (
                "readinessProbe: {tcpSocket: {port: 1}, failureTreshold: 3}",
                "readinessProbe.failureTreshold",
                "failureThreshold",
            ),
            ("readinessProbe: {httpGet: {port: 1, Path: /}}", "readinessProbe.httpGet.Path", "path"),
            ("readynessProbe: {tcpSocket: {port: 1}}", "readynessProbe", "readinessProbe"),
            ("livenessprobe: {tcpSocket: {port: 1}}", "livenessprobe", "livenessProbe"),
        ] {
            let said = of_probe(probe);
            assert_eq!(ids(&said), ["unknown-field"], "{probe}");
            assert_eq!(said[0].field, field);
            assert_eq!(said[0].suggestion.as_deref(), Some(&*format!("{near} is probably meant")));
        }
    }

    #[test]
    fn a_probe_outside_of_a_container_is_named() {
        assert_eq!(ids(&of_pod("livenessProbe: {tcpSocket: {port: 1}}")), ["unknown-field"]);
        assert_eq!(ids(&of_container("hostAliases: []")), Vec::<&str>::new());
    }

    #[test]
    fn alpha_fields_are_fields() {
        for probe in
            ["readinessProbe: {grpc: {port: 1, mode: TLS}}", "readinessProbe: {httpGet: {port: 1, protocol: HTTP2}}"]
        {
            assert_eq!(ids(&of_probe(probe)), Vec::<&str>::new());
        }
    }
}

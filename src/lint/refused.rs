//! What the API server refuses (`pkg/apis/core/validation/validation.go`), so that nothing is rolled out.

use super::pod::{Container, HANDLERS, Probe};
use super::value::is_placeholder;
use super::{Finding, Rule};
use crate::kubelet::ProbeKind;
use crate::source::manifest::{Node, Value};
use crate::template::Role;

/// The numeric fields of a probe.
const NUMBERS: [&str; 6] = [
    "initialDelaySeconds",
    "periodSeconds",
    "timeoutSeconds",
    "failureThreshold",
    "successThreshold",
    "terminationGracePeriodSeconds",
];

/// The end of every sentence.
const REFUSED: &str = "the API server refuses it";

/// Refused fields of a container, besides its probes.
pub fn container(container: &Container<'_>, all: &mut Vec<Finding>) {
    if container.role != Role::Init {
        return;
    }
    let mut fields: Vec<&str> = ProbeKind::ALL.iter().map(|kind| kind.field()).collect();
    fields.push("lifecycle");
    for entry in fields.into_iter().filter_map(|field| container.node.entry(field)) {
        let why = format!("an init container that runs to its end may not have it: {REFUSED}");
        let finding = Finding::new(Rule::InitProbe, entry.at, &entry.key, why);
        all.push(finding.suggest("remove it, or make the container a sidecar with restartPolicy: Always"));
    }
}

/// Refused fields of a probe.
pub fn probe(probe: &Probe<'_>, all: &mut Vec<Finding>) {
    handlers(probe, all);
    for key in NUMBERS {
        number(probe, key, all);
    }
    success_threshold(probe, all);
    readiness_grace(probe, all);
    scheme(probe, all);
    command(probe, all);
}

fn handlers(probe: &Probe<'_>, all: &mut Vec<Finding>) {
    let kind = probe.kind;
    let names: Vec<&str> = probe.handlers().map(|entry| &*entry.key).collect();
    match names.as_slice() {
        [] => {
            let why = format!("it says in no way how to ask: {REFUSED}");
            let finding = Finding::new(Rule::NoHandler, probe.at, kind.field(), why);
            all.push(finding.suggest(format!("one of {}", HANDLERS.join(", "))));
        }
        [_] => {}
        [first, .., last] => {
            let why = format!("it asks in several ways ({}): {REFUSED}", names.join(", "));
            all.push(
                Finding::new(Rule::SeveralHandlers, probe.place(&[last]), kind.field(), why).suggest(format!(
                    "keep {first} or {last}; where a default of a chart is in the way, set it to null"
                )),
            );
        }
    }
}

fn number(probe: &Probe<'_>, key: &str, all: &mut Vec<Finding>) {
    let Some(node) = probe.node.get(key) else { return };
    let (at, field) = (probe.place(&[key]), probe.field(key));
    match &node.value {
        Value::Text(text) if !is_placeholder(text) => {
            let why = format!("it is a text, and the API server wants a number: {REFUSED}");
            let finding = Finding::new(Rule::NumberType, at, field, why).current(format_args!("{text:?}"));
            let number = text.parse::<i64>().ok();
            all.push(match number {
                Some(number) => finding.suggest(format!("{key}: {number}")),
                None => finding,
            });
        }
        Value::Number(number) => {
            let least = i64::from(key == "terminationGracePeriodSeconds");
            if *number < least || *number > i64::from(i32::MAX) {
                let why = format!("it has to be at least {least}, and no more than {}: {REFUSED}", i32::MAX);
                all.push(Finding::new(Rule::NumberRange, at, field, why).current(number));
            }
        }
        _ => {}
    }
}

fn success_threshold(probe: &Probe<'_>, all: &mut Vec<Finding>) {
    let Some(number) = probe.number("successThreshold").filter(|number| probe.kind.kills() && *number != 1) else {
        return;
    };
    let why = format!("a {} probe may want no more than one success: {REFUSED}", probe.kind);
    let finding =
        Finding::new(Rule::SuccessThreshold, probe.place(&["successThreshold"]), probe.field("successThreshold"), why);
    all.push(finding.current(number).suggest("successThreshold: 1"));
}

fn readiness_grace(probe: &Probe<'_>, all: &mut Vec<Finding>) {
    const KEY: &str = "terminationGracePeriodSeconds";
    let Some(node) = probe.node.get(KEY).filter(|_| !probe.kind.kills()) else { return };
    let why = format!("a readiness probe ends no container, so it may not have a grace period: {REFUSED}");
    let finding = Finding::new(Rule::ReadinessGrace, probe.place(&[KEY]), probe.field(KEY), why).suggest("remove it");
    all.push(match node.number() {
        Some(number) => finding.current(number),
        None => finding,
    });
}

fn scheme(probe: &Probe<'_>, all: &mut Vec<Finding>) {
    const PATH: [&str; 2] = ["httpGet", "scheme"];
    let Some(scheme) = probe.node.at_path(&PATH).and_then(Node::text) else { return };
    if scheme.is_empty() || ["HTTP", "HTTPS"].contains(&scheme) || is_placeholder(scheme) {
        return;
    }
    let why = format!("the API server knows HTTP and HTTPS, in capitals: {REFUSED}");
    let finding = Finding::new(Rule::SchemeUnknown, probe.place(&PATH), probe.field("httpGet.scheme"), why);
    let finding = finding.current(scheme);
    let upper = scheme.to_uppercase();
    all.push(if ["HTTP", "HTTPS"].contains(&&*upper) { finding.suggest(format!("scheme: {upper}")) } else { finding });
}

fn command(probe: &Probe<'_>, all: &mut Vec<Finding>) {
    let Some(exec) = probe.node.get("exec") else { return };
    let why = match exec.get("command").map(|command| &command.value) {
        None => "there is nothing to run",
        Some(Value::List(words)) if words.is_empty() => "there is nothing to run",
        Some(Value::Text(_)) => "it is a text, and the API server wants a list",
        Some(_) => return,
    };
    let at = probe.place(&["exec", "command"]);
    let finding = Finding::new(Rule::EmptyCommand, at, probe.field("exec.command"), format!("{why}: {REFUSED}"));
    all.push(finding.suggest("each word as an item of its own, or [sh, -c, \"…\"]"));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{ids, of_container, of_probe};

    #[test]
    fn what_the_api_server_takes_is_not_flagged() {
        for probe in [
            "readinessProbe: {httpGet: {port: 80, scheme: HTTPS}, successThreshold: 3}",
            "readinessProbe: {grpc: {port: 80}, initialDelaySeconds: 0, periodSeconds: 0}",
            "startupProbe: {exec: {command: [a]}, failureThreshold: 60, terminationGracePeriodSeconds: 5}",
            "readinessProbe: {tcpSocket: {port: 80}, httpGet: null}",
            "readinessProbe: {tcpSocket: {port: 80}, periodSeconds: \"${PERIOD}\"}",
            "readinessProbe: {httpGet: {port: 80, scheme: \"\"}}",
        ] {
            assert_eq!(ids(&of_probe(probe)), Vec::<&str>::new(), "{probe}");
        }
    }

    #[test]
    fn what_it_refuses_is() {
        for (probe, id, field) in [
            ("livenessProbe: {periodSeconds: 10}", "no-handler", "livenessProbe"),
            ("livenessProbe: {}", "no-handler", "livenessProbe"),
            ("readinessProbe: {tcpSocket: {port: 1}, exec: {command: [a]}}", "several-handlers", "readinessProbe"),
            (
                "readinessProbe: {tcpSocket: {port: 1}, periodSeconds: \"5\"}",
                "number-type",
                "readinessProbe.periodSeconds",
            ),
            (
                "readinessProbe: {tcpSocket: {port: 1}, periodSeconds: -5}",
                "number-range",
                "readinessProbe.periodSeconds",
            ),
            (
                "startupProbe: {tcpSocket: {port: 1}, failureThreshold: 30, terminationGracePeriodSeconds: 0}",
                "number-range",
                "startupProbe.terminationGracePeriodSeconds",
            ),
            (
                "startupProbe: {tcpSocket: {port: 1}, failureThreshold: 30, successThreshold: 2}",
                "success-threshold",
                "startupProbe.successThreshold",
            ),
            (
                "readinessProbe: {tcpSocket: {port: 1}, terminationGracePeriodSeconds: 5}",
                "readiness-grace",
                "readinessProbe.terminationGracePeriodSeconds",
            ),
            ("readinessProbe: {httpGet: {port: 1, scheme: https}}", "scheme-unknown", "readinessProbe.httpGet.scheme"),
            ("readinessProbe: {exec: {command: []}}", "empty-command", "readinessProbe.exec.command"),
            ("readinessProbe: {exec: {command: cat /tmp/ok}}", "empty-command", "readinessProbe.exec.command"),
        ] {
            let said = of_probe(probe);
            assert_eq!(ids(&said), [id], "{probe}");
            assert_eq!(said[0].field, field, "{probe}");
        }
    }

    #[test]
    fn an_init_container_has_no_probe_but_a_sidecar_has() {
        let init = "initContainers: [{name: i, image: i, livenessProbe: {tcpSocket: {port: 1}}, lifecycle: {}}]";
        assert_eq!(ids(&of_container(init)), ["init-probe", "init-probe"]);
        let sidecar =
            "initContainers: [{name: i, image: i, restartPolicy: Always, readinessProbe: {tcpSocket: {port: 1}}}]";
        assert_eq!(ids(&of_container(sidecar)), Vec::<&str>::new());
    }
}

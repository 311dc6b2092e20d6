//! The behaviour of a rollout of the object.

use super::object::Object;
use super::pod::Container;
use super::{Finding, Rule};
use crate::kubelet::ProbeKind;
use crate::source::manifest::Node;
use crate::template::Role;

/// The API server's default for `progressDeadlineSeconds`.
const DEADLINE: i64 = 600;

/// Problems with the numbers of a rollout.
pub fn object(object: &Object<'_>, all: &mut Vec<Finding>) {
    if object.identity.kind == "Deployment" {
        deadline(object, all);
        min_ready(object, all);
    }
}

fn deadline(object: &Object<'_>, all: &mut Vec<Finding>) {
    let number = |key, default| object.number(&["spec", key], default);
    let (Some(deadline), Some(ready)) = (number("progressDeadlineSeconds", DEADLINE), number("minReadySeconds", 0))
    else {
        return;
    };
    if deadline > ready {
        return;
    }
    let spec = object.node.get("spec");
    let at = spec.and_then(|spec| spec.entry("minReadySeconds").or_else(|| spec.entry("progressDeadlineSeconds")));
    let why = "it has to be greater than minReadySeconds: the API server refuses it";
    let at = at.map_or(object.at, |entry| entry.at);
    let finding = Finding::new(Rule::ProgressDeadline, at, "progressDeadlineSeconds", why).current(deadline);
    all.push(finding.sum(format!("progressDeadlineSeconds {deadline} <= minReadySeconds {ready}")));
}

/// A pod whose liveness probe is wrong is ready until it is killed, and counts as available before that.
fn min_ready(object: &Object<'_>, all: &mut Vec<Finding>) {
    let spec = object.node.get("spec");
    let strategy = spec.and_then(|spec| spec.at_path(&["strategy", "type"])).and_then(Node::text);
    let Some(ready) = object.number(&["spec", "minReadySeconds"], 0).filter(|_| strategy != Some("Recreate")) else {
        return;
    };
    // Before its readiness probe starts a pod is not ready.
    let unready = |container: &Container<'_>| {
        container.probe(ProbeKind::Readiness).map_or(Some(0), |probe| probe.number("initialDelaySeconds"))
    };
    let delays: Option<Vec<i64>> = object.pod.containers.iter().map(unready).collect();
    let Some(delay) = delays.map(|delays| delays.into_iter().max().unwrap_or_default()) else { return };
    let exposed = object.pod.containers.iter().filter_map(|container| Some((container, exposed(container)?)));
    // The one that lives longest determines how long to wait.
    let Some((container, (at, latest, sum))) = exposed.max_by_key(|(_, (_, latest, _))| *latest) else { return };
    if ready + delay >= latest {
        return;
    }
    let why = format!(
        "a pod counts as available {ready} s after it is ready, and a liveness probe that never passes ends it after up \
         to {latest} s: a wrong one goes through all pods before the first is killed"
    );
    let at = spec.and_then(|spec| spec.entry("minReadySeconds")).map_or(at, |entry| entry.at);
    let mut finding = Finding::new(Rule::MinReady, at, "minReadySeconds", why).current(ready).sum(sum);
    finding.container = Some(container.name.to_owned());
    let least = latest + 1;
    let deadline = object.number(&["spec", "progressDeadlineSeconds"], DEADLINE);
    all.push(if deadline.is_some_and(|deadline| deadline > least) {
        finding.suggest(format!("minReadySeconds: {least}"))
    } else {
        finding.suggest(format!(
            "a startupProbe that asks the same; or minReadySeconds: {least} and a progressDeadlineSeconds above it"
        ))
    });
}

/// The latest time at which the liveness probe kills a container that nothing else keeps from being ready.
fn exposed(container: &Container<'_>) -> Option<(crate::source::manifest::At, i64, String)> {
    let liveness = container.probe(ProbeKind::Liveness).filter(|_| container.role == Role::App)?;
    let asked = liveness.question(container)?;
    let guards = [ProbeKind::Readiness, ProbeKind::Startup].into_iter().filter_map(|kind| container.probe(kind));
    let guarded = guards.into_iter().any(|guard| guard.question(container).is_none_or(|other| other == asked));
    let timing = liveness.timing().filter(|_| !guarded)?;
    let (delay, failures, period, timeout) =
        (timing.delay, timing.failures, timing.period.max(timing.timeout), timing.timeout);
    let sum = format!(
        "initialDelaySeconds {delay} + failureThreshold {failures} x {period} s + timeoutSeconds {timeout} = {} s",
        timing.latest()
    );
    Some((liveness.at, timing.latest(), sum))
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{ids, of_deployment};

    const LIVENESS: &str = "livenessProbe: {httpGet: {port: 80, path: /live}}";

    #[test]
    fn a_rollout_that_does_not_wait_for_the_first_kill_is_told_how_long_to_wait() {
        let said = of_deployment("replicas: 3", LIVENESS);
        assert_eq!(ids(&said), ["min-ready"]);
        assert_eq!(said[0].suggestion.as_deref(), Some("minReadySeconds: 32"));
        assert_eq!(ids(&of_deployment("minReadySeconds: 20", LIVENESS)), ["min-ready"]);
    }

    #[test]
    fn nothing_is_suggested_that_the_deadline_forbids() {
        let slow = "livenessProbe: {httpGet: {port: 80, path: /live}, initialDelaySeconds: 600}";
        let said = of_deployment("replicas: 3", slow);
        let suggested = said[0].suggestion.as_deref().expect("a suggestion");
        assert!(suggested.contains("minReadySeconds: 632 and a progressDeadlineSeconds above it"), "{suggested}");
        let said = of_deployment("progressDeadlineSeconds: 900", slow);
        assert_eq!(said[0].suggestion.as_deref(), Some("minReadySeconds: 632"));
    }

    #[test]
    fn one_that_waits_or_stops_by_itself_is_not() {
        for (spec, probes) in [
            ("minReadySeconds: 31", LIVENESS.to_owned()),
            ("strategy: {type: Recreate}", LIVENESS.to_owned()),
            ("replicas: 3", format!("{LIVENESS}, readinessProbe: {{httpGet: {{port: http, path: /live}}}}")),
            ("replicas: 3", "readinessProbe: {httpGet: {port: 80}}".to_owned()),
            (
                "replicas: 3",
                format!("{LIVENESS}, readinessProbe: {{httpGet: {{port: http}}, initialDelaySeconds: 40}}"),
            ),
        ] {
            assert_eq!(ids(&of_deployment(spec, &probes)), Vec::<&str>::new(), "{spec} {probes}");
        }
    }

    #[test]
    fn a_deadline_has_to_be_beyond_the_waiting() {
        assert_eq!(ids(&of_deployment("minReadySeconds: 600", "tty: true")), ["progress-deadline"]);
        assert_eq!(
            ids(&of_deployment("progressDeadlineSeconds: 30, minReadySeconds: 29", "tty: true")),
            Vec::<&str>::new()
        );
    }
}

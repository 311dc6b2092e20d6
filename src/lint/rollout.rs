//! The behaviour of a rollout of the object.

use super::object::Object;
use super::pod::Container;
use super::{Finding, Rule};
use crate::finding::{MinReady, RollingUpdate, Share};
use crate::kubelet::{ProbeKind, Timing};
use crate::source::manifest::{At, Node};
use crate::template::Role;

/// Problems with the numbers of a rollout.
pub fn object(object: &Object<'_>, all: &mut Vec<Finding>) {
    if object.identity.kind == "Deployment" {
        deadline(object, all);
        min_ready(object, all);
    }
}

fn deadline(object: &Object<'_>, all: &mut Vec<Finding>) {
    let (Some(deadline), Some(ready)) = (progress_deadline(object), object.number(&["spec", "minReadySeconds"], 0))
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

fn progress_deadline(object: &Object<'_>) -> Option<i64> {
    object.number(&["spec", "progressDeadlineSeconds"], RollingUpdate::DEADLINE.into())
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
    let Some((container, (at, timing))) = exposed.max_by_key(|(_, (_, timing))| timing.latest()) else { return };
    let Ok(least) = i64::try_from(timing.min_ready()) else { return };
    if ready + delay >= least {
        return;
    }
    let why = format!(
        "a pod counts as available {ready} s after it is ready, and a liveness probe that never passes ends it {} to {} s \
         after its start: a wrong one goes through all pods before the first is killed{}",
        timing.earliest(),
        timing.latest(),
        kept(object, ready, timing).unwrap_or_default()
    );
    let at = spec.and_then(|spec| spec.entry("minReadySeconds")).map_or(at, |entry| entry.at);
    let sum = timing.latest_in_words();
    let mut finding = Finding::new(Rule::MinReady, at, "minReadySeconds", why).current(ready).sum(sum);
    finding.container = Some(container.name.to_owned());
    all.push(if progress_deadline(object).is_some_and(|deadline| deadline > least) {
        finding.suggest(format!("minReadySeconds: {least}"))
    } else {
        finding.suggest(format!(
            "a startupProbe that asks the same; or minReadySeconds: {least} and a progressDeadlineSeconds above it"
        ))
    });
}

/// `; 15 would keep 9 of 12`, where the number of pods stands in the manifest.
fn kept(object: &Object<'_>, ready: i64, timing: Timing) -> Option<String> {
    let spec = object.node.get("spec")?;
    let pods = spec.get("replicas")?.number()?;
    let share = |key| match spec.at_path(&["strategy", "rollingUpdate", key]) {
        None => Some(Share::DEFAULT),
        Some(node) => match node.number() {
            Some(number) => u32::try_from(number).ok().map(Share::Pods),
            None => node.text()?.parse().ok(),
        },
    };
    let rollout = RollingUpdate {
        min_ready: ready.try_into().ok()?,
        deadline: progress_deadline(object)?.try_into().ok()?,
        max_surge: share("maxSurge")?,
        max_unavailable: share("maxUnavailable")?,
    };
    let told = MinReady::new(rollout, pods.try_into().ok()?, timing, false)?;
    Some(format!("; {} would keep {} of {}", told.suggested, told.kept, told.pods))
}

/// The liveness probe of a container that nothing else keeps from being ready.
fn exposed(container: &Container<'_>) -> Option<(At, Timing)> {
    let liveness = container.probe(ProbeKind::Liveness).filter(|_| container.role == Role::App)?;
    let asked = liveness.question(container)?;
    let guards = [ProbeKind::Readiness, ProbeKind::Startup].into_iter().filter_map(|kind| container.probe(kind));
    let guarded = guards.into_iter().any(|guard| guard.question(container).is_none_or(|other| other == asked));
    Some((liveness.at, liveness.timing().filter(|_| !guarded)?))
}

#[cfg(test)]
mod tests {
    use crate::lint::Rule;
    use crate::lint::testing::{ids, of_deployment};

    const LIVENESS: &str = "livenessProbe: {httpGet: {port: 80, path: /live}}";

    #[test]
    fn a_rollout_that_does_not_wait_for_the_first_kill_is_told_how_long_to_wait() {
        let said = of_deployment("replicas: 3", LIVENESS);
        assert_eq!(ids(&said), ["min-ready"]);
        assert_eq!(said[0].suggestion.as_deref(), Some("minReadySeconds: 35"));
        assert_eq!(ids(&of_deployment("minReadySeconds: 34", LIVENESS)), ["min-ready"]);
    }

    #[test]
    fn what_it_keeps_is_reckoned_where_the_manifest_has_the_number_of_pods() {
        let hasty = "livenessProbe: {httpGet: {port: 80, path: /live}, periodSeconds: 5, failureThreshold: 2}";
        let why = |spec: &str| {
            let said = of_deployment(spec, hasty);
            said.into_iter().find(|one| one.rule == Rule::MinReady).expect("min-ready").why
        };
        assert!(why("replicas: 12").ends_with(
            "ends it 5 to 14 s after its start: a wrong one goes through all pods \
                                               before the first is killed; 15 would keep 9 of 12"
        ));
        let surge = "replicas: 12, strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}";
        assert!(why(surge).ends_with("15 would keep 12 of 12"));
        for unknown in ["paused: false", "replicas: 12, strategy: {rollingUpdate: {maxUnavailable: 100%}}"] {
            assert!(why(unknown).ends_with("is killed"), "{unknown}");
        }
    }

    #[test]
    fn nothing_is_suggested_that_the_deadline_forbids() {
        let slow = "livenessProbe: {httpGet: {port: 80, path: /live}, initialDelaySeconds: 600}";
        let said = of_deployment("replicas: 3", slow);
        let suggested = said[0].suggestion.as_deref().expect("a suggestion");
        assert!(suggested.contains("minReadySeconds: 635 and a progressDeadlineSeconds above it"), "{suggested}");
        let said = of_deployment("progressDeadlineSeconds: 900", slow);
        assert_eq!(said[0].suggestion.as_deref(), Some("minReadySeconds: 635"));
    }

    #[test]
    fn one_that_waits_or_stops_by_itself_is_not() {
        for (spec, probes) in [
            ("minReadySeconds: 35", LIVENESS.to_owned()),
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

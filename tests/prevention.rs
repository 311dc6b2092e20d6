//! What would have stopped the rollout is said where it is true of the workload, and nowhere else.

use std::sync::Arc;

use probehound::engine::{Cause, Engine, Finding};
use probehound::replay::replay;
use serde_json::json;

use crate::kubelet::Step::{self, Apply};
use crate::kubelet::app::{App, End};
use crate::kubelet::manifest::{Container, Controller, Probe, Workload};
use crate::kubelet::record;
use crate::kubelet::stream::{Line, Stream};

/// Its probes run every 2 s, and kill at the third failure.
fn web(controller: Controller, path: &'static str) -> Workload {
    let app = Container::new("app", App::serving("/health"));
    Workload::new(controller, "web", &[app.liveness(Probe::http(path))]).replicas(6).gradual()
}

fn rolled_out(make: impl Fn(&'static str) -> Workload) -> Vec<(i64, Step)> {
    vec![(0, Apply(make("/health"))), (60, Apply(make("/v2/health")))]
}

fn played(steps: &[(i64, Step)]) -> Stream {
    record(1, steps, 120)
}

/// The one finding that is confirmed.
fn found(stream: &Stream) -> Arc<Finding> {
    let mut engine = Engine::default();
    replay(stream.bytes().as_slice(), &mut engine, |_| {});
    let mut findings = engine.findings();
    findings.retain(|finding| finding.confirmed_at.is_some());
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

/// Changes each Deployment of a stream.
fn with(stream: &Stream, change: impl Fn(&mut Line)) -> Stream {
    let mut lines = stream.0.clone();
    lines.iter_mut().filter(|line| line.resource == "deployments").for_each(change);
    Stream(lines)
}

#[test]
fn a_rollout_whose_pods_are_ready_until_they_are_killed_would_have_been_stopped() {
    let found = found(&played(&rolled_out(|path| web(Controller::Deployment, path))));
    let advice = found.min_ready.as_deref().expect("advice");
    assert_eq!((advice.current, advice.suggested, advice.earliest, advice.latest), (0, 11, 4, 10));
    assert_eq!((advice.pods, advice.kept, advice.surge, advice.startup), (6, 6, 1, false));
    let gone = advice.gone.expect("the first kill was seen");
    assert!((1..=6).contains(&gone), "{gone}");
}

#[test]
fn who_comes_late_hears_the_number_without_what_was_not_seen() {
    let late = record(1, &rolled_out(|path| web(Controller::Deployment, path)), 240).starting(120);
    let found = found(&late);
    let advice = found.min_ready.as_deref().expect("advice");
    assert_eq!((advice.suggested, advice.gone), (11, None));
}

#[test]
fn it_is_not_said_of_what_is_no_rollout_of_a_deployment() {
    let stories = [
        ("StatefulSet", rolled_out(|path| web(Controller::StatefulSet, path))),
        ("DaemonSet", rolled_out(|path| web(Controller::DaemonSet, path))),
        ("Rollout of Argo", rolled_out(|path| web(Controller::Rollout, path))),
        ("bare pod", vec![(0, Apply(web(Controller::Nobody, "/v2/health")))]),
        ("first revision", vec![(0, Apply(web(Controller::Deployment, "/v2/health")))]),
    ];
    for (words, steps) in stories {
        let found = found(&played(&steps));
        assert_eq!((found.cause, &found.min_ready), (Cause::WrongPath, &None), "{words}");
    }
}

#[test]
fn it_is_not_said_where_another_fault_came_with_the_rollout() {
    let crashing = |path: &'static str| {
        let mut it = web(Controller::Deployment, "/health");
        if path != "/health" {
            it.containers[0] = Container::new("app", App::serving("/health").ends_after(6_000, End::Code(1)))
                .liveness(Probe::http("/health"));
            it.containers[0].image = "app:2";
        }
        it
    };
    let found = found(&played(&rolled_out(crashing)));
    assert_eq!((found.cause, &found.min_ready), (Cause::Crash, &None));
}

#[test]
fn it_is_not_said_where_the_new_pods_were_never_ready() {
    let guarded = |path| {
        let mut it = web(Controller::Deployment, path);
        it.containers[0] = it.containers[0].clone().readiness(Probe::http(path));
        it
    };
    assert_eq!(found(&played(&rolled_out(guarded))).min_ready, None, "the rollout stops by itself");
}

#[test]
fn it_is_not_said_where_the_deployment_waits_long_enough_or_is_not_known() {
    let stream = played(&rolled_out(|path| web(Controller::Deployment, path)));
    let patient = with(&stream, |line| line.object["spec"]["minReadySeconds"] = json!(11));
    let recreated = with(&stream, |line| line.object["spec"]["strategy"] = json!({"type": "Recreate"}));
    let unknown = with(&stream, |line| line.object["spec"]["strategy"] = json!(null));
    let all_at_once = with(&stream, |line| {
        line.object["spec"]["strategy"]["rollingUpdate"] = json!({"maxSurge": 0, "maxUnavailable": "100%"});
    });
    let absent = stream.without(|line| line.resource == "deployments");
    for (words, stream) in [
        ("it waits", patient),
        ("recreated", recreated),
        ("unknown", unknown),
        ("nothing is kept", all_at_once),
        ("absent", absent),
    ] {
        let found = found(&stream);
        assert_eq!((found.cause, &found.min_ready), (Cause::WrongPath, &None), "{words}");
    }
    let hasty = with(&stream, |line| line.object["spec"]["minReadySeconds"] = json!(10));
    assert_eq!(found(&hasty).min_ready.as_ref().map(|advice| (advice.current, advice.suggested)), Some((10, 11)));
}

/// Its pods stay as they are until they are deleted, whatever its template is.
mod sets {
    use super::*;

    fn remedies(finding: &Finding) -> Vec<String> {
        probehound::report::remedies::texts(finding)
    }

    fn set(path: &'static str) -> Workload {
        let app = Container::new("app", App::serving("/health"));
        Workload::new(Controller::StatefulSet, "web", &[app.startup(Probe::http(path))]).replicas(3)
    }

    #[test]
    fn an_ordered_set_is_walked_through_and_later_only_its_pods_are_deleted() {
        let broken = vec![(0, Apply(set("/health"))), (60, Apply(set("/v2/health")))];
        let undo = "kubectl -n prod rollout undo statefulset/web --to-revision=1".to_owned();
        let delete = "kubectl -n prod delete pod/web-2".to_owned();
        let walk = remedies(&found(&played(&broken)));
        assert_eq!((walk.first(), walk.last()), (Some(&undo), Some(&delete)), "{walk:?}");

        let mended = [broken, vec![(90, Apply(set("/health")))]].concat();
        let found = found(&record(1, &mended, 180));
        assert_eq!((found.resolved_at, remedies(&found)), (None, vec![delete]), "the template is right already");
    }
}

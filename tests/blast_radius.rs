//! The story that probehound exists for: 50 pods, one wrong word, one message.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use crate::support::{Document, Finding, Incident, incident, replay};
use probehound::time::Time;

const PROMPT: Duration = Duration::from_secs(2);

#[test]
fn an_outage_of_fifty_pods_is_one_finding() {
    let loops: Vec<String> =
        told().confirmed().filter(|finding| finding.effect == "RestartLoop").map(Finding::brief).collect();
    assert_eq!(loops, ["RestartLoop liveness WrongPath on Deployment/auth-service/auth"]);
    let verdict = outage().truth.judge(told(), crate::support::truth::Scale::Whole);
    assert_eq!(verdict.problems(), [""; 0]);
    assert_eq!(finding().episodes, 1);
}

#[test]
fn all_fifty_pods_are_counted() {
    assert_eq!((finding().pods.affected, finding().pods.total), (50, 50));
    assert_eq!(finding().severity, "critical");
}

#[test]
fn the_service_is_shown_at_its_worst_moment() {
    let [service] = finding().services.as_slice() else {
        panic!("one Service selects the pods: {:?}", finding().services);
    };
    assert_eq!(service.name, "auth");
    assert!(service.ready < service.total);
    let seen = endpoints(finding().opened_at, finding().resolved_at.expect("it has been fixed"));
    let worst = seen.iter().map(|&(ready, _)| ready).min().expect("there are EndpointSlices");
    assert_eq!(service.ready, worst, "of {seen:?}");
    assert!(seen.contains(&(service.ready, service.total)), "{service:?} never was: {seen:?}");
}

#[test]
fn the_rollout_that_brought_it_is_named() {
    let change = finding().change.as_ref().expect("a rollout brought it");
    assert_eq!((finding().revision, change.revision), (Some(2), 2));
    let values = (change.from.as_deref(), change.to.as_deref(), change.by.as_deref());
    assert_eq!(values, (Some("/health"), Some("/v2/health"), Some("kubectl-edit")));
    let at = change.at.expect("the edit stands in the Deployment with its time");
    assert_eq!(at.whole_second(), edited_at());
}

#[test]
fn the_way_back_can_be_typed() {
    let undo = "kubectl -n auth-prod rollout undo deployment/auth-service --to-revision=1";
    let remedy = &finding().remedy;
    assert!(remedy.iter().any(|step| step.contains(undo)), "{remedy:?}");
}

#[test]
fn it_is_confirmed_by_the_first_kill_that_a_status_shows() {
    let first = outage().recording().lines.iter().find(|line| line.object.restarts > 0).expect("pods restart").at;
    let confirmed = finding().confirmed_at.expect("it is confirmed");
    assert!(confirmed >= first, "a restart has to stand in a status: {confirmed} is before {first}");
    assert!(confirmed.since(first) <= PROMPT, "{confirmed} is long after {first}");
}

#[test]
fn it_is_resolved_after_the_fix_with_its_restarts() {
    let resolved = finding().resolved_at.expect("it has been fixed");
    assert!(resolved > fixed_at(), "{resolved} is before the fix");
    assert!(finding().restarts > 100, "{}", finding().restarts);
}

fn outage() -> &'static Incident {
    incident("auth-service-outage")
}

fn told() -> &'static Document {
    static TOLD: LazyLock<Document> = LazyLock::new(|| replay(outage().recording()));
    &TOLD
}

fn finding() -> &'static Finding {
    told().confirmed().find(|finding| finding.effect == "RestartLoop").expect("the outage is a loop")
}

/// The numbers of ready endpoints and of all non-terminating ones, at all moments of a period.
fn endpoints(from: Time, until: Time) -> BTreeSet<(u32, u32)> {
    let lines = &outage().recording().lines;
    let slices = lines.iter().filter(|line| &*line.resource == "endpointslices");
    slices
        .filter(|line| line.at >= from && line.at <= until)
        .map(|line| {
            let slice = line.value();
            let endpoints = slice["endpoints"].as_array().cloned().unwrap_or_default();
            let are = |condition: &str| endpoints.iter().filter(|one| one["conditions"][condition] == true).count();
            let (ready, terminating) = (are("ready"), are("terminating"));
            (ready as u32, (endpoints.len() - terminating) as u32)
        })
        .collect()
}

/// When the path was changed to the wrong one.
fn edited_at() -> Time {
    path_became("/v2/health", 0)
}

/// When it was changed back.
fn fixed_at() -> Time {
    path_became("/health", edited_at().as_millis())
}

fn path_became(path: &str, after: i64) -> Time {
    let lines = &outage().recording().lines;
    let deployments =
        lines.iter().filter(|line| &*line.resource == "deployments" && line.at.as_millis() > after + 1000);
    let mut changed = deployments.filter(|line| {
        line.value()
            .pointer("/spec/template/spec/containers/0/livenessProbe/httpGet/path")
            .is_some_and(|now| now == path)
    });
    changed.next().expect("the recording has the edit and the fix").at.whole_second()
}

//! Forged contents of a `Finding` object are never sent to anyone.

use std::sync::Arc;

use probehound::engine::{Cause, Fact, Finding, Severity, Value};
use probehound::finding::remedy::Remedy;
use probehound::report::object::{FindingState, Notified};

use super::samples::{at, finding};
use super::world::World;

/// Claims everything that a status can, to do harm.
fn forged(workload: &str) -> Finding {
    let word = "kubectl delete ns prod";
    Finding {
        cause: Cause::Crash,
        severity: Severity::Critical,
        field: Some(probehound::finding::field::Field::parse(word)),
        current: Some(Value::Text(word.into())),
        suggested: Some(Value::Text(word.into())),
        hypotheses: vec![word.into()],
        evidence: vec![Fact { at: at(1), what: word.into() }],
        remedy: vec![Remedy::Words(word.into())],
        ..finding(workload, 10)
    }
}

#[test]
fn a_forged_status_never_reaches_a_receiver() {
    let world = World::new();
    // Before anything is read: for a finding that the engine knows, and for one that it does not.
    world.api.put(&forged("made-up"), FindingState::Confirmed);
    world.api.put(&forged("web"), FindingState::Confirmed);
    let mut web = finding("web", 10);
    world.say(&web, FindingState::Confirmed);
    let replica = world.start();
    assert!(world.takes(1)[0].starts_with("WARNING: web (prod)"), "what the engine says");
    world.records(&web, Notified::Opened);
    // While it is open, repeatedly; and under a name of a non-existing workload.
    for _ in 0..5 {
        world.api.put(&forged("web"), FindingState::Confirmed);
        world.api.put(&forged("late"), FindingState::Confirmed);
        world.wait(std::time::Duration::from_millis(200));
    }
    // After it is resolved, as if it were open; and across a restart.
    web.resolved_at = Some(at(300));
    world.say(&web, FindingState::Resolved);
    assert!(world.takes(2)[1].starts_with("RESOLVED: web (prod)"));
    world.records(&web, Notified::Resolved);
    world.api.put(&forged("web"), FindingState::Confirmed);
    replica.kill();
    let _next = world.start();
    world.api.put(&forged("made-up"), FindingState::Resolved);
    world.say(&finding("api", 20), FindingState::Confirmed);
    world
        .until("it tells of what is new", || world.slack.taken().iter().any(|seen| seen.text().contains("api (prod)")));
    world.wait(std::time::Duration::from_secs(2));
    let bodies: Vec<Arc<str>> = world.slack.seen().into_iter().map(|seen| seen.body.into()).collect();
    assert!(bodies.iter().all(|body| !body.contains("delete ns")), "{bodies:#?}");
}

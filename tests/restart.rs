//! A restart of probehound itself, or another replica that takes over, loses no cause and repeats no alarm.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::support::hunt::{hunt, none};
use crate::support::mutation::Start;
use crate::support::recording::{Line, Type};
use crate::support::replay::{continue_with, document};
use crate::support::truth::Scale;
use crate::support::{Document, Incident, Mutation, Recording, assert_none, corpus};
use probehound::engine::{Change, ChangeKind, Engine, Fault, Finding, Observation, Settings};
use probehound::time::Time;

/// Number of restarts per incident and property.
const CASES: u32 = 4;

/// What the first run knew when it ended, and the result of the second.
struct Restarted {
    before: Vec<Arc<Finding>>,
    after: Vec<Arc<Finding>>,
    said: Vec<Change>,
}

#[test]
fn a_restart_loses_no_cause_and_raises_no_false_alarm() {
    let failures = hunt_restarts(Start::Lists, |incident, restarted| {
        let verdict = incident.truth.judge(&said(&restarted.after), Scale::Whole);
        none(&[verdict.missed, verdict.false_alarms, verdict.bad_advice].concat())
    });
    assert_none("wrong after a restart", &failures);
}

#[test]
fn what_was_confirmed_keeps_its_cause_when_its_events_are_gone() {
    let failures = hunt_restarts(Start::ListsWithoutEvents, |_, restarted| {
        let after = said(&restarted.after).identities();
        let mut before = said(&restarted.before).identities();
        before.retain(|identity| !after.contains(identity));
        let lost: Vec<String> = before.iter().map(ToString::to_string).collect();
        none(&lost)
    });
    assert_none("causes lost", &failures);
}

#[test]
fn no_probe_is_blamed_after_a_restart_for_what_was_the_apps_fault_before() {
    let mut blamed = Vec::new();
    for incident in crate::support::incidents_in(Path::new("tests/incidents/node")) {
        let whole = incident.recording();
        for permille in [400, 600, 800, 900] {
            let seen = Recording { lines: whole.lines[..whole.lines.len() * usize::from(permille) / 1000].to_vec() };
            let rest = Mutation::Cut { permille, start: Start::Lists }.apply(whole);
            let restarted = second_run(first_run(&seen).0, rest.start(), &rest);
            for before in restarted.before.iter().filter(|before| before.fault == Some(Fault::App)) {
                let mut after = restarted.after.iter().filter(|after| same_episode(before, after));
                if let Some(after) = after.find(|after| after.fault == Some(Fault::Probe)) {
                    blamed.push(format!(
                        "{} from {permille}: {} became {}",
                        incident.name,
                        brief(before),
                        brief(after)
                    ));
                }
            }
        }
    }
    assert_none("blamed after a restart", &blamed);
}

#[test]
fn nothing_is_confirmed_twice_in_one_episode() {
    for start in [Start::Lists, Start::ListsWithoutEvents] {
        let failures = hunt_restarts(start, |_, restarted| none(&confirmed_again(restarted)));
        assert_none("confirmed twice", &failures);
    }
}

#[test]
fn an_episode_goes_on_where_it_was() {
    let failures = hunt_restarts(Start::Lists, |_, restarted| {
        let mut broken = Vec::new();
        for before in restarted.before.iter().filter(|before| before.confirmed_at.is_some()) {
            let goes_on = |after: &&Arc<Finding>| same_episode(before, after);
            let Some(after) = restarted.after.iter().find(goes_on) else {
                continue;
            };
            let same = (before.opened_at, before.confirmed_at) == (after.opened_at, after.confirmed_at);
            if !same || after.restarts < before.restarts {
                broken.push(format!("{} began anew: {before:?} became {after:?}", brief(before)));
            }
        }
        none(&broken)
    });
    assert_none("episodes", &failures);
}

#[test]
fn what_is_over_does_not_come_back_because_of_a_restart() {
    // The pod continues after its second restart, including what its status shows of that.
    let begins = crate::support::incident("liveness-http-wrong-port").recording();
    let mut seen = begins.filtered(|_, line| line.at < begins.start().plus(Duration::from_secs(12)));
    for minutes in [3, 4] {
        let at = begins.start().plus(Duration::from_mins(minutes));
        seen.lines.push(Line::new(at, "pods", Type::Bookmark, &serde_json::json!({})));
    }
    for start in [Start::Lists, Start::ListsWithoutEvents] {
        let (known, _) = first_run(&seen);
        assert!(known.len() == 1 && known[0].confirmed_at < known[0].resolved_at, "{known:#?}");

        let rest = Mutation::Cut { permille: 999, start }.apply(&seen);
        let restarted = second_run(known, rest.start(), &rest);

        assert!(restarted.said.is_empty(), "{:#?}", restarted.said);
        assert!(same_episode(&restarted.before[0], &restarted.after[0]), "{:#?}", restarted.after);
    }
}

#[test]
fn a_replica_that_takes_over_lets_be_over_what_its_leader_said_is() {
    let begins = crate::support::incident("liveness-http-wrong-port").recording();
    let mut until = begins.filtered(|_, line| line.at < begins.start().plus(Duration::from_secs(12)));
    let mut ends = until.clone();
    let bookmark = |seconds| {
        let at = begins.start().plus(Duration::from_secs(seconds));
        Recording { lines: vec![Line::new(at, "pods", Type::Bookmark, &serde_json::json!({}))] }
    };
    ends.lines.extend(bookmark(180).lines);
    let (leaders, _) = first_run(&ends);
    assert!(leaders.len() == 1 && leaders[0].resolved_at.is_some(), "{leaders:#?}");
    // It started when everything existed, and waits a while for what it may not have seen.
    until.lines = Mutation::Cut { permille: 999, start: Start::Lists }.apply(&until).lines;
    let mut follower = Engine::new(Settings::default());
    let going_on = Finding { resolved_at: None, ..Finding::clone(&leaders[0]) };
    follower.apply(Observation::Remembered(Box::new(going_on)), until.start());
    continue_with(&mut follower, &until);
    let said: Vec<ChangeKind> = follower.take_changes().iter().map(|change| change.kind).collect();
    assert!(said.is_empty() && follower.findings()[0].resolved_at.is_none());

    let taken = take_up(follower, leaders, bookmark(181).start(), &bookmark(600));

    let kinds: Vec<ChangeKind> = taken.said.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Resolved], "{:#?}", taken.said);
    assert!(same_episode(&taken.before[0], &taken.after[0]), "{:#?}", taken.after);
}

#[test]
fn what_is_remembered_confirms_nothing_alone() {
    let mut failures = Vec::new();
    for incident in corpus().iter().filter(|incident| incident.recording().lines.len() < 1_000) {
        let (known, _) = first_run(incident.recording());
        let open = known.into_iter().filter(|finding| finding.resolved_at.is_none()).collect();
        let restarted = second_run(open, incident.recording().end(), &Recording::default());
        let confirmed = restarted.said.iter().filter(|change| change.kind == ChangeKind::Confirmed);
        failures.extend(confirmed.map(|change| format!("{}: {}", incident.name, brief(&change.finding))));
    }
    assert_none("confirmed from memory alone", &failures);
}

#[test]
fn a_replica_that_takes_over_confirms_nothing_twice_in_one_episode() {
    let failures = hunt_successions(|_, taken| none(&confirmed_again(taken)));
    assert_none("confirmed twice", &failures);
}

#[test]
fn a_replica_that_takes_over_loses_no_cause_and_raises_no_false_alarm() {
    let failures = hunt_successions(|incident, taken| {
        let verdict = incident.truth.judge(&said(&taken.after), Scale::Whole);
        none(&[verdict.missed, verdict.false_alarms, verdict.bad_advice].concat())
    });
    assert_none("wrong after a succession", &failures);
}

#[test]
fn a_replica_that_takes_over_goes_on_where_the_leader_was() {
    let failures = hunt_successions(|_, taken| {
        let mut broken = Vec::new();
        let going_on = |before: &&Arc<Finding>| before.confirmed_at.is_some() && before.resolved_at.is_none();
        for before in taken.before.iter().filter(going_on) {
            let Some(after) = taken.after.iter().find(|after| same_episode(before, after)) else {
                continue;
            };
            let earlier = after.opened_at <= before.opened_at && after.confirmed_at <= before.confirmed_at;
            if !earlier || after.confirmed_at.is_none() || after.restarts < before.restarts {
                broken.push(format!("{} began anew: {before:?} became {after:?}", brief(before)));
            }
        }
        none(&broken)
    });
    assert_none("episodes", &failures);
}

/// Restarts somewhere in each incident.
fn hunt_restarts(start: Start, check: impl Fn(&Incident, &Restarted) -> Result<(), String>) -> Vec<String> {
    hunt(corpus(), CASES, &(1..1000_u16), |incident, &permille| {
        let whole = incident.recording();
        let seen = Recording { lines: whole.lines[..whole.lines.len() * usize::from(permille) / 1000].to_vec() };
        let rest = Mutation::Cut { permille, start }.apply(whole);
        let (known, _) = first_run(&seen);
        check(incident, &second_run(known, rest.start(), &rest))
    })
}

/// A replica starts somewhere in each incident, and takes over from a leader that saw everything later on.
fn hunt_successions(check: impl Fn(&Incident, &Restarted) -> Result<(), String>) -> Vec<String> {
    hunt(corpus(), CASES, &(1..900_u16, 1..65_u16), |incident, &(begins, percent)| {
        let whole = incident.recording();
        let takes_over = begins + (1000 - begins) * percent / 100;
        let place = |permille: u16| whole.lines.len() * usize::from(permille) / 1000;
        let (known, _) = first_run(&Recording { lines: whole.lines[..place(takes_over)].to_vec() });
        let begin = |permille| Mutation::Cut { permille, start: Start::Lists }.apply(whole);
        let (mut until, rest) = (begin(begins), begin(takes_over));
        until.lines.truncate(until.lines.len() - (whole.lines.len() - place(takes_over)));
        let mut engine = Engine::new(Settings::default());
        continue_with(&mut engine, &until);
        check(incident, &take_up(engine, known, rest.start(), &rest))
    })
}

/// Confirmations repeated in an episode that was known to be confirmed.
fn confirmed_again(restarted: &Restarted) -> Vec<String> {
    let confirmed = restarted.said.iter().filter(|change| change.kind == ChangeKind::Confirmed);
    let again = confirmed.filter(|change| {
        let mut known = restarted.before.iter().filter(|before| before.confirmed_at.is_some());
        known.any(|before| same_episode(before, &change.finding))
    });
    again.map(|change| format!("{} at {}", brief(&change.finding), change.at)).collect()
}

fn first_run(seen: &Recording) -> (Vec<Arc<Finding>>, Vec<Change>) {
    let mut engine = Engine::new(Settings::default());
    let (_, said) = continue_with(&mut engine, seen);
    (engine.findings(), said)
}

/// Continues with the contents of the Finding objects.
fn second_run(before: Vec<Arc<Finding>>, now: Time, rest: &Recording) -> Restarted {
    take_up(Engine::new(Settings::default()), before, now, rest)
}

/// Passes the contents of the Finding objects to an engine, and continues.
fn take_up(mut engine: Engine, before: Vec<Arc<Finding>>, now: Time, rest: &Recording) -> Restarted {
    for finding in &before {
        let stored = serde_json::to_string(finding).expect("a finding can be stored");
        let stored = serde_json::from_str(&stored).expect("and read again");
        engine.apply(Observation::Remembered(Box::new(stored)), now);
    }
    let mut said = engine.take_changes();
    let (_, more) = continue_with(&mut engine, rest);
    said.extend(more);
    Restarted { before, after: engine.findings(), said }
}

fn same_episode(one: &Finding, other: &Finding) -> bool {
    let key = |finding: &Finding| {
        let Finding { namespace, workload, container, .. } = finding.clone();
        (namespace, workload, container, finding.effect, finding.probe, finding.episodes)
    };
    key(one) == key(other)
}

fn said(findings: &[Arc<Finding>]) -> Document {
    document(findings, 0, 0)
}

fn brief(finding: &Finding) -> String {
    let Finding { effect, cause, workload, container, .. } = finding;
    format!("{effect} {cause} on {workload}/{container}, episode {}", finding.episodes)
}

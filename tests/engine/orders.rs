//! The lines of a restart come in any order, and some are missing.

use std::sync::Arc;
use std::time::Duration;

use probehound::engine::{
    Cause, ChangeKind, ContainerId, ContainerSpec, Owner, PodSnapshot, Settings, State, Terminated,
};
use probehound::time::Time;

use crate::engine::world::{World, container, pod, template_of, template_with};

const UNWELL: &str = "Liveness probe failed: HTTP probe failed with statuscode: 503";
const SLOW: &str = "Liveness probe failed: Get \"http://10.0.0.7:8080/health\": context deadline exceeded \
                    (Client.Timeout exceeded while awaiting headers)";
const KILLING: &str = "Container app failed liveness probe, will be restarted";

fn seconds(time: Time, after: u64) -> Time {
    time.plus(Duration::from_secs(after))
}

/// A pod of a Deployment of that name.
fn pod_of(world: &World, workload: &str) -> PodSnapshot {
    let mut it = pod(world, "shop", &format!("{workload}-1"));
    it.owner = Some(Owner { kind: Arc::from("Deployment"), name: Arc::from(workload) });
    it
}

/// The incarnation of that number has terminated, and the next one starts.
fn replaced(it: &mut PodSnapshot, run: u32, (started, ended): (Time, Time), next: Time) {
    let container = &mut it.containers[0];
    container.restarts = run + 1;
    container.id = Some(ContainerId(u64::from(run) + 1));
    container.state = State::Running { since: Some(next) };
    container.last = Some(Terminated {
        id: Some(ContainerId(u64::from(run))),
        exit: 0,
        reason: Arc::from("Completed"),
        started: Some(started),
        finished: Some(ended),
        message: None,
    });
}

fn causes(world: &World) -> Vec<Cause> {
    world.engine.findings().iter().map(|finding| finding.cause).collect()
}

/// What is observed first of a kill.
#[derive(Copy, Clone, PartialEq, Debug)]
enum First {
    Failures,
    Killing,
    Status,
}

/// A pod's probe fails twice up to the end of its incarnation, which is killed for it; the next one starts
/// a second later.
fn killed(world: &mut World, it: &mut PodSnapshot, ended: Time, first: First) {
    let container = &it.containers[0];
    let State::Running { since: Some(started) } = container.state else { panic!("it does not run") };
    let run = container.restarts;
    if first == First::Killing {
        world.event_at(ended, it, 2, "Killing", KILLING, run + 1);
        world.wait(2);
    }
    replaced(it, run, (started, ended), seconds(ended, 1));
    if first == First::Status {
        world.show(it);
    }
    world.event_at(ended.minus(Duration::from_secs(5)), it, 1, "Unhealthy", UNWELL, 2 * run + 1);
    world.event_at(ended, it, 1, "Unhealthy", UNWELL, 2 * run + 2);
    world.event_at(ended, it, 2, "Killing", KILLING, run + 1);
    world.show(it);
}

#[test]
fn what_fell_together_did_so_whether_its_status_or_its_events_come_first() {
    for first in [First::Failures, First::Killing, First::Status] {
        let mut world = World::new(Settings::default());
        let began = world.now;
        let mut pods = ["api", "web"].map(|workload| pod_of(&world, workload));
        for it in &pods {
            world.show(it);
        }
        for after in [100, 120] {
            for it in &mut pods {
                let ended = seconds(began, after);
                world.wait(ended.since(world.now).as_secs() + 1);
                killed(&mut world, it, ended, first);
            }
        }
        assert_eq!(causes(&world), [Cause::DependencyDown; 2], "{first:?} first");
    }
}

#[test]
fn what_was_not_ready_at_once_falls_together_with_others_later() {
    const NOT_READY: &str = "Readiness probe failed: HTTP probe failed with statuscode: 503";
    let mut world = World::new(Settings::default());
    let began = world.now;
    let mut pods = ["api", "web"].map(|workload| pod_of(&world, workload));
    let asked = container("app");
    let asked = ContainerSpec { readiness: asked.liveness.clone(), ..asked };
    pods[0].template = template_with([asked].into_iter().collect());
    pods[0].containers[0].ready = false;
    for it in &pods {
        world.show(it);
    }
    world.wait(1);
    world.event(&pods[0], 7, "Unhealthy", NOT_READY, 1);
    pods[0].containers[0].ready = true;
    world.show(&pods[0]);
    for after in [100, 120] {
        for it in &mut pods {
            let ended = seconds(began, after);
            world.wait(ended.since(world.now).as_secs() + 1);
            killed(&mut world, it, ended, First::Failures);
        }
    }
    assert_eq!(causes(&world), [Cause::DependencyDown; 2]);
}

#[test]
fn what_is_unwell_again_and_again_did_not_fall_with_another() {
    let mut world = World::new(Settings::default());
    let began = world.now;
    let mut pods = ["api", "web"].map(|workload| pod_of(&world, workload));
    for it in &pods {
        world.show(it);
    }
    // One fails every 40 s for four minutes before the other does, coincidentally in the same second.
    for (which, after) in [(0, 40), (0, 80), (0, 120), (0, 160), (0, 200), (0, 240), (1, 240), (0, 280), (1, 280)] {
        let ended = seconds(began, after);
        world.wait(ended.since(world.now).as_secs());
        killed(&mut world, &mut pods[which], ended, First::Failures);
    }
    assert_eq!(causes(&world), [Cause::ReportsUnhealthy; 2]);
}

#[test]
fn a_kill_that_is_told_before_all_else_counts_when_its_restart_is_seen() {
    let mut world = World::new(Settings { probe_kills: 1, ..Settings::default() });
    let mut it = pod_of(&world, "web");
    world.show(&it);
    world.wait(300);
    let (started, ended) = (world.now.minus(Duration::from_mins(5)), world.now);
    world.event_at(ended, &it, 2, "Killing", KILLING, 1);
    world.wait(2);
    replaced(&mut it, 0, (started, ended), seconds(ended, 1));
    world.show(&it);
    world.wait(2);
    assert!(world.confirms());
}

#[test]
fn a_kill_that_is_told_and_never_seen_is_suspected_for_a_while() {
    let mut world = World::new(Settings::default());
    let it = pod_of(&world, "web");
    world.show(&it);
    world.wait(300);
    world.event(&it, 2, "Killing", KILLING, 1);
    world.wait(59);
    assert_eq!(world.said(), [(ChangeKind::Suspected, "RestartLoop Deployment/web".to_owned())]);
    world.wait(1);
    assert_eq!(world.said(), [(ChangeKind::Withdrawn, "RestartLoop Deployment/web".to_owned())]);
}

/// Each incarnation answers for a while and then hangs; the second one's status is lost, so that its last
/// failure is in the second in which the third one started.
#[test]
fn a_hang_after_a_restart_that_was_not_seen_is_no_slow_answer() {
    let mut world = World::new(Settings::default());
    let began = world.now;
    let mut it = pod_of(&world, "web");
    world.show(&it);
    let mut failures = 0;
    for run in 0..4 {
        let (started, ended) = (seconds(began, run * 60), seconds(began, run * 60 + 60));
        world.wait(ended.since(world.now).as_secs() + 1);
        for at in [ended.minus(Duration::from_secs(5)), ended] {
            failures += 1;
            world.event_at(at, &it, 1, "Unhealthy", SLOW, failures);
        }
        world.event_at(ended, &it, 2, "Killing", KILLING, run as u32 + 1);
        replaced(&mut it, run as u32, (started, ended), ended);
        if run != 1 {
            world.show(&it);
        }
        world.wait(12);
    }
    assert_eq!(causes(&world), [Cause::Hung]);
}

#[test]
fn a_loop_of_which_changes_are_missing_is_over_only_after_the_longest_proof() {
    for (pause, quarters) in [(1, 0), (40, 1)] {
        let mut world = World::new(Settings::default());
        let mut it = pod_of(&world, "web");
        world.show(&it);
        let mut started = world.now;
        for run in 0..4 {
            let (ended, next) = (seconds(started, 20), seconds(started, 20 + pause));
            replaced(&mut it, run, (started, ended), next);
            it.containers[0].last.as_mut().expect("it ended").exit = 1;
            world.wait(next.since(world.now).as_secs());
            world.show(&it);
            started = next;
        }
        // A termination that was not observed as such is the app's own only if no event has come.
        world.wait(12);
        assert!(world.confirms());
        world.wait(120);
        let over = world.said().iter().any(|(kind, _)| *kind == ChangeKind::Resolved);
        assert_eq!(over, quarters == 0, "a pause of {pause} s of which nothing was seen");
        world.wait(quarters * 780);
        let over = world.said().iter().any(|(kind, _)| *kind == ChangeKind::Resolved);
        assert_eq!(over, quarters == 1);
    }
}

#[test]
fn a_pod_that_has_other_containers_than_before_is_another_pod() {
    let mut world = World::new(Settings { own_ends: 1, ..Settings::default() });
    let it = pod_of(&world, "web");
    world.show(&it);
    let mut other = it.clone();
    other.template = template_of(&["init", "app"]);
    other.containers[0].restarts = 9;
    world.show(&other);
    assert_eq!(world.engine.take_counts(), []);
    world.restart(&mut other, 1);
    let findings = world.engine.findings();
    assert_eq!(findings.iter().map(|finding| &*finding.container).collect::<Vec<_>>(), ["init"]);
    assert_eq!(world.engine.pods(), 1);
}

//! Findings published before, by this operator or by another replica, are continued.

use std::sync::Arc;
use std::time::Duration;

use probehound::engine::{
    Cause, Change, ChangeKind, Effect, Finding, Observation, Owner, PodSnapshot, Pods, Scope, ServiceState, Settings,
    Severity, State, WorkloadFacts,
};
use probehound::finding::field::Field;
use probehound::kubelet::ProbeKind;

use crate::engine::world::{World, pod};

/// A replica that has seen three crashes and has published a finding, and the pod.
fn crashing() -> (World, PodSnapshot) {
    let mut world = World::new(Settings::default());
    let mut it = pod(&world, "shop", "web-1");
    world.show(&it);
    for _ in 0..3 {
        world.restart(&mut it, 1);
    }
    assert!(world.confirms());
    (world, it)
}

fn own(world: &World) -> Arc<Finding> {
    let findings = world.engine.findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    Arc::clone(&findings[0])
}

fn remember(world: &mut World, finding: &Finding) -> Vec<Change> {
    world.tell(Observation::Remembered(Box::new(finding.clone())));
    world.engine.take_changes()
}

#[test]
fn what_another_replica_confirmed_before_is_not_confirmed_again() {
    let (mut world, mut it) = crashing();
    let said = own(&world);
    // A replica that needs more terminations has published a suspicion.
    let mut late = World::new(Settings { own_ends: 7, ..Settings::default() });
    late.now = world.now;
    late.show(&it);
    world.restart(&mut it, 1);
    late.now = world.now;
    late.show(&it);
    late.wait(12);
    assert_eq!(own(&late).confirmed_at, None);
    late.engine.take_changes();
    let changes = remember(&mut late, &said);
    assert!(changes.iter().all(|change| change.kind != ChangeKind::Confirmed), "{changes:?}");
    let joined = own(&late);
    assert_eq!((joined.opened_at, joined.confirmed_at), (said.opened_at, said.confirmed_at));
    for _ in 0..3 {
        late.restart(&mut it, 1);
        assert!(!late.confirms());
    }
}

#[test]
fn a_late_memory_leaves_what_is_known_and_takes_the_earlier_and_the_greater() {
    let (mut world, mut it) = crashing();
    let mine = own(&world);
    let said = Finding {
        opened_at: mine.opened_at.minus(Duration::from_hours(1)),
        confirmed_at: Some(mine.opened_at.minus(Duration::from_mins(59))),
        restarts: 40,
        episodes: 3,
        cause: Cause::OutOfMemory,
        ..(*mine).clone()
    };
    remember(&mut world, &said);
    let joined = own(&world);
    assert_eq!(joined.cause, Cause::Crash);
    assert_eq!((joined.opened_at, joined.confirmed_at), (said.opened_at, said.confirmed_at));
    assert_eq!((joined.restarts, joined.episodes), (40, 3));
    world.restart(&mut it, 1);
    assert_eq!(own(&world).restarts, 41, "it is counted on");
    let behind = Finding { opened_at: world.now, confirmed_at: Some(world.now), restarts: 1, episodes: 1, ..said };
    remember(&mut world, &behind);
    let joined = own(&world);
    assert_eq!((joined.restarts, joined.episodes), (41, 3));
    assert!(joined.opened_at < mine.opened_at && joined.confirmed_at < mine.confirmed_at);
}

#[test]
fn a_cause_that_is_known_elsewhere_takes_the_place_of_unknown() {
    let mut world = World::new(Settings::default());
    let mut it = pod(&world, "shop", "web-1");
    world.show(&it);
    for _ in 0..3 {
        world.replace(&mut it, 137);
        world.wait(1);
    }
    world.wait(10);
    let mine = own(&world);
    assert_eq!(mine.cause, Cause::Unknown);
    world.engine.take_changes();
    let said = Finding {
        effect: Effect::RestartLoop,
        probe: Some(ProbeKind::Liveness),
        cause: Cause::WrongPath,
        field: Some(Field::parse("livenessProbe.httpGet.path")),
        ..(*mine).clone()
    };
    let changes = remember(&mut world, &said);
    let withdrawn: Vec<_> = changes.iter().filter(|change| change.kind == ChangeKind::Withdrawn).collect();
    assert_eq!(withdrawn[0].finding.identity(), mine.identity(), "its own name is forgotten");
    assert!(withdrawn[0].finding.confirmed_at.is_some(), "it shows that it had been confirmed");
    assert!(changes.iter().all(|change| change.kind != ChangeKind::Confirmed), "{changes:?}");
    let joined = own(&world);
    assert_eq!((joined.cause, joined.probe, &joined.field), (said.cause, said.probe, &said.field));
    world.replace(&mut it, 137);
    world.wait(12);
    assert_eq!(own(&world).cause, Cause::WrongPath, "and is not unlearnt");
}

#[test]
fn where_or_when_an_app_listens_is_not_unlearnt_by_a_refusal() {
    let mut world = World::new(Settings::default());
    let mut it = pod(&world, "shop", "web-1");
    world.show(&it);
    for _ in 0..2 {
        world.kill_refusing(&mut it);
    }
    let refused = own(&world);
    assert_eq!(refused.cause, Cause::NothingListening, "it is all that these two kills show");
    for cause in [Cause::WrongPort, Cause::KilledWhileStarting] {
        let said = Finding { cause, ..(*refused).clone() };
        let (mut after, mut it) = (World::new(Settings::default()), it.clone());
        after.now = world.now;
        remember(&mut after, &said);
        after.show(&it);
        for _ in 0..3 {
            after.kill_refusing(&mut it);
        }
        assert_eq!(own(&after).cause, cause);
        assert!(own(&after).restarts > said.restarts, "it is counted on");
    }
}

#[test]
fn what_goes_under_another_name_here_is_withdrawn_there() {
    let (mut world, _) = crashing();
    let mine = own(&world);
    let said = Finding { probe: Some(ProbeKind::Liveness), cause: Cause::NothingListening, ..(*mine).clone() };
    let changes = remember(&mut world, &said);
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!((changes[0].kind, changes[0].finding.identity()), (ChangeKind::Withdrawn, said.identity()));
    assert!(changes[0].finding.confirmed_at.is_some());
    assert_eq!(*own(&world), *mine);
}

#[test]
fn what_is_over_here_and_goes_on_in_an_object_is_said_to_be_over_and_not_opened_anew() {
    let (mut world, it) = crashing();
    let going_on = own(&world);
    world.tell(Observation::PodGone(it.id));
    world.wait(120);
    let over = own(&world);
    assert!(over.resolved_at.is_some());
    world.engine.take_changes();
    let changes = remember(&mut world, &going_on);
    let kinds: Vec<_> = changes.iter().map(|change| (change.kind, change.finding.resolved_at)).collect();
    assert_eq!(kinds, [(ChangeKind::Resolved, over.resolved_at)]);
    assert_eq!(own(&world), over);
    // What began after that end is another episode.
    let next = Finding { opened_at: world.now, confirmed_at: Some(world.now), ..(*going_on).clone() };
    remember(&mut world, &next);
    assert_eq!(own(&world).resolved_at, None);
}

#[test]
fn a_bare_pod_that_is_over_here_and_forgotten_is_still_over_when_the_leader_changes() {
    let mut world = World::new(Settings::default());
    let mut it = PodSnapshot { owner: None, ..pod(&world, "shop", "migrate") };
    world.show(&it);
    for _ in 0..3 {
        world.restart(&mut it, 1);
    }
    let going_on = own(&world);
    assert!(going_on.confirmed_at.is_some());
    world.tell(Observation::PodGone(it.id));
    // Resolved a minute after it went; the leader had stopped before, and its Lease has to run out.
    world.wait(60 + 20);
    let resolved_at = world.engine.take_changes().last().expect("it is over").finding.resolved_at;
    assert_eq!(world.engine.findings().len(), 0, "it is forgotten");
    let changes = remember(&mut world, &going_on);
    let kinds: Vec<_> = changes.iter().map(|change| (change.kind, change.finding.resolved_at)).collect();
    assert_eq!(kinds, [(ChangeKind::Resolved, resolved_at)]);
    assert!(resolved_at.is_some());
    world.wait(300);
    assert_eq!(world.said(), [], "it is not opened and ended once more");
}

#[test]
fn a_bare_pod_of_the_same_name_is_the_next_episode() {
    let mut world = World::new(Settings::default());
    for episode in 1..=3 {
        let name = if episode == 3 { "other" } else { "migrate" };
        let mut it = PodSnapshot { owner: None, ..pod(&world, "shop", name) };
        it.id.uid = probehound::engine::Uid(u128::from(episode) + 77);
        world.show(&it);
        for _ in 0..3 {
            world.restart(&mut it, 1);
        }
        assert_eq!(own(&world).episodes, if episode == 3 { 1 } else { episode });
        world.tell(Observation::PodGone(it.id));
        world.wait(200);
    }
}

#[test]
fn after_an_episode_that_is_over_elsewhere_comes_the_next() {
    let (mut world, _) = crashing();
    let mine = own(&world);
    let said = Finding { episodes: 4, resolved_at: Some(mine.opened_at), ..(*mine).clone() };
    let changes = remember(&mut world, &said);
    assert!(changes.is_empty(), "{changes:?}");
    assert_eq!(own(&world).episodes, 5);
}

#[test]
fn what_was_seen_to_be_over_is_said_to_be_over() {
    let (mut world, _) = crashing();
    let said = own(&world);
    world.wait(1200);
    assert!(own(&world).resolved_at.is_some());
    world.engine.take_changes();
    remember(&mut world, &Finding { episodes: 2, ..(*said).clone() });
    world.wait(60);
    assert_eq!(world.said(), [(ChangeKind::Resolved, "RestartLoop Deployment/web".to_owned())]);
    assert_eq!(own(&world).episodes, 2);
}

#[test]
fn a_memory_is_not_over_before_its_pods_have_been_listed() {
    for listed in [true, false] {
        let (world, mut looping) = crashing();
        let said = own(&world);
        let mut after = World::new(Settings::default());
        after.now = world.now.plus(Duration::from_secs(2));
        let mut healthy = pod(&after, "shop", "web-0");
        healthy.containers[0].state = State::Running { since: Some(after.now.minus(Duration::from_hours(9))) };
        remember(&mut after, &said);
        if listed {
            after.list_starts(Scope::All);
            after.wait(100);
        }
        looping.containers[0].state = State::Running { since: Some(after.now.minus(Duration::from_secs(2))) };
        after.show(&healthy);
        after.show(&looping);
        if listed {
            after.list_ends(Scope::All);
        }
        after.wait(1);
        assert_eq!(own(&after).resolved_at, None, "listed: {listed}");
        assert_eq!(own(&after).episodes, 1);
    }
}

#[test]
fn a_finding_that_moves_to_the_top_of_its_chain_shows_that_it_was_confirmed() {
    let mut world = World::new(Settings::default());
    let mut it = pod(&world, "shop", "web-1");
    let owner = Owner { kind: Arc::from("ReplicaSet"), name: Arc::from("web") };
    it.owner = Some(owner.clone());
    world.show(&it);
    for _ in 0..3 {
        world.restart(&mut it, 1);
    }
    assert!(world.confirms());
    world.tell(Observation::Workload(Box::new(WorkloadFacts {
        namespace: Arc::from("shop"),
        owner,
        top: Owner { kind: Arc::from("Rollout"), name: Arc::from("web") },
        desired: Some(1),
        workload_ref: None,
        paused: false,
        parallel: false,
        min_ready: Duration::ZERO,
        rolling: None,
        managed_by: None,
        revisions: Vec::new(),
    })));
    let changes = world.engine.take_changes();
    let told: Vec<_> = changes
        .iter()
        .map(|change| (change.kind, &*change.finding.workload, change.finding.confirmed_at.is_some()))
        .collect();
    assert_eq!(told, [(ChangeKind::Withdrawn, "ReplicaSet/web", true), (ChangeKind::Confirmed, "Rollout/web", true)]);
}

#[test]
fn a_suspicion_that_comes_to_nothing_was_never_confirmed() {
    let mut world = World::new(Settings::default());
    let mut it = pod(&world, "shop", "web-1");
    world.show(&it);
    for _ in 0..2 {
        world.restart(&mut it, 1);
    }
    world.wait(1200);
    let changes = world.engine.take_changes();
    let withdrawn = changes.iter().find(|change| change.kind == ChangeKind::Withdrawn).expect("withdrawn");
    assert_eq!(withdrawn.finding.confirmed_at, None);
}

#[test]
fn a_memory_is_not_worse_because_its_services_are_not_known_yet() {
    let (world, it) = crashing();
    let said = Finding {
        pods: Pods { affected: 1, total: 2 },
        services: vec![ServiceState { name: "web".into(), ready: 1, total: 2 }],
        severity: Severity::Warning,
        ..(*own(&world)).clone()
    };
    let mut restarted = World::new(Settings::default());
    restarted.now = world.now;
    let mut changes = remember(&mut restarted, &said);
    restarted.show(&it);
    changes.extend(restarted.engine.take_changes());
    assert_eq!(changes.iter().map(|change| change.kind).collect::<Vec<_>>(), []);
    let now = own(&restarted);
    assert_eq!((now.pods, &now.services, now.severity), (said.pods, &said.services, said.severity));
}

#[test]
fn what_is_remembered_twice_before_its_pods_are_seen_is_counted_once() {
    let (world, it) = crashing();
    let said = own(&world);
    let mut restarted = World::new(Settings::default());
    restarted.now = world.now;
    remember(&mut restarted, &said);
    remember(&mut restarted, &said);
    restarted.show(&it);
    assert_eq!(own(&restarted).restarts, said.restarts);
}

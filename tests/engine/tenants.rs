//! What a tenant of one namespace can do to the others: nothing.
//!
//! Tenants choose the names, labels, annotations and owner references of their own objects, write arbitrary
//! events, and decide how and when their containers terminate.

use std::sync::Arc;
use std::time::Duration;

use probehound::engine::{
    Cause, ContainerId, Effect, Finding, Need, Observation, Owner, PodId, PodSnapshot, Settings, State, Terminated, Uid,
};

use crate::engine::world::{World, pod};

const NOT_FOUND: &str = "Liveness probe failed: HTTP probe failed with statuscode: 404";
const KILLED: &str = "Container app failed liveness probe, will be restarted";

/// The cause of a loop whose events are addressed like this.
fn cause_where_events_speak_of(mut pod: PodSnapshot, addressed: &PodSnapshot) -> Cause {
    let mut world = World::new(Settings::default());
    pod.node = Some(Arc::from("node-a"));
    world.show(&pod);
    for round in 0..4 {
        world.event(addressed, 100 + 10 * round, "Unhealthy", NOT_FOUND, 1);
        world.wait(5);
        world.event(addressed, 100 + 10 * round, "Unhealthy", NOT_FOUND, 2);
        world.event(addressed, 101 + 10 * round, "Killing", KILLED, 1);
        let until = world.now;
        world.restart_ended(&mut pod, 137, until);
    }
    world.wait(60);
    the_loop_of(&world, "shop").cause
}

fn the_loop_of(world: &World, namespace: &str) -> Arc<Finding> {
    let all = world.engine.findings();
    let mut loops = all.iter().filter(|finding| finding.effect == Effect::RestartLoop);
    Arc::clone(loops.find(|finding| &*finding.namespace == namespace).expect("it loops"))
}

fn web() -> PodSnapshot {
    pod(&World::new(Settings::default()), "shop", "web-1")
}

#[test]
fn an_event_is_believed_of_the_pod_of_its_namespace_name_and_uid_alone() {
    let known = web();
    assert_eq!(cause_where_events_speak_of(web(), &known), Cause::WrongPath);
    let others = [
        PodId { namespace: Arc::from("evil"), ..known.id.clone() },
        PodId { name: Arc::from("web-2"), ..known.id.clone() },
        PodId { uid: Uid(7), ..known.id.clone() },
    ];
    for id in others {
        let addressed = PodSnapshot { id: id.clone(), ..known.clone() };
        assert_ne!(cause_where_events_speak_of(web(), &addressed), Cause::WrongPath, "{id:?}");
    }
}

#[test]
fn events_with_a_static_pods_hash_are_those_of_the_pod_of_that_name() {
    let hash = Uid(0x0d5e_a2b1);
    let mirror = PodSnapshot { event_uid: Some(hash), ..web() };
    let addressed = |namespace: &str, name: &str| PodSnapshot {
        id: PodId { namespace: Arc::from(namespace), name: Arc::from(name), uid: hash },
        ..web()
    };
    assert_eq!(cause_where_events_speak_of(mirror.clone(), &addressed("shop", "web-1")), Cause::WrongPath);
    assert_ne!(cause_where_events_speak_of(mirror.clone(), &addressed("evil", "web-1")), Cause::WrongPath);
    assert_ne!(cause_where_events_speak_of(mirror, &addressed("shop", "web-2")), Cause::WrongPath);
}

#[test]
fn a_pod_that_claims_anothers_uid_for_its_events_takes_none_of_them() {
    let mut world = World::new(Settings::default());
    let victim = web();
    let mut thief = pod(&world, "evil", "thief-node-a");
    thief.event_uid = Some(victim.id.uid);
    for pods in [[&thief, &victim], [&victim, &thief]] {
        for pod in pods {
            world.show(pod);
        }
        world.event(&victim, 1, "Unhealthy", NOT_FOUND, 1);
        let counted = world.engine.take_counts();
        assert!(counted.iter().all(|count| &*count.namespace == "shop"), "{counted:?}");
        assert_eq!(counted.len(), 1);
        world = World::new(Settings::default());
    }
}

#[test]
fn a_pod_whose_uid_is_a_static_pods_hash_is_a_pod_of_its_own() {
    let mut world = World::new(Settings::default());
    let hash = Uid(0x0d5e_a2b1);
    world.show(&PodSnapshot { event_uid: Some(hash), ..web() });
    let mut other = pod(&world, "evil", "other");
    other.id.uid = hash;
    world.show(&other);
    assert_eq!(world.engine.pods(), 2);
}

#[test]
fn events_that_wait_for_pods_that_never_come_take_no_places_from_others() {
    let mut world = World::new(Settings::default());
    let late = web();
    world.event(&late, 1, "Unhealthy", NOT_FOUND, 1);
    for number in 0..5000_u128 {
        let mut ghost = pod(&world, "evil", "ghost");
        ghost.id.uid = Uid(1_000_000 + number);
        world.event(&ghost, 10 + number, "Unhealthy", NOT_FOUND, 1);
    }
    world.show(&late);
    assert_eq!(world.engine.take_counts().len(), 1, "its event is heard");
    assert!(world.engine.events_without_pod() >= 900, "{}", world.engine.events_without_pod());
}

/// Pods killed by SIGKILL on one node at the same times.
fn killed_together(namespaces: &[&str]) -> World {
    let mut world = World::new(Settings::default());
    let mut pods: Vec<_> = namespaces
        .iter()
        .enumerate()
        .map(|(number, namespace)| {
            let name = format!("app-{number}");
            let owner = Some(Owner { kind: Arc::from("StatefulSet"), name: Arc::from(&*name) });
            PodSnapshot { owner, ..pod(&world, namespace, &format!("{name}-0")) }
        })
        .collect();
    world.show_all(&pods);
    for round in 1..=4 {
        world.wait(90);
        for pod in &mut pods {
            let State::Running { since: Some(since) } = pod.containers[0].state else { panic!("it runs") };
            let ended = Terminated {
                id: pod.containers[0].id,
                exit: 137,
                reason: Arc::from("Error"),
                started: Some(since),
                finished: Some(world.now),
                message: None,
            };
            pod.containers[0].state = State::Terminated(ended.clone());
            world.show(pod);
            let container = &mut pod.containers[0];
            container.last = Some(ended);
            container.restarts = round;
            container.id = Some(ContainerId(u64::from(round)));
            container.state = State::Running { since: Some(world.now.plus(Duration::from_secs(1))) };
        }
        world.wait(1);
        world.show_all(&pods);
    }
    world.wait(60);
    world
}

#[test]
fn containers_that_one_tenant_ends_make_no_trouble_of_a_node_for_others() {
    let several = killed_together(&["shop", "bank", "mail"]);
    assert_eq!(the_loop_of(&several, "shop").cause, Cause::NodeTrouble);
    let own = killed_together(&["shop", "shop", "shop"]);
    assert_eq!(the_loop_of(&own, "shop").cause, Cause::NodeTrouble);
    let tenant = killed_together(&["shop", "evil", "evil", "evil", "evil", "evil"]);
    assert_eq!(the_loop_of(&tenant, "shop").cause, Cause::KilledExternally);
}

#[test]
fn ends_that_one_tenant_makes_take_no_places_from_those_of_others() {
    let mut namespaces = vec!["evil"; 30];
    namespaces.extend(["shop", "bank", "mail"]);
    let world = killed_together(&namespaces);
    assert_eq!(the_loop_of(&world, "shop").cause, Cause::NodeTrouble);
}

/// How long the engine waits for the events of a termination if another namespace's events on the same node
/// seem late.
fn patience_beside(forged: &str) -> u64 {
    let mut world = World::new(Settings { own_ends: 1, ..Settings::default() });
    let (mut pod, other) = (web(), pod(&world, forged, "other"));
    world.show(&pod);
    world.show(&other);
    world.wait(600);
    for number in 0..20 {
        let said = world.now.minus(Duration::from_secs(160));
        world.event_at(said, &other, 100 + number, "Unhealthy", NOT_FOUND, 1);
    }
    world.wait(60);
    let until = world.now;
    world.restart_ended(&mut pod, 137, until);
    let mut waited = 0;
    while waited < 400 && world.engine.findings().iter().all(|finding| finding.confirmed_at.is_none()) {
        world.wait(1);
        waited += 1;
    }
    waited
}

#[test]
fn events_of_one_namespace_do_not_set_the_clock_of_a_node_for_others() {
    assert!(patience_beside("shop") > 60, "{}", patience_beside("shop"));
    assert!(patience_beside("evil") < 20, "{}", patience_beside("evil"));
}

/// A container whose probe has passed and now fails, beside others on its node that fail at the same time.
fn fails_beside(namespaces: &[&str]) -> Option<Cause> {
    let mut world = World::new(Settings::default());
    let mut elsewhere = pod(&world, "shop", "web-2");
    elsewhere.node = Some(Arc::from("node-b"));
    world.show(&elsewhere);
    let mut pods = vec![web()];
    for (number, namespace) in namespaces.iter().enumerate() {
        let owner = Some(Owner { kind: Arc::from("StatefulSet"), name: Arc::from(format!("app-{number}")) });
        pods.push(PodSnapshot { owner, ..pod(&world, namespace, &format!("app-{number}-0")) });
    }
    world.show_all(&pods);
    world.wait(3600);
    elsewhere.version += 1;
    world.show(&elsewhere);
    world.show_all(&pods);
    let slow = "Liveness probe failed: Get \"http://10.0.0.7:8080/health\": context deadline exceeded \
                (Client.Timeout exceeded while awaiting headers)";
    for round in 0..4_u32 {
        for count in 1..=2 {
            for (number, pod) in pods.iter().enumerate() {
                let id = 1000 * (number as u128 + 1) + 10 * u128::from(round);
                world.event(pod, id, "Unhealthy", slow, count);
            }
            world.wait(5);
        }
        for (number, pod) in pods.iter_mut().enumerate() {
            let id = 1000 * (number as u128 + 1) + 10 * u128::from(round);
            world.event(pod, id + 1, "Killing", KILLED, 1);
            let container = &mut pod.containers[0];
            let State::Running { since } = container.state else { panic!("it runs") };
            container.last = Some(Terminated {
                id: container.id,
                exit: 137,
                reason: Arc::from("Error"),
                started: since,
                finished: Some(world.now),
                message: None,
            });
            container.restarts += 1;
            container.id = Some(ContainerId(u64::from(container.restarts)));
            container.state = State::Running { since: Some(world.now) };
            world.tell(Observation::Pod(Box::new(pod.clone())));
        }
    }
    world.wait(30);
    let all = world.engine.findings();
    let own = all.iter().find(|finding| &*finding.namespace == "shop" && &*finding.workload == "Deployment/web");
    own.map(|finding| finding.cause)
}

#[test]
fn probes_that_one_tenant_lets_fail_make_no_trouble_of_a_node_for_others() {
    assert_eq!(fails_beside(&["bank", "mail"]), Some(Cause::NodeTrouble));
    let tenant = fails_beside(&["evil", "evil", "evil"]);
    assert!(tenant.is_some_and(|cause| cause != Cause::NodeTrouble), "{tenant:?}");
}

#[test]
fn owners_and_labels_are_those_of_a_pods_own_namespace() {
    let mut world = World::new(Settings::default());
    let (well, mut pretender) = (web(), pod(&world, "evil", "web-1"));
    assert_eq!(well.owner, pretender.owner);
    world.show(&well);
    world.show(&pretender);
    world.wait(5);
    for _ in 0..4 {
        let until = world.now;
        world.restart_ended(&mut pretender, 1, until);
        world.wait(10);
    }
    world.wait(60);
    let of: Vec<_> = world.engine.findings().iter().map(|finding| finding.namespace.to_string()).collect();
    assert_eq!(of, ["evil"]);
    let needs = world.engine.take_needs();
    assert!(!needs.is_empty());
    for Need::Workload { namespace, .. } | Need::Services { namespace, .. } in &needs {
        assert_eq!(&**namespace, "evil");
    }
}

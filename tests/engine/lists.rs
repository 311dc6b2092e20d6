//! What is missing in a list is gone, within its namespace and not before it is complete.

use std::time::Duration;

use probehound::engine::{ChangeKind, Observation, Scope, Seen, Settings};
use probehound::finding::Cause;

use crate::engine::world::{World, pod};

fn namespace(name: &str) -> Scope {
    Scope::Namespace(name.into())
}

#[test]
fn what_a_list_of_all_does_not_show_is_gone() {
    let mut world = World::new(Settings::default());
    let (kept, gone) = (pod(&world, "shop", "web-1"), pod(&world, "bank", "web-2"));
    world.show(&kept);
    world.show(&gone);
    world.list_starts(Scope::All);
    world.show(&kept);
    assert_eq!(world.engine.pods(), 2, "not before it is complete");
    world.list_ends(Scope::All);
    assert_eq!(world.engine.pods(), 1);
}

#[test]
fn a_list_of_a_namespace_touches_no_other() {
    let mut world = World::new(Settings::default());
    for name in ["shop", "bank"] {
        let pod = pod(&world, name, "web-1");
        world.show(&pod);
    }
    world.list_starts(namespace("shop"));
    world.list_ends(namespace("shop"));
    assert_eq!(world.engine.pods(), 1);
    world.list_starts(namespace("bank"));
    world.list_ends(namespace("bank"));
    assert_eq!(world.engine.pods(), 0);
}

#[test]
fn lists_of_several_namespaces_run_at_the_same_time() {
    let mut world = World::new(Settings::default());
    let shown = ["shop", "bank"].map(|name| (pod(&world, name, "kept"), pod(&world, name, "gone")));
    for (kept, gone) in &shown {
        world.show(kept);
        world.show(gone);
    }
    world.list_starts(namespace("shop"));
    world.show(&shown[0].0);
    world.list_starts(namespace("bank"));
    world.list_ends(namespace("shop"));
    assert_eq!(world.engine.pods(), 3, "what was seen before another list began was seen");
    world.show(&shown[1].0);
    world.list_ends(namespace("bank"));
    assert_eq!(world.engine.pods(), 2);
}

#[test]
fn a_list_that_begins_again_counts_anew() {
    let mut world = World::new(Settings::default());
    let pod = pod(&world, "shop", "web-1");
    world.list_starts(Scope::All);
    world.show(&pod);
    world.list_starts(Scope::All);
    world.list_ends(Scope::All);
    assert_eq!(world.engine.pods(), 0);
}

#[test]
fn the_end_of_a_list_that_did_not_begin_means_nothing() {
    let mut world = World::new(Settings::default());
    let pod = pod(&world, "shop", "web-1");
    world.list_starts(namespace("bank"));
    world.show(&pod);
    world.list_ends(Scope::All);
    world.list_ends(namespace("shop"));
    world.list_ends(namespace("bank"));
    world.list_ends(namespace("bank"));
    assert_eq!(world.engine.pods(), 1);
}

#[test]
fn of_too_many_lists_the_oldest_ends_without_effect() {
    let mut world = World::new(Settings::default());
    for name in ["first", "last"] {
        let pod = pod(&world, name, "web-1");
        world.show(&pod);
    }
    world.list_starts(namespace("first"));
    for number in 0..4096 {
        world.list_starts(namespace(&format!("n-{number}")));
    }
    world.list_starts(namespace("last"));
    world.list_ends(namespace("first"));
    assert_eq!(world.engine.pods(), 2);
    world.list_ends(namespace("last"));
    assert_eq!(world.engine.pods(), 1);
}

#[test]
fn nothing_is_over_while_a_list_runs() {
    let mut world = World::new(Settings::default());
    let mut it = pod(&world, "shop", "web-1");
    world.show(&it);
    for _ in 0..3 {
        world.restart(&mut it, 1);
    }
    assert!(world.confirms());
    world.list_starts(namespace("shop"));
    world.wait(1200);
    assert!(world.said().iter().all(|(kind, _)| *kind != ChangeKind::Resolved), "the watch was blind");
    world.show(&it);
    world.list_ends(namespace("shop"));
    assert!(world.said().iter().any(|(kind, _)| *kind == ChangeKind::Resolved));
}

#[test]
fn a_loop_whose_pods_a_list_no_longer_shows_is_over_a_minute_later() {
    let mut world = World::new(Settings::default());
    let mut it = pod(&world, "shop", "web-1");
    world.show(&it);
    for _ in 0..3 {
        world.restart(&mut it, 1);
    }
    world.list_starts(Scope::All);
    world.list_ends(Scope::All);
    world.said();
    world.wait(59);
    let counts = |said: &(ChangeKind, String)| said.0 == ChangeKind::Counted;
    assert!(world.said().iter().all(counts));
    world.wait(1);
    assert_eq!(world.said(), [(ChangeKind::Resolved, "RestartLoop Deployment/web".to_owned())]);
}

#[test]
fn a_pod_that_goes_while_a_list_runs_goes_once() {
    let mut world = World::new(Settings::default());
    let it = pod(&world, "shop", "web-1");
    world.show(&it);
    world.list_starts(Scope::All);
    world.tell(Observation::PodGone(it.id.clone()));
    world.list_ends(Scope::All);
    assert_eq!(world.engine.pods(), 0);
}

#[test]
fn what_a_list_shows_again_after_an_outage_proves_no_pass() {
    let cause = |outage: bool| {
        let mut world = World::new(Settings::default());
        let mut it = pod(&world, "shop", "web-1");
        let mut other = pod(&world, "other", "web-2");
        world.show(&it);
        world.show(&other);
        let started = world.now;
        world.wait(40);
        if outage {
            // Its kubelet has not written its termination yet; another one writes.
            it.seen = Seen::Listed;
            world.show(&it);
            it.seen = Seen::Changed;
            other.containers[0].ready = false;
            world.show(&other);
        }
        let not_found = "Liveness probe failed: HTTP probe failed with statuscode: 404";
        let killed = started.plus(Duration::from_secs(8));
        world.event_at(killed, &it, 1, "Unhealthy", not_found, 2);
        world.event_at(killed, &it, 2, "Killing", "Container app failed liveness probe, will be restarted", 1);
        // The app did not heed SIGTERM.
        world.restart_ended(&mut it, 137, started.plus(Duration::from_secs(13)));
        let findings = world.engine.findings();
        findings.iter().map(|finding| finding.cause).collect::<Vec<_>>()
    };
    assert_eq!(cause(false), [Cause::WrongPath]);
    assert_eq!(cause(true), [Cause::WrongPath]);
}

//! Whether a probe has ever succeeded, from what is shown of it.

use std::sync::Arc;

use probehound::engine::{Cause, ContainerId, Owner, PodSnapshot, Settings, State};

use crate::engine::world::{World, pod};

const SICK: &str = "Liveness probe failed: HTTP probe failed with statuscode: 503";
const KILLING: &str = "Container app failed liveness probe, will be restarted";

/// Its liveness probe fails twice, which kills it; `id` and the next one are of the events.
fn kill(world: &mut World, it: &PodSnapshot, id: u128) {
    world.event(it, id, "Unhealthy", SICK, 1);
    world.wait(5);
    world.event(it, id, "Unhealthy", SICK, 2);
    world.event(it, id + 1, "Killing", KILLING, 1);
}

/// Some statuses of a kubelet show the next incarnation, and not how the one before it ended.
#[test]
fn a_run_that_a_late_probe_killed_was_well_also_if_its_end_is_never_shown() {
    let mut world = World::new(Settings::default());
    let mut it = pod(&world, "shop", "web-1");
    world.show(&it);
    world.wait(120);
    kill(&mut world, &it, 1);
    world.wait(1);
    let container = &mut it.containers[0];
    container.restarts = 1;
    container.id = Some(ContainerId(1));
    container.state = State::Running { since: Some(world.now) };
    assert_eq!(container.last, None);
    world.show(&it);
    world.wait(5);
    for number in 1..3 {
        kill(&mut world, &it, 10 * number);
        world.replace(&mut it, 137);
    }

    let findings = world.engine.findings();
    assert_eq!((findings.len(), findings[0].cause), (1, Cause::ReportsUnhealthy));
    let evidence: Vec<_> = findings[0].evidence.iter().map(|fact| &*fact.what).collect();
    assert!(evidence.contains(&"the same liveness probe passed under this template"), "{evidence:?}");
}

/// A probe that fails once, and passes again, says nothing of what happens a moment later.
#[test]
fn two_that_fall_together_did_so_also_if_one_failed_once_shortly_before() {
    let mut world = World::new(Settings::default());
    let (mut web, mut cart) = (pod(&world, "shop", "web-1"), pod(&world, "shop", "cart-1"));
    cart.owner = Some(Owner { kind: Arc::from("Deployment"), name: Arc::from("cart") });
    world.show_all(&[web.clone(), cart.clone()]);
    world.wait(110);
    world.event(&web, 1, "Unhealthy", SICK, 1);
    world.wait(10);
    world.event(&web, 1, "Unhealthy", SICK, 2);
    world.wait(1);
    world.event(&cart, 2, "Unhealthy", SICK, 1);
    world.wait(4);
    world.event(&web, 1, "Unhealthy", SICK, 3);
    world.event(&web, 3, "Killing", KILLING, 1);
    world.wait(1);
    world.event(&cart, 2, "Unhealthy", SICK, 2);
    world.event(&cart, 4, "Killing", KILLING, 1);
    for number in 1..4 {
        for (which, it) in [&mut web, &mut cart].into_iter().enumerate() {
            let (id, now) = (100 * number + 10 * which as u128, world.now);
            world.restart_ended(it, 137, now);
            kill(&mut world, it, id);
        }
    }

    let findings = world.engine.findings();
    let causes: Vec<_> = findings.iter().map(|finding| (&*finding.workload, finding.cause)).collect();
    let expected = [("Deployment/cart", Cause::DependencyDown), ("Deployment/web", Cause::DependencyDown)];
    assert_eq!(causes.len(), 2, "{causes:?}");
    assert!(expected.iter().all(|cause| causes.contains(cause)), "{causes:?}");
}

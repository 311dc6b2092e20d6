//! Restarts and probe failures are counted as they are seen, and taken once.

use std::sync::Arc;
use std::time::Duration;

use probehound::engine::{Count, Counted, Observation, Owner, Seen, Settings, WorkloadFacts};
use probehound::kubelet::ProbeKind;

use crate::engine::world::{World, pod};

const FAILED: &str = "Liveness probe failed: HTTP probe failed with statuscode: 404";

fn taken(world: &mut World) -> Vec<(String, Counted, u64)> {
    let told = |count: Count| {
        let Count { namespace, workload, container, what, by } = count;
        (format!("{namespace}/{}/{}/{container}", workload.kind, workload.name), what, by)
    };
    world.engine.take_counts().into_iter().map(told).collect()
}

#[test]
fn a_restart_counts_by_what_the_count_rose() {
    let mut world = World::new(Settings::default());
    let mut it = pod(&world, "shop", "web-1");
    it.containers[0].restarts = 7;
    world.show(&it);
    assert_eq!(taken(&mut world), [], "a first sight does not count");
    for restarts in [8, 8, 11, 2, 3] {
        it.containers[0].restarts = restarts;
        world.show(&it);
    }
    assert_eq!(taken(&mut world), [("shop/Deployment/web/app".to_owned(), Counted::Restart, 5)]);
    assert_eq!(taken(&mut world), [], "they are taken once");
}

#[test]
fn restarts_that_a_list_shows_count_too() {
    let mut world = World::new(Settings::default());
    let mut it = pod(&world, "shop", "web-1");
    world.show(&it);
    it.containers[0].restarts = 4;
    it.seen = Seen::Listed;
    world.show(&it);
    assert_eq!(taken(&mut world), [("shop/Deployment/web/app".to_owned(), Counted::Restart, 4)]);
}

#[test]
fn a_failure_counts_one_at_first_sight_and_then_what_its_event_grew() {
    let mut world = World::new(Settings::default());
    let it = pod(&world, "shop", "web-1");
    world.show(&it);
    for count in [40, 40, 43, 41] {
        world.event(&it, 1, "Unhealthy", FAILED, count);
    }
    world.event(&it, 2, "Unhealthy", FAILED, 1);
    let failure = Counted::ProbeFailure(ProbeKind::Liveness);
    assert_eq!(taken(&mut world), [("shop/Deployment/web/app".to_owned(), failure, 5)]);
}

#[test]
fn a_probe_that_could_not_run_did_not_fail() {
    let mut world = World::new(Settings::default());
    let it = pod(&world, "shop", "web-1");
    world.show(&it);
    let errored = "Liveness probe errored: strconv.Atoi: parsing \"http\": invalid syntax";
    world.event(&it, 1, "Unhealthy", errored, 3);
    world.event(&it, 2, "ProbeWarning", "Liveness probe warning: Probe terminated redirects", 3);
    assert_eq!(taken(&mut world), []);
}

#[test]
fn counts_come_in_order_and_by_the_workload_that_is_known() {
    let mut world = World::new(Settings::default());
    let mut pods = ["shop", "bank"].map(|namespace| pod(&world, namespace, "web-1"));
    let owner = Owner { kind: Arc::from("ReplicaSet"), name: Arc::from("web") };
    for it in &mut pods {
        it.owner = Some(owner.clone());
        world.show(it);
    }
    world.tell(Observation::Workload(Box::new(WorkloadFacts {
        namespace: Arc::from("shop"),
        owner,
        top: Owner { kind: Arc::from("Rollout"), name: Arc::from("web") },
        desired: None,
        workload_ref: None,
        paused: false,
        parallel: false,
        min_ready: Duration::ZERO,
        rolling: None,
        managed_by: None,
        revisions: Vec::new(),
    })));
    for it in &mut pods {
        world.event(it, 1, "Unhealthy", FAILED, 1);
        it.containers[0].restarts = 1;
        world.show(it);
    }
    let failure = Counted::ProbeFailure(ProbeKind::Liveness);
    let (bank, shop) = ("bank/ReplicaSet/web/app".to_owned(), "shop/Rollout/web/app".to_owned());
    let wanted = [
        (bank.clone(), Counted::Restart, 1),
        (bank, failure, 1),
        (shop.clone(), Counted::Restart, 1),
        (shop, failure, 1),
    ];
    assert_eq!(taken(&mut world), wanted);
}

#[test]
fn forged_counts_overflow_nothing_and_fill_no_memory() {
    let mut world = World::new(Settings::default());
    let mut it = pod(&world, "shop", "web-1");
    world.show(&it);
    for id in 0..50 {
        world.event(&it, id, "Unhealthy", FAILED, 1);
        world.event(&it, id, "Unhealthy", FAILED, u32::MAX);
    }
    for restarts in [u32::MAX, 0, u32::MAX] {
        it.containers[0].restarts = restarts;
        world.show(&it);
    }
    let counted = taken(&mut world);
    assert_eq!(counted[0].2, 2 * u64::from(u32::MAX));
    assert_eq!(counted[1].2, 50 * u64::from(u32::MAX));
    for number in 0..10_100 {
        let mut it = pod(&world, "shop", &format!("web-{number}"));
        it.owner = None;
        world.show(&it);
        it.containers[0].restarts = 1;
        world.show(&it);
    }
    assert_eq!(taken(&mut world).len(), 10_000);
}

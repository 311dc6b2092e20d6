//! Static pods: their manifests are files on a node.

use std::sync::Arc;

use probehound::engine::{Finding, PodSnapshot, Settings, Severity};
use probehound::report::remedies::texts;

use crate::engine::world::{World, pod};

#[test]
fn each_of_two_static_pods_of_a_node_is_a_workload_of_its_own() {
    let mut world = World::new(Settings::default());
    let (mut etcd, scheduler) = (static_pod(&world, "etcd-node-a"), static_pod(&world, "kube-scheduler-node-a"));
    world.show(&etcd);
    world.show(&scheduler);
    for _ in 0..3 {
        world.restart(&mut etcd, 1);
    }
    let confirmed = confirmed(&world);
    let [finding] = &confirmed[..] else { panic!("one of them crashes: {:?}", world.engine.findings()) };
    assert_eq!(&*finding.workload, "Pod/etcd-node-a");
    assert_eq!((finding.pods.affected, finding.pods.total, finding.severity), (1, 1, Severity::Critical));
    assert_eq!(texts(finding), ["kubectl -n kube-system logs pod/etcd-node-a -c app --previous"]);
}

#[test]
fn the_probe_of_a_static_pod_is_mended_in_its_file() {
    let mut world = World::new(Settings::default());
    let mut etcd = static_pod(&world, "etcd-node-a");
    world.show(&etcd);
    let refused = "Liveness probe failed: HTTP probe failed with statuscode: 404";
    for restarts in 0..3 {
        let id = 10 * restarts + 100;
        world.event(&etcd, id, "Unhealthy", refused, 1);
        world.wait(3);
        world.event(&etcd, id, "Unhealthy", refused, 2);
        world.event(&etcd, id + 1, "Killing", "Container app failed liveness probe, will be restarted", 1);
        world.replace(&mut etcd, 137);
    }
    let confirmed = confirmed(&world);
    let [finding] = &confirmed[..] else { panic!("it loops: {:?}", world.engine.findings()) };
    let remedies = texts(finding);
    assert!(remedies[0].contains("on node node-a (by default in /etc/kubernetes/manifests)"), "{remedies:?}");
    assert!(remedies.iter().all(|line| !line.contains(" patch ") && !line.contains(" undo ")), "{remedies:?}");
}

fn static_pod(world: &World, name: &str) -> PodSnapshot {
    PodSnapshot { owner: None, is_static: true, ..pod(world, "kube-system", name) }
}

fn confirmed(world: &World) -> Vec<Arc<Finding>> {
    let all = world.engine.findings().into_iter();
    all.filter(|finding| finding.confirmed_at.is_some()).collect()
}

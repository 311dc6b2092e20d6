//! probehound on a real node: `make e2e-node`.
//!
//! Everything runs in the isolation of `tests/node/isolated` and ends with it.

#[path = "../cluster/harness/mod.rs"]
mod harness;
mod kubectl;
mod node;
mod recorder;
#[path = "../support/mod.rs"]
mod support;
mod zoo;

use std::time::Duration;

use harness::ControlPlane;
use kubectl::Kubectl;
use node::Node;
use recorder::Recorder;
use support::{assert_none, replay};

#[tokio::test]
async fn what_is_recorded_of_a_node_replays_to_the_truth() {
    let plane = ControlPlane::start_for_node("node", &Node::address()).await;
    let _witness = plane.witness();
    let mut node = Node::start(&plane).await;
    let kubectl = Kubectl::new(&plane);
    let recorder = Recorder::start(&plane);
    let faults = zoo::faults();
    for fault in &faults {
        fault.begin(&kubectl);
    }
    tokio::time::sleep(Duration::from_mins(1)).await;
    for fault in &faults {
        fault.go_on(&kubectl);
    }
    tokio::time::sleep(Duration::from_mins(1)).await;
    node.restart_kubelet(&plane).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    plane.stop_api_server();
    tokio::time::sleep(Duration::from_secs(30)).await;
    plane.start_api_server().await;
    tokio::time::sleep(Duration::from_mins(2)).await;
    println!("{}", kubectl.run(&["get", "pods", "-A"]));
    let recording = recorder.finish();
    std::fs::copy(plane.folder().file("node.jsonl.gz"), "target/cluster/node.jsonl.gz").unwrap();
    let said = replay(&recording);
    let problems: Vec<String> = faults.iter().flat_map(|fault| fault.problems(&said)).collect();
    assert_none("what was said", &problems);
}

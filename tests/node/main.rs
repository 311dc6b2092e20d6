//! probehound on a real node: `make e2e-node`.
//!
//! Everything runs in the isolation of `tests/node/isolated` and ends with it.

#[path = "../cluster/harness/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests without a node use all of it")]
mod harness;
mod kubectl;
mod node;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use harness::{ControlPlane, waiting};
use kubectl::Kubectl;
use node::Node;

#[tokio::test]
async fn a_real_kubelet_kills_for_a_wrong_path_also_after_its_restart() {
    let plane = ControlPlane::start_for_node("node", &Node::address()).await;
    let _witness = plane.witness();
    let mut node = Node::start(&plane).await;
    let kubectl = Kubectl::new(&plane);
    kubectl.create_namespace("daemonset");

    kubectl.apply("daemonset", "tests/node/zoo/daemonset.yaml".as_ref());

    let api = plane.admin();
    let restarts = async |wanted: u64| {
        let pods = api.get("/api/v1/namespaces/daemonset/pods").await.expect("pods");
        let restarts = &pods["items"][0]["status"]["containerStatuses"][0]["restartCount"];
        if restarts.as_u64() >= Some(wanted) { Ok(()) } else { Err(restarts.clone()) }
    };
    let limit = Duration::from_mins(1);
    waiting::eventually("its containers are killed", limit, async || restarts(2).await).await;
    node.restart_kubelet(&plane).await;
    waiting::eventually("its containers are killed again", limit, async || restarts(3).await).await;
}

//! A healthy workload, and operations on it.

use std::time::Duration;

use crate::kubectl::Kubectl;

/// Its namespace.
pub const NAMESPACE: &str = "control";

/// Time between two operations, in which it should settle.
const PAUSE: Duration = Duration::from_secs(15);

/// Starts it.
pub async fn begin(kubectl: &Kubectl) {
    kubectl.create_namespace(NAMESPACE).await;
    kubectl.apply(NAMESPACE, "control.yaml").await;
}

/// Scales it, rolls it out and drains it, one after the other.
pub async fn go_on(kubectl: &Kubectl, node: &str) {
    let deeds: [&[&str]; 6] = [
        &["-n", NAMESPACE, "scale", "deployment/control", "--replicas=5"],
        &["-n", NAMESPACE, "set", "env", "deployment/control", "COLOUR=green"],
        &["drain", node, "--pod-selector=app=control", "--disable-eviction=false", "--timeout=180s"],
        &["uncordon", node],
        &["-n", NAMESPACE, "scale", "deployment/control", "--replicas=2"],
        &["-n", NAMESPACE, "rollout", "restart", "deployment/control"],
    ];
    for deed in deeds {
        kubectl.run(deed).await;
        tokio::time::sleep(PAUSE).await;
    }
}

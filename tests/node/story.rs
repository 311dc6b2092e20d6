//! The story: auth-service is healthy, someone changes one word, and changes it back.

use std::time::Duration;

use probehound::time::Time;
use serde_json::json;

use crate::harness::clock::{now, sleep_until};
use crate::harness::{Api, waiting};
use crate::kubectl::Kubectl;

/// Its namespace.
pub const NAMESPACE: &str = "prod";

/// Its Deployment.
pub const WORKLOAD: &str = "auth-service";

/// Number of pods: `story.yaml`.
pub const PODS: u64 = 14;

/// Far more than it takes, on a busy machine.
const LIMIT: Duration = Duration::from_mins(3);

/// Applies it in its healthy state, and waits until it is healthy.
pub async fn begin(kubectl: &Kubectl, api: &Api) {
    kubectl.create_namespace(NAMESPACE).await;
    kubectl.apply(NAMESPACE, "story.yaml").await;
    until(api, "the story's pods are ready", |status| status["readyReplicas"] == PODS).await;
}

/// Rolls out the wrong path; returns when.
pub async fn break_it(kubectl: &Kubectl) -> Time {
    let field = "/spec/template/spec/containers/0/livenessProbe/httpGet/path";
    let patch = json!([{"op": "replace", "path": field, "value": "/v2/health"}]).to_string();
    let at = now();
    let target = format!("deployment/{WORKLOAD}");
    let words = ["-n", NAMESPACE, "patch", &target, "--type=json", "--patch", &patch, "--field-manager=kubectl-edit"];
    kubectl.run(&words).await;
    at
}

/// How long after the rollout somebody looks who has nothing installed.
const LOOKED_AT: Duration = Duration::from_mins(1);

/// Looks with `kubectl probehound scan` a minute after it was broken: path, what it was before, revision, and who
/// changed it.
pub async fn look_at_it(kubectl: &Kubectl, broken: Time) {
    sleep_until(broken.plus(LOOKED_AT)).await;
    let words = ["scan", "-n", NAMESPACE, "-o", "json"];
    let document = kubectl.probehound(&words).await;
    let document: serde_json::Value = serde_json::from_str(&document).expect("a document");
    let workload = format!("Deployment/{WORKLOAD}");
    let found = document["findings"].as_array().and_then(|all| all.iter().find(|one| one["workload"] == workload));
    let found = found.unwrap_or_else(|| panic!("{document:#}"));
    let change = &found["change"];
    assert_eq!((&found["cause"], &found["current"]), (&json!("WrongPath"), &json!("/v2/health")), "{found:#}");
    assert_eq!((&change["revision"], &change["by"]), (&json!(2), &json!("kubectl-edit")), "{found:#}");
    assert!(found["suggested"] == "/health" || change["from"] == "/health", "{found:#}");
    println!(
        "a scan: {} of {} pods, suggested {}",
        found["pods"]["affected"], found["pods"]["total"], found["suggested"]
    );
}

/// Runs the command in the message, and waits until all pods are of the previous template; returns when
/// they were.
pub async fn mend_it(kubectl: &Kubectl, api: &Api) -> Time {
    kubectl.run(&["-n", NAMESPACE, "rollout", "undo", &format!("deployment/{WORKLOAD}"), "--to-revision=1"]).await;
    until(api, "the story's pods are as before", |status| {
        status["updatedReplicas"] == PODS && status["replicas"] == PODS && status["readyReplicas"] == PODS
    })
    .await;
    now()
}

async fn until(api: &Api, what: &str, is: impl Fn(&serde_json::Value) -> bool) {
    let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{WORKLOAD}");
    waiting::eventually(what, LIMIT, async || {
        let deployment = api.get(&path).await.body;
        let is_seen = deployment["status"]["observedGeneration"] == deployment["metadata"]["generation"];
        if is_seen && is(&deployment["status"]) { Ok(()) } else { Err(deployment["status"].clone()) }
    })
    .await;
}

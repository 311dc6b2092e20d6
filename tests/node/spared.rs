//! What the guard leaves alone: a rollout has just changed a probe of each, and going back would cure none.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::{Api, waiting};
use crate::kubectl::Kubectl;
use crate::told;
use crate::zoo::{self, Fault};

/// The faults of the zoo, and the guard's refusal; `None`: no probe kills, so the guard is not concerned.
const SPARED: [(&str, Option<&str>); 7] = [
    ("crash", None),
    ("dependency-down", Some("notDeterministic")),
    ("flag-off", Some("notDeterministic")),
    ("hang", Some("notDeterministic")),
    ("out-of-memory", None),
    // Its second part is the rollout.
    (SLOW_START, Some("notDeterministic")),
    ("unhealthy", Some("notDeterministic")),
];
const SLOW_START: &str = "slow-start";

/// Time for the revision before to be seen healthy, on a machine that starts them late.
const WELL: Duration = Duration::from_secs(20);
/// Time for a rollout, and for its pods to be seen healthy: what was never well has no one to say that it fell.
const ROLLED_OUT: Duration = Duration::from_secs(30);
/// Far more than it takes, on a busy machine.
const LIMIT: Duration = Duration::from_mins(4);
/// Time to do what must not be done.
const QUIET: Duration = Duration::from_secs(20);

/// Lets them loose, and checks that none is undone.
///
/// # Panics
/// One is, or the guard does not say why not.
pub async fn none_is_undone(kubectl: &Kubectl, api: &Api) {
    let mut faults = zoo::faults();
    faults.retain(|fault| SPARED.iter().any(|(name, _)| *name == fault.name));
    assert_eq!(faults.len(), SPARED.len(), "each is in the zoo");
    for fault in &faults {
        fault.begin(kubectl).await;
    }
    sleep(WELL).await;
    for fault in faults.iter().filter(|fault| fault.name != SLOW_START) {
        change_a_probe(kubectl, api, fault).await;
    }
    sleep(ROLLED_OUT).await;
    for fault in &faults {
        fault.go_on(kubectl).await;
    }

    waiting::eventually("each is confirmed, and refused", LIMIT, async || {
        let objects = told::objects(api).await;
        let missing = SPARED.iter().filter(|(name, refusal)| !is_spared(&objects, name, *refusal));
        let missing: Vec<_> = missing.map(|(name, _)| *name).collect();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    })
    .await;
    sleep(QUIET).await;
    for fault in &faults {
        for deployment in deployments(api, &fault.name).await {
            let annotations = deployment["metadata"]["annotations"].to_string();
            assert!(!annotations.contains("undone"), "{} is undone: {annotations}", fault.name);
        }
    }
    println!("\nnot undone: {}", SPARED.map(|(name, _)| name).join(", "));
}

/// Whether a finding of that namespace is confirmed, and each of those was refused for that.
fn is_spared(objects: &[Value], namespace: &str, refusal: Option<&str>) -> bool {
    let is_of_it = |object: &&Value| {
        object["metadata"]["namespace"] == namespace
            && object["spec"]["effect"] == "RestartLoop"
            && object["status"]["state"] == "Confirmed"
    };
    let confirmed: Vec<_> = objects.iter().filter(is_of_it).collect();
    let is_refused = |object: &&Value| object["status"]["guard"]["refusal"].as_str() == refusal;
    !confirmed.is_empty() && confirmed.iter().all(is_refused)
}

/// Rolls out another period of each liveness probe.
async fn change_a_probe(kubectl: &Kubectl, api: &Api, fault: &Fault) {
    for deployment in deployments(api, &fault.name).await {
        let probe = &deployment["spec"]["template"]["spec"]["containers"][0]["livenessProbe"];
        let Some(period) = probe["periodSeconds"].as_u64() else { continue };
        let name = deployment["metadata"]["name"].as_str().expect("it has a name");
        let field = "/spec/template/spec/containers/0/livenessProbe/periodSeconds";
        let patch = json!([{"op": "replace", "path": field, "value": period + 1}]).to_string();
        let target = format!("deployment/{name}");
        kubectl.run(&["-n", &fault.name, "patch", &target, "--type=json", "--patch", &patch]).await;
    }
}

async fn deployments(api: &Api, namespace: &str) -> Vec<Value> {
    let list = api.get(&format!("/apis/apps/v1/namespaces/{namespace}/deployments")).await.body;
    list["items"].as_array().cloned().unwrap_or_default()
}

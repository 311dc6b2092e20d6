//! From 0.1.0 to this version, with a channel whose messages are counted.

use std::time::Duration;

use probehound::report::object::{FindingObject, object_name};
use probehound::time::Time;
use serde_json::{Value, json};

use super::{command, older};
use crate::channel::{Channel, Tiding};
use crate::harness::{ControlPlane, waiting};
use crate::installed::{ACCOUNT, NAMESPACE, helm, kubectl};
use crate::keeping::only;
use crate::operator::Settings;
use crate::player::Scene;
use crate::support::released;
use crate::{clock, player};

/// It restarts at the beginning of the scene for the second time, 15 s later for the third.
const LENGTH: Duration = Duration::from_secs(20);
const SKIPPED: Duration = Duration::from_secs(10);
/// A minute without a pod, and what a busy machine adds.
const PATIENCE: Duration = Duration::from_mins(3);
/// Time to tell what must not be told.
const QUIET: Duration = Duration::from_secs(5);

#[tokio::test]
async fn an_upgrade_loses_no_finding_repeats_no_message_and_tells_each_end_once() {
    let cluster = ControlPlane::start("upgraded").await;
    let _witness = cluster.witness();
    let api = cluster.admin();
    let chart = older::chart(&cluster);
    let chart = chart.to_str().expect("a path of characters");
    helm(Some(&cluster), &["install", "probehound", chart, "--namespace", NAMESPACE, "--create-namespace"])
        .expect_success();
    for namespace in ["loops", "gone", "over"] {
        api.create_namespace(namespace).await;
    }
    // What loops, what went while nobody watched, and what is over and told.
    let started = clock::now();
    write(&cluster, "loops", &json!({"state": "Confirmed"}), "Opened").await;
    write(&cluster, "gone", &json!({"state": "Confirmed"}), "Opened").await;
    write(&cluster, "over", &json!({"state": "Resolved", "resolvedAt": started}), "Resolved").await;
    let before = only(&api, "over").await.expect("one finding");

    helm(Some(&cluster), &command("upgrade", &[])).expect_success();
    let channel = Channel::open(cluster.folder(), "upgraded").await;
    let token = api.token_of(NAMESPACE, ACCOUNT, 3600).await;
    let kubeconfig = cluster.write_kubeconfig("upgraded.kubeconfig", &cluster.url(), &token);
    let settings = Settings::new("upgraded", kubeconfig).with("notifications", channel.settings(10));
    let scene = Scene::of("liveness-http-wrong-port", LENGTH).skipping(SKIPPED).in_namespace("loops");
    let start = clock::now().plus(Duration::from_secs(2));
    let (_played, operator) = tokio::join!(player::play(&api, &scene, start), async {
        clock::sleep_until(start).await;
        let operator = settings.start(cluster.folder());
        operator.until_ready().await;
        operator
    });

    let object =
        waiting::eventually("it goes on in the same object, as this version writes it", PATIENCE, async || {
            let object = only(&api, "loops").await?;
            if object["status"]["summary"].is_string() { Ok(object) } else { Err(vec![object]) }
        })
        .await;
    assert!(operator.metrics().await.sum("probehound_restarts_total", &["namespace=\"loops\""]) > Some(0));
    assert_eq!((&object["status"]["state"], &object["status"]["episodes"]), (&json!("Confirmed"), &json!(1)));
    tokio::time::sleep(QUIET).await;
    let told = |namespace: &str| channel.update().iter().filter(|(tiding, _)| tiding.namespace == namespace).count();
    assert_eq!((told("loops"), told("over")), (0, 0), "{:?}", channel.update());

    for kind in ["deployments", "replicasets", "pods"] {
        kubectl(&cluster, &["delete", kind, "--all", "-n", "loops", "--force", "--grace-period=0"]).expect_success();
    }
    let ends = [Tiding::over("gone"), Tiding::over("loops")];
    channel.until_recorded(&api, &ends, PATIENCE).await;
    tokio::time::sleep(QUIET).await;

    let mut tidings: Vec<Tiding> = channel.update().into_iter().map(|(tiding, _)| tiding).collect();
    tidings.sort();
    assert_eq!((&tidings[..], channel.messages()), (&ends[..], ends.len()), "each end once, and nothing else");
    let after = only(&api, "over").await.expect("it is kept");
    for part in ["state", "resolvedAt", "notifications"] {
        assert_eq!(after["status"][part], before["status"][part], "{part}");
    }
    drop(operator);
}

/// Writes a finding about the played workload as 0.1.0 did: by server-side apply, what is known and what was told
/// by a field manager each.
async fn write(cluster: &ControlPlane, namespace: &str, state: &Value, told: &str) {
    let now = clock::now();
    let (known, notifications) = (status(now, state), json!([notification(now, told)]));
    let mut object = released::objects().swap_remove(0);
    object["metadata"]["namespace"] = namespace.into();
    object["spec"]["container"] = "app".into();
    object.as_object_mut().expect("an object").remove("status");
    let read: FindingObject = serde_json::from_value(object.clone()).expect("an object");
    object["metadata"]["name"] = object_name(&read.identity().expect("a namespace")).into();
    apply(cluster, &object, "probehound", &[]).await;
    object["status"] = known;
    apply(cluster, &object, "probehound", &["--subresource=status"]).await;
    object["status"] = json!({ "notifications": notifications });
    apply(cluster, &object, "probehound-delivery", &["--subresource=status"]).await;
}

async fn apply(cluster: &ControlPlane, object: &Value, manager: &str, further: &[&str]) {
    let file = cluster.folder().write("finding.json", &object.to_string()).display().to_string();
    let manager = format!("--field-manager={manager}");
    let arguments = [&["apply", "--server-side", "--force-conflicts", "-f", &file, &manager][..], further].concat();
    waiting::eventually("the definition is served", PATIENCE, async || {
        let said = kubectl(cluster, &arguments).warnings();
        if said.is_empty() { Ok(()) } else { Err(said) }
    })
    .await;
}

/// What 0.1.0 knew after the second restart, whether it goes on or not.
fn status(now: Time, state: &Value) -> Value {
    let mut status = released::objects()[0]["status"].clone();
    let known = json!({
        "cause": "WrongPort",
        "field": "livenessProbe.httpGet.port",
        "current": 9090,
        "suggested": 8080,
        "confidence": "medium",
        "evidence": [{"at": now, "what": "9090 is no port that the container declares"}],
        "pods": {"affected": 1, "total": 1},
        "affected": "1/1",
        "restarts": 2,
        "openedAt": now,
        "confirmedAt": now,
        "remedy": ["set livenessProbe.httpGet.port of container app to 8080"],
    });
    for fields in [&known, state] {
        for (name, value) in fields.as_object().expect("fields") {
            status[name] = value.clone();
        }
    }
    status.as_object_mut().expect("a status").remove("notifications");
    status
}

/// What 0.1.0 had told of it.
fn notification(now: Time, told: &str) -> Value {
    let mut notification = released::objects()[0]["status"]["notifications"][0].clone();
    notification["receiver"] = "channel".into();
    notification["told"] = told.into();
    notification["at"] = json!(now);
    for (name, value) in [("cause", json!("WrongPort")), ("current", json!(9090)), ("suggested", json!(8080))] {
        notification["said"][name] = value;
    }
    notification["said"]["field"] = "livenessProbe.httpGet.port".into();
    notification["said"]["confidence"] = "medium".into();
    notification
}

//! `helm test`, where no node is: what a kubelet does for the two pods of the test is done here, with the
//! programs, arguments and rights that these pods have.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::command;
use crate::clock;
use crate::harness::{Api, ControlPlane, Process, ports, waiting};
use crate::installed::{ACCOUNT, NAMESPACE, helm};
use crate::operator::{Settings, binary};

/// Far more than controllers take.
const SOON: Duration = Duration::from_mins(1);
/// Far more than the operator takes to confirm a kill.
const SEEN: Duration = Duration::from_mins(2);
const PODS: &str = "/api/v1/namespaces/probehound/pods";
/// What there is while a test runs.
const OF_THE_TEST: [&str; 5] = [
    "/api/v1/namespaces/probehound/serviceaccounts/probehound-test",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/probehound/roles/probehound-test",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/probehound/rolebindings/probehound-test",
    "/apis/apps/v1/namespaces/probehound/deployments/probehound-test",
    "/api/v1/namespaces/probehound/pods/probehound-test",
];

#[tokio::test]
async fn a_test_of_the_release_passes_once_the_operator_sees_and_leaves_nothing() {
    let cluster = Arc::new(ControlPlane::start_with_controllers("tested").await);
    let _witness = cluster.witness();
    let api = cluster.admin();
    helm(Some(&cluster), &command("install", &["--create-namespace"])).expect_success();
    let token = api.token_of(NAMESPACE, ACCOUNT, 3600).await;
    let kubeconfig = cluster.write_kubeconfig("tested.kubeconfig", &cluster.url(), &token);
    let operator = Settings::new("tested", kubeconfig).start(cluster.folder());
    operator.until_ready().await;

    let of_helm = Arc::clone(&cluster);
    let tested = tokio::task::spawn_blocking(move || {
        helm(Some(&of_helm), &["test", "probehound", "--namespace", NAMESPACE]).expect_success()
    });
    let (app, waited) = tokio::join!(run_app(&cluster), run_wait(&cluster));
    assert!(waited.contains("the liveness probe asks for a path that the app does not serve"), "{waited}");
    tested.await.expect("it does not panic");

    waiting::eventually("nothing of the test is left", SOON, async || {
        let mut left = Vec::new();
        for path in OF_THE_TEST {
            left.extend(api.get(path).await.is_success().then_some(path));
        }
        left.extend(pod_of_app(&api).await.is_ok().then_some("the app's pod"));
        if left.is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
    // What is still confirmed is of the test before, whose pod is gone.
    let words = ["deployment/probehound-test", "--namespace=probehound", "--timeout=2s"];
    let mut again = wait(&cluster, "admin.kubeconfig", &words);
    let status = waiting::eventually("it gives up", SOON, async || again.has_ended().ok_or("it runs")).await;
    assert_eq!(status.code(), Some(1));
    assert!(again.log().contains("seen last: only a finding of an earlier test"), "{}", again.log());
    drop(app);
}

/// Runs the app, asks what its probe asks, and ends it as often as a kubelet would: once is enough.
async fn run_app(cluster: &ControlPlane) -> Process {
    let api = cluster.admin();
    let pod = waiting::eventually("the app has a pod", SOON, async || pod_of_app(&api).await).await;
    let container = &pod["spec"]["containers"][0];
    assert_eq!(container["args"], json!(["self-test", "app"]));
    let port = ports::free();
    let words = ["self-test", "app", &format!("--listen=127.0.0.1:{port}")].map(str::to_owned);
    let app = Process::start("app", &binary(), &words, &[], &cluster.folder().file("app.log"));
    let probe = &container["livenessProbe"];
    let path = probe["httpGet"]["path"].as_str().expect("a path");
    let asked = Api::anonymous(&format!("http://127.0.0.1:{port}"), "");
    waiting::eventually("the app listens", SOON, async || match asked.get("/health").await.code {
        200 => Ok(()),
        code => Err(code),
    })
    .await;

    let started = clock::now().to_string();
    let running = |since: &str, id: &str, restarts: u64, last: Value| {
        json!({"status": {"phase": "Running", "startTime": started, "containerStatuses": [{
            "name": "app", "ready": true, "started": true, "restartCount": restarts, "image": "probehound",
            "imageID": "sha256:1", "containerID": id, "state": {"running": {"startedAt": since}}, "lastState": last,
        }]}})
    };
    let status = format!("{PODS}/{}/status", pod["metadata"]["name"].as_str().expect("a name"));
    let first = running(&started, "containerd://1", 0, json!({}));
    api.patch(&status, "kubelet", &first).await.expect("a status");
    for count in 1..=probe["failureThreshold"].as_u64().expect("a number") {
        tokio::time::sleep(Duration::from_secs(probe["periodSeconds"].as_u64().expect("a number"))).await;
        let code = asked.get(path).await.code;
        let words = format!("Liveness probe failed: HTTP probe failed with statuscode: {code}");
        say(&api, &pod, "Unhealthy", &words, count).await;
    }
    say(&api, &pod, "Killing", "Container app failed liveness probe, will be restarted", 1).await;
    let ended = clock::now().to_string();
    let last = json!({"terminated": {
        "exitCode": 137, "reason": "Error", "startedAt": started, "finishedAt": ended, "containerID": "containerd://1",
    }});
    api.patch(&status, "kubelet", &running(&ended, "containerd://2", 1, last)).await.expect("a status");
    app
}

/// Runs what the waiting pod runs, as its account; returns what it said.
async fn run_wait(cluster: &ControlPlane) -> String {
    let api = cluster.admin();
    let path = format!("{PODS}/probehound-test");
    let pod = waiting::eventually("the test has a pod", SOON, async || {
        let answer = api.get(&path).await;
        if answer.is_success() { Ok(answer.body) } else { Err(answer.refusal()) }
    })
    .await;
    let account = pod["spec"]["serviceAccountName"].as_str().expect("an account");
    let token = api.token_of(NAMESPACE, account, 600).await;
    cluster.write_kubeconfig("wait.kubeconfig", &cluster.url(), &token);
    let words = pod["spec"]["containers"][0]["args"].as_array().expect("arguments").clone();
    let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
    assert_eq!(words[..2], ["self-test", "wait"]);
    let mut waits = wait(cluster, "wait.kubeconfig", &words[2..]);
    let status = waiting::eventually("the finding is seen", SEEN, async || waits.has_ended().ok_or("it waits")).await;
    let phase = if status.success() { "Succeeded" } else { "Failed" };
    api.patch(&format!("{path}/status"), "kubelet", &json!({"status": {"phase": phase}})).await.expect("a status");
    waits.log()
}

fn wait(cluster: &ControlPlane, kubeconfig: &str, words: &[&str]) -> Process {
    let kubeconfig = format!("--kubeconfig={}", cluster.folder().file(kubeconfig).display());
    let all = [&["self-test", "wait", &kubeconfig][..], words].concat();
    let all: Vec<String> = all.into_iter().map(str::to_owned).collect();
    Process::start("wait", &binary(), &all, &[], &cluster.folder().file("wait.log"))
}

/// The pod of the app's Deployment.
async fn pod_of_app(api: &Api) -> Result<Value, Value> {
    let list = api.get(&format!("{PODS}?labelSelector=app.kubernetes.io/component%3Dtest")).await.body;
    let pods = list["items"].as_array().into_iter().flatten();
    pods.into_iter().find(|pod| pod["metadata"]["ownerReferences"].is_array()).cloned().ok_or(list)
}

/// An event of the kubelet about the app's container.
async fn say(api: &Api, pod: &Value, reason: &str, words: &str, count: u64) {
    let now = clock::now().to_string();
    let metadata = &pod["metadata"];
    let event = json!({
        "metadata": {"name": format!("app.{}{count}", reason.to_lowercase())},
        "involvedObject": {
            "apiVersion": "v1", "kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"],
            "uid": metadata["uid"], "fieldPath": "spec.containers{app}",
        },
        "reason": reason, "message": words, "type": if reason == "Killing" { "Normal" } else { "Warning" },
        "source": {"component": "kubelet", "host": "node-1"}, "count": 1, "firstTimestamp": now, "lastTimestamp": now,
    });
    api.create("/api/v1/namespaces/probehound/events", &event).await.expect("an event");
}

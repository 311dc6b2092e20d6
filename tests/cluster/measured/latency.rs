//! From the write of a status that shows a loop to the request that arrives at Slack.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use probehound::time::Time;

use super::crowd;
use crate::harness::{Api, ControlPlane, clock};
use crate::operator::Settings;
use crate::support::slack::Slack;

/// Loops that are written one after another.
const LOOPS: usize = 100;
/// Pods beside them.
const PODS: usize = 1_000;
/// Between two of them: a channel is sent no more than a message a second.
const PAUSE: Duration = Duration::from_millis(1_300);
/// Far more than a message takes.
const SOON: Duration = Duration::from_secs(20);
/// How many times a container has to end for a loop.
const ENDS: i64 = 3;

#[tokio::test]
#[ignore = "it measures for minutes: make bench-cluster"]
async fn a_hundred_loops() {
    let cluster = ControlPlane::start("latency").await;
    let _witness = cluster.witness();
    let api = cluster.admin();
    crowd::make(&api, PODS).await;
    let slack = Slack::start([]).await;
    let url = cluster.folder().write("latency.slack", &slack.url()).display().to_string();
    let receivers = json!({"receivers": [{"name": "channel", "slack": {"urlFile": url}}], "digestAbove": 100});
    let settings = Settings::new("latency", cluster.admin_kubeconfig()).with("notifications", receivers);
    let operator = settings.start(cluster.folder());
    operator.until_ready().await;
    let api = api.persistent();
    let since = clock::now().minus(Duration::from_secs(90));
    for number in 0..=LOOPS {
        begin(&api, number, since).await;
    }

    let mut delays = Vec::new();
    for number in 0..=LOOPS {
        tokio::time::sleep(PAUSE).await;
        let written = Instant::now();
        end(&api, number, since, ENDS).await;
        let taken = slack.took(number + 1, SOON).await;
        let message = taken.get(number).unwrap_or_else(|| panic!("{number} is not told: {}", operator.log()));
        assert!(message.text().contains(&name(number)), "{}", message.text());
        delays.push(message.came - written);
    }
    // The first message after a start waits on purpose, for what else is found at the first look.
    let first = delays.remove(0);
    delays.sort_unstable();
    let at = |part: usize| delays[(delays.len() * part / 100).min(delays.len() - 1)];
    println!("\n{LOOPS} loops beside {PODS} pods, from the write of the status to the request to Slack:");
    println!(
        "p50 {:.1?} (goal: 20 ms), p90 {:.1?}, p99 {:.1?} (goal: 200 ms); the first {first:.1?}\n",
        at(50),
        at(90),
        at(99)
    );
}

fn name(number: usize) -> String {
    format!("crashes-{number:03}")
}

/// A pod that has crashed once less than a loop needs.
async fn begin(api: &Api, number: usize, since: Time) {
    let container = json!({"name": "app", "image": "registry.example/crashes:1"});
    let pod = json!({"metadata": {"name": name(number)}, "spec": {"nodeName": "node-1", "containers": [container]}});
    api.create("/api/v1/namespaces/default/pods", &pod).await.expect("a pod");
    for ends in 0..ENDS {
        end(api, number, since, ends).await;
    }
}

/// Writes the status of a container that has ended that many times.
async fn end(api: &Api, number: usize, since: Time, ends: i64) {
    let path = format!("/api/v1/namespaces/default/pods/{}/status", name(number));
    api.patch(&path, "kubelet", &json!({"status": status(since, ends)})).await.expect("a status");
}

fn status(since: Time, ends: i64) -> Value {
    let at = |seconds: i64| since.plus(Duration::from_secs(seconds as u64)).to_string();
    let id = |run: i64| format!("containerd://{run:064}");
    let last = json!({"terminated": {
        "exitCode": 1, "reason": "Error", "containerID": id(ends),
        "startedAt": at(ends * 20 - 15), "finishedAt": at(ends * 20 - 5),
    }});
    let has_ended = ends > 0;
    json!({
        "phase": "Running", "startTime": at(0), "podIP": "10.0.0.9",
        "containerStatuses": [{
            "name": "app", "image": "registry.example/crashes:1", "imageID": "", "restartCount": ends,
            "ready": !has_ended, "started": !has_ended, "containerID": id(ends),
            "state": if has_ended {
                json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}})
            } else {
                json!({"running": {"startedAt": at(1)}})
            },
            "lastState": if has_ended { last } else { json!({}) },
        }],
    })
}

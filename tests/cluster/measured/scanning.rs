//! A scan of five thousand pods, beside `kubectl get` of the same.

use std::process::{Command, Stdio};
use std::time::Duration;

use futures::{StreamExt, stream};
use serde_json::json;

use super::crowd;
use super::usage::{self, Usage, mebibytes};
use crate::harness::clock::Stopwatch;
use crate::harness::control_plane::program;
use crate::harness::{Api, ControlPlane};
use crate::operator::binary;

/// Number of pods, and of events: one per pod.
const PODS: usize = 5_000;
/// Rounds in turn, of which the median counts.
const ROUNDS: usize = 5;
/// How often the memory of what runs is read.
const LOOK: Duration = Duration::from_millis(5);

#[tokio::test]
#[ignore = "it measures for minutes: make bench-cluster"]
async fn a_scan_of_five_thousand_pods_beside_kubectl() {
    let cluster = ControlPlane::start("scanning").await;
    let api = cluster.admin();
    crowd::make(&api, PODS).await;
    events(&api).await;
    let kubeconfig = cluster.admin_kubeconfig();
    let kubectl = || {
        let mut command = Command::new(program("kubectl"));
        command.args(["get", "pods,events", "-A", "-o", "json"]).arg("--kubeconfig").arg(&kubeconfig);
        command.arg("--cache-dir").arg(kubeconfig.with_file_name("kubectl-cache"));
        command
    };
    let scan = || {
        let mut command = Command::new(binary());
        command.args(["scan", "-A", "-o", "json"]).arg("--kubeconfig").arg(&kubeconfig);
        command
    };

    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(run(kubectl()).await);
        ours.push(run(scan()).await);
    }
    let [theirs, ours] = [median(theirs), median(ours)];
    println!("\n{PODS} pods and as many events, the median of {ROUNDS} rounds in turn:");
    for (who, (span, used)) in [("kubectl get pods,events -A -o json", &theirs), ("probehound scan -A", &ours)] {
        println!("{who}: {span:.1?}, {:.1?} of processor, {} at most", used.processor, mebibytes(used.peak));
    }
    println!(
        "times as long: {:.2} (goal: 1.2); share of its memory: {:.2} (goal: 0.1)",
        ours.0.as_secs_f64() / theirs.0.as_secs_f64(),
        ours.1.peak as f64 / theirs.1.peak as f64
    );
}

/// How long it takes, and what it uses, as far as that can be read while it runs.
async fn run(mut command: Command) -> (Duration, Usage) {
    let since = Stopwatch::start();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut used = Usage::default();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        let now = usage::of(child.id());
        used = Usage { resident: now.resident, peak: used.peak.max(now.peak), processor: now.processor };
        tokio::time::sleep(LOOK).await;
    };
    assert!(status.success(), "{command:?}: {status}");
    (since.elapsed(), used)
}

/// The one in the middle, by time.
fn median(mut all: Vec<(Duration, Usage)>) -> (Duration, Usage) {
    all.sort_by_key(|(span, _)| *span);
    all[all.len() / 2]
}

/// An event of the scheduler for each pod, as there are most in a cluster.
async fn events(api: &Api) {
    let api = api.clone().persistent();
    stream::iter(0..PODS).for_each_concurrent(crowd::AT_ONCE, |number| make_event(&api, number)).await;
}

async fn make_event(api: &Api, number: usize) {
    let namespace = crowd::namespace(number);
    let event = json!({
        "metadata": {"name": format!("service-{number}.18{number:014x}"), "namespace": namespace},
        "involvedObject": {"kind": "Pod", "apiVersion": "v1", "namespace": namespace, "name": format!("service-{number}")},
        "reason": "Scheduled", "type": "Normal", "count": 1,
        "message": format!("Successfully assigned {namespace}/service-{number} to node-{}", number % 200),
        "source": {"component": "default-scheduler"},
        "firstTimestamp": "2026-11-20T08:00:00Z", "lastTimestamp": "2026-11-20T08:00:00Z",
        "reportingComponent": "default-scheduler", "reportingInstance": "",
    });
    api.create(&format!("/api/v1/namespaces/{namespace}/events"), &event).await.unless_there();
}

//! First without the CRD of findings; then more events than in any cluster.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::{has_finding, play, short};
use crate::clock::{self, Stopwatch};
use crate::harness::{Api, ControlPlane, waiting};
use crate::measured::usage;
use crate::operator::Settings;

/// How long events are written.
const LENGTH: Duration = Duration::from_secs(30);

/// Concurrent writers.
const WRITERS: usize = 8;

/// Number of pods that the events are about.
const PODS: u64 = 50;

/// Memory growth allowed for temporary data, such as buffers of a longer answer.
const SLACK: u64 = 4 << 20;

#[tokio::test]
async fn without_its_api_it_says_what_to_type_and_starts_writing_when_that_is_done() {
    let cluster = ControlPlane::start("bare").await;
    let _witness = cluster.witness();
    let api = cluster.admin();
    api.create_namespace("bare").await;
    let operator = Settings::new("bare", cluster.admin_kubeconfig()).start(cluster.folder());
    operator.until_ready().await;
    play(&api, &short("bare", Duration::from_secs(20))).await;

    waiting::eventually("it says so", Duration::from_mins(1), async || {
        let metrics = operator.metrics().await;
        let up = metrics.sum("probehound_findings_api_up", &[]);
        let found =
            metrics.sum("probehound_findings", &["namespace=\"bare\"", "cause=\"WrongPort\"", "state=\"confirmed\""]);
        if (up, found) == (Some(0), Some(1)) { Ok(()) } else { Err((up, found)) }
    })
    .await;
    let complaints = operator.complaints();
    assert!(complaints.len() == 1 && complaints[0].contains("probehound crd | kubectl apply"), "{complaints:#?}");

    let definition = probehound::report::object::definition().expect("a definition");
    let definition: serde_json::Value = serde_saphyr::from_str(&definition).expect("YAML");
    api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).await.expect("a definition");

    // It retries once a minute.
    waiting::eventually("it writes", Duration::from_mins(3), async || has_finding(&api, "bare", "WrongPort").await)
        .await;
    assert_eq!(operator.metrics().await.sum("probehound_findings_api_up", &[]), Some(1));
    flood(&api, &operator).await;
}

/// Writes events as fast as this server accepts them: none is lost, and memory does not grow.
async fn flood(api: &Api, operator: &crate::operator::Operator) {
    let mut uids = Vec::new();
    for number in 0..PODS {
        uids.push(make_pod(api, number).await);
    }
    let counted = async || {
        let metrics = operator.metrics().await;
        [
            metrics.sum("probehound_watch_events_total", &["resource=\"events\""]).unwrap_or_default(),
            metrics
                .sum("probehound_probe_failures_total", &["namespace=\"bare\"", "workload=\"flooded-"])
                .unwrap_or_default(),
        ]
    };
    let before = counted().await;
    let (written, since) = (Arc::new(AtomicU64::new(0)), Stopwatch::start());
    let writers = join_all((0..WRITERS).map(|_| write(api, &uids, Arc::clone(&written), since)));
    let sampling = async {
        let mut samples = Vec::new();
        while since.elapsed() < LENGTH {
            tokio::time::sleep(Duration::from_secs(1)).await;
            samples.push(usage::of(operator.pid()).resident);
        }
        samples
    };
    let (_, samples) = tokio::join!(writers, sampling);

    let written = written.load(Ordering::Relaxed);
    println!("{} events a second", written / LENGTH.as_secs());
    waiting::eventually("all of them arrive", Duration::from_mins(1), async || {
        let after = counted().await;
        let arrived = [after[0] - before[0], after[1] - before[1]];
        if arrived == [written, written] { Ok(()) } else { Err((arrived, written)) }
    })
    .await;
    let (first, last) = samples.split_at(samples.len() / 3);
    let most = |part: &[u64]| part.iter().max().copied().unwrap_or_default();
    println!("memory: {} at first, {} later", usage::mebibytes(most(first)), usage::mebibytes(most(last)));
    assert!(most(last) <= most(first) + most(first) / 10 + SLACK, "memory grows: {samples:?}");
}

/// A pod that runs and is not ready; returns its UID.
async fn make_pod(api: &Api, number: u64) -> Value {
    let pod = json!({
        "metadata": {"name": format!("flooded-{number}")},
        "spec": {"nodeName": "node-of-the-flood", "containers": [{"name": "app", "image": "app:1",
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}}}]},
    });
    let made = api.create("/api/v1/namespaces/bare/pods", &pod).await.expect("a pod");
    let status = json!({"status": {"phase": "Running", "containerStatuses": [{
        "name": "app", "ready": false, "started": true, "restartCount": 0, "image": "app:1", "imageID": "", "lastState": {},
        "containerID": format!("containerd://{number:064x}"), "state": {"running": {"startedAt": clock::now().whole_second()}},
    }]}});
    let path = format!("/api/v1/namespaces/bare/pods/flooded-{number}/status");
    api.patch(&path, "kubelet", &status).await.expect("a status");
    made["metadata"]["uid"].clone()
}

async fn write(api: &Api, uids: &[Value], written: Arc<AtomicU64>, since: Stopwatch) {
    while since.elapsed() < LENGTH {
        let number = written.fetch_add(1, Ordering::Relaxed);
        let pod = format!("flooded-{}", number % PODS);
        let event = json!({
            "metadata": {"name": format!("{pod}.{number:016x}")},
            "involvedObject": {"kind": "Pod", "namespace": "bare", "name": pod, "uid": uids[(number % PODS) as usize], "apiVersion": "v1", "fieldPath": "spec.containers{app}"},
            "reason": "Unhealthy", "message": "Readiness probe failed: HTTP probe failed with statuscode: 503", "type": "Warning",
            "source": {"component": "kubelet", "host": "node-of-the-flood"}, "reportingComponent": "kubelet", "count": 1,
        });
        api.create("/api/v1/namespaces/bare/events", &event).await.expect("an event");
    }
}

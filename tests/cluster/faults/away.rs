//! A server that is down for a while, and one that has lost its history.

use std::time::Duration;

use serde_json::{Value, json};

use super::play;
use crate::harness::{Api, clock, waiting};
use crate::installed::Installed;
use crate::operator::Operator;
use crate::player::{self, Gate, Recorder, Scene};
use crate::proxy::{Mode, TcpProxy};
use crate::replayed::{self, Agreement};
use crate::told;

/// The maximum pause between two attempts, and their duration.
const BACK: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_server_that_is_away_for_twenty_seconds_loses_nothing() {
    let installed = Installed::start("away").await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let recorder = Recorder::start(&api);
    let operator = installed.settings("away").await.start(installed.cluster.folder());
    operator.until_ready().await;
    // It is killed while the server is down. Its probe has a minute to kill: what a list shows as running
    // after the outage, since its kubelet has not written yet, is no proof of health.
    let scene = Scene::of("liveness-http-404-default-timing", Duration::from_secs(75));

    // The player cannot write either; it waits by itself, like the components that it replaces.
    let gate = Gate::default();
    let outage = async {
        tokio::time::sleep(Duration::from_secs(16)).await;
        let held = gate.write().await;
        installed.cluster.stop_api_server();
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert!(operator.get("/livez").await.is_ok(), "it is alive, whatever the server does");
        for resource in ["pods", "events"] {
            super::watch_is(&operator, resource, false).await.expect("it knows that it sees nothing");
        }
        installed.cluster.start_api_server().await;
        drop(held);
    };
    let start = clock::now().plus(Duration::from_secs(2));
    let (played, ()) = tokio::join!(player::play_through(&api, &scene, start, &gate), outage);
    assert!(played.refused.is_empty(), "{:#?}", played.refused);

    for resource in ["pods", "events"] {
        waiting::eventually("it watches again", BACK, async || super::watch_is(&operator, resource, true).await).await;
    }
    let namespaces = [scene.namespace()];
    let told = replayed::as_replayed(&installed.cluster, recorder, &namespaces, Agreement::Whole, BACK).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&*told[0].cause, told[0].suggested.as_deref()), ("WrongPath", Some("/health")), "{told:?}");
}

#[tokio::test]
async fn a_server_that_forgot_is_read_anew_without_repeating_news() {
    let installed = Installed::start("compacted").await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let proxy = TcpProxy::start(installed.cluster.port());
    let operator = installed.settings_at("compacted", &proxy.url()).await.start(installed.cluster.folder());
    operator.until_ready().await;
    let scene = Scene::of("chart-k134", Duration::from_secs(45)).skipping(Duration::from_secs(40));
    play(&api, &scene).await;
    let namespace = scene.namespace();
    let before = waiting::eventually("both workloads are found", BACK, async || {
        let objects = told::objects(&api).await;
        if objects.len() == 2 { Ok(objects) } else { Err(objects) }
    })
    .await;
    let (pods_before, relists_before) = (tracked(&operator).await, relists(&operator).await);

    proxy.set(Mode::Refuse);
    delete_one_pod(&api, &namespace).await;
    forget(&installed, &api, &namespace).await;
    proxy.set(Mode::Pass);

    waiting::eventually("both are read anew", BACK, async || {
        let relists = relists(&operator).await;
        if relists.iter().zip(relists_before).all(|(now, before)| *now > before) { Ok(()) } else { Err(relists) }
    })
    .await;
    waiting::eventually("the deletion is found", BACK, async || {
        let pods = tracked(&operator).await;
        if pods == pods_before - 1 { Ok(()) } else { Err(pods) }
    })
    .await;
    // A server that has just started may not serve them yet.
    let after = waiting::eventually("their objects are served", BACK, async || {
        let objects = told::objects(&api).await;
        if objects.is_empty() { Err(objects) } else { Ok(objects) }
    })
    .await;
    let news = |objects: &[Value]| -> Vec<_> {
        objects
            .iter()
            .map(|object| {
                (
                    object["metadata"]["uid"].clone(),
                    object["status"]["openedAt"].clone(),
                    object["status"]["episodes"].clone(),
                )
            })
            .collect()
    };
    assert_eq!(news(&before), news(&after), "the same findings in the same episodes");
}

/// How often pods and events were relisted.
async fn relists(operator: &Operator) -> [u64; 2] {
    let metrics = operator.metrics().await;
    ["pods", "events"].map(|resource| {
        let label = format!("resource=\"{resource}\"");
        metrics.sum("probehound_watch_relists_total", &[&label]).unwrap_or_default()
    })
}

async fn tracked(operator: &Operator) -> u64 {
    operator.metrics().await.sum("probehound_tracked_pods", &[]).unwrap_or_default()
}

async fn delete_one_pod(api: &Api, namespace: &str) {
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    let list = api.get(&pods).await.expect("a list of pods");
    let name = list["items"][0]["metadata"]["name"].as_str().expect("a pod");
    api.delete(&format!("{pods}/{name}"), 0).await.expect("a deletion");
}

/// Ensures that no earlier watch can be resumed: the history is gone from etcd, and from the API server's
/// memory, and something has happened since.
async fn forget(installed: &Installed, api: &Api, namespace: &str) {
    let event = json!({
        "metadata": {"name": "since-then"}, "reason": "Unhealthy", "message": "Liveness probe failed: since then", "type": "Warning",
        "involvedObject": {"kind": "Pod", "namespace": namespace, "name": "nobody"}, "source": {"component": "kubelet"}, "count": 1,
    });
    api.create(&format!("/api/v1/namespaces/{namespace}/events"), &event).await.expect("an event");
    installed.cluster.stop_api_server();
    installed.cluster.compact().await;
    installed.cluster.start_api_server().await;
}

//! Which pods are read, and how their first list is.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;

use crate::harness::{Api, clock, waiting};
use crate::installed::Installed;
use crate::operator::Operator;
use crate::player::{self, Scene};
use crate::told;

/// More than a page has.
const PODS: usize = 130;

/// Within this things are seen, on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn pods_that_the_selector_leaves_out_are_not_watched() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let namespaces = ["selected", "left-out"];
    for namespace in namespaces {
        api.create_namespace(namespace).await;
    }
    let settings = installed.settings("selector").await;
    let watch = json!({"namespaces": namespaces, "podSelector": "app=web,tier!=left-out"});
    let operator = settings.with("watch", watch).start(installed.cluster.folder());
    operator.until_ready().await;
    for tier in ["left-out", "selected"] {
        make_pod(&api, tier, "bare", &json!({"app": "web", "tier": tier})).await;
    }
    let scene = Scene::of("liveness-http-wrong-port", Duration::from_secs(15)).in_namespace("selected");
    player::play(&api, &scene, clock::now().plus(Duration::from_secs(2))).await;

    waiting::eventually("what it watches is found", PATIENCE, async || {
        let found = told::by_objects(&api, &["selected".to_owned()]).await;
        if found.len() == 1 { Ok(()) } else { Err(found) }
    })
    .await;
    until_tracked(&operator, 2).await;

    // For a watch by labels, an object that stops to match is gone.
    let change = json!({"metadata": {"labels": {"tier": "left-out"}}});
    api.patch("/api/v1/namespaces/selected/pods/bare", "kubectl-label", &change).await.expect("another label");
    until_tracked(&operator, 1).await;
}

#[tokio::test]
async fn a_list_is_read_whole_in_pages_and_as_a_stream() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    api.create_namespace("many").await;
    let names: BTreeSet<String> = (0..PODS).map(|number| format!("pod-{number}")).collect();
    let labels = json!({});
    join_all(names.iter().map(|name| make_pod(&api, "many", name, &labels))).await;

    for how in ["list", "stream", "auto"] {
        let settings = installed.settings(&format!("many-{how}")).await;
        let watch = json!({"namespaces": ["many"], "initialList": how});
        let operator = settings.with("watch", watch).start(installed.cluster.folder());
        operator.until_ready().await;

        until_tracked(&operator, PODS as u64).await;
        assert_eq!(operator.complaints(), Vec::<String>::new(), "{how}");
    }
}

async fn make_pod(api: &Api, namespace: &str, name: &str, labels: &serde_json::Value) {
    let pod = json!({
        "metadata": {"name": name, "labels": labels},
        "spec": {"nodeName": "node-of-many", "containers": [{"name": "app", "image": "app:1"}]},
    });
    api.create(&format!("/api/v1/namespaces/{namespace}/pods"), &pod).await.expect("a pod");
}

async fn until_tracked(operator: &Operator, pods: u64) {
    waiting::eventually("it knows the pods", PATIENCE, async || {
        let tracked = operator.metrics().await.sum("probehound_tracked_pods", &[]);
        if tracked == Some(pods) { Ok(()) } else { Err(tracked) }
    })
    .await;
}

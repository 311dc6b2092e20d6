//! The `Finding` objects are kept correct, also while the operator shuts down.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::clock::Stopwatch;
use crate::harness::{Api, Signal, waiting};
use crate::installed::{Installed, NAMESPACE, kubectl};
use crate::player::Scene;
use crate::{clock, player, told};

/// Time within which a spoiled object is corrected.
const PUT_RIGHT: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_finding_that_a_person_deletes_or_edits_while_it_loops_is_put_right() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    api.create_namespace("kept").await;
    let settings = installed.settings("kept").await.watching(&["kept"]);
    let settings = settings.with("notifications", json!({"receivers": [{"name": "describe", "events": {}}]}));
    let operator = settings.start(installed.cluster.folder());
    operator.until_ready().await;
    let scene = Scene::of("liveness-http-wrong-port", Duration::from_secs(30)).in_namespace("kept");
    player::play(&api, &scene, clock::now().plus(Duration::from_secs(2))).await;
    let object = waiting::eventually("it is found", PUT_RIGHT, async || only(&api, "kept").await).await;
    let path = path(&object);

    let listed = kubectl(&installed.cluster, &["get", "findings", "-n", "kept"]).expect_success();
    for word in ["WrongPort", "9090", "8080", "1/1", "Confirmed"] {
        assert!(listed.contains(word), "{word} is missing:\n{listed}");
    }
    let wide = kubectl(&installed.cluster, &["get", "findings", "-n", "kept", "-o", "wide"]).expect_success();
    for word in ["Deployment/web", "livenessProbe.httpGet.port", "critical"] {
        assert!(wide.contains(word), "{word} is missing:\n{wide}");
    }

    for names in ["findings.probehound.dev", "fnd", "probehound"] {
        let listed = kubectl(&installed.cluster, &["get", names, "-n", "kept", "-o", "wide"]).expect_success();
        assert!(listed.contains("Deployment/web"), "{names}:\n{listed}");
    }
    waiting::eventually("the workload's description tells of it", PUT_RIGHT, async || {
        let described = kubectl(&installed.cluster, &["describe", "deployment/web", "-n", "kept"]).expect_success();
        let words = ["probehound", "livenessProbe.httpGet.port", "8080"];
        if words.iter().all(|word| described.contains(word)) { Ok(()) } else { Err(described) }
    })
    .await;

    api.delete(&path, 0).await.expect("a deletion");
    waiting::eventually("it comes back", PUT_RIGHT, async || {
        let back = only(&api, "kept").await?;
        if back["metadata"]["uid"] != object["metadata"]["uid"] && back["status"]["cause"] == "WrongPort" {
            Ok(())
        } else {
            Err(vec![back])
        }
    })
    .await;

    let edit = json!({"status": {"cause": "Crash", "field": "spec.nonsense"}});
    api.patch(&format!("{path}/status"), "kubectl-edit", &edit).await.expect("an edit");
    waiting::eventually("it is put right", PUT_RIGHT, async || {
        let now = only(&api, "kept").await?;
        let is_right = now["status"]["cause"] == "WrongPort" && now["status"]["field"] == object["status"]["field"];
        if is_right { Ok(()) } else { Err(vec![now]) }
    })
    .await;

    let moved = api.patch(&path, "kubectl-edit", &json!({"spec": {"container": "another"}})).await;
    assert!(!moved.is_success(), "its identity never changes");
}

#[tokio::test]
async fn told_to_end_it_writes_its_last_states_lets_go_of_its_lease_and_ends_in_order() {
    const ENDED: Duration = Duration::from_secs(5);
    // With Roles alone: no permissions outside of its own namespace and the one that it watches.
    let installed = Installed::start_with("ending", "overlays/namespaced").await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let settings = installed.settings("ending").await.watching(&["default"]).electing(NAMESPACE, "probehound");
    let mut operator = settings.start(installed.cluster.folder());
    operator.until_ready().await;
    let scene = Scene::of("liveness-http-404-from-the-start", Duration::from_secs(45)).in_namespace("default");
    player::play(&api, &scene, clock::now().plus(Duration::from_secs(2))).await;
    let lease = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/probehound");
    assert!(
        api.get(&lease).await.expect("a Lease")["spec"]["holderIdentity"]
            .as_str()
            .is_some_and(|holder| !holder.is_empty())
    );
    let restarts = restarts(&api).await;
    waiting::eventually("it has seen all restarts", PUT_RIGHT, async || {
        let seen = operator.metrics().await.sum("probehound_restarts_total", &[]);
        if seen == Some(restarts) { Ok(()) } else { Err(seen) }
    })
    .await;

    operator.signal(Signal::Terminate);
    let since = Stopwatch::start();
    let status = operator.ended(PUT_RIGHT).await;

    let after = since.elapsed();
    println!("it ends {after:.1?} after SIGTERM");
    assert!(after <= ENDED, "{after:?}");
    assert_eq!(status.code(), Some(0));
    assert_eq!(operator.complaints(), Vec::<String>::new());
    let holder = api.get(&lease).await.expect("a Lease")["spec"]["holderIdentity"].clone();
    assert!(holder.as_str().is_none_or(str::is_empty), "{holder}");
    // Changes of counts alone are written once a minute; at the end all of them are there.
    let object = only(&api, &scene.namespace()).await.expect("one finding");
    assert_eq!(object["status"]["restarts"].as_u64(), Some(restarts), "{:#}", object["status"]);
}

/// The total number of restarts of the pods' containers.
async fn restarts(api: &Api) -> u64 {
    let pods = api.get("/api/v1/namespaces/default/pods").await.expect("pods");
    let pods = pods["items"].as_array().into_iter().flatten();
    let containers = pods.filter_map(|pod| pod["status"]["containerStatuses"].as_array()).flatten();
    containers.filter_map(|container| container["restartCount"].as_u64()).sum()
}

/// The one finding of a namespace; otherwise all that exist.
pub async fn only(api: &Api, namespace: &str) -> Result<Value, Vec<Value>> {
    let mut objects = told::objects(api).await;
    objects.retain(|object| object["metadata"]["namespace"] == namespace);
    match &objects[..] {
        [one] => Ok(one.clone()),
        _ => Err(objects),
    }
}

fn path(object: &Value) -> String {
    let part = |name: &str| object["metadata"][name].as_str().expect("namespace and name").to_owned();
    format!("/apis/probehound.dev/v1alpha1/namespaces/{}/findings/{}", part("namespace"), part("name"))
}

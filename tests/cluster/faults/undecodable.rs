//! Objects that do not match the API.

use std::time::Duration;

use serde_json::{Value, json};

use super::{has_finding, play, short};
use crate::harness::waiting;
use crate::installed::Installed;
use crate::player::Scene;
use crate::proxy::{HttpProxy, Rule};

#[tokio::test]
async fn a_pod_that_cannot_be_read_is_counted_and_affects_nothing_else() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    for namespace in ["odd", "odd-not"] {
        api.create_namespace(namespace).await;
    }
    let proxy = HttpProxy::start(&installed.cluster.url(), installed.cluster.ca(), |request| {
        if request.uri.path().ends_with("/namespaces/odd/pods") { Rule::Change(spoil) } else { Rule::Pass }
    });
    let settings = installed.settings_at("odd", &proxy.url()).await.watching(&["odd", "odd-not"]);
    let operator = settings.start(installed.cluster.folder());
    operator.until_ready().await;

    let length = Duration::from_secs(20);
    let (odd, not) = (Scene::of("sidecar-liveness", length).in_namespace("odd"), short("odd-not", length));
    tokio::join!(play(&api, &odd), play(&api, &not));

    waiting::eventually("the other is found", Duration::from_mins(1), async || {
        has_finding(&api, "odd-not", "WrongPort").await
    })
    .await;
    let skipped = operator.metrics().await.sum("probehound_objects_skipped_total", &["resource=\"pods\""]);
    assert!(skipped.is_some_and(|count| count >= 1), "{skipped:?}");
    assert!(operator.get("/readyz").await.is_ok());
}

/// Turns a pod into what no API server serves, except for what a watch needs.
fn spoil(object: &mut Value) {
    if object["kind"] == "Pod" {
        object["metadata"]["name"] = json!(["no", "name"]);
        object["spec"] = json!("no spec");
        object["status"] = json!(7);
    }
}

//! What belongs to teams: annotations on their workloads, and namespaces that are none of probehound's
//! business.

use std::time::Duration;

use serde_json::{Value, json};

use crate::clock;
use crate::harness::{Api, ControlPlane, waiting};
use crate::installed::{Installed, kubectl, let_namespace_be_read};
use crate::keeping::only;
use crate::player::{self, Scene};

/// An annotation is read once a minute; twice that, and what a busy machine adds.
const PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test]
async fn a_team_silences_its_workload_and_is_told_of_a_mistake_where_it_looks() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    api.create_namespace("owned").await;
    let settings = installed.settings("owned").await.watching(&["owned"]);
    let settings = settings.with("notifications", json!({"receivers": [{"name": "describe", "events": {}}]}));
    let grant = json!({"receiver": "describe", "namespaces": ["owned"], "allow": ["silence"]});
    let operator = settings.with("annotations", json!({"grants": [grant]})).start(installed.cluster.folder());
    operator.until_ready().await;
    let scene = Scene::of("liveness-http-wrong-port", Duration::from_secs(30)).in_namespace("owned");
    player::play(&api, &scene, clock::now().plus(Duration::from_secs(2))).await;
    waiting::eventually("it is found", PATIENCE, async || only(&api, "owned").await).await;

    let until = clock::now().plus(Duration::from_hours(1));
    annotate(&api, &format!("until {until}: known, JIRA-1")).await;
    let silence = format!("Deployment/web until {until}: known, JIRA-1");
    waiting::eventually("the object names the silence", PATIENCE, async || {
        let object = only(&api, "owned").await?;
        let named = object["status"]["silencedByAnnotation"].clone();
        if named == json!(silence) { Ok(()) } else { Err(vec![named]) }
    })
    .await;
    let metrics = operator.metrics().await;
    let of_web = ["namespace=\"owned\"", "workload=\"web\""];
    assert_eq!(metrics.sum("probehound_findings", &of_web), Some(1), "the platform sees it");
    let silenced = ["namespace=\"owned\"", "silence=\"probehound.dev/silence\""];
    assert_eq!(metrics.sum("probehound_findings_silenced", &silenced), Some(1));

    annotate(&api, "for ever").await;
    waiting::eventually("the workload's description tells of the mistake", PATIENCE, async || {
        let described = kubectl(&installed.cluster, &["describe", "deployment/web", "-n", "owned"]).expect_success();
        let words = ["AnnotationRefused", "probehound.dev/silence of Deployment/web has no effect", "for ever"];
        if words.iter().all(|word| described.contains(word)) { Ok(()) } else { Err(described) }
    })
    .await;
    let metrics = operator.metrics().await;
    assert_eq!(metrics.sum("probehound_annotations_refused_total", &["annotation=\"silence\""]), Some(1));
    waiting::eventually("the silence is gone from the object", PATIENCE, async || {
        let object = only(&api, "owned").await?;
        if object["status"]["silencedByAnnotation"].is_null() { Ok(()) } else { Err(vec![object]) }
    })
    .await;
}

#[tokio::test]
async fn a_team_silences_its_namespace_once_probehound_may_read_it() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let until = clock::now().plus(Duration::from_hours(1));
    api.create_namespace("moved").await;
    annotate_namespace(&installed.cluster, &format!("probehound.dev/silence=until {until}: moved, JIRA-2"));
    let settings = installed.settings("moved").await.watching(&["moved"]);
    let settings = settings.with("notifications", json!({"receivers": [{"name": "describe", "events": {}}]}));
    let grant = json!({"receiver": "describe", "namespaces": ["moved"], "allow": ["silence"]});
    let annotations = json!({"namespaces": true, "grants": [grant]});
    let operator = settings.with("annotations", annotations).start(installed.cluster.folder());
    operator.until_ready().await;
    let scene = Scene::of("liveness-http-wrong-port", Duration::from_secs(30)).in_namespace("moved");
    player::play(&api, &scene, clock::now().plus(Duration::from_secs(2))).await;

    waiting::eventually("it is found and told without the right", PATIENCE, async || {
        let object = only(&api, "moved").await?;
        if object["status"]["notifications"].is_array() { Ok(()) } else { Err(vec![object]) }
    })
    .await;
    assert!(silence_of(&only(&api, "moved").await.expect("one")).is_null());
    assert!(operator.metrics().await.sum("probehound_lookups_total", &["outcome=\"failed\""]) > Some(0));
    assert_eq!(operator.log().matches("Annotations of namespaces may not be read").count(), 1);

    let_namespace_be_read(&installed.cluster, "moved");
    let silence = format!("Namespace/moved until {until}: moved, JIRA-2");
    waiting::eventually("the object names the silence", PATIENCE, async || {
        let object = only(&api, "moved").await?;
        if silence_of(&object) == silence.as_str() { Ok(()) } else { Err(vec![object]) }
    })
    .await;
    annotate_namespace(&installed.cluster, "probehound.dev/silence=for ever");
    waiting::eventually("the workload's description tells of the mistake", PATIENCE, async || {
        let described = kubectl(&installed.cluster, &["describe", "deployment/web", "-n", "moved"]).expect_success();
        let words = "probehound.dev/silence of Namespace/moved has no effect";
        if described.contains(words) { Ok(()) } else { Err(described) }
    })
    .await;
}

fn annotate_namespace(cluster: &ControlPlane, annotation: &str) {
    kubectl(cluster, &["annotate", "--overwrite", "namespace", "moved", annotation]).expect_success();
}

fn silence_of(object: &Value) -> &Value {
    &object["status"]["silencedByAnnotation"]
}

#[tokio::test]
async fn excluded_namespaces_are_not_seen_and_what_was_open_there_is_withdrawn() {
    let installed = Installed::start("excluded").await;
    let api = installed.cluster.admin();
    let scene =
        |namespace: &str| Scene::of("liveness-http-wrong-port", Duration::from_secs(30)).in_namespace(namespace);
    let before = installed.settings("before").await.watching(&["noise-1"]).start(installed.cluster.folder());
    before.until_ready().await;
    player::play(&api, &scene("noise-1"), clock::now().plus(Duration::from_secs(2))).await;
    waiting::eventually("it is found", PATIENCE, async || only(&api, "noise-1").await).await;
    drop(before);

    let settings = installed.settings("excluding").await;
    let watch = json!({"excludeNamespaces": ["noise-*", "quiet"]});
    let operator = settings.with("watch", watch).start(installed.cluster.folder());
    operator.until_ready().await;
    let start = clock::now().plus(Duration::from_secs(2));
    let (quiet, heard) = (scene("quiet"), scene("heard"));
    tokio::join!(player::play(&api, &quiet, start), player::play(&api, &heard, start));

    waiting::eventually("what is watched is found", PATIENCE, async || only(&api, "heard").await).await;
    waiting::eventually("what was open is withdrawn", PATIENCE, async || {
        let object = only(&api, "noise-1").await?;
        if object["status"]["state"] == "Withdrawn" { Ok(()) } else { Err(vec![object]) }
    })
    .await;
    assert!(only(&api, "quiet").await.is_err_and(|all| all.is_empty()));
    let metrics = operator.metrics().await;
    assert_eq!(metrics.sum("probehound_findings", &["namespace=\"heard\""]), Some(1));
    assert_eq!(metrics.sum("probehound_restarts_total", &["namespace=\"quiet\""]), None);
}

async fn annotate(api: &Api, silence: &str) {
    let change = json!({"metadata": {"annotations": {"probehound.dev/silence": silence}}});
    api.patch("/apis/apps/v1/namespaces/owned/deployments/web", "kubectl-annotate", &change).await.expect("a change");
}

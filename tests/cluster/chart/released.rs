//! A release of the chart: installed, upgraded, rolled back, uninstalled, installed again.

use std::time::Duration;

use serde_json::{Value, json};

use super::{command, older};
use crate::harness::{Api, ControlPlane, waiting};
use crate::installed::helm;

const DEFINITION: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/findings.probehound.dev";
const FINDINGS: &str = "/apis/probehound.dev/v1alpha1/namespaces/default/findings";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/probehound/deployments/probehound";
const SETTINGS: &str = "/api/v1/namespaces/probehound/configmaps/probehound";

/// A column that the definition of 0.1.0 lacks.
const COLUMN: &str = "Summary";

#[tokio::test]
async fn a_release_goes_through_all_of_its_life_and_loses_no_finding() {
    let cluster = ControlPlane::start("chart").await;
    let _witness = cluster.witness();
    let api = cluster.admin();
    let older = older::chart(&cluster);
    let older = older.to_str().expect("a path of characters");

    let install = ["install", "probehound", older, "--namespace", "probehound", "--create-namespace"];
    helm(Some(&cluster), &install).expect_success();
    assert_eq!(columns(&api).await.iter().filter(|name| *name == COLUMN).count(), 0);
    make_finding(&api).await;
    let before = finding(&api).await;

    helm(Some(&cluster), &command("upgrade", &["--set", "replicas=2,config.clusterName=new"])).expect_success();
    assert!(columns(&api).await.contains(&COLUMN.to_owned()), "the definition is upgraded too");
    assert_eq!(finding(&api).await, before);
    assert_eq!(replicas(&api).await, 2);
    assert!(settings(&api).await.contains("clusterName: new"));

    helm(Some(&cluster), &["rollback", "probehound", "1", "--namespace", "probehound"]).expect_success();
    assert_eq!(finding(&api).await, before);
    assert_eq!(replicas(&api).await, 1);
    assert!(settings(&api).await.contains("clusterName: null"));

    helm(Some(&cluster), &["uninstall", "probehound", "--namespace", "probehound"]).expect_success();
    waiting::eventually("all else is gone", Duration::from_mins(1), async || {
        let codes = [api.get(DEPLOYMENT).await.code, api.get(SETTINGS).await.code];
        if codes == [404, 404] { Ok(()) } else { Err(codes) }
    })
    .await;
    assert_eq!(finding(&api).await, before, "findings outlive the release");

    helm(Some(&cluster), &command("install", &[])).expect_success();
    assert!(columns(&api).await.contains(&COLUMN.to_owned()));
    assert_eq!(finding(&api).await, before);
}

async fn columns(api: &Api) -> Vec<String> {
    let definition = api.get(DEFINITION).await.expect("the definition");
    let columns = definition["spec"]["versions"][0]["additionalPrinterColumns"].as_array().cloned().unwrap_or_default();
    columns.iter().filter_map(|column| column["name"].as_str().map(str::to_owned)).collect()
}

async fn make_finding(api: &Api) {
    let finding = json!({
        "apiVersion": "probehound.dev/v1alpha1",
        "kind": "Finding",
        "metadata": {"name": "kept"},
        "spec": {
            "workload": {"kind": "Deployment", "name": "web"},
            "container": "web",
            "effect": "RestartLoop",
            "probe": "liveness",
        },
    });
    waiting::eventually("the definition is served", Duration::from_mins(1), async || {
        let answer = api.create(FINDINGS, &finding).await;
        if answer.is_success() { Ok(()) } else { Err(answer.refusal()) }
    })
    .await;
}

/// The finding, without the fields that depend on who wrote it.
async fn finding(api: &Api) -> Value {
    let mut finding = api.get(&format!("{FINDINGS}/kept")).await.expect("the finding");
    finding["metadata"]["managedFields"] = Value::Null;
    finding
}

async fn replicas(api: &Api) -> u64 {
    api.get(DEPLOYMENT).await.expect("the Deployment")["spec"]["replicas"].as_u64().expect("a number")
}

async fn settings(api: &Api) -> String {
    let settings = api.get(SETTINGS).await.expect("the settings");
    settings["data"]["probehound.yaml"].as_str().expect("a text").to_owned()
}

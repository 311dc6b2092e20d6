//! The findings of a cluster: from its `Finding` objects, and from a replay of what happened in it.

use serde_json::Value;

use crate::harness::Api;
use crate::support::Document;

/// The path of all `Finding` objects.
const FINDINGS: &str = "/apis/probehound.dev/v1alpha1/findings";

/// The parts of a finding on which the operator and a replay have to agree.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Told {
    pub namespace: String,
    pub workload: String,
    pub container: String,
    pub effect: String,
    pub probe: Option<String>,
    pub cause: String,
    pub field: Option<String>,
    pub current: Option<String>,
    pub suggested: Option<String>,
    pub revision: Option<u64>,
    pub is_resolved: bool,
}

/// The result of a replay: the confirmed findings of these namespaces, sorted.
pub fn by_replay(document: &Document, namespaces: &[String]) -> Vec<Told> {
    let confirmed = document.confirmed().filter(|finding| namespaces.contains(&finding.namespace));
    let told = confirmed.map(|finding| Told {
        namespace: finding.namespace.clone(),
        workload: finding.workload.clone(),
        container: finding.container.clone(),
        effect: finding.effect.clone(),
        probe: finding.probe.clone(),
        cause: finding.cause.clone(),
        field: finding.field.clone(),
        current: finding.current.clone(),
        suggested: finding.suggested.clone(),
        revision: finding.revision,
        is_resolved: finding.resolved_at.is_some(),
    });
    sorted(told)
}

/// The findings in the objects of the cluster, sorted, without those that were withdrawn.
pub async fn by_objects(api: &Api, namespaces: &[String]) -> Vec<Told> {
    let objects = objects(api).await;
    let of_these = objects.iter().filter(|object| {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        namespaces.iter().any(|one| one == namespace) && object["status"]["state"] != "Withdrawn"
    });
    sorted(of_these.map(told))
}

/// The `Finding` objects themselves.
pub async fn objects(api: &Api) -> Vec<Value> {
    let list = api.get(FINDINGS).await;
    list.body["items"].as_array().cloned().unwrap_or_default()
}

fn told(object: &Value) -> Told {
    let (spec, status) = (&object["spec"], &object["status"]);
    let workload = &spec["workload"];
    Told {
        namespace: text(&object["metadata"]["namespace"]).unwrap_or_default(),
        workload: format!(
            "{}/{}",
            text(&workload["kind"]).unwrap_or_default(),
            text(&workload["name"]).unwrap_or_default()
        ),
        container: text(&spec["container"]).unwrap_or_default(),
        effect: text(&spec["effect"]).unwrap_or_default(),
        probe: text(&spec["probe"]),
        cause: text(&status["cause"]).unwrap_or_default(),
        field: text(&status["field"]),
        current: text(&status["current"]),
        suggested: text(&status["suggested"]),
        revision: status["revision"].as_u64(),
        is_resolved: status["state"] == "Resolved",
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    }
}

fn sorted(told: impl Iterator<Item = Told>) -> Vec<Told> {
    let mut all: Vec<Told> = told.collect();
    all.sort();
    all
}

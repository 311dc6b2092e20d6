//! The rendered chart.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::{CHART, EVERYTHING, command};
use crate::harness::control_plane::program;
use crate::harness::waiting;
use crate::installed::{Installed, helm, kubectl, manifests};
use crate::manifests::monitoring;

/// Objects by kind, namespace and name.
type Objects = BTreeMap<(String, String, String), Value>;

#[test]
fn helm_finds_nothing_to_complain_of() {
    for values in [&[][..], &["--values", EVERYTHING]] {
        let arguments = [&["lint", "--strict", CHART], values].concat();
        helm(None, &arguments).expect_success();
    }
}

#[test]
fn the_chart_gives_the_objects_of_the_manifests() {
    for (folders, values) in [
        (&["base"][..], &[][..]),
        (&["overlays/ha"], &["--set", "replicas=2"]),
        (&["overlays/metrics-authentication"], &["--set", "metrics.authentication=true"]),
        (&["overlays/guard"], &["--set", "config.guard.mode=undo"]),
        (&["overlays/namespace-annotations"], &["--set", "config.annotations.namespaces=true"]),
        (
            &["base", "policies"],
            &["--set", "policies.eventsOfKubelets=true,policies.changedProbes=true,policies.hastyProbes=true"],
        ),
        (&["overlays/page"], &["--set", "page.enabled=true"]),
        (&["overlays/namespaced"], &["--set", "config.watch.namespaces={default}"]),
        (
            &["base", "overlays/prometheus-operator", "dashboard"],
            &["--set", "serviceMonitor.enabled=true,prometheusRule.enabled=true,dashboard.enabled=true"],
        ),
    ] {
        let rendered = objects(&helm(None, &command("template", values)).expect_success());
        let mut wanted: Objects = folders.iter().flat_map(|folder| kustomized(folder)).collect();
        // Helm creates the namespace with --create-namespace.
        wanted
            .remove(&("Namespace".to_owned(), "probehound".to_owned(), "probehound".to_owned()))
            .expect("it is there");
        let names = |objects: &Objects| objects.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&rendered), names(&wanted), "{folders:?}");
        for (name, object) in rendered {
            assert_eq!(object, wanted[&name], "{folders:?}: {name:?}");
        }
    }
}

#[test]
fn each_value_can_be_found_in_what_is_rendered() {
    let rendered = helm(None, &command("template", &["--values", EVERYTHING])).expect_success();
    let file = manifests("../charts/probehound/ci/everything-values.yaml");
    let mut values: Value = serde_saphyr::from_str(&std::fs::read_to_string(file).expect("readable")).expect("YAML");
    // A digest takes precedence over it.
    values["image"]["tag"] = Value::Null;
    values["extraObjects"] = Value::Null;
    let mut leaves = Vec::new();
    collect(&values, &mut leaves);
    assert!(leaves.len() > 80, "{leaves:?}");
    for leaf in leaves {
        assert!(rendered.contains(&leaf), "{leaf} is nowhere");
    }
    let runbook = probehound::report::alertmanager::RUNBOOK;
    assert!(!rendered.contains(runbook), "another one was set");
    for object in ["probehound-extra", "the-hound-text"] {
        assert!(rendered.contains(object), "{object} is not made");
    }
}

#[test]
fn a_released_chart_names_the_released_image() {
    let (repository, digest) = ("registry.example/team/probehound", format!("sha256:{}", "0a".repeat(32)));
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("packed-chart");
    let mut pack = Command::new(".ci/chart");
    pack.current_dir(env!("CARGO_MANIFEST_DIR")).arg(&folder).args([repository, &digest]).env("HELM", program("helm"));
    let packed = pack.output().expect("bash is installed");
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    let archive = String::from_utf8_lossy(&packed.stdout).trim().to_owned();
    assert!(archive.ends_with(&format!("probehound-{}.tgz", env!("CARGO_PKG_VERSION"))), "{archive}");
    let rendered = helm(None, &["template", "probehound", &archive]).expect_success();
    assert!(rendered.contains(&format!("image: {repository}@{digest}\n")), "{rendered}");
}

#[test]
fn a_wrong_value_is_refused_by_name() {
    for (wrong, said) in [
        ("replica=2", "'replica' not allowed"),
        ("replicas=two", "/replicas"),
        ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
        ("config.watch.namespace=shop", "/config/watch"),
        ("config.notifications.receivers[0].slack.url=secret", "'url' not allowed"),
        ("networkPolicy.receiverPorts={99999}", "/networkPolicy/receiverPorts/0"),
    ] {
        let refusal = helm(None, &command("template", &["--set", wrong])).expect_failure();
        assert!(refusal.contains(said), "{wrong}: {refusal}");
    }
}

#[tokio::test]
async fn the_server_takes_all_that_can_be_rendered() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    monitoring(&installed.cluster.admin()).await;
    for namespace in ["shop", "pay", "monitoring", "observability", "grafana"] {
        installed.cluster.admin().create_namespace(namespace).await;
    }
    // The pods of a test want its account, which a dry run does not make.
    let rendered = helm(None, &command("template", &["--skip-tests", "--values", EVERYTHING])).expect_success();
    let file = installed.cluster.folder().write("everything.yaml", &rendered).display().to_string();
    let arguments = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict"];
    let arguments = [&arguments[..], &["-f", &file]].concat();
    waiting::eventually("the server takes them", Duration::from_mins(1), async || {
        let said = kubectl(&installed.cluster, &arguments).warnings();
        if said.is_empty() { Ok(()) } else { Err(said) }
    })
    .await;
}

fn kustomized(folder: &str) -> Objects {
    let output = Command::new(program("kubectl")).arg("kustomize").arg(manifests(folder)).output();
    let output = output.expect("kubectl starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    objects(&String::from_utf8(output.stdout).expect("text"))
}

/// The objects of a text that are installed, without what has to differ: who manages them, and which chart it
/// is.
fn objects(text: &str) -> Objects {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).expect("YAML");
    let mut objects = Objects::new();
    let is_hook = |document: &Value| document["metadata"]["annotations"].get("helm.sh/hook").is_some();
    for mut object in documents.into_iter().filter(|document| !document.is_null() && !is_hook(document)) {
        let name = |key: &str| object["metadata"][key].as_str().unwrap_or("probehound").to_owned();
        let key = (object["kind"].as_str().expect("a kind").to_owned(), name("namespace"), name("name"));
        object["metadata"]["namespace"] = Value::from(key.1.as_str());
        if object["metadata"]["annotations"] == json!({"helm.sh/resource-policy": "keep"}) {
            remove(&mut object, "/metadata", &["annotations"]);
        }
        // Objects of a separate kustomization have the two labels that identify the owner.
        remove(&mut object, "/metadata/labels", &VARIABLE);
        remove(&mut object, "/spec/template/metadata/labels", &MANAGER);
        if let Some(text) = object.pointer_mut("/data/probehound.yaml") {
            settings(text);
        }
        assert!(objects.insert(key, object).is_none(), "an object is there twice");
    }
    objects
}

const MANAGER: [&str; 2] = ["app.kubernetes.io/managed-by", "helm.sh/chart"];
const VARIABLE: [&str; 5] = [
    "app.kubernetes.io/component",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/version",
    "helm.sh/chart",
];

fn remove(object: &mut Value, path: &str, keys: &[&str]) {
    if let Some(Value::Object(members)) = object.pointer_mut(path) {
        members.retain(|key, _| !keys.contains(&key.as_str()));
    }
}

/// Normalises how the settings are written.
fn settings(text: &mut Value) {
    if let Some(yaml) = text.as_str() {
        *text = serde_saphyr::from_str(yaml).expect("YAML");
    }
}

/// Numbers and texts as they are in YAML; `true` and `false` are too common.
fn collect(value: &Value, leaves: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.values().for_each(|value| collect(value, leaves)),
        Value::Array(items) => items.iter().for_each(|value| collect(value, leaves)),
        Value::String(text) => leaves.push(text.clone()),
        Value::Number(number) => leaves.push(number.to_string()),
        Value::Bool(_) | Value::Null => {}
    }
}

//! Every kind of command offered in a finding, pasted into a shell: on objects of every kind.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use probehound::engine::{Finding, Value as FieldValue};
use probehound::finding::remedy::{Kind, List, Place, Remedy, Target};
use probehound::report::remedies::lines;
use serde_json::{Value, json};

use crate::harness::control_plane::program;
use crate::harness::{Api, ControlPlane, waiting};

const NAMESPACE: &str = "pasted";
const SOON: Duration = Duration::from_mins(1);

#[tokio::test]
async fn what_can_be_undone_is_undone() {
    let cluster = cluster("undone").await;
    let api = cluster.admin();
    for (plural, kind) in
        [("deployments", Kind::Deployment), ("statefulsets", Kind::StatefulSet), ("daemonsets", Kind::DaemonSet)]
    {
        let path = rolled_out(&api, plural, kind).await;
        let back = Remedy::RollBack { target: web(kind), revision: Some(1) };
        paste(&cluster, &finding(kind.word(), vec![back]));
        assert_eq!(probed(&api, &path, "containers").await, "/health", "{plural}");
    }
    // A paused one refuses that until it is resumed.
    let path = format!("{}/web", apps("deployments"));
    let change = json!({"spec": {"paused": true, "template": template("/v2/health")}});
    api.patch(&path, "pasted", &change).await.expect("a paused rollout");
    let target = || web(Kind::Deployment);
    let undo = Remedy::RollBack { target: target(), revision: None };
    let refused = run(&cluster, &lines(&finding("Deployment", vec![undo.clone()]))[0].text);
    assert!(refused.is_err(), "it is undone while it is paused: {refused:?}");
    paste(&cluster, &finding("Deployment", vec![Remedy::Resume(target())]));
    until_revision(&api, Kind::Deployment, 2).await;
    paste(&cluster, &finding("Deployment", vec![undo]));
    assert_eq!(probed(&api, &path, "containers").await, "/health");
}

/// Its pod is never ready here, since nothing runs it: so it blocks.
#[tokio::test]
async fn an_ordered_set_is_walked_through() {
    let cluster = cluster("walked").await;
    let api = cluster.admin();
    let mut set = workload(Kind::StatefulSet, "/health");
    set["spec"]["replicas"] = json!(0);
    api.create(&apps("statefulsets"), &set).await.expect("a StatefulSet");
    until_revision(&api, Kind::StatefulSet, 1).await;
    let path = format!("{}/web", apps("statefulsets"));
    let rollout = json!({"spec": {"replicas": 1, "template": template("/v2/health")}});
    api.patch(&path, "pasted", &rollout).await.expect("a rollout");
    let broken = until_pod(&api, "/v2/health").await;

    paste(
        &cluster,
        &finding("StatefulSet", vec![Remedy::RollBack { target: web(Kind::StatefulSet), revision: Some(1) }]),
    );
    waiting::eventually("the undo is taken up", SOON, async || {
        let set = api.get(&path).await.expect("it is there");
        let is_seen = set["status"]["observedGeneration"] == set["metadata"]["generation"];
        if is_seen && probed(&api, &path, "containers").await == "/health" { Ok(()) } else { Err(set) }
    })
    .await;
    assert_eq!(until_pod(&api, "/v2/health").await, broken, "the template is right, and the pod stays");
    paste(&cluster, &finding("StatefulSet", vec![Remedy::DeletePod { pod: "web-0".into() }]));

    assert_ne!(until_pod(&api, "/health").await, broken);
}

/// Waits until the first pod of the StatefulSet asks that path; returns its UID.
async fn until_pod(api: &Api, asks: &str) -> Value {
    waiting::eventually("its pod is there", SOON, async || {
        let pod = api.get(&format!("/api/v1/namespaces/{NAMESPACE}/pods/web-0")).await.body;
        let path = &pod["spec"]["containers"][0]["livenessProbe"]["httpGet"]["path"];
        if path == asks { Ok(pod["metadata"]["uid"].clone()) } else { Err(pod) }
    })
    .await
}

#[tokio::test]
async fn what_can_be_set_is_set_where_it_stands() {
    let cluster = cluster("set").await;
    let api = cluster.admin();
    define_rollouts(&api).await;
    let in_template = |kind, list| Place::Template { target: web(kind), list, paused: true };
    let of_apps = [
        ("deployments", Kind::Deployment),
        ("statefulsets", Kind::StatefulSet),
        ("daemonsets", Kind::DaemonSet),
        ("replicasets", Kind::ReplicaSet),
    ];
    for (plural, kind) in of_apps {
        api.create(&apps(plural), &workload(kind, "/v2/health")).await.expect(plural);
        for (list, container) in [(List::Containers, "app"), (List::InitContainers, "proxy")] {
            let place = Place::Template { target: web(kind), list, paused: false };
            set(&cluster, kind, container, place, &format!("{}/web", apps(plural))).await;
        }
    }
    let path = format!("{}/web", apps("deployments"));
    api.patch(&path, "pasted", &json!({"spec": {"paused": true}})).await.expect("a pause");
    set(&cluster, Kind::Deployment, "app", in_template(Kind::Deployment, List::Containers), &path).await;
    let resumed = api.get(&path).await.expect("it is there");
    assert!(!resumed["spec"]["paused"].as_bool().unwrap_or(false), "it goes on: {}", resumed["spec"]);

    let crons = format!("/apis/batch/v1/namespaces/{NAMESPACE}/cronjobs");
    api.create(&crons, &cron_job()).await.expect("a CronJob");
    let place = Place::Template { target: web(Kind::CronJob), list: List::Containers, paused: false };
    set(&cluster, Kind::CronJob, "app", place, &format!("{crons}/web")).await;

    let rollouts = format!("/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/rollouts");
    api.create(&rollouts, &workload(Kind::Rollout, "/v2/health")).await.expect("a Rollout");
    for (list, container) in [(List::Containers, "app"), (List::InitContainers, "proxy")] {
        let place = Place::Indexed { target: web(Kind::Rollout), list, index: 0 };
        set(&cluster, Kind::Rollout, container, place, &format!("{rollouts}/web")).await;
    }
}

#[tokio::test]
async fn logs_and_events_are_found_for_pods_of_every_owner() {
    let cluster = cluster("looked").await;
    let api = cluster.admin();
    let pods = format!("/api/v1/namespaces/{NAMESPACE}/pods");
    let of = [
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "CronJob",
        "Pod",
        "Node",
        "Rollout",
        "GameServer",
    ];
    for (place, owner) in of.into_iter().enumerate() {
        let name: Arc<str> = format!("web-{place}").into();
        let spec = &template("/v2/health")["spec"];
        let mut pod = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": &*name, "labels": {"app": "web"}}, "spec": spec});
        if owner == "Node" {
            pod["metadata"]["annotations"] = json!({"kubernetes.io/config.source": "file"});
        }
        api.create(&pods, &pod).await.expect(owner);
        for (container, previous) in [("app", false), ("app", true), ("proxy", false)] {
            let logs = Remedy::Logs { of: Target::pod(&name), previous };
            let mut finding =
                finding(owner, vec![logs, Remedy::DescribePod { pod: Arc::clone(&name) }, Remedy::ListPods]);
            finding.container = container.into();
            paste(&cluster, &finding);
        }
    }
    let other = Finding { container: "other".into(), ..finding("Pod", Vec::new()) };
    let logs = Remedy::Logs { of: Target::pod(&"web-0".into()), previous: false };
    let refused = run(&cluster, &lines(&Finding { remedy: vec![logs], ..other })[0].text);
    assert!(refused.is_err(), "logs of a container that is not there: {refused:?}");
    paste(&cluster, &finding("Pod", vec![Remedy::LookAtNodes]));
    paste(&cluster, &finding("StatefulSet", vec![Remedy::DeletePod { pod: "web-1".into() }]));
    assert_eq!(api.get(&format!("{pods}/web-1")).await.code, 404);
}

async fn cluster(name: &str) -> ControlPlane {
    let cluster = ControlPlane::start_with_controllers(name).await;
    cluster.admin().create_namespace(NAMESPACE).await;
    cluster
}

/// A workload in its second revision, which is the broken one; returns its path.
async fn rolled_out(api: &Api, plural: &str, kind: Kind) -> String {
    api.create(&apps(plural), &workload(kind, "/health")).await.expect(plural);
    until_revision(api, kind, 1).await;
    let path = format!("{}/web", apps(plural));
    let change = json!({"spec": {"template": template("/v2/health")}});
    api.patch(&path, "pasted", &change).await.expect("a rollout");
    until_revision(api, kind, 2).await;
    path
}

/// Waits until a workload of that kind has that many revisions.
async fn until_revision(api: &Api, kind: Kind, number: usize) {
    let revisions = if kind == Kind::Deployment { "replicasets" } else { "controllerrevisions" };
    waiting::eventually("the rollout is taken up", SOON, async || {
        let all = api.get(&apps(revisions)).await.body;
        let owners = all["items"].as_array().into_iter().flatten().map(|it| &it["metadata"]["ownerReferences"][0]);
        let there = owners.filter(|owner| owner["kind"] == kind.word()).count();
        if there >= number { Ok(()) } else { Err(all) }
    })
    .await;
}

/// Pastes the command that sets the path, and checks that only that changed.
async fn set(cluster: &ControlPlane, kind: Kind, container: &str, place: Place, path: &str) {
    let api = cluster.admin();
    let list = match &place {
        Place::Template { list, .. } | Place::Indexed { list, .. } => list.field(),
        _ => panic!("no patch sets it: {place:?}"),
    };
    let field = probehound::finding::field::Field::parse("livenessProbe.httpGet.path");
    let value = FieldValue::Text(format!("/health-of-{container}"));
    let mut finding = finding(kind.word(), vec![Remedy::SetField { place, field, value }]);
    finding.container = container.into();
    let before = api.get(path).await.expect("it is there");
    paste(cluster, &finding);
    let after = api.get(path).await.expect("it is there");
    let spec = spec_of(&after);
    assert_eq!(spec[list][0]["livenessProbe"]["httpGet"]["path"], format!("/health-of-{container}"), "{path}");
    for list in ["containers", "initContainers"] {
        assert_eq!(spec[list].as_array().map(Vec::len), spec_of(&before)[list].as_array().map(Vec::len), "{path}");
        assert_eq!(spec[list][0]["image"], "app:1", "{path}");
    }
}

fn spec_of(object: &Value) -> &Value {
    match object.pointer("/spec/jobTemplate/spec/template/spec") {
        Some(spec) => spec,
        None => &object["spec"]["template"]["spec"],
    }
}

async fn probed(api: &Api, path: &str, list: &str) -> String {
    let object = api.get(path).await.expect("it is there");
    spec_of(&object)[list][0]["livenessProbe"]["httpGet"]["path"].as_str().expect("a path").to_owned()
}

/// Runs the offered commands, each exactly as it is.
#[track_caller]
fn paste(cluster: &ControlPlane, finding: &Finding) {
    for line in lines(finding) {
        assert!(line.is_command, "it is not offered as a command: {}", line.text);
        if let Err(words) = run(cluster, &line.text) {
            panic!("{}: {words}", line.text);
        }
    }
}

/// Runs a line in a shell; returns its standard error if it fails.
pub fn run(cluster: &ControlPlane, line: &str) -> Result<String, String> {
    let kubectl = program("kubectl");
    let folder = kubectl.parent().expect("a program is in a folder").display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).env("PATH", path).env("KUBECONFIG", cluster.admin_kubeconfig());
    let output = shell.output().expect("a shell starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn finding(kind: &str, remedy: Vec<Remedy>) -> Finding {
    let finding: Finding = serde_json::from_value(json!({
        "namespace": NAMESPACE, "workload": format!("{kind}/web"), "container": "app",
        "effect": "RestartLoop", "cause": "WrongPath", "confidence": "high", "severity": "critical",
        "hypotheses": [], "evidence": [], "pods": {"affected": 1, "total": 1}, "services": [],
        "restarts": 1, "episodes": 1, "opened_at": "2026-11-22T14:00:00Z",
    }))
    .expect("a finding");
    Finding { remedy, ..finding }
}

fn web(kind: Kind) -> Target {
    Target { kind, name: "web".into() }
}

fn apps(plural: &str) -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/{plural}")
}

/// An app, and a sidecar in front of it.
fn template(path: &str) -> Value {
    let probe = json!({"httpGet": {"path": path, "port": 8080}});
    json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "containers": [{"name": "app", "image": "app:1", "livenessProbe": probe}],
            "initContainers": [{"name": "proxy", "image": "app:1", "restartPolicy": "Always", "livenessProbe": probe}],
        },
    })
}

fn workload(kind: Kind, path: &str) -> Value {
    let group = if kind == Kind::Rollout { "argoproj.io/v1alpha1" } else { "apps/v1" };
    let selector = json!({"matchLabels": {"app": "web"}});
    json!({
        "apiVersion": group, "kind": kind.word(), "metadata": {"name": "web"},
        "spec": {"selector": selector, "template": template(path)},
    })
}

fn cron_job() -> Value {
    let mut template = template("/v2/health");
    template["spec"]["restartPolicy"] = json!("OnFailure");
    json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "web"},
        "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": template}}},
    })
}

/// Argo's kind, as far as `kubectl patch` is concerned.
async fn define_rollouts(api: &Api) {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "rollouts.argoproj.io"},
        "spec": {
            "group": "argoproj.io", "scope": "Namespaced",
            "names": {"kind": "Rollout", "plural": "rollouts", "singular": "rollout"},
            "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": schema}],
        },
    });
    api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).await.expect("a definition");
    waiting::eventually("Rollouts are served", SOON, async || {
        let answer = api.get("/apis/argoproj.io/v1alpha1/rollouts").await;
        if answer.is_success() { Ok(()) } else { Err(answer.refusal()) }
    })
    .await;
}

//! A scan of a cluster in which nothing is installed, live and from the output of kubectl.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::control_plane::program;
use crate::harness::{Api, ControlPlane, clock};
use crate::installed::Installed;
use crate::player::{self, Scene};

/// The story, until its first kills are visible in the statuses.
const STORY: &str = "liveness-http-404-wrong-path";
const LENGTH: Duration = Duration::from_secs(100);

/// The resources for `kubectl get`.
const ALL: &str = "pods,events,rs,deploy,sts,ds,controllerrevisions,jobs,cronjobs,svc,endpointslices";

#[tokio::test]
async fn a_scan_names_the_path_the_revision_and_what_it_was_before() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let scene = Scene::of(STORY, LENGTH).in_namespace("scanned");
    player::play(&installed.cluster.admin(), &scene, clock::now().plus(Duration::from_secs(2))).await;
    let kubeconfig = installed.cluster.admin_kubeconfig();

    let live = scan(&kubeconfig, &["-n", "scanned", "-o", "json", "--exit-code"]);
    assert_eq!(live.status.code(), Some(3), "{live:?}");
    let live = finding(&live);
    assert_eq!((&live["cause"], &live["field"]), (&json!("WrongPath"), &json!("livenessProbe.httpGet.path")), "{live}");
    // A single look cannot see that it passed; it sees what the rollout changed.
    assert_eq!((&live["change"]["revision"], &live["change"]["from"]), (&json!(2), &json!("/health")), "{live}");

    for form in ["json", "yaml"] {
        let file = installed.cluster.folder().file(&format!("scanned.{form}"));
        let kubectl = Command::new(program("kubectl"))
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .args(["-n", "scanned", "get", ALL, "-o", form])
            .output()
            .expect("kubectl starts");
        std::fs::write(&file, kubectl.stdout).expect("a file can be written");
        let dumped = scan(&kubeconfig, &["-f", file.to_str().expect("a path"), "-o", "json"]);
        assert_eq!(dumped.status.code(), Some(0), "{dumped:?}");
        let dumped = finding(&dumped);
        for field in ["workload", "container", "effect", "probe", "cause", "field", "current", "suggested"] {
            assert_eq!(dumped[field], live[field], "{field} of {form}");
        }
    }
}

#[tokio::test]
async fn who_may_read_one_namespace_sees_that_one_and_what_is_missing() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let scene = Scene::of(STORY, LENGTH).in_namespace("scanned-by-few");
    player::play(&api, &scene, clock::now().plus(Duration::from_secs(2))).await;
    let kubeconfig = of_few_rights(&installed.cluster, &api, "scanned-by-few").await;

    let named = scan(&kubeconfig, &["-n", "scanned-by-few"]);
    let text = String::from_utf8_lossy(&named.stdout).into_owned();
    assert_eq!(named.status.code(), Some(0), "{named:?}");
    assert!(text.contains("Events could not be listed"), "{text}");
    assert!(!text.contains("No findings:"), "{text}");

    let everywhere = scan(&kubeconfig, &[]);
    let text =
        [everywhere.stdout, everywhere.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(text.contains("in namespace default") || text.contains("this is of namespace default"), "{text}");
}

/// A kubeconfig of a user who may only list the pods of that namespace.
async fn of_few_rights(cluster: &ControlPlane, api: &Api, namespace: &str) -> std::path::PathBuf {
    api.create_service_account(namespace, "few").await;
    let path = |plural: &str| format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/{plural}");
    let role =
        json!({"metadata": {"name": "few"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]});
    api.create(&path("roles"), &role).await.unless_there();
    let binding = json!({
        "metadata": {"name": "few"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "few"},
        "subjects": [{"kind": "ServiceAccount", "name": "few", "namespace": namespace}],
    });
    api.create(&path("rolebindings"), &binding).await.unless_there();
    let token = api.token_of(namespace, "few", 600).await;
    cluster.write_kubeconfig("few.kubeconfig", &cluster.url(), &token)
}

fn scan(kubeconfig: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_probehound"));
    command.arg("scan").args(words).env("NO_COLOR", "1");
    if !words.contains(&"-f") {
        command.arg("--kubeconfig").arg(kubeconfig);
    }
    command.output().expect("the binary starts")
}

/// The finding of the story.
fn finding(output: &Output) -> Value {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    document["findings"].as_array().and_then(|all| all.first()).cloned().unwrap_or_else(|| panic!("{document}"))
}

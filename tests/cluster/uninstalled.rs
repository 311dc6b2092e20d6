//! In the middle of an incident, with nothing installed: a concurrent `watch`, `lint` of what is about to
//! be rolled out, `scan`, and the command that it offers.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Process, Signal, clock, waiting};
use crate::installed::Installed;
use crate::operator::binary;
use crate::pasted;
use crate::player::{self, Scene};

/// The story: two pods, rolled out with another liveness path after 74 s, killed ten seconds later.
const STORY: &str = "liveness-http-404-wrong-path";
const LENGTH: Duration = Duration::from_secs(110);
/// The first revision has been healthy for long by then, and the second one does not exist yet.
const BEFORE: Duration = Duration::from_secs(55);
const NAMESPACE: &str = "uninstalled";
/// Time to observe what has happened.
const SOON: Duration = Duration::from_mins(1);

#[tokio::test]
async fn an_incident_is_foreseen_followed_named_and_cured() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let (api, folder) = (installed.cluster.admin(), installed.cluster.folder());
    let kubeconfig = installed.cluster.admin_kubeconfig();
    let words = ["watch", "-n", NAMESPACE, "--kubeconfig", kubeconfig.to_str().expect("a path")].map(str::to_owned);
    let mut watch = Process::start("watch", &binary(), &words, &[], &folder.file("watch.log"));

    let scene = Scene::of(STORY, LENGTH).in_namespace(NAMESPACE);
    let start = clock::now().plus(Duration::from_secs(3));
    let before = async {
        clock::sleep_until(start.plus(BEFORE)).await;
        let kubeconfig = kubeconfig.clone();
        tokio::task::spawn_blocking(move || lint(&kubeconfig, "/v2/health")).await.expect("it does not panic")
    };
    let (_, foreseen) = tokio::join!(player::play(&api, &scene, start), before);
    let known = has(&foreseen, "never-passed").unwrap_or_else(|| panic!("{foreseen}"));
    assert_eq!(known["current"], "/v2/health", "{known}");
    assert!(known["why"].as_str().is_some_and(|why| why.contains("/health passes in 2 pods now")), "{known}");

    waiting::eventually("it is followed", SOON, async || {
        let log = watch.log();
        let all = ["CONFIRMED", "web (Deployment, namespace uninstalled)", "livenessProbe.httpGet.path is /v2/health"];
        let is_there = log.lines().any(|line| all.iter().all(|words| line.contains(words)));
        if is_there { Ok(()) } else { Err(log) }
    })
    .await;
    watch.signal(Signal::Interrupt);
    let ended = waiting::eventually("it ends", SOON, async || watch.has_ended().ok_or("it runs")).await;
    assert!(ended.success(), "{ended}: {}", watch.last_words());

    let scanned = probehound(&kubeconfig, &["scan", "-n", NAMESPACE, "-o", "json"], "");
    let finding = &scanned["findings"][0];
    assert_eq!((&finding["cause"], &finding["change"]["from"]), (&json!("WrongPath"), &json!("/health")), "{finding}");
    let shown = lint(&kubeconfig, "/v2/health");
    assert!(has(&shown, "loops-now").is_some(), "{shown}");
    // One look did not see the revision before pass; what is offered says so in front of the command.
    let offered = finding["remedy"][0].as_str().unwrap_or_else(|| panic!("{finding}"));
    let offered = offered.find("kubectl ").map_or(offered, |at| &offered[at..]);
    pasted::run(&installed.cluster, offered).unwrap_or_else(|words| panic!("{offered}: {words}"));
    let cured = api.get(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/web")).await.expect("it is there");
    let probe = &cured["spec"]["template"]["spec"]["containers"][0]["livenessProbe"];
    assert_eq!(probe["httpGet"]["path"], "/health", "{offered}: {probe}");
}

/// The findings about the Deployment with that liveness path, compared with the cluster.
fn lint(kubeconfig: &Path, path: &str) -> Value {
    let probe =
        |path: &str| json!({"httpGet": {"path": path, "port": "http"}, "periodSeconds": 2, "failureThreshold": 2});
    let manifest = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{
                "name": "app", "image": "rig.local/app:1", "ports": [{"name": "http", "containerPort": 8080}],
                "livenessProbe": probe(path), "readinessProbe": probe("/health"),
            }]}},
        },
    });
    probehound(kubeconfig, &["lint", "-o", "json", "--against", "cluster", "-"], &manifest.to_string())
}

fn has<'a>(document: &'a Value, rule: &str) -> Option<&'a Value> {
    document["findings"].as_array()?.iter().find(|finding| finding["rule"] == rule)
}

/// The document that it prints.
fn probehound(kubeconfig: &Path, words: &[&str], input: &str) -> Value {
    let mut command = Command::new(binary());
    command.args(words).arg("--kubeconfig").arg(kubeconfig).env("NO_COLOR", "1");
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("the binary starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output: Output = child.wait_with_output().expect("it ends");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{words:?}: {error}: {output:?}"))
}

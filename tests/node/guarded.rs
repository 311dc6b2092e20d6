//! The guard on a real node: one word is wrong in a rollout, and the Service keeps most of its endpoints.
//!
//! Printed: the ready endpoints over time, without the guard and with it.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::deployed::Deployed;
use crate::harness::clock::Stopwatch;
use crate::harness::{Api, ControlPlane, waiting};
use crate::kubectl::Kubectl;
use crate::node::Node;
use crate::spared;

/// Its namespace.
const NAMESPACE: &str = "guarded";
/// Number of pods of each.
const PODS: usize = 12;
/// The rollouts: what differs, and the goals as the lowest number of endpoints and the seconds until all are back.
const STORIES: [Story; 4] = [
    Story { name: "unguarded", surge: None, min_ready: 0, guarded: false, goals: None },
    Story { name: "defaults", surge: None, min_ready: 0, guarded: true, goals: Some((0, 50)) },
    Story { name: "surge", surge: Some((1, 0)), min_ready: 0, guarded: true, goals: Some((9, 50)) },
    // What findings and `lint` recommend for this probe.
    Story { name: "min-ready", surge: None, min_ready: 15, guarded: true, goals: Some((9, 45)) },
];
/// How long the one without the guard is looked at, before a person mends it.
const LOOKED_AT: Duration = Duration::from_secs(90);
/// Far more than it takes, on a busy machine.
const LIMIT: Duration = Duration::from_mins(4);

struct Story {
    name: &'static str,
    /// `maxSurge` and `maxUnavailable`; `None`: the defaults.
    surge: Option<(u32, u32)>,
    min_ready: u32,
    guarded: bool,
    goals: Option<(usize, u64)>,
}

/// The ready endpoints of each second since the rollout.
struct Course {
    ready: Vec<usize>,
    /// When all pods were of the earlier template and ready again.
    back: Option<Duration>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_outage_does_not_happen_where_the_guard_undoes_the_rollout() {
    let plane = ControlPlane::start_for_node("guarded", &Node::address()).await;
    let _witness = plane.witness();
    let _node = Node::start(&plane).await;
    let (kubectl, api) = (Kubectl::new(&plane), plane.admin());
    let deployed = Deployed::install(&kubectl, &plane).await;
    let rights = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/overlays/guard/rights.yaml");
    kubectl.run(&["apply", "-f", rights]).await;
    let settings = json!({"data": {"probehound.yaml": "clusterName: node\nguard: {mode: undo}\n"}}).to_string();
    kubectl.run(&["-n", "probehound", "patch", "configmap", "probehound", "--type=merge", "--patch", &settings]).await;
    kubectl.run(&["-n", "probehound", "rollout", "restart", "deployment/probehound"]).await;
    kubectl.run(&["-n", "probehound", "rollout", "status", "deployment/probehound", "--timeout=120s"]).await;
    deployed.until_ready().await;
    kubectl.create_namespace(NAMESPACE).await;
    // A healthy rollout beside it.
    apply(&api, &Story { name: "beside", surge: None, min_ready: 0, guarded: true, goals: None }, 2).await;

    let mut courses = Vec::new();
    for story in &STORIES {
        apply(&api, story, PODS).await;
        // The guard goes back only to what it saw healthy.
        sleep(Duration::from_secs(30)).await;
        kubectl.run(&["-n", NAMESPACE, "set", "env", "deployment/beside", &format!("STORY={}", story.name)]).await;
        let course = course(&kubectl, &api, story).await;
        println!("{:10} {}", story.name, line(&course.ready));
        courses.push(course);
        api.delete(&path("deployments", story.name), 0).await.expect("a deletion");
    }

    spared::none_is_undone(&kubectl, &api).await;

    print(&courses);
    keep(&courses);
    for (story, course) in STORIES.iter().zip(&courses).filter(|(story, _)| story.guarded) {
        assert!(course.back.is_some(), "{} is not back", story.name);
    }
    let beside = api.get(&path("deployments", "beside")).await.expect("the one beside it");
    let annotations = beside["metadata"]["annotations"].to_string();
    assert!(!annotations.contains("undone"), "a healthy rollout is never touched: {annotations}");
}

async fn apply(api: &Api, story: &Story, pods: usize) {
    let name = story.name;
    let probe = json!({"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 5, "failureThreshold": 2});
    let container = json!({
        "name": "app", "image": "probehound.test/app:test", "args": ["serve", "-http=:8080", "-paths=/health=200"],
        "ports": [{"name": "http", "containerPort": 8080}], "livenessProbe": probe,
        "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 2},
    });
    let mut deployment = json!({
        "metadata": {"name": name, "annotations": {}},
        "spec": {
            "replicas": pods, "minReadySeconds": story.min_ready, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    });
    if let Some((surge, unavailable)) = story.surge {
        let update = json!({"maxSurge": surge, "maxUnavailable": unavailable});
        deployment["spec"]["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": update});
    }
    if !story.guarded {
        deployment["metadata"]["annotations"]["probehound.dev/guard"] = json!("off");
    }
    api.create(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments"), &deployment).await.expect("a Deployment");
    let service = json!({
        "metadata": {"name": name}, "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": "http"}]},
    });
    api.create(&format!("/api/v1/namespaces/{NAMESPACE}/services"), &service).await.expect("a Service");
    waiting::eventually("its endpoints are ready", LIMIT, async || match ready(api, name).await {
        all if all == pods => Ok(()),
        some => Err(some),
    })
    .await;
}

/// Breaks it, and looks each second until all is as before, or a person mends it.
async fn course(kubectl: &Kubectl, api: &Api, story: &Story) -> Course {
    let field = "/spec/template/spec/containers/0/livenessProbe/httpGet/path";
    let patch = json!([{"op": "replace", "path": field, "value": "/v2/health"}]).to_string();
    let target = format!("deployment/{}", story.name);
    kubectl.run(&["-n", NAMESPACE, "patch", &target, "--type=json", "--patch", &patch]).await;
    let since = Stopwatch::start();
    let mut course = Course { ready: Vec::new(), back: None };
    let limit = if story.guarded { LIMIT } else { LOOKED_AT };
    while since.elapsed() < limit && course.back.is_none() {
        course.ready.push(ready(api, story.name).await);
        let deployment = api.get(&path("deployments", story.name)).await.body;
        if is_back(&deployment) {
            course.back = Some(since.elapsed());
        }
        let next = Duration::from_secs(course.ready.len() as u64);
        sleep(next.saturating_sub(since.elapsed())).await;
    }
    course
}

fn is_back(deployment: &Value) -> bool {
    let status = &deployment["status"];
    let probe = &deployment["spec"]["template"]["spec"]["containers"][0]["livenessProbe"];
    probe["httpGet"]["path"] == "/health"
        && status["observedGeneration"] == deployment["metadata"]["generation"]
        && [&status["updatedReplicas"], &status["replicas"], &status["readyReplicas"]]
            .iter()
            .all(|count| **count == PODS)
}

async fn ready(api: &Api, service: &str) -> usize {
    let slices = format!("/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices");
    let list = api.get(&format!("{slices}?labelSelector=kubernetes.io/service-name={service}")).await.body;
    let slices = list["items"].as_array().into_iter().flatten();
    let endpoints = slices.flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
    endpoints.filter(|endpoint| endpoint["conditions"]["ready"] == true).count()
}

fn path(resource: &str, name: &str) -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/{resource}/{name}")
}

/// Prints the lowest number of endpoints and the time until all were back, beside the goals.
fn print(courses: &[Course]) {
    println!("\n{:12} {:>10} {:>10} {:>12} {:>10}", "", "lowest", "goal", "all back", "goal");
    for (story, course) in STORIES.iter().zip(courses) {
        let lowest = course.ready.iter().min().copied().unwrap_or_default();
        let back = course.back.map_or_else(|| "never".to_owned(), |back| format!("{:.0} s", back.as_secs_f64()));
        let (least, within) = story
            .goals
            .map_or_else(Default::default, |(least, within)| (format!("{least} of {PODS}"), format!("{within} s")));
        println!("{:12} {:>10} {least:>10} {back:>12} {within:>10}", story.name, format!("{lowest} of {PODS}"));
    }
}

/// Keeps the courses as lines: the name, and the ready endpoints of each second.
fn keep(courses: &[Course]) {
    let mut text = String::new();
    for (story, course) in STORIES.iter().zip(courses) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {}", story.name, line(&course.ready));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/cluster/guard.txt");
    std::fs::write(&path, text).expect("a file can be written");
    println!("\nthe ready endpoints over time are in {}", path.display());
}

fn line(ready: &[usize]) -> String {
    ready.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

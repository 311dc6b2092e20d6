//! The guard: a rollout that breaks a probe is undone once, whatever dies, and nobody is overwritten.
//!
//! No controller runs here: what it would do is in the recording, and of what the guard writes nothing follows.

mod passing;

use std::time::Duration;

use hyper::Response;
use hyper::http::request::Parts;
use probehound::time::Time;
use serde_json::{Value, json};

use crate::harness::{Api, waiting};
use crate::installed::{Installed, NAMESPACE, kubectl, let_namespace_be_read};
use crate::operator::{Operator, Settings};
use crate::player::Scene;
use crate::proxy::Rule;
use crate::{clock, player};
use passing::{Fate, Passing};

/// A rollout of a wrong path to seven pods: the first kill is half a minute later.
const INCIDENT: &str = "liveness-http-404-wrong-path";
/// Shortly before the rollout.
const BEFORE: Duration = Duration::from_secs(66);
/// Until some containers were killed.
const LENGTH: Duration = Duration::from_secs(50);
/// Longer than all of it takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);
/// Time to do what must not be done.
const QUIET: Duration = Duration::from_secs(5);

const WRONG: &str = "/v2/health";
const RIGHT: &str = "/health";

#[tokio::test]
async fn a_rollout_is_undone_once_whatever_becomes_of_the_request_and_of_the_process() {
    let installed = Installed::start_with("guarded", "overlays/guard").await;
    let _witness = installed.cluster.witness();
    let stories = [
        ("passed", Fate::Answered),
        ("lost", Fate::Lost),
        ("silenced", Fate::Silenced),
        ("changed", Fate::SilencedThenRefused),
    ];
    let all = stories.into_iter().map(|(namespace, fate)| undone_once(&installed, namespace, fate));
    futures::future::join_all(all).await;
}

/// Unless the first patch is answered, its process is killed after it.
async fn undone_once(installed: &Installed, namespace: &str, fate: Fate) {
    let api = installed.cluster.admin();
    let passing = Passing::new(fate, |_| Rule::Pass);
    let proxy = passing.proxy(installed);
    let settings = guarding(installed.settings_at(namespace, &proxy.url()).await, namespace);
    let mut operator = settings.start(installed.cluster.folder());
    operator.until_ready().await;
    let scene = Scene::of(INCIDENT, LENGTH).skipping(BEFORE).in_namespace(namespace);
    let playing = player::play(&api, &scene, clock::now().plus(Duration::from_secs(2)));
    let dying = async {
        if fate == Fate::Answered {
            return;
        }
        passing.until_it_patches().await;
        if fate == Fate::Lost {
            until_its_path_is(&api, namespace, RIGHT).await;
        }
        operator.kill();
        let intent = guard_of(&api, namespace).await;
        assert_eq!(intent["outcome"], "undoing", "{namespace}: {intent:#}");
        operator = settings.start(installed.cluster.folder());
    };
    let (_, (), wrong) = tokio::join!(playing, dying, rolled_out(&api, namespace));

    let done = until_undone_once(installed, &operator, namespace, wrong).await;

    assert_eq!(
        done["metadata"]["annotations"]["probehound.dev/undone-for"],
        finding(&api, namespace).await["metadata"]["name"]
    );
    let managers = done["metadata"]["managedFields"].as_array().expect("managers");
    assert!(managers.iter().any(|manager| manager["manager"] == "probehound-guard"), "{managers:#?}");
    assert!(done["spec"]["template"]["metadata"]["labels"]["pod-template-hash"].is_null());
}

/// Waits until a rollout with that generation is undone, by one change, and that is recorded and said once; the
/// Deployment then.
async fn until_undone_once(installed: &Installed, operator: &Operator, namespace: &str, wrong: i64) -> Value {
    let api = installed.cluster.admin();
    let guard = until_said(&api, namespace, "undone").await;
    let done = deployment(&api, namespace).await;
    tokio::time::sleep(QUIET).await;
    let later = deployment(&api, namespace).await;

    assert_eq!(path_of(&done), RIGHT, "{namespace}");
    assert_eq!([&done, &later].map(generation), [wrong + 1; 2], "{namespace}: once, and no more");
    assert_eq!(undone(operator).await, 1, "{namespace}");
    let undos = guard["undos"].as_array().expect("undos");
    assert_eq!((undos.len(), &undos[0]["done"]), (1, &json!(true)), "{namespace}: {guard:#}");
    let events = kubectl(&installed.cluster, &["get", "events", "-n", namespace, "-o", "wide"]).expect_success();
    assert_eq!(events.matches("GuardUndid").count(), 1, "{events}");
    done
}

#[tokio::test]
async fn nobody_is_overwritten_and_each_refusal_is_told() {
    let installed = Installed::start_with("refusing", "overlays/guard").await;
    let _witness = installed.cluster.witness();
    let stories = [
        ("argo", json!({"metadata": {"labels": {"argocd.argoproj.io/instance": "web"}}}), "gitOps"),
        ("flux", json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "web"}}}), "gitOps"),
        ("paused", json!({"spec": {"paused": true}}), "paused"),
        ("annotated", json!({"metadata": {"annotations": {"probehound.dev/guard": "off"}}}), "annotated"),
    ];
    let all = stories.iter().map(|(namespace, change, refusal)| refused(&installed, namespace, change, refusal));
    futures::join!(
        futures::future::join_all(all),
        a_person_fixes_it_at_the_same_moment(&installed),
        scaled_meanwhile(&installed),
        without_the_right(&installed),
        its_namespace_turns_it_off(&installed),
    );
}

/// The Deployment is changed in between, before the first kill.
async fn refused(installed: &Installed, namespace: &str, change: &Value, refusal: &str) {
    let api = installed.cluster.admin();
    let operator = start(installed, namespace).await;
    let changing = async {
        until_rolled_out(&api, namespace).await;
        api.patch(&path(namespace), "kubectl-edit", change).await.expect("a change");
    };
    tokio::join!(play(&api, namespace), changing);

    until_refused(&api, namespace, refusal).await;
    tokio::time::sleep(QUIET).await;

    assert_eq!(path_of(&deployment(&api, namespace).await), WRONG, "{namespace}");
    let metrics = operator.metrics().await;
    let reason = format!("reason=\"{refusal}\"");
    assert_eq!(metrics.sum("probehound_guard_total", &[&reason]), Some(1), "{namespace}");
    let events = kubectl(&installed.cluster, &["get", "events", "-n", namespace, "-o", "wide"]).expect_success();
    assert!(events.contains("GuardRefused"), "{namespace}: {events}");
}

/// A Role of the namespace is enough to read it.
async fn its_namespace_turns_it_off(installed: &Installed) {
    let (api, namespace) = (installed.cluster.admin(), "quiet-team");
    api.create_namespace(namespace).await;
    let_namespace_be_read(&installed.cluster, namespace);
    let off = ["annotate", "namespace", namespace, "probehound.dev/guard=off"];
    kubectl(&installed.cluster, &off).expect_success();
    let settings = guarding(installed.settings(namespace).await, namespace);
    let operator = settings.with("annotations", json!({"namespaces": true})).start(installed.cluster.folder());
    operator.until_ready().await;
    play(&api, namespace).await;

    until_refused(&api, namespace, "annotated").await;

    assert_eq!(path_of(&deployment(&api, namespace).await), WRONG);
}

/// Whoever is first: what the person wrote stands in the end.
async fn a_person_fixes_it_at_the_same_moment(installed: &Installed) {
    let (api, namespace) = (installed.cluster.admin(), "person");
    let _operator = start(installed, namespace).await;
    let fixing = async {
        waiting::eventually("it is found", PATIENCE, async || found(&api, namespace).await).await;
        let container = json!({"name": "app", "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http"}}});
        let fix = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
        let fix = fix.to_string();
        let arguments = ["patch", "deployment", "web", "-n", namespace, "--patch", &fix];
        kubectl(&installed.cluster, &arguments).expect_success();
    };
    tokio::join!(play(&api, namespace), fixing);

    tokio::time::sleep(QUIET).await;
    assert_eq!(path_of(&deployment(&api, namespace).await), "/healthz");
}

/// An autoscaler changes the object again and again: it is undone, and the scale stays.
async fn scaled_meanwhile(installed: &Installed) {
    let (api, namespace) = (installed.cluster.admin(), "scaled");
    let operator = start(installed, namespace).await;
    let scaling = async {
        until_rolled_out(&api, namespace).await;
        for number in 0..200 {
            let scale = json!({"spec": {"replicas": 3 + number % 4}});
            api.patch(&path(namespace), "horizontal-pod-autoscaler", &scale).await.expect("a scale");
            if path_of(&deployment(&api, namespace).await) == RIGHT {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        api.patch(&path(namespace), "horizontal-pod-autoscaler", &json!({"spec": {"replicas": 5}}))
            .await
            .expect("a scale");
    };
    tokio::join!(play(&api, namespace), scaling);

    until_said(&api, namespace, "undone").await;
    let done = deployment(&api, namespace).await;
    assert_eq!((path_of(&done), &done["spec"]["replicas"]), (RIGHT, &json!(5)));
    assert_eq!(undone(&operator).await, 1);
}

/// Its account is that of the base alone.
async fn without_the_right(installed: &Installed) {
    let (api, namespace) = (installed.cluster.admin(), "rightless");
    api.create_service_account(NAMESPACE, "rightless").await;
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "probehound"});
    let subject = json!({"kind": "ServiceAccount", "name": "rightless", "namespace": NAMESPACE});
    let binding = json!({"metadata": {"name": "rightless"}, "roleRef": role, "subjects": [subject]});
    api.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &binding).await.unless_there();
    let token = api.token_of(NAMESPACE, "rightless", 3600).await;
    let kubeconfig = installed.cluster.write_kubeconfig("rightless.kubeconfig", &installed.cluster.url(), &token);
    let operator = guarding(Settings::new(namespace, kubeconfig), namespace).start(installed.cluster.folder());
    operator.until_ready().await;
    play(&api, namespace).await;

    until_refused(&api, namespace, "noRight").await;

    assert_eq!(path_of(&deployment(&api, namespace).await), WRONG);
}

#[tokio::test]
async fn of_two_replicas_the_one_that_leads_undoes_and_when_it_dies_the_other_does() {
    let installed = Installed::start_with("guards", "overlays/guard").await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let namespace = "replicas";
    let of = async |name: &str| {
        let settings = guarding(installed.settings(name).await, namespace);
        settings.electing(NAMESPACE, "probehound").env("POD_NAME", name).start(installed.cluster.folder())
    };
    let mut first = of("guard-a").await;
    first.until_ready().await;
    until_it_leads(&first).await;
    let second = of("guard-b").await;
    second.until_ready().await;
    let dying = async {
        until_rolled_out(&api, namespace).await;
        first.kill();
    };
    tokio::join!(play(&api, namespace), dying);

    until_said(&api, namespace, "undone").await;
    let done = deployment(&api, namespace).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(path_of(&done), RIGHT);
    assert_eq!(deployment(&api, namespace).await["metadata"]["generation"], done["metadata"]["generation"]);
    assert_eq!(undone(&second).await, 1);
}

#[tokio::test]
async fn who_loses_the_lead_at_the_patch_leaves_it_to_the_next() {
    let installed = Installed::start_with("outvoted", "overlays/guard").await;
    let _witness = installed.cluster.witness();
    let (api, namespace) = (installed.cluster.admin(), "outvoted");
    // From its patch on, the first replica is alone: nothing of it arrives.
    let passing = Passing::new(Fate::Silenced, |_| Rule::Silence);
    let proxy = passing.proxy(&installed);
    let elected = |settings: Settings, name: &str| {
        let settings = guarding(settings, namespace).electing(NAMESPACE, "probehound").env("POD_NAME", name);
        settings.start(installed.cluster.folder())
    };
    let first = elected(installed.settings_at("guard-a", &proxy.url()).await, "guard-a");
    first.until_ready().await;
    until_it_leads(&first).await;
    let second = elected(installed.settings("guard-b").await, "guard-b");
    second.until_ready().await;
    play(&api, namespace).await;

    until_said(&api, namespace, "undone").await;
    let done = deployment(&api, namespace).await;
    assert!(passing.is_away(), "the first one patched, or tried to");
    passing.come_back();
    tokio::time::sleep(3 * QUIET).await;

    assert_eq!(path_of(&done), RIGHT);
    assert_eq!(deployment(&api, namespace).await["metadata"]["generation"], done["metadata"]["generation"]);
    assert_eq!((passing.arrived(), undone(&first).await, undone(&second).await), (0, 0, 1));
}

#[tokio::test]
async fn an_api_server_that_is_away_at_the_patch_is_patched_once() {
    let installed = Installed::start_with("guarding-away", "overlays/guard").await;
    let _witness = installed.cluster.witness();
    futures::join!(
        away_at_the_patch(&installed, "arrived", Fate::Lost),
        away_at_the_patch(&installed, "departed", Fate::Silenced),
        away_before_the_patch(&installed),
    );
}

/// Whether the first patch was carried out shows only when the server is back.
async fn away_at_the_patch(installed: &Installed, namespace: &str, fate: Fate) {
    let api = installed.cluster.admin();
    let passing = Passing::new(fate, |_| unavailable());
    let proxy = passing.proxy(installed);
    let operator = guarding(installed.settings_at(namespace, &proxy.url()).await, namespace);
    let operator = operator.start(installed.cluster.folder());
    operator.until_ready().await;
    let returning = async {
        passing.until_it_patches().await;
        tokio::time::sleep(3 * QUIET).await;
        let intent = guard_of(&api, namespace).await;
        assert_eq!(intent["outcome"], "undoing", "{namespace}: {intent:#}");
        passing.come_back();
    };
    let ((), (), wrong) = tokio::join!(play(&api, namespace), returning, rolled_out(&api, namespace));

    until_undone_once(installed, &operator, namespace, wrong).await;
}

/// What it asks before it patches is not answered: that is said, and when it is answered, one patch may follow.
async fn away_before_the_patch(installed: &Installed) {
    let (api, namespace) = (installed.cluster.admin(), "unanswered");
    let asks = |request: &Parts| request.uri.path().ends_with("/selfsubjectaccessreviews");
    let passing = Passing::new(Fate::Lost, move |request| if asks(request) { unavailable() } else { Rule::Pass });
    let proxy = passing.proxy(installed);
    let operator = guarding(installed.settings_at(namespace, &proxy.url()).await, namespace);
    let operator = operator.start(installed.cluster.folder());
    operator.until_ready().await;
    passing.go_away();
    play(&api, namespace).await;

    until_refused(&api, namespace, "unreachable").await;
    let wrong = deployment(&api, namespace).await;
    assert_eq!((path_of(&wrong), passing.arrived()), (WRONG, 0));
    let metrics = operator.metrics().await;
    assert_eq!(metrics.sum("probehound_guard_total", &["reason=\"unreachable\""]), Some(1));
    passing.come_back();
    tokio::time::sleep(3 * QUIET).await;
    let changes = generation(&deployment(&api, namespace).await) - generation(&wrong);
    assert!(changes <= 1 && undone(&operator).await <= 1, "{changes} changes");
}

fn unavailable() -> Rule {
    let words = r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "away", "code": 503}"#;
    Rule::Answer(Response::builder().status(503).body(words.to_owned()).expect("a response"))
}

async fn until_it_leads(operator: &Operator) {
    waiting::eventually("it leads", PATIENCE, async || {
        if operator.metrics().await.sum("probehound_leader", &[]) == Some(1) { Ok(()) } else { Err("not yet") }
    })
    .await;
}

fn guarding(settings: Settings, namespace: &str) -> Settings {
    settings.watching(&[namespace]).with("guard", json!({"mode": "undo"}))
}

async fn start(installed: &Installed, namespace: &str) -> Operator {
    let operator = guarding(installed.settings(namespace).await, namespace).start(installed.cluster.folder());
    operator.until_ready().await;
    operator
}

async fn play(api: &Api, namespace: &str) {
    let scene = Scene::of(INCIDENT, LENGTH).skipping(BEFORE).in_namespace(namespace);
    let start: Time = clock::now().plus(Duration::from_secs(2));
    player::play(api, &scene, start).await;
}

async fn until_rolled_out(api: &Api, namespace: &str) {
    until_its_path_is(api, namespace, WRONG).await;
}

/// The generation of the Deployment once the wrong path is rolled out; a patch that is refused does not count
/// in it.
async fn rolled_out(api: &Api, namespace: &str) -> i64 {
    generation(&until_its_path_is(api, namespace, WRONG).await)
}

async fn until_its_path_is(api: &Api, namespace: &str, wanted: &str) -> Value {
    waiting::eventually(&format!("the path is {wanted}"), PATIENCE, async || {
        let deployment = api.get(&path(namespace)).await.body;
        if path_of(&deployment) == wanted { Ok(deployment) } else { Err(path_of(&deployment).to_owned()) }
    })
    .await
}

async fn until_said(api: &Api, namespace: &str, outcome: &str) -> Value {
    waiting::eventually("the guard says it", PATIENCE, async || {
        let guard = guard_of(api, namespace).await;
        if guard["outcome"] == outcome { Ok(guard) } else { Err(guard) }
    })
    .await
}

/// What was seen a moment earlier may have given another refusal.
async fn until_refused(api: &Api, namespace: &str, refusal: &str) -> Value {
    waiting::eventually("the guard refuses it", PATIENCE, async || {
        let guard = guard_of(api, namespace).await;
        if guard["refusal"] == refusal { Ok(guard) } else { Err(guard) }
    })
    .await
}

async fn guard_of(api: &Api, namespace: &str) -> Value {
    found(api, namespace).await.map(|finding| finding["status"]["guard"].clone()).unwrap_or_default()
}

async fn finding(api: &Api, namespace: &str) -> Value {
    found(api, namespace).await.expect("a finding")
}

async fn found(api: &Api, namespace: &str) -> Result<Value, Value> {
    let list = api.get(&format!("/apis/probehound.dev/v1alpha1/namespaces/{namespace}/findings")).await.body;
    let items = list["items"].as_array().cloned().unwrap_or_default();
    items.into_iter().find(|item| item["spec"]["effect"] == "RestartLoop").ok_or(list)
}

async fn deployment(api: &Api, namespace: &str) -> Value {
    api.get(&path(namespace)).await.expect("the Deployment")
}

fn path(namespace: &str) -> String {
    format!("/apis/apps/v1/namespaces/{namespace}/deployments/web")
}

fn path_of(deployment: &Value) -> &str {
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    container["livenessProbe"]["httpGet"]["path"].as_str().unwrap_or_default()
}

fn generation(deployment: &Value) -> i64 {
    deployment["metadata"]["generation"].as_i64().expect("a generation")
}

async fn undone(operator: &Operator) -> u64 {
    operator.metrics().await.sum("probehound_guard_total", &["outcome=\"undone\""]).unwrap_or_default()
}

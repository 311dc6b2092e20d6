//! The admission policies, as an API server evaluates them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Api, ControlPlane, waiting};
use crate::installed::{Installed, kubectl, manifests};

/// An API server notices a new policy within seconds.
const NOTICED: Duration = Duration::from_mins(1);
/// The API server's limit for a warning (staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/validating).
const MESSAGE: usize = 5 * 1024;

#[tokio::test]
async fn only_kubelets_write_events_of_kubelets() {
    let installed = Installed::start("policies-events").await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    api.create_namespace("events").await;
    api.create_service_account("events", "tenant").await;
    let tenants = json!({"kind": "ServiceAccount", "name": "tenant", "namespace": "events"});
    may_edit(&api, "tenant", tenants).await;
    may_edit(&api, "nodes", json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:nodes"}))
        .await;
    let tenant = as_account(&installed, "events", "tenant").await;
    let node = Api::new(&installed.cluster.url(), installed.cluster.ca(), &ControlPlane::node_token());
    // One that was written before the policy, which only a kubelet may change afterwards.
    node.create(CORE, &core("before", "kubelet", "kubelet")).await.expect("an event of a kubelet");
    let policy = manifests("policies/events-of-kubelets.yaml").display().to_string();
    kubectl(&installed.cluster, &["apply", "--server-side", "-f", &policy]).expect_success();
    waiting::eventually("the policy is in force", NOTICED, async || {
        let answer = tenant.create(&format!("{CORE}?dryRun=All"), &core("first", "kubelet", "")).await;
        if answer.is_success() { Err("not yet".to_owned()) } else { Ok(()) }
    })
    .await;

    for (name, event) in
        [("a", core("a", "kubelet", "")), ("b", core("b", "", "kubelet")), ("c", core("c", "kubelet", "x"))]
    {
        let refused = tenant.create(CORE, &event).await;
        assert!(refused.code == 403 && refused.refusal().contains("Only kubelets"), "{name}: {}", refused.refusal());
    }
    let refused = tenant.create(NEW, &new("d", "kubelet")).await;
    assert!(refused.code == 403, "{}", refused.refusal());
    let changed = tenant.patch(&format!("{CORE}/before"), "kubectl", &json!({"message": "another"})).await;
    assert!(changed.code == 403, "{}", changed.refusal());
    let hidden = tenant.patch(&format!("{CORE}/before"), "kubectl", &json!({"source": {"component": "x"}})).await;
    assert!(hidden.code == 403, "{}", hidden.refusal());
    tenant.create(CORE, &core("own", "my-controller", "my-controller")).await.expect("an event of its own");
    tenant.create(NEW, &new("own-new", "example.com/mine")).await.expect("an event of its own");
    tenant.patch(&format!("{CORE}/own"), "kubectl", &json!({"count": 2})).await.expect("a change of its own");
    node.create(CORE, &core("of-a-node", "kubelet", "kubelet")).await.expect("an event of a kubelet");
    node.patch(&format!("{CORE}/before"), "kubelet", &json!({"count": 2})).await.expect("a change of a kubelet");
}

#[tokio::test]
async fn changed_and_hasty_probes_are_warned_of_however_they_are_written() {
    let installed = Installed::start("policies-probes").await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    api.create_namespace("probes").await;
    for policy in ["changed-probes", "hasty-probes"] {
        let path = manifests(&format!("policies/{policy}.yaml")).display().to_string();
        kubectl(&installed.cluster, &["apply", "--server-side", "-f", &path]).expect_success();
    }
    let patient = write(&installed, "patient", &deployment("web", 1, "/health", 6));
    kubectl(&installed.cluster, &["apply", "-f", &patient]).expect_success();
    let wrong = write(&installed, "wrong", &deployment("web", 1, "/v2/health", 6));
    let patch = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "app-0", "livenessProbe": {"httpGet": {"path": "/v3/health", "port": 8080}}},
    ]}}}})
    .to_string();
    let ways: [&[&str]; 5] = [
        &["apply", "--dry-run=server", "-f", &wrong],
        &["apply", "--server-side", "--force-conflicts", "-f", &wrong],
        &["apply", "-f", &patient],
        &["patch", "deployment", "web", "-n", "probes", "--patch", &patch],
        &["replace", "-f", &wrong],
    ];
    waiting::eventually("the policies are in force", NOTICED, async || {
        let said = kubectl(&installed.cluster, ways[0]).warnings();
        if said.contains("asks something else of the same image") { Ok(()) } else { Err(said) }
    })
    .await;

    for way in ways {
        let said = kubectl(&installed.cluster, way);
        said.expect_success();
        let said = said.warnings();
        assert!(
            said.contains("livenessProbe asks something else of the same image") && said.contains(": app-0"),
            "{way:?}: {said}"
        );
        assert!(said.contains("Fine if this mends a wrong probe"), "{way:?}: {said}");
    }
    let silent: [&[&str]; 6] = [
        &["set", "image", "deployment/web", "-n", "probes", "app-0=web:2"],
        &["scale", "deployment/web", "-n", "probes", "--replicas=3"],
        &["rollout", "restart", "deployment/web", "-n", "probes"],
        &["rollout", "pause", "deployment/web", "-n", "probes"],
        &["rollout", "resume", "deployment/web", "-n", "probes"],
        &[
            "patch",
            "deployment",
            "web",
            "-n",
            "probes",
            "--type=json",
            "--patch",
            r#"[{"op": "remove", "path": "/spec/template/spec/containers/0/livenessProbe"}]"#,
        ],
    ];
    for way in silent {
        let said = kubectl(&installed.cluster, way);
        said.expect_success();
        assert_eq!(said.warnings(), "", "{way:?}");
    }

    let hasty = write(&installed, "hasty", &deployment("hasty", 1, "/health", 2));
    let said = kubectl(&installed.cluster, &["apply", "-f", &hasty]).warnings();
    assert!(said.contains("First kill after: app-0 10 s"), "{said}");
    let again = kubectl(&installed.cluster, &["set", "image", "deployment/hasty", "-n", "probes", "app-0=web:2"]);
    assert_eq!(again.warnings(), "", "it is not new");
    let mended = write(&installed, "mended", &deployment("hasty", 1, "/healthz", 2));
    let said = kubectl(&installed.cluster, &["apply", "-f", &mended]).warnings();
    assert!(!said.contains("slow to start"), "its numbers are not new: {said}");

    // The cost of an expression, and the length of a message, are bounded.
    let many = write(&installed, "many", &deployment("many", 30, "/health", 2));
    let said = kubectl(&installed.cluster, &["apply", "-f", &many]);
    said.expect_success();
    assert!(said.warnings().contains("app-29 10 s") && said.warnings().len() < MESSAGE, "{}", said.warnings());
    let changed = write(&installed, "changed", &deployment("many", 30, "/v2/health", 2));
    let said = kubectl(&installed.cluster, &["apply", "-f", &changed]);
    said.expect_success();
    assert!(said.warnings().contains("app-28, app-29"), "{}", said.warnings());
}

const CORE: &str = "/api/v1/namespaces/events/events";
const NEW: &str = "/apis/events.k8s.io/v1/namespaces/events/events";

fn core(name: &str, source: &str, reporter: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "events"},
        "involvedObject": {"kind": "Pod", "name": "web", "namespace": "events"},
        "reason": "Killing", "message": "Container app failed liveness probe, will be restarted", "type": "Normal",
        "source": {"component": source}, "reportingComponent": reporter, "reportingInstance": "x",
    })
}

fn new(name: &str, reporter: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "events"},
        "regarding": {"kind": "Pod", "name": "web", "namespace": "events"}, "eventTime": "2026-11-30T10:00:00.000000Z",
        "reason": "Killing", "note": "x", "type": "Normal", "action": "Killing",
        "reportingController": reporter, "reportingInstance": "x",
    })
}

fn deployment(name: &str, containers: usize, path: &str, failures: u32) -> Value {
    let container = |number: usize| {
        json!({
            "name": format!("app-{number}"), "image": "web:1",
            "livenessProbe": {
                "httpGet": {"path": path, "port": 8080 + number}, "periodSeconds": 10, "failureThreshold": failures,
            },
        })
    };
    let containers: Vec<Value> = (0..containers).map(container).collect();
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "probes"},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}},
        },
    })
}

fn write(installed: &Installed, name: &str, object: &Value) -> String {
    installed.cluster.folder().write(&format!("{name}.json"), &object.to_string()).display().to_string()
}

async fn may_edit(api: &Api, name: &str, subject: Value) {
    let binding = json!({
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
        "subjects": [subject],
    });
    api.create("/apis/rbac.authorization.k8s.io/v1/namespaces/events/rolebindings", &binding).await.unless_there();
}

async fn as_account(installed: &Installed, namespace: &str, account: &str) -> Api {
    let token = installed.cluster.admin().token_of(namespace, account, 3600).await;
    Api::new(&installed.cluster.url(), installed.cluster.ca(), &token)
}

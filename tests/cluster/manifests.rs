//! The manifests, as an API server accepts them, and the permissions that they grant.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Api, waiting};
use crate::installed::{ACCOUNT, Installed, NAMESPACE, kubectl, manifests};

#[tokio::test]
async fn the_server_takes_every_overlay_with_strict_validation_and_without_a_warning() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    for folder in [
        "base",
        "overlays/ha",
        "overlays/namespaced",
        "overlays/metrics-authentication",
        "overlays/guard",
        "overlays/namespace-annotations",
        "overlays/page",
        "policies",
    ] {
        let path = manifests(folder).display().to_string();
        let said = kubectl(
            &installed.cluster,
            &["apply", "--server-side", "--dry-run=server", "--validate=strict", "-k", &path],
        );
        said.expect_success();
        assert_eq!(said.warnings(), "", "{folder}");
    }
}

/// The Prometheus operator's own schema is not known here, but kinds and names are checked.
#[tokio::test]
async fn the_server_takes_what_is_for_the_prometheus_operator() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    monitoring(&installed.cluster.admin()).await;
    let path = manifests("overlays/prometheus-operator").display().to_string();
    let arguments = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-k", &path];
    waiting::eventually("the server takes them", Duration::from_mins(1), async || {
        let said = kubectl(&installed.cluster, &arguments).warnings();
        if said.is_empty() { Ok(()) } else { Err(said) }
    })
    .await;
}

/// Installs the kinds of the Prometheus operator.
pub async fn monitoring(api: &Api) {
    for (kind, plural) in
        [("PodMonitor", "podmonitors"), ("PrometheusRule", "prometheusrules"), ("ServiceMonitor", "servicemonitors")]
    {
        let definition = definition("monitoring.coreos.com", kind, plural);
        api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).await.unless_there();
    }
}

/// A CRD that accepts anything.
fn definition(group: &str, kind: &str, plural: &str) -> Value {
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase()},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": anything}}],
        },
    })
}

#[tokio::test]
async fn a_restricted_namespace_admits_the_pod_of_the_deployment() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let namespace = api.get(&format!("/api/v1/namespaces/{NAMESPACE}")).await.expect("the namespace");
    assert_eq!(namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted");
    let deployment = api.get(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/probehound")).await;
    let template = deployment.expect("the deployment")["spec"]["template"].clone();
    let pod = json!({"metadata": {"name": "of-the-deployment", "labels": template["metadata"]["labels"]}, "spec": template["spec"]});
    let pods = format!("/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All");

    let admitted = api.create(&pods, &pod).await;
    let mut root = pod.clone();
    root["spec"]["containers"][0]["securityContext"] = Value::Null;
    let refused = api.create(&pods, &root).await;

    assert!(admitted.is_success(), "{}", admitted.refusal());
    assert!(admitted.warnings.is_empty(), "{:?}", admitted.warnings);
    assert_eq!(refused.code, 403, "the namespace is restricted indeed");
}

/// Group, resource, subresource and verbs.
type Access = (&'static str, &'static str, &'static str, &'static [&'static str]);

/// The access it needs, in all namespaces.
const ALLOWED: [Access; 13] = [
    ("", "pods", "", &["list", "watch"]),
    ("", "events", "", &["list", "watch"]),
    ("", "services", "", &["list"]),
    ("discovery.k8s.io", "endpointslices", "", &["list"]),
    ("apps", "deployments", "", &["get"]),
    ("apps", "statefulsets", "", &["get"]),
    ("apps", "daemonsets", "", &["get"]),
    ("apps", "replicasets", "", &["get", "list"]),
    ("apps", "controllerrevisions", "", &["list"]),
    ("batch", "jobs", "", &["get"]),
    ("batch", "cronjobs", "", &["get"]),
    ("probehound.dev", "findings", "", &["get", "list", "watch", "create", "patch", "delete"]),
    ("probehound.dev", "findings", "status", &["patch"]),
];

/// Access that a watcher does not need.
const DENIED: [Access; 16] = [
    ("", "secrets", "", EVERYTHING),
    ("", "configmaps", "", EVERYTHING),
    ("", "pods", "exec", EVERYTHING),
    ("", "pods", "attach", EVERYTHING),
    ("", "pods", "portforward", EVERYTHING),
    ("", "pods", "proxy", EVERYTHING),
    ("", "pods", "log", EVERYTHING),
    ("", "pods", "eviction", EVERYTHING),
    ("", "serviceaccounts", "token", EVERYTHING),
    ("", "nodes", "proxy", EVERYTHING),
    ("", "pods", "", WRITES),
    ("", "services", "", WRITES),
    ("apps", "deployments", "", WRITES),
    ("apps", "replicasets", "", WRITES),
    ("batch", "jobs", "", WRITES),
    ("rbac.authorization.k8s.io", "clusterroles", "", EVERYTHING),
];

const WRITES: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];
const EVERYTHING: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

#[tokio::test]
async fn its_account_may_do_what_it_needs_and_nothing_else() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let mut wrong = Vec::new();
    for (table, expected) in [(&ALLOWED[..], true), (&DENIED[..], false)] {
        for (group, resource, subresource, verbs) in table {
            for verb in *verbs {
                if may(&api, "shop", group, resource, subresource, verb).await != expected {
                    wrong.push(format!("{verb} {group}/{resource}/{subresource} is not {expected}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn its_lease_is_the_only_one_that_it_may_change() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let mut granted = Vec::new();
    for (namespace, name) in [(NAMESPACE, "probehound"), (NAMESPACE, "another"), ("shop", "probehound")] {
        let review = review(
            namespace,
            &json!({"group": "coordination.k8s.io", "resource": "leases", "verb": "update", "name": name}),
        );
        granted.push(is_allowed(&api, &review).await);
    }
    assert_eq!(granted, [true, false, false]);
}

#[tokio::test]
async fn its_account_was_given_nothing_beyond() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let mut given = Vec::new();
    for namespace in ["default", NAMESPACE] {
        let rights = rights_in(installed, ACCOUNT, namespace).await;
        let everybodys = rights_in(installed, "default", namespace).await;
        given.push(rights.difference(&everybodys).cloned().collect::<BTreeSet<_>>());
    }

    let mut wanted = BTreeSet::from(["events.k8s.io/events create".to_owned()]);
    for (group, resource, subresource, verbs) in ALLOWED {
        let of = if subresource.is_empty() { String::new() } else { format!("/{subresource}") };
        wanted.extend(verbs.iter().map(|verb| format!("{group}/{resource}{of} {verb}")));
    }
    assert_eq!(given[0], wanted);
    wanted.extend(["get", "update", "create"].map(|verb| format!("coordination.k8s.io/leases {verb}")));
    assert_eq!(given[1], wanted);
}

/// What a service account of probehound's namespace may do in a namespace.
async fn rights_in(installed: &Installed, account: &str, namespace: &str) -> BTreeSet<String> {
    let token = installed.cluster.admin().token_of(NAMESPACE, account, 3600).await;
    let account = Api::new(&installed.cluster.url(), installed.cluster.ca(), &token);
    let review = json!({"kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1", "spec": {"namespace": namespace}});
    let answer = account.create("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", &review).await;
    let rules = answer.expect("its rights")["status"]["resourceRules"].clone();
    rules.as_array().into_iter().flatten().flat_map(rights_of).collect()
}

/// `GROUP/RESOURCE VERB` for each permission of a rule.
fn rights_of(rule: &Value) -> Vec<String> {
    let texts = |key: &str| -> Vec<String> {
        let texts = rule[key].as_array().into_iter().flatten();
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let mut rights = Vec::new();
    for group in texts("apiGroups") {
        for resource in texts("resources") {
            rights.extend(texts("verbs").iter().map(|verb| format!("{group}/{resource} {verb}")));
        }
    }
    rights
}

#[tokio::test]
async fn who_may_view_a_namespace_may_read_its_findings_and_nothing_else_of_them() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let findings = |namespace: &str| format!("/apis/probehound.dev/v1alpha1/namespaces/{namespace}/findings");
    for role in ["view", "edit", "admin"] {
        let namespace = format!("of-{role}");
        api.create_namespace(&namespace).await;
        bind(&api, &namespace, role).await;
        let token = api.token_of(&namespace, "default", 600).await;
        let person = Api::new(&installed.cluster.url(), installed.cluster.ca(), &token);
        waiting::eventually("the role is gathered", Duration::from_mins(1), async || {
            let answer = person.get(&findings(&namespace)).await;
            if answer.is_success() { Ok(()) } else { Err(answer.refusal()) }
        })
        .await;
        assert_eq!(person.get(&findings("default")).await.code, 403, "{role}");
        let user = format!("system:serviceaccount:{namespace}:default");
        for (subresource, verb) in
            WRITES.iter().map(|verb| ("", *verb)).chain([("status", "patch"), ("status", "update")])
        {
            let attributes =
                json!({"group": "probehound.dev", "resource": "findings", "subresource": subresource, "verb": verb});
            let allowed = is_allowed(&api, &review_of(&user, &namespace, &attributes)).await;
            assert!(!allowed, "{role} may {verb} findings/{subresource}");
        }
        // What confirms a loop can only be written by kubelets.
        for (subresource, verb) in [("status", "patch"), ("status", "update"), ("binding", "create")] {
            let attributes = json!({"group": "", "resource": "pods", "subresource": subresource, "verb": verb});
            let allowed = is_allowed(&api, &review_of(&user, &namespace, &attributes)).await;
            assert!(!allowed, "{role} may {verb} pods/{subresource}");
        }
    }
}

/// Binds a `ClusterRole` to the default service account of a namespace.
async fn bind(api: &Api, namespace: &str, role: &str) {
    let binding = json!({
        "metadata": {"name": role},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    });
    let bindings = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings");
    api.create(&bindings, &binding).await.expect("a binding");
}

async fn may(api: &Api, namespace: &str, group: &str, resource: &str, subresource: &str, verb: &str) -> bool {
    let attributes = json!({"group": group, "resource": resource, "subresource": subresource, "verb": verb});
    is_allowed(api, &review(namespace, &attributes)).await
}

fn review(namespace: &str, attributes: &Value) -> Value {
    review_of(&format!("system:serviceaccount:{NAMESPACE}:{ACCOUNT}"), namespace, attributes)
}

fn review_of(user: &str, namespace: &str, attributes: &Value) -> Value {
    let mut attributes = attributes.clone();
    attributes["namespace"] = namespace.into();
    json!({
        "kind": "SubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "spec": {"user": user, "resourceAttributes": attributes},
    })
}

async fn is_allowed(api: &Api, review: &Value) -> bool {
    let answer = api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review).await.expect("a review");
    answer["status"]["allowed"] == true
}

use std::fs::File;

use serde_json::{Value, json};

use super::*;
use crate::engine::{Revision, Seen, ServiceFacts};
use crate::source::recording::{Item, Reader};
use crate::time::Time;

/// What was known at a time of a recorded incident; `None` if the recordings are not available.
fn known_at(incident: &str, until: &str) -> Option<Related> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/incidents");
    let file = File::open(format!("{folder}/{incident}.jsonl.gz")).ok()?;
    let until = time(until);
    let (mut related, mut observer) = (Related::new(), Observer::new());
    for item in Reader::new(file).expect("readable") {
        match item.expect("readable") {
            Item::Record(record) if record.at <= until => {
                related.apply(record.kind, &record.object, &mut observer).expect("not odd");
            }
            Item::Record(_) => break,
            Item::Skipped(skipped) => panic!("{skipped:?}"),
        }
    }
    Some(related)
}

fn time(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

fn owner(kind: &str, name: &str) -> Owner {
    let (kind, name) = (Arc::from(kind), Arc::from(name));
    Owner { kind, name }
}

fn workload(related: &Related, namespace: &str, kind: &str, name: &str) -> Option<WorkloadFacts> {
    let need = Need::Workload { namespace: Arc::from(namespace), owner: owner(kind, name) };
    match related.answer(&need)? {
        Observation::Workload(facts) => Some(*facts),
        other => panic!("no workload: {other:?}"),
    }
}

fn services(related: &Related, labels: &[(&str, &str)]) -> Option<Vec<ServiceFacts>> {
    let labels = labels.iter().map(|(key, value)| (Arc::from(*key), Arc::from(*value)));
    let need =
        Need::Services { namespace: Arc::from("n"), owner: owner("ReplicaSet", "web-1"), labels: labels.collect() };
    match related.answer(&need)? {
        Observation::Services(facts) => Some(facts.services),
        other => panic!("no Services: {other:?}"),
    }
}

/// Number, time and author of a revision, and its liveness path.
fn told(revision: &Revision) -> (u64, Option<String>, Option<&str>, &str) {
    let probe = revision.template.containers[0].liveness.as_ref().expect("a probe");
    (
        revision.number,
        revision.at.map(|at| at.to_string()),
        revision.by.as_deref(),
        &probe.handler.http().expect("httpGet").path,
    )
}

#[allow(clippy::needless_pass_by_value, reason = "reads better where it is built in place")]
fn put(related: &mut Related, object: Object) {
    change(related, RecordKind::Modified, &object).expect("not odd");
}

fn change(related: &mut Related, kind: RecordKind, object: &Object) -> Result<bool, Oddity> {
    related.apply(kind, object, &mut Observer::new())
}

fn lite<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object")
}

fn pod_template() -> Value {
    json!({"spec": {"containers": [{"name": "app", "livenessProbe": {"httpGet": {"port": 80}}}]}})
}

fn replica_set(name: &str, revision: &str, above: (&str, &str), created: &str, more: &Value) -> Object {
    let mut annotations = json!({"deployment.kubernetes.io/revision": revision});
    for (key, value) in more.as_object().expect("annotations") {
        annotations[key] = value.clone();
    }
    Object::ReplicaSet(lite(json!({
        "metadata": {
            "name": name, "namespace": "n", "uid": name, "creationTimestamp": created,
            "labels": {"pod-template-hash": name}, "annotations": annotations,
            "ownerReferences": [{"kind": above.0, "name": above.1, "controller": true}],
        },
        "spec": {"replicas": 2, "template": pod_template()},
    })))
}

/// A Deployment whose template was touched by these managers at these times.
fn deployment(uid: &str, current: &str, touches: &[(&str, &str)]) -> Object {
    let touch = |(manager, time): &(&str, &str)| json!({"manager": manager, "time": time, "fieldsV1": {"f:spec": {"f:template": {}}}});
    let managed: Vec<_> = touches.iter().map(touch).collect();
    Object::Deployment(lite(json!({
        "metadata": {
            "name": "web", "namespace": "n", "uid": uid, "generation": 3, "managedFields": managed,
            "annotations": {"deployment.kubernetes.io/revision": current},
        },
        "spec": {"replicas": 2}, "status": {"observedGeneration": 3},
    })))
}

fn who(related: &Related, number: u64) -> (Option<String>, Option<String>) {
    let facts = workload(related, "n", "Deployment", "web").expect("known");
    let revision = facts.revisions.iter().find(|revision| revision.number == number);
    let revision = revision.expect("known");
    (revision.at.map(|at| at.to_string()), revision.by.as_deref().map(str::to_owned))
}

fn said(at: &str, by: &str) -> (Option<String>, Option<String>) {
    (Some(time(at).to_string()), Some(by.to_owned()))
}

#[test]
fn a_rollout_is_told_with_who_did_it_and_when() {
    let name = "auth-service-645c95c467";
    let Some(related) = known_at("auth-service-outage", "2026-11-23T07:16:43.83Z") else {
        return;
    };
    assert!(workload(&related, "auth-prod", "ReplicaSet", name).is_none());
    let related = known_at("auth-service-outage", "2026-11-23T07:17:30Z").expect("at hand");
    let facts = workload(&related, "auth-prod", "ReplicaSet", name).expect("known");
    assert_eq!(facts.top, owner("Deployment", "auth-service"));
    assert_eq!((facts.desired, facts.revisions.len()), (Some(50), 1));
    let first = (1, Some("2026-11-23T07:16:43.000Z".to_owned()), Some("kubectl-client-side-apply"), "/health");
    assert_eq!(told(&facts.revisions[0]), first);
    let related = known_at("auth-service-outage", "2026-11-23T07:19:00Z").expect("at hand");
    let facts = workload(&related, "auth-prod", "ReplicaSet", name).expect("known");
    assert_eq!(facts.revisions.len(), 2);
    assert_eq!(told(&facts.revisions[0]), first);
    let edited = (2, Some("2026-11-23T07:18:24.000Z".to_owned()), Some("kubectl-edit"), "/v2/health");
    assert_eq!(told(&facts.revisions[1]), edited);
    let related = known_at("auth-service-outage", "2026-11-23T07:24:00Z").expect("at hand");
    let facts = workload(&related, "auth-prod", "ReplicaSet", name).expect("known");
    let numbers: Vec<_> = facts.revisions.iter().map(|revision| revision.number).collect();
    assert_eq!(numbers, [2, 3]);
    assert_eq!(told(&facts.revisions[0]), edited);
}

#[test]
fn a_revisions_template_is_that_of_its_pods() {
    for incident in ["auth-service-outage", "agents-k134"] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/incidents");
        let Ok(file) = File::open(format!("{folder}/{incident}.jsonl.gz")) else {
            return;
        };
        let (mut related, mut observer) = (Related::new(), Observer::new());
        let mut compared = 0;
        for item in Reader::new(file).expect("readable") {
            let Item::Record(record) = item.expect("readable") else {
                continue;
            };
            related.apply(record.kind, &record.object, &mut observer).expect("not odd");
            let Object::Pod(pod) = &record.object else { continue };
            let pod = observer.pod(pod, Seen::Changed).expect("not odd");
            let above = pod.owner.expect("a controller");
            let facts = workload(&related, &pod.id.namespace, &above.kind, &above.name).expect("known");
            let mut revisions = facts.revisions.iter();
            compared += usize::from(revisions.any(|revision| Arc::ptr_eq(&revision.template, &pod.template)));
        }
        assert!(compared > 20, "{incident}: {compared}");
    }
}

#[test]
fn a_rollback_is_the_old_template_under_a_new_number() {
    let Some(related) = known_at("agents-k134", "2026-11-23T08:02:00Z") else {
        return;
    };
    let facts = workload(&related, "agents", "DaemonSet", "node-agent").expect("known");
    let before: Vec<_> = facts.revisions.iter().map(told).collect();
    let applied = (1, Some("2026-11-23T07:59:44.000Z".to_owned()), Some("kubectl-client-side-apply"), "/health");
    let patched = (2, Some("2026-11-23T08:00:35.000Z".to_owned()), Some("kubectl-patch"), "/healthz");
    assert_eq!(before, [applied, patched.clone()]);
    assert_eq!(facts.revisions[1].hash.as_deref(), Some("5f4fbc977d"));
    let related = known_at("agents-k134", "2026-11-23T08:07:00Z").expect("at hand");
    let facts = workload(&related, "agents", "DaemonSet", "node-agent").expect("known");
    let after: Vec<_> = facts.revisions.iter().map(told).collect();
    let undone = (3, Some("2026-11-23T08:06:24.000Z".to_owned()), Some("kubectl"), "/health");
    assert_eq!(after, [patched, undone]);
    assert_eq!((facts.top, facts.desired), (owner("DaemonSet", "node-agent"), Some(1)));
}

#[test]
fn services_are_told_with_their_endpoints() {
    let labels: Arc<[_]> = [(Arc::from("app"), Arc::from("auth-service"))].into();
    let need = Need::Services { namespace: Arc::from("auth-prod"), owner: owner("ReplicaSet", "x"), labels };
    let auth = |until: &str| {
        let related = known_at("auth-service-outage", until)?;
        let Some(Observation::Services(facts)) = related.answer(&need) else {
            return None;
        };
        facts.services.into_iter().next()
    };
    let Some(early) = auth("2026-11-23T07:16:44Z") else {
        return;
    };
    assert_eq!((&*early.name, early.ready), ("auth", 0));
    let healthy = auth("2026-11-23T07:17:50Z").expect("known");
    assert_eq!((healthy.ready, healthy.total), (50, 50));
    let out = auth("2026-11-23T07:19:30Z").expect("known");
    assert!(out.ready < 50 && out.total >= 50, "{out:?}");
}

#[test]
fn who_brought_a_revision_is_remembered_when_a_newer_one_comes() {
    let mut related = Related::new();
    put(&mut related, deployment("u", "1", &[("helm", "2026-01-01T00:00:00Z")]));
    put(&mut related, replica_set("a", "1", ("Deployment", "web"), "2026-01-01T00:00:01Z", &json!({})));
    assert_eq!(who(&related, 1), said("2026-01-01T00:00:01Z", "helm"));
    // The newer ReplicaSet is seen before the change of the Deployment.
    put(&mut related, replica_set("b", "2", ("Deployment", "web"), "2026-01-02T00:00:00Z", &json!({})));
    assert_eq!(who(&related, 2).1, None);
    let touches = [("helm", "2026-01-01T00:00:00Z"), ("kubectl-edit", "2026-01-02T00:00:00Z")];
    put(&mut related, deployment("u", "2", &touches));
    assert_eq!(who(&related, 1), said("2026-01-01T00:00:01Z", "helm"));
    assert_eq!(who(&related, 2), said("2026-01-02T00:00:00Z", "kubectl-edit"));
    // A manager's time changes with its other fields.
    let touches = [("helm", "2026-01-01T00:00:00Z"), ("kubectl-edit", "2026-01-09T00:00:00Z")];
    put(&mut related, deployment("u", "2", &touches));
    assert_eq!(who(&related, 2), said("2026-01-02T00:00:00Z", "kubectl-edit"));
    // Another Deployment of the same name has a history of its own.
    put(&mut related, deployment("v", "2", &[]));
    assert_eq!(who(&related, 1).1, None);
}

#[test]
fn a_revision_that_came_back_did_so_when_the_template_was_changed() {
    let mut related = Related::new();
    let history = json!({"deployment.kubernetes.io/revision-history": "1"});
    put(&mut related, replica_set("a", "3", ("Deployment", "web"), "2026-01-01T00:00:00Z", &history));
    put(&mut related, replica_set("b", "2", ("Deployment", "web"), "2026-01-02T00:00:00Z", &json!({})));
    assert_eq!(who(&related, 3), (None, None));
    put(&mut related, deployment("u", "3", &[("kubectl", "2026-01-03T00:00:00Z")]));
    assert_eq!(who(&related, 3), said("2026-01-03T00:00:00Z", "kubectl"));
}

#[test]
fn only_the_newest_revisions_are_told() {
    let mut related = Related::new();
    for number in 1..=20 {
        let (name, revision) = (format!("rs-{number}"), number.to_string());
        put(&mut related, replica_set(&name, &revision, ("Deployment", "web"), "2026-01-01T00:00:00Z", &json!({})));
    }
    let facts = workload(&related, "n", "ReplicaSet", "rs-20").expect("known");
    let numbers: Vec<_> = facts.revisions.iter().map(|revision| revision.number).collect();
    assert_eq!(numbers, (9..=20).collect::<Vec<_>>());
}

#[test]
fn a_custom_owner_is_the_top_and_its_replica_sets_count_together() {
    let mut related = Related::new();
    let revision = json!({"rollout.argoproj.io/revision": "4"});
    for name in ["a", "b"] {
        put(&mut related, replica_set(name, "none", ("Rollout", "web"), "2026-01-01T00:00:00Z", &revision));
    }
    let facts = workload(&related, "n", "ReplicaSet", "a").expect("known");
    assert_eq!((facts.top, facts.desired), (owner("Rollout", "web"), Some(4)));
}

#[test]
fn an_odd_number_of_pods_is_told_and_costs_no_more() {
    let mut related = Related::new();
    let mut observer = Observer::new();
    let odd = json!({"metadata": {"name": "web", "namespace": "n", "labels": {"argocd.argoproj.io/instance": "shop"}},
        "spec": {"replicas": -1, "paused": true}});
    related.apply(RecordKind::Added, &Object::Deployment(lite(odd)), &mut observer).expect("not refused");
    assert_eq!(observer.take_oddities()[0].to_string(), "spec.replicas: -1 is out of range");
    let facts = workload(&related, "n", "Deployment", "web").expect("known");
    assert_eq!((facts.desired, facts.paused), (None, true));
    assert_eq!(facts.managed_by.as_deref(), Some("Argo CD application shop"));
}

#[test]
fn a_rollout_tells_whose_template_it_runs() {
    let mut related = Related::new();
    let revision = json!({"rollout.argoproj.io/revision": "4"});
    put(&mut related, replica_set("web-5f4", "none", ("Rollout", "web"), "2026-01-01T00:00:00Z", &revision));
    put(
        &mut related,
        Object::Rollout(lite(json!({
            "kind": "Rollout", "metadata": {"name": "web", "namespace": "n", "annotations": revision},
            "spec": {"replicas": 7, "minReadySeconds": 30, "paused": true,
                "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
        }))),
    );
    let facts = workload(&related, "n", "ReplicaSet", "web-5f4").expect("known");
    assert_eq!((facts.top, facts.desired), (owner("Rollout", "web"), Some(7)));
    assert_eq!(facts.workload_ref, Some(owner("Deployment", "web")));
    assert_eq!((facts.paused, facts.min_ready), (true, std::time::Duration::from_secs(30)));
}

#[test]
fn a_job_belongs_to_its_cron_job() {
    let mut related = Related::new();
    put(
        &mut related,
        Object::Job(lite(json!({
            "metadata": {"name": "nightly-1", "namespace": "n",
                "ownerReferences": [{"kind": "CronJob", "name": "nightly", "controller": true}]},
            "spec": {"parallelism": 3},
        }))),
    );
    let labels = json!({"name": "nightly", "namespace": "n", "labels": {"argocd.argoproj.io/instance": "batch"}});
    put(&mut related, Object::CronJob(lite(json!({"metadata": labels}))));
    let facts = workload(&related, "n", "Job", "nightly-1").expect("known");
    assert_eq!((facts.top, facts.desired), (owner("CronJob", "nightly"), Some(3)));
    assert_eq!(facts.managed_by.as_deref(), Some("Argo CD application batch"));
    assert!(facts.revisions.is_empty());
}

#[test]
fn a_stateful_sets_pods_carry_the_revisions_whole_name() {
    let mut related = Related::new();
    put(
        &mut related,
        Object::ControllerRevision(lite(json!({
            "metadata": {"name": "db-6f7", "namespace": "n", "labels": {"controller-revision-hash": "6f7"},
                "ownerReferences": [{"kind": "StatefulSet", "name": "db", "controller": true}]},
            "data": {"spec": {"template": pod_template()}}, "revision": 1,
        }))),
    );
    let facts = workload(&related, "n", "StatefulSet", "db").expect("known");
    assert_eq!(facts.revisions[0].hash.as_deref(), Some("db-6f7"));
    assert_eq!(facts.revisions[0].template.revision_hash.as_deref(), Some("db-6f7"));
}

#[test]
fn who_keeps_the_manifest_is_told() {
    for (meta, wanted) in [
        (json!({"labels": {"argocd.argoproj.io/instance": "web"}}), Some("Argo CD application web")),
        (
            json!({"annotations": {"argocd.argoproj.io/tracking-id": "web:apps/Deployment:n/web"}}),
            Some("Argo CD application web"),
        ),
        (json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "web"}}), Some("Flux kustomization web")),
        (json!({"labels": {"helm.toolkit.fluxcd.io/name": "web"}}), Some("Flux Helm release web")),
        (
            json!({"labels": {"app.kubernetes.io/managed-by": "Helm"},
                "annotations": {"meta.helm.sh/release-name": "web"}}),
            Some("Helm release web"),
        ),
        (json!({"annotations": {"meta.helm.sh/release-name": "web"}}), None),
        (json!({"labels": {"app.kubernetes.io/managed-by": "Helm"}}), None),
    ] {
        let mut meta = meta;
        meta["name"] = json!("web");
        meta["namespace"] = json!("n");
        let mut related = Related::new();
        put(&mut related, Object::Deployment(lite(json!({"metadata": meta}))));
        let facts = workload(&related, "n", "Deployment", "web").expect("known");
        assert_eq!(facts.managed_by.as_deref(), wanted);
        assert_eq!(facts.desired, Some(1));
    }
}

#[test]
fn endpoints_are_counted_once_and_terminating_ones_not_at_all() {
    let mut related = Related::new();
    assert_eq!(services(&related, &[("app", "web")]), None);
    for (name, selector) in
        [("all", Value::Null), ("none", json!({})), ("web", json!({"app": "web"})), ("db", json!({"app": "db"}))]
    {
        let service = json!({"metadata": {"name": name, "namespace": "n"}, "spec": {"selector": selector}});
        put(&mut related, Object::Service(lite(service)));
    }
    let slice = |name: &str, endpoints: Value| {
        Object::EndpointSlice(lite(json!({
            "metadata": {"name": name, "namespace": "n", "labels": {"kubernetes.io/service-name": "web"}},
            "endpoints": endpoints,
        })))
    };
    let pod = |name: &str| json!({"kind": "Pod", "name": name});
    put(
        &mut related,
        slice(
            "v4",
            json!([
                {"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "targetRef": pod("a")},
                {"addresses": ["10.0.0.2"], "conditions": {"ready": false}, "targetRef": pod("b")},
                {"addresses": ["10.0.0.3"], "conditions": {"ready": false, "terminating": true}, "targetRef": pod("c")},
                {"addresses": ["10.0.0.4"], "conditions": null},
            ]),
        ),
    );
    put(&mut related, slice("v6", json!([{"addresses": ["fd::1"], "targetRef": pod("a")}])));
    put(&mut related, slice("none", Value::Null));
    let found = services(&related, &[("app", "web"), ("tier", "front")]).expect("known");
    let [web] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!((&*web.name, web.ready, web.total), ("web", 2, 3));
    change(&mut related, RecordKind::Deleted, &slice("v4", Value::Null)).expect("not odd");
    let found = services(&related, &[("app", "web")]).expect("known");
    assert_eq!((found[0].ready, found[0].total), (1, 1));
    assert_eq!(services(&related, &[("app", "other")]), Some(Vec::new()));
}

#[test]
fn an_odd_object_changes_nothing() {
    let mut related = Related::new();
    put(&mut related, deployment("u", "1", &[]));
    let odd = json!({"metadata": {"name": "web", "namespace": ["n"]}, "spec": {"replicas": 5}});
    let odd = change(&mut related, RecordKind::Modified, &Object::Deployment(lite(odd)));
    assert_eq!(odd.unwrap_err().to_string(), "metadata.namespace: expected a string, found a list");
    let other = json!({"kind": "Deployment", "metadata": {"name": "web", "namespace": "n"}});
    let other = change(&mut related, RecordKind::Modified, &Object::Service(lite(other)));
    assert_eq!(other.unwrap_err().to_string(), "a Deployment among services");
    assert_eq!(workload(&related, "n", "Deployment", "web").expect("known").desired, Some(2));
}

#[test]
fn what_is_deleted_is_known_no_more() {
    let mut related = Related::new();
    put(&mut related, deployment("u", "1", &[]));
    change(&mut related, RecordKind::Deleted, &deployment("u", "1", &[])).expect("not odd");
    assert!(workload(&related, "n", "Deployment", "web").is_none());
    let pod = workload(&related, "n", "Pod", "web").expect("a bare pod is known");
    assert_eq!((pod.desired, pod.top), (Some(1), owner("Pod", "web")));
}

//! Pods and events in protobuf: the lean object is that of the JSON, and no bytes are too odd.

use probehound::source::cluster::wire::{EVENTS, PODS, Schema};
use probehound::source::objects::{EventLite, PodLite, Shape};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::protobuf::{as_served, object, put_bytes, put_number};
use crate::support::{Incident, assert_none, corpus, folder, incidents_in};

#[test]
fn every_pod_and_event_of_every_recording_is_the_same_in_both_encodings() {
    let wild = incidents_in(&folder().join("wild"));
    let incidents: Vec<&Incident> = corpus().iter().chain(&wild).collect();
    let (one, other) = incidents.split_at(incidents.len() / 2);
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(|| Compared::of(one));
        let other = Compared::of(other);
        (one.join().expect("no panic"), other)
    });
    assert_none("differences", &[one.differences, other.differences].concat());
    let (pods, events) = (one.pods + other.pods, one.events + other.events);
    assert!(pods > 10_000 && events > 10_000, "{pods} pods and {events} events");
}

#[derive(Default)]
struct Compared {
    pods: usize,
    events: usize,
    differences: Vec<String>,
}

impl Compared {
    fn of(incidents: &[&Incident]) -> Self {
        let mut all = Self::default();
        for incident in incidents {
            for line in &incident.recording().lines {
                let difference = match &*line.resource {
                    "pods" => {
                        all.pods += 1;
                        difference(&PODS, "Pod", &line.object.json)
                    }
                    "events" => {
                        all.events += 1;
                        difference(&EVENTS, "Event", &line.object.json)
                    }
                    _ => continue,
                };
                all.differences.extend(difference.map(|what| format!("{}: {what}", incident.name)));
            }
        }
        all
    }
}

/// What differs between an object in JSON and in protobuf.
fn difference<T>(schema: &'static Schema<T>, kind: &str, text: &str) -> Option<String>
where
    T: Shape + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let mut json: Value = serde_json::from_str(text).expect("a recording is JSON");
    // A bookmark has no name.
    json.get("metadata").and_then(|metadata| metadata.get("name"))?;
    as_served(kind, &mut json);
    let of_json: T = serde_json::from_value(json.clone()).expect("an object");
    let shown_kind = json.get("kind").and_then(Value::as_str);
    let of_wire = schema.decode(shown_kind, &object(kind, &json)).expect("readable");
    (*of_wire != of_json).then(|| format!("{of_wire:?}\nis not\n{of_json:?}"))
}

fn same<T>(schema: &'static Schema<T>, kind: &str, json: &Value)
where
    T: Shape + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    assert_eq!(difference(schema, kind, &json.to_string()), None);
}

#[test]
fn a_pod_with_all_fields_is_the_same_in_both_encodings() {
    same(&PODS, "Pod", &full_pod());
}

#[test]
fn an_event_of_either_style_is_the_same_in_both_encodings() {
    let metadata = json!({"name": "web.17", "namespace": "shop", "uid": "u", "resourceVersion": "9"});
    let involved = json!({"kind": "Pod", "namespace": "shop", "name": "web", "uid": "u",
        "fieldPath": "spec.containers{app}"});
    same(
        &EVENTS,
        "Event",
        &json!({"kind": "Event", "metadata": metadata, "involvedObject": involved,
        "reason": "Unhealthy", "message": "Liveness probe failed: \u{1f415}", "source": {"component": "kubelet"},
        "firstTimestamp": "2026-11-24T09:59:58Z", "lastTimestamp": "2026-11-24T10:00:08Z", "count": 3,
        "eventTime": null, "reportingComponent": "kubelet", "reportingInstance": "node"}),
    );
    same(
        &EVENTS,
        "Event",
        &json!({"metadata": metadata, "involvedObject": involved, "source": {},
        "firstTimestamp": null, "lastTimestamp": null, "eventTime": "2026-11-24T09:59:58.000120Z",
        "series": {"count": 7, "lastObservedTime": "2026-11-24T10:59:58.999999Z"}, "reportingComponent": ""}),
    );
}

#[test]
fn times_that_stand_for_none_are_the_same_in_both_encodings() {
    for time in [json!(null), json!("1970-01-01T00:00:00Z"), json!("2026-11-24T09:59:58Z")] {
        same(
            &PODS,
            "Pod",
            &json!({"metadata": {"name": "web", "creationTimestamp": time}, "status": {
            "startTime": time, "containerStatuses": [{"name": "app", "ready": false, "restartCount": 0,
            "state": {"running": {"startedAt": time}}, "lastState": {}}]}}),
        );
    }
}

#[test]
fn a_time_out_of_range_is_odd_and_nothing_else_is() {
    let mut time = Vec::new();
    put_number(1, i64::MAX as u64, &mut time);
    let (mut metadata, mut pod) = (Vec::new(), Vec::new());
    put_bytes(1, b"web", &mut metadata);
    put_bytes(9, &time, &mut metadata);
    put_bytes(1, &metadata, &mut pod);
    let pod = PODS.decode(None, &pod).expect("readable");
    let metadata = pod.metadata.ok().expect("it has metadata");
    assert!(probehound::source::objects::time(&metadata.deletion_timestamp, "deletionTimestamp").is_err());
    assert_eq!(metadata.name.ok().map(String::as_str), Some("web"));
}

#[test]
fn of_a_list_that_never_ends_a_part_is_kept() {
    let mut spec = Vec::new();
    for _ in 0..100_000 {
        put_bytes(2, b"", &mut spec);
    }
    let mut pod = Vec::new();
    put_bytes(2, &spec, &mut pod);
    let pod = PODS.decode(None, &pod).expect("readable");
    let containers = pod.spec.ok().and_then(|spec| spec.containers.ok()).map(|list| list.0.len());
    assert_eq!(containers, Some(64));
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        _ = PODS.decode(None, &bytes);
        _ = EVENTS.decode(Some("Event"), &bytes);
    }

    #[test]
    fn no_change_of_a_pod_is_too_odd(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
    ) {
        let mut pod = object("Pod", &full_pod());
        for (place, byte) in changes {
            let place = place.index(pod.len());
            pod[place] ^= byte;
        }
        _ = PODS.decode(None, &pod);
        _ = PODS.decode(None, &pod[..end.index(pod.len())]);
    }
}

#[test]
fn a_pod_that_is_cut_is_read_to_a_boundary_or_refused() {
    let pod = object("Pod", &full_pod());
    let whole = PODS.decode(None, &pod).expect("readable");
    let read: Vec<Box<PodLite>> = (0..pod.len()).filter_map(|end| PODS.decode(None, &pod[..end]).ok()).collect();
    // Between the fields of the pod itself, and before what is unknown at its end.
    assert!(read.len() < 12, "{}", read.len());
    assert!(read.iter().filter(|part| **part != whole).count() >= 3);
    assert_eq!(EVENTS.decode(None, b"").ok(), Some(Box::new(EventLite::default())));
}

/// A pod in which each field that is read has a value.
fn full_pod() -> Value {
    let key = json!({"name": "config", "key": "a", "optional": false});
    let probe = |handler: &str, of: Value| {
        json!({handler: of, "initialDelaySeconds": 3, "timeoutSeconds": 1,
        "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3, "terminationGracePeriodSeconds": 0})
    };
    let container = json!({
        "name": "app", "image": "app:1", "imagePullPolicy": "Always", "restartPolicy": "Never",
        "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42, 1]}}],
        "command": ["sh", "-c"], "args": ["", "run"],
        "env": [{"name": "A", "value": "1"}, {"name": "B"},
            {"name": "C", "valueFrom": {"configMapKeyRef": key}}, {"name": "D", "valueFrom": {"secretKeyRef": key}},
            {"name": "E", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
            {"name": "F", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "0"}}},
            {"name": "G", "valueFrom": {"fileKeyRef": {"volumeName": "v", "path": "p", "key": "k"}}}],
        "envFrom": [{"prefix": "P_", "configMapRef": {"name": "all"}}, {"secretRef": {"name": "s", "optional": true}}],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "resources": {"limits": {"cpu": "1", "memory": "128Mi"}, "requests": {"cpu": "100m"}},
        "lifecycle": {"postStart": {"exec": {"command": ["true"]}}},
        "livenessProbe": probe("httpGet", json!({"path": "/", "port": "http", "host": "h", "scheme": "HTTPS",
            "httpHeaders": [{"name": "X", "value": "y"}, {"name": "Z", "value": ""}]})),
        "readinessProbe": probe("tcpSocket", json!({"port": 8080, "host": "h"})),
        "startupProbe": probe("grpc", json!({"port": 9090, "service": ""})),
    });
    let init = json!({"name": "init", "image": "init:1", "resources": {},
        "livenessProbe": probe("exec", json!({"command": ["cat", "/ok"]}))});
    let ended = json!({"exitCode": -1, "signal": 9, "reason": "Error", "message": "m", "containerID": "c://1",
        "startedAt": "2026-11-24T09:00:00Z", "finishedAt": "2026-11-24T09:59:58Z"});
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": "web", "generateName": "web-", "namespace": "shop", "uid": "u", "resourceVersion": "9",
            "generation": 2, "creationTimestamp": "2026-11-24T08:00:00Z", "deletionTimestamp": "2026-11-24T10:00:00Z",
            "labels": {"app": "web", "tier": ""}, "annotations": {"kubernetes.io/config.hash": "h", "other": "o"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "r",
                "controller": true, "blockOwnerDeletion": true}, {"kind": "Other", "name": "o", "uid": "o",
                "apiVersion": "v1"}],
            "managedFields": [{"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {}}}]},
        "spec": {"containers": [container], "initContainers": [init], "restartPolicy": "Always", "hostNetwork": true,
            "terminationGracePeriodSeconds": 30, "nodeName": "node", "enableServiceLinks": false,
            "tolerations": [{"key": "k", "operator": "Exists"}]},
        "status": {"phase": "Running", "reason": "Evicted", "podIP": "10.0.0.1", "startTime": "2026-11-24T08:00:01Z",
            "containerStatuses": [{"name": "app", "ready": false, "started": false, "restartCount": 3,
                "image": "app:1", "imageID": "", "containerID": "c://2", "lastState": {"terminated": ended},
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}}],
            "initContainerStatuses": [{"name": "init", "ready": true, "restartCount": 0, "lastState": {},
                "state": {"running": {"startedAt": "2026-11-24T08:00:02Z"}}}]},
    })
}

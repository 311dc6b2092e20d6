//! Pods and events in protobuf: the lean object is that of the JSON, no bytes are too odd, and what is
//! remembered of the pods read before makes no difference.

use std::sync::Arc;

use probehound::source::cluster::wire::{EVENTS, Memory, PODS, Schema, Unreadable};
use probehound::source::objects::{CommonSpec, EventLite, PodLite};
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
            let mut memory = Memory::default();
            for line in &incident.recording().lines {
                let difference = match &*line.resource {
                    "pods" => {
                        all.pods += 1;
                        difference(&PODS, &mut memory, "Pod", &line.object.json)
                    }
                    "events" => {
                        all.events += 1;
                        difference(&EVENTS, &mut memory, "Event", &line.object.json)
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
fn difference<T>(schema: &'static Schema<T>, memory: &mut Memory, kind: &str, text: &str) -> Option<String>
where
    T: DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let mut json: Value = serde_json::from_str(text).expect("a recording is JSON");
    // A bookmark has no name.
    json.get("metadata").and_then(|metadata| metadata.get("name"))?;
    as_served(kind, &mut json);
    let of_json: T = serde_json::from_value(json.clone()).expect("an object");
    let shown_kind = json.get("kind").and_then(Value::as_str);
    let of_wire = schema.decode(memory, shown_kind, &object(kind, &json)).expect("readable");
    (*of_wire != of_json).then(|| format!("{of_wire:?}\nis not\n{of_json:?}"))
}

fn same<T>(schema: &'static Schema<T>, kind: &str, json: &Value)
where
    T: DeserializeOwned + PartialEq + std::fmt::Debug,
{
    assert_eq!(difference(schema, &mut Memory::default(), kind, &json.to_string()), None);
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
    let pod = decoded(&pod).expect("readable");
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
    let pod = decoded(&pod).expect("readable");
    let containers = pod.spec.ok().and_then(|spec| spec.common.fields.containers.ok()).map(|list| list.0.len());
    assert_eq!(containers, Some(64));
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        _ = decoded(&bytes);
        _ = EVENTS.decode(&mut Memory::default(), Some("Event"), &bytes);
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
        let mut memory = Memory::default();
        decode(&mut memory, &object("Pod", &full_pod())).expect("readable");
        for bytes in [&pod[..], &pod[..end.index(pod.len())]] {
            prop_assert_eq!(decode(&mut memory, bytes), decoded(bytes));
        }
    }

    #[test]
    fn what_is_remembered_of_other_specs_makes_no_difference(
        pods in proptest::collection::vec(
            proptest::collection::vec((any::<prop::sample::Index>(), 0..4_u8), 0..3), 1..6,
        ),
    ) {
        let mut memory = Memory::default();
        decode(&mut memory, &object("Pod", &full_pod())).expect("readable");
        for changes in pods {
            let mut pod = full_pod();
            for (place, how) in changes {
                change(&mut pod["spec"], place, how);
            }
            let pod = object("Pod", &pod);
            prop_assert_eq!(decode(&mut memory, &pod), decoded(&pod));
        }
    }
}

/// Removes a value in a spec, changes it, turns the order of a list around, or doubles its last item.
fn change(spec: &mut Value, place: prop::sample::Index, how: u8) {
    let mut places = Vec::new();
    note_places(spec, "", &mut places);
    let pointer = &places[place.index(places.len())];
    let (around, name) = pointer.rsplit_once('/').expect("a place within");
    match (how, spec.pointer_mut(around).expect("it is there")) {
        (0, Value::Object(fields)) => _ = fields.remove(name),
        (0, Value::Array(items)) => _ = items.pop(),
        (1, Value::Array(items)) => items.reverse(),
        (2, Value::Array(items)) => items.extend(items.last().cloned()),
        _ => match spec.pointer_mut(pointer).expect("it is there") {
            Value::String(text) => text.push('x'),
            Value::Number(number) => *number = (number.as_i64().expect("a whole number") + 1).into(),
            Value::Bool(flag) => *flag = !*flag,
            _ => {}
        },
    }
}

fn note_places(value: &Value, at: &str, places: &mut Vec<String>) {
    let within: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (format!("{at}/{name}"), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(at_item, value)| (format!("{at}/{at_item}"), value)).collect()
        }
        _ => return,
    };
    for (at, value) in within {
        note_places(value, &at, places);
        places.push(at);
    }
}

#[test]
fn a_spec_is_known_again_whatever_is_in_what_is_not_read() {
    let mut memory = Memory::default();
    let first = decode(&mut memory, &object("Pod", &in_its_own_words("a", "node"))).expect("readable");
    for other in [in_its_own_words("b", "node"), in_its_own_words("c", "another-node"), in_its_own_words("d", "")] {
        let pod = decode(&mut memory, &object("Pod", &other)).expect("readable");
        assert!(Arc::ptr_eq(common(&first), common(&pod)), "{other}");
        assert_eq!(pod, decoded(&object("Pod", &other)).expect("readable"));
    }
}

/// A pod that has this text in each kind of field that is not read, on that node.
fn in_its_own_words(text: &str, node: &str) -> Value {
    let mut pod = full_pod();
    pod["metadata"]["name"] = json!(format!("web-{text}"));
    let spec = &mut pod["spec"];
    spec["nodeName"] = json!(node);
    spec["hostname"] = json!(text);
    spec["volumes"] = json!([{"name": text}]);
    spec["tolerations"] = json!([{"key": text}]);
    spec["containers"][0]["volumeMounts"] = json!([{"name": text, "mountPath": text}]);
    spec["containers"][0]["terminationMessagePath"] = json!(text);
    spec["containers"][0]["ports"][0]["protocol"] = json!(text);
    spec["initContainers"][0]["resources"] = json!({"requests": {"cpu": text}});
    pod
}

fn common(pod: &PodLite) -> &Arc<CommonSpec> {
    &pod.spec.ok().expect("it has a spec").common
}

/// A pod, read with nothing remembered.
fn decoded(bytes: &[u8]) -> Result<Box<PodLite>, Unreadable> {
    decode(&mut Memory::default(), bytes)
}

fn decode(memory: &mut Memory, bytes: &[u8]) -> Result<Box<PodLite>, Unreadable> {
    PODS.decode(memory, None, bytes)
}

#[test]
fn a_pod_that_is_cut_is_read_to_a_boundary_or_refused() {
    let pod = object("Pod", &full_pod());
    let whole = decoded(&pod).expect("readable");
    let read: Vec<Box<PodLite>> = (0..pod.len()).filter_map(|end| decoded(&pod[..end]).ok()).collect();
    // Between the fields of the pod itself, and before what is unknown at its end.
    assert!(read.len() < 12, "{}", read.len());
    assert!(read.iter().filter(|part| **part != whole).count() >= 3);
    assert_eq!(EVENTS.decode(&mut Memory::default(), None, b"").ok(), Some(Box::new(EventLite::default())));
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

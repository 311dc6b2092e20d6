mod odd;

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::engine::{EnvField, RestartPolicy, Role, State};
use crate::kubelet::{Handler, Port, Scheme};
use crate::source::uid::uid;
use crate::time::Time;

/// A pod with most of the fields that are read, all valid.
fn pod() -> Value {
    json!({
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "name": "web-7d4-x", "namespace": "shop", "uid": "250cb86a-5af0-496b-bff3-c5b05383b08b",
            "resourceVersion": "13902", "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"app": "web", "pod-template-hash": "7d4", "controller-uid": "x"},
            "ownerReferences": [
                {"kind": "Other", "name": "no"},
                {"kind": "ReplicaSet", "name": "web-7d4", "controller": true},
            ],
            "managedFields": [{"manager": "kubelet", "fieldsV1": {"f:status": {}}}],
        },
        "spec": {
            "nodeName": "node-1",
            "initContainers": [
                {"name": "migrate", "image": "app:1"},
                {"name": "proxy", "image": "envoy", "restartPolicy": "Always"},
            ],
            "containers": [{
                "name": "app", "image": "app:1", "imagePullPolicy": "Always",
                "command": ["/app"], "args": ["--token", "s3cret", "-port=8080"],
                "ports": [{"name": "http", "containerPort": 8080}, {"containerPort": 9090}],
                "env": [
                    {"name": "PASSWORD", "value": "s3cret"},
                    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "k"}}},
                ],
                "envFrom": [{"configMapRef": {"name": "settings"}}],
                "resources": {"limits": {"memory": "64Mi"}},
                "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}],
                "lifecycle": {"postStart": {"exec": {"command": ["true"]}}},
                "livenessProbe": {
                    "httpGet": {
                        "path": "/health?token=s3cret", "port": "http", "scheme": "HTTPS",
                        "httpHeaders": [{"name": "Authorization", "value": "Bearer s3cret"}],
                    },
                    "initialDelaySeconds": 5, "terminationGracePeriodSeconds": 7,
                },
                "readinessProbe": {"exec": {"command": ["check", "-ps3cret"]}, "periodSeconds": 3},
                "startupProbe": {"grpc": {"port": 9090, "service": null}, "failureThreshold": 30},
            }],
        },
        "status": {
            "phase": "Running", "podIP": "10.0.0.7",
            "containerStatuses": [{
                "name": "app", "restartCount": 3, "ready": true, "started": true,
                "containerID": "containerd://b", "state": {"running": {"startedAt": "2026-01-01T00:01:00Z"}},
                "lastState": {"terminated": {
                    "exitCode": 137, "reason": "Error", "containerID": "containerd://a",
                    "startedAt": "2026-01-01T00:00:10Z", "finishedAt": "2026-01-01T00:00:50Z",
                    "message": "bad --password s3cret",
                }},
            }],
        },
    })
}

fn snapshot_of(pod: &Value) -> Result<PodSnapshot, Oddity> {
    let pod: PodLite = serde_json::from_str(&pod.to_string()).expect("any object decodes");
    Observer::new().pod(&pod, Seen::Changed)
}

/// The pod with `value` at `pointer`.
fn with(pointer: &str, value: Value) -> Value {
    let mut pod = pod();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = pod.pointer_mut(parent).expect("it exists");
    match parent {
        Value::Object(fields) => {
            fields.insert(key.to_owned(), value);
        }
        Value::Array(items) => items[key.parse::<usize>().expect("an index")] = value,
        _ => panic!("no place for {key}"),
    }
    pod
}

fn at(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

#[test]
fn a_pod_becomes_a_snapshot() {
    let snapshot = snapshot_of(&pod()).unwrap();
    assert_eq!(&*snapshot.id.name, "web-7d4-x");
    assert_eq!(snapshot.id.uid.0, 0x250c_b86a_5af0_496b_bff3_c5b0_5383_b08b);
    assert_eq!(snapshot.owner.map(|owner| owner.name.to_string()), Some("web-7d4".to_owned()));
    assert_eq!(snapshot.node.as_deref(), Some("node-1"));
    assert_eq!(snapshot.ip.map(|ip| ip.to_string()), Some("10.0.0.7".to_owned()));
    assert_eq!(snapshot.created, Some(at("2026-01-01T00:00:00Z")));
    assert_eq!(snapshot.version, 13902);
    assert!(!snapshot.deleting && snapshot.ended_by.is_none());
    let container = &snapshot.containers[0];
    assert_eq!((container.index, container.restarts), (2, 3));
    assert!(container.ready && container.started);
    assert_eq!(container.state, State::Running { since: Some(at("2026-01-01T00:01:00Z")) });
    let last = container.last.as_ref().unwrap();
    assert_eq!((last.exit, &*last.reason), (137, "Error"));
    assert_eq!(last.message.as_deref(), Some("bad --password ***"));
    assert_ne!(last.id, container.id);
}

#[test]
fn a_template_has_roles_probes_and_defaults() {
    let template = snapshot_of(&pod()).unwrap().template;
    assert_eq!(template.revision_hash.as_deref(), Some("7d4"));
    assert_eq!(template.restart, RestartPolicy::Always);
    assert_eq!(template.grace, Duration::from_secs(30));
    assert_eq!(template.labels.len(), 1);
    let roles: Vec<_> = template.containers.iter().map(|container| container.role).collect();
    assert_eq!(roles, [Role::Init, Role::Sidecar, Role::App]);
    let app = &template.containers[2];
    assert_eq!(&*app.invocation, "/app --token *** -port=8080");
    assert_eq!(*app.ports, [(Some("http".into()), 8080), (None, 9090)]);
    assert_eq!(*app.env_sources, [(EnvField::Env, "keys".into()), (EnvField::EnvFrom, "settings".into())]);
    assert_eq!(app.memory_limit.as_deref(), Some("64Mi"));
    assert!(app.post_start);
    let liveness = app.liveness.as_ref().unwrap();
    let get = liveness.handler.http().unwrap();
    assert_eq!((get.scheme, &get.port), (Scheme::Https, &Port::Name("http".into())));
    assert_eq!((&*get.path, &*get.headers[0]), ("/health?token=***", "Authorization"));
    assert_eq!(liveness.initial_delay, Duration::from_secs(5));
    assert_eq!((liveness.period, liveness.timeout), (Duration::from_secs(10), Duration::from_secs(1)));
    assert_eq!((liveness.failure_threshold, liveness.grace), (3, Some(Duration::from_secs(7))));
    let readiness = app.readiness.as_ref().unwrap();
    assert_eq!(readiness.handler, Handler::Exec(["check".into(), "-p***".into()].into()));
    assert_eq!(app.startup.as_ref().unwrap().failure_threshold, 30);
}

#[test]
fn no_secret_is_left_in_a_snapshot() {
    let seen = format!("{:?}", snapshot_of(&pod()).unwrap());
    assert!(!seen.contains("s3cret"), "{seen}");
    let decoded: PodLite = serde_json::from_value(pod()).unwrap();
    let container = &decoded.spec.ok().unwrap().common.fields.containers.ok().unwrap().0[0];
    assert!(!format!("{:?}", container.ok().unwrap().env).contains("s3cret"));
}

#[test]
fn marks_change_with_what_they_stand_for() {
    let app = |pod: &Value| {
        let container = &snapshot_of(pod).unwrap().template.containers[2];
        let get = container.liveness.as_ref().unwrap().handler.http().unwrap().headers_mark;
        (container.env_mark, container.invocation_mark, get)
    };
    let before = app(&pod());
    let env = app(&with("/spec/containers/0/env/0/value", json!("other")));
    let args = app(&with("/spec/containers/0/args/1", json!("other")));
    let header = "/spec/containers/0/livenessProbe/httpGet/httpHeaders/0/value";
    let header = app(&with(header, json!("other")));
    assert!(env.0 != before.0 && (env.1, env.2) == (before.1, before.2));
    assert!(args.1 != before.1 && (args.0, args.2) == (before.0, before.2));
    assert!(header.2 != before.2 && (header.0, header.1) == (before.0, before.1));
    assert_eq!(app(&pod()), before);
}

#[test]
fn the_order_of_keys_makes_no_difference() {
    let one = json!({"name": "A", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "x"}}});
    let other = r#"{"valueFrom":{"fieldRef":{"fieldPath":"x","apiVersion":"v1"}},"name":"A"}"#;
    let text = with("/spec/containers/0/env", json!([one])).to_string();
    let turned = text.replace(&one.to_string(), other);
    assert_ne!(text, turned);
    let mark = |text: &str| {
        let pod: PodLite = serde_json::from_str(text).unwrap();
        let snapshot = Observer::new().pod(&pod, Seen::Listed).unwrap();
        snapshot.template.containers[2].env_mark
    };
    assert_eq!(mark(&text), mark(&turned));
}

#[test]
fn pods_of_a_template_share_it() {
    let mut observer = Observer::new();
    let mut template = |pod: &Value| {
        let pod: PodLite = serde_json::from_value(pod.clone()).unwrap();
        observer.pod(&pod, Seen::Listed).unwrap().template
    };
    let one = template(&pod());
    let other = template(&with("/metadata/labels/controller-uid", json!("another")));
    let changed = template(&with("/spec/containers/0/image", json!("app:2")));
    assert!(Arc::ptr_eq(&one, &other));
    assert!(!Arc::ptr_eq(&one, &changed));
}

#[test]
fn absent_null_and_empty_are_fine() {
    for (pointer, value) in [
        ("/kind", Value::Null),
        ("/status", Value::Null),
        ("/status/containerStatuses", Value::Null),
        ("/status/initContainerStatuses", Value::Null),
        ("/status/containerStatuses/0/lastState", json!({})),
        ("/status/containerStatuses/0/lastState", json!({"terminated": null})),
        ("/status/containerStatuses/0/state", Value::Null),
        ("/status/containerStatuses/0/state", json!({"paused": {}})),
        ("/status/containerStatuses/0/restartCount", json!(2_147_483_646)),
        ("/status/podIP", json!("not an address")),
        ("/spec/initContainers", Value::Null),
        ("/spec/restartPolicy", json!("Sometimes")),
        ("/spec/containers/0/ports", Value::Null),
        ("/spec/containers/0/env", Value::Null),
        ("/spec/containers/0/env/0/value", Value::Null),
        ("/spec/containers/0/livenessProbe", json!({"future": {}})),
        ("/spec/containers/0/livenessProbe/httpGet/scheme", json!("FTP")),
        ("/metadata/labels", Value::Null),
        ("/metadata/labels", json!({"app": 1})),
        ("/metadata/ownerReferences", Value::Null),
        ("/metadata/creationTimestamp", json!("0001-01-01T00:00:00Z")),
        ("/metadata/resourceVersion", json!("no number")),
        ("/metadata/annotations", json!({"kubernetes.io/config.hash": 1})),
        ("/metadata/managedFields", json!("not looked at")),
        ("/spec/volumes", json!("not looked at")),
    ] {
        let seen = snapshot_of(&with(pointer, value.clone()));
        assert!(seen.is_ok(), "{pointer} {value}: {}", seen.unwrap_err());
    }
}

#[test]
fn restart_rules_and_the_host_s_network_are_read() {
    use crate::engine::{ExitCodes, HashLabel, RestartAction, RestartRule};

    let mut pod = with("/spec/hostNetwork", json!(true));
    pod["spec"]["containers"][0]["restartPolicy"] = json!("Never");
    pod["spec"]["containers"][0]["restartPolicyRules"] = json!([
        {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}},
        {"action": "RestartAllContainers", "exitCodes": {"operator": "NotIn", "values": [0, 1]}},
        {"action": "Dance"},
    ]);
    let template = snapshot_of(&pod).unwrap().template;
    let app = &template.containers[2];
    let codes = |listed, values: &[i32]| Some(ExitCodes { listed, values: values.into() });
    assert!(template.host_network);
    assert_eq!(template.hash_label, Some(HashLabel::PodTemplate));
    assert_eq!(app.restart, Some(RestartPolicy::Never));
    assert_eq!(
        *app.restart_rules,
        [
            RestartRule { action: RestartAction::Container, exit_codes: codes(true, &[42]) },
            RestartRule { action: RestartAction::All, exit_codes: codes(false, &[0, 1]) },
            RestartRule { action: RestartAction::Other, exit_codes: None },
        ]
    );
    assert!(app.restart_rules[1].exit_codes.as_ref().is_some_and(|codes| codes.fit(137) && !codes.fit(1)));
}

#[test]
fn a_key_that_comes_twice_counts_the_last_time() {
    let text = r#"{"kind":"ConfigMap","kind":"Pod","metadata":{"name":"a","name":"b"},"spec":{"containers":[]}}"#;
    let pod: PodLite = serde_json::from_str(text).unwrap();
    assert_eq!(&*Observer::new().pod(&pod, Seen::Listed).unwrap().id.name, "b");
}

#[test]
fn only_an_object_is_a_pod() {
    for text in ["null", "[]", "3", "\"pod\"", "true"] {
        assert!(serde_json::from_str::<PodLite>(text).is_err());
    }
    assert!(serde_json::from_str::<PodLite>("{}").is_ok());
}

#[test]
fn what_is_too_much_is_left_out() {
    let containers: Vec<_> = (0..500).map(|number| json!({"name": number.to_string()})).collect();
    let snapshot = snapshot_of(&with("/spec/containers", json!(containers))).unwrap();
    assert_eq!(snapshot.template.containers.len(), 2 + 64);
    let labels: serde_json::Map<_, _> = (0..500).map(|number| (number.to_string(), json!("x"))).collect();
    let snapshot = snapshot_of(&with("/metadata/labels", Value::Object(labels))).unwrap();
    assert_eq!(snapshot.template.labels.len(), 64);
    let snapshot = snapshot_of(&with("/metadata/name", json!("é".repeat(1000)))).unwrap();
    assert_eq!(snapshot.id.name.len(), 252);
}

#[test]
fn a_static_pods_events_carry_its_hash() {
    let event_uid = |name: &str, controller: Value| {
        let mut pod = with("/metadata/annotations", json!({"kubernetes.io/config.hash": "0d5ea2b1c2d3e4f5"}));
        pod["metadata"]["name"] = json!(name);
        pod["metadata"]["ownerReferences"] = json!([controller]);
        snapshot_of(&pod).unwrap().event_uid
    };
    let of = |kind: &str, name: &str, controls: bool| json!({"kind": kind, "name": name, "controller": controls});
    assert_eq!(event_uid("etcd-node-1", of("Node", "node-1", true)), Some(uid("0d5ea2b1c2d3e4f5")));
    for (name, controller) in [
        ("etcd-node-1", of("ReplicaSet", "node-1", true)),
        ("etcd-node-1", of("Node", "node-1", false)),
        ("etcd-node-2", of("Node", "node-2", true)),
        ("etcdnode-1", of("Node", "node-1", true)),
        ("etcd", of("Node", "node-1", true)),
        ("web-7d4-x", of("ReplicaSet", "web-7d4", true)),
    ] {
        assert_eq!(event_uid(name, controller.clone()), None, "{name} {controller}");
    }
}

#[test]
fn an_owner_whose_kind_cannot_be_one_is_none() {
    for kind in ["Foo/Bar", "--filename=http://evil", "a b", "<!channel>", "$(id)", "Réplica"] {
        let owners = json!([{"kind": kind, "name": "web", "controller": true}]);
        let mut observer = Observer::new();
        let pod: PodLite = serde_json::from_str(&with("/metadata/ownerReferences", owners).to_string()).unwrap();
        assert_eq!(observer.pod(&pod, Seen::Listed).unwrap().owner, None, "{kind}");
        assert_eq!(observer.take_oddities().len(), 1, "{kind}");
    }
}

#[test]
fn a_static_pod_is_nobody_s() {
    let owners = json!([{"apiVersion": "v1", "kind": "Node", "name": "node-1", "controller": true}]);
    let snapshot = snapshot_of(&with("/metadata/ownerReferences", owners)).unwrap();
    assert_eq!((snapshot.owner, snapshot.is_static), (None, true));
}

#[test]
fn a_failed_pod_says_what_ended_it() {
    let mut pod = with("/status/phase", json!("Failed"));
    pod["status"]["reason"] = json!("Evicted");
    assert_eq!(snapshot_of(&pod).unwrap().ended_by.as_deref(), Some("Evicted"));
    pod["status"]["phase"] = json!("Running");
    assert_eq!(snapshot_of(&pod).unwrap().ended_by, None);
}

#[test]
fn events_of_others_say_nothing_and_an_odd_count_costs_itself() {
    let event = |component: &str, count: Value| {
        let event = json!({
            "kind": "Event", "metadata": {"name": "e", "namespace": "n", "uid": "1"},
            "involvedObject": {"kind": "Pod", "namespace": "n", "name": "p", "fieldPath": "spec.containers{app}"},
            "reason": "Unhealthy", "message": "Liveness probe failed: ", "source": {"component": component},
            "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z", "count": count,
        });
        Observer::new().event(&serde_json::from_value(event).unwrap())
    };
    assert!(event("job-controller", json!(-1)).unwrap().is_none());
    assert!(event("kubelet", json!(1)).is_ok());
    assert_eq!(event("kubelet", json!(-1)).unwrap().map(|event| event.count), Some(1));
}

/// All JSON pointers of a document.
fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| pointers(value, &format!("{at}/{}", key.replace('/', "~1")), out));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| pointers(value, &format!("{at}/{index}"), out));
        }
        _ => {}
    }
}

fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!([null])),
        Just(json!({})),
        Just(json!({"a": [1, {"b": null}]})),
        Just(json!("")),
        Just(json!("0001-01-01T00:00:00Z")),
        Just(json!("+292277022025-01-01T00:00:00Z")),
        Just(json!(true)),
        Just(json!(1e300)),
        Just(json!(u64::MAX)),
        any::<i64>().prop_map(|number| json!(number)),
        ".{0,20}".prop_map(|text| json!(text)),
    ]
}

proptest! {
    #[test]
    fn any_object_decodes_and_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), odd_value()), 1..6)
    ) {
        let mut pod = pod();
        for (index, value) in changes {
            let mut all = Vec::new();
            pointers(&pod, "", &mut all);
            let pointer = index.get(&all).clone();
            if !pointer.is_empty() {
                *pod.pointer_mut(&pointer).expect("it was listed") = value;
            }
        }
        let text = pod.to_string();
        let decoded: PodLite = serde_json::from_str(&text).expect("any object decodes");
        let _ = Observer::new().pod(&decoded, Seen::Listed);
        let decoded: EventLite = serde_json::from_str(&text).expect("any object decodes");
        let _ = Observer::new().event(&decoded);
    }
}

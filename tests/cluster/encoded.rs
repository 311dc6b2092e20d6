//! Pods and events come in protobuf, and are what their JSON says.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use probehound::source::Input;
use probehound::source::cluster::settings::{InitialList, Watch};
use probehound::source::cluster::{Access, Resource, Target, Trouble, WatchHealth, watch};
use probehound::source::objects::{EventLite, PodLite};
use serde_json::{Value, json};

use crate::harness::clock;
use crate::installed::Installed;

/// Within this all is seen, on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(1);

const POD: &str = "/api/v1/namespaces/encoded/pods/web";
const EVENT: &str = "/api/v1/namespaces/encoded/events/web.1";

#[tokio::test]
async fn pods_and_events_come_in_protobuf_and_are_what_their_json_says() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    api.create_namespace("encoded").await;
    api.create("/api/v1/namespaces/encoded/pods", &pod()).await.expect("a pod");
    api.patch(&format!("{POD}/status"), "kubelet", &status()).await.expect("a status");
    api.create("/api/v1/namespaces/encoded/events", &event()).await.expect("an event");
    let target = Target { kubeconfig: Some(installed.cluster.admin_kubeconfig()), context: None };

    for (initial_list, turn) in [(InitialList::List, 1), (InitialList::Stream, 2)] {
        let access = Access::find(&target, clock::now).await.expect("access");
        let health = Arc::new(WatchHealth::new(clock::now));
        let what = Watch { namespaces: vec!["encoded".to_owned()], initial_list, ..Watch::default() };
        let mut inputs = pin!(watch(&access, &what, &health));
        let (mut pods, mut events, mut is_changed) = (Vec::new(), Vec::new(), false);
        let all_is_seen = async {
            while pods.len() < 2 || events.is_empty() {
                match inputs.next().await.expect("it never ends") {
                    Input::Pod(pod, _) => pods.push(pod),
                    Input::Event(event) => events.push(event),
                    _ => {}
                }
                if !pods.is_empty() && !std::mem::replace(&mut is_changed, true) {
                    let change = json!({"metadata": {"labels": {"turn": turn.to_string()}}});
                    api.patch(POD, "kubectl-label", &change).await.expect("a change");
                }
            }
        };
        tokio::time::timeout(PATIENCE, all_is_seen).await.expect("pods and events are seen");

        let (pod_json, event_json) = (api.get(POD).await.expect("the pod"), api.get(EVENT).await.expect("the event"));
        let seen = pods.last().expect("it is seen");
        let mut pod: PodLite = serde_json::from_value(pod_json).expect("a pod");
        pod.kind = seen.kind.clone();
        assert_eq!(**seen, pod, "{initial_list:?}");
        let mut event: EventLite = serde_json::from_value(event_json).expect("an event");
        event.kind = events[0].kind.clone();
        assert_eq!(*events[0], event, "{initial_list:?}");
        for resource in Resource::ALL {
            let health = health.of(resource);
            assert!(health.in_protobuf() > 0 && health.in_protobuf() == health.requests(), "{health:?}");
            assert_eq!(health.errors(Trouble::Decode), 0, "{health:?}");
        }
    }
}

fn pod() -> Value {
    let probe = |path: &str| {
        json!({"httpGet": {"path": path, "port": "http",
        "httpHeaders": [{"name": "X-Token", "value": "t"}]}, "periodSeconds": 7})
    };
    let container = json!({
        "name": "app", "image": "app:1", "command": ["run", "-v"], "args": ["--all"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "A", "value": "1"}, {"name": "EMPTY"},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "b", "optional": true}}},
            {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "config", "key": "c"}}},
            {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "E", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}}],
        "envFrom": [{"prefix": "P_", "configMapRef": {"name": "all"}}],
        "resources": {"limits": {"memory": "131072Ki"}},
        "livenessProbe": probe("/live"),
        "readinessProbe": {"tcpSocket": {"port": 8080}},
        "startupProbe": {"grpc": {"port": 9090}},
        "lifecycle": {"postStart": {"exec": {"command": ["true"]}}},
    });
    json!({
        "metadata": {"name": "web", "labels": {"app": "web", "empty": ""}, "annotations": {"a": "b"}},
        "spec": {"nodeName": "node-of-encoded", "terminationGracePeriodSeconds": 0, "containers": [container],
            "initContainers": [{"name": "init", "image": "init:1", "restartPolicy": "Always"}]},
    })
}

fn status() -> Value {
    let ended = json!({"exitCode": 137, "reason": "Error", "containerID": "containerd://1",
        "startedAt": "2026-11-24T09:00:00Z", "finishedAt": "2026-11-24T09:59:58Z"});
    let waiting = json!({"reason": "CrashLoopBackOff", "message": "back-off 10s"});
    json!({"status": {"phase": "Running", "podIP": "10.0.0.7", "startTime": "2026-11-24T08:59:00Z",
        "containerStatuses": [{"name": "app", "image": "app:1", "imageID": "", "ready": false, "started": false,
            "restartCount": 2, "state": {"waiting": waiting}, "lastState": {"terminated": ended}}]}})
}

fn event() -> Value {
    json!({
        "metadata": {"name": "web.1", "namespace": "encoded"},
        "involvedObject": {"kind": "Pod", "namespace": "encoded", "name": "web", "uid": "u",
            "fieldPath": "spec.containers{app}"},
        "reason": "Unhealthy", "message": "Liveness probe failed: HTTP probe failed with statuscode: 404",
        "type": "Warning", "source": {"component": "kubelet", "host": "node-of-encoded"}, "count": 3,
        "firstTimestamp": "2026-11-24T09:59:00Z", "lastTimestamp": "2026-11-24T09:59:58Z",
    })
}

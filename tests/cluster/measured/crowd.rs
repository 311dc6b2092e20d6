//! A cluster full of pods, as large as they get with service meshes and agents.

use futures::StreamExt;
use futures::stream;
use serde_json::{Value, json};

use crate::harness::Api;

/// Number of namespaces with pods.
const NAMESPACES: usize = 25;

/// Number of pods per Deployment.
const REPLICAS: usize = 10;

/// Since when they run.
const SINCE: &str = "2026-11-20T08:00:00Z";

/// Maximum number of concurrent requests.
pub const AT_ONCE: usize = 8;

/// Creates that many healthy pods, each running and ready.
pub async fn make(api: &Api, count: usize) {
    for number in 0..NAMESPACES {
        api.create_namespace(&namespace(number)).await;
    }
    let api = api.clone().persistent();
    stream::iter(0..count).for_each_concurrent(AT_ONCE, |number| make_one(&api, number)).await;
}

/// The mean size of the pods, as JSON, in bytes.
pub async fn mean_size(api: &Api) -> usize {
    let list = api.get(&format!("/api/v1/namespaces/{}/pods", namespace(0))).await.expect("a list of pods");
    let pods = list["items"].as_array().expect("items");
    pods.iter().map(|pod| pod.to_string().len()).sum::<usize>() / pods.len().max(1)
}

/// The namespace of what has that number.
pub fn namespace(number: usize) -> String {
    format!("team-{}", number % NAMESPACES)
}

async fn make_one(api: &Api, number: usize) {
    let pods = format!("/api/v1/namespaces/{}/pods", namespace(number / REPLICAS));
    let pod = pod(number);
    api.create(&format!("{pods}?fieldManager=kube-controller-manager"), &pod).await.unless_there();
    let name = pod["metadata"]["name"].as_str().expect("a name");
    let status = json!({"status": status(number)});
    api.patch(&format!("{pods}/{name}/status"), "kubelet", &status).await.expect("a status");
}

/// One of them as the API server gives it.
pub fn running(number: usize) -> Value {
    let mut pod = pod(number);
    let metadata = &mut pod["metadata"];
    metadata["namespace"] = namespace(number / REPLICAS).into();
    metadata["uid"] = format!("00000000-0000-4000-9000-{number:012}").into();
    metadata["resourceVersion"] = "1000".into();
    metadata["creationTimestamp"] = SINCE.into();
    pod["status"] = status(number);
    pod
}

fn pod(number: usize) -> Value {
    let workload = format!("service-{}", number / REPLICAS);
    json!({
        "metadata": {
            "name": format!("{workload}-7d9c5b8f64-{number:05}"),
            "labels": {
                "app.kubernetes.io/name": workload, "app.kubernetes.io/instance": format!("{workload}-production"),
                "app.kubernetes.io/version": "2026.11.3", "app.kubernetes.io/component": "server",
                "app.kubernetes.io/managed-by": "Helm", "pod-template-hash": "7d9c5b8f64", "team": namespace(number / REPLICAS),
                "security.istio.io/tlsMode": "istio", "service.istio.io/canonical-name": workload,
            },
            "annotations": {
                "checksum/config": "9b2f1f2c6c1f0e5a6f7b3d1d0b4a8c9e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c",
                "prometheus.io/scrape": "true", "prometheus.io/port": "9090", "prometheus.io/path": "/metrics",
                "sidecar.istio.io/status": "{\"initContainers\":[\"init\"],\"containers\":[\"proxy\"],\"volumes\":[\"envoy\",\"data\"],\"imagePullSecrets\":null,\"revision\":\"default\"}",
                "kubectl.kubernetes.io/default-container": "app",
            },
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{workload}-7d9c5b8f64"),
                "uid": format!("00000000-0000-4000-8000-{:012}", number / REPLICAS), "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "nodeName": format!("node-{}", number % 200),
            "initContainers": [container("init", 2, false)],
            "containers": [container("app", 12, true), container("proxy", 8, true)],
            "volumes": [
                {"name": "config", "configMap": {"name": format!("{workload}-config")}},
                {"name": "data", "emptyDir": {}},
                {"name": "envoy", "emptyDir": {"medium": "Memory"}},
            ],
            "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{
                "weight": 100,
                "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app.kubernetes.io/name": workload}}},
            }]}},
            "securityContext": {"runAsNonRoot": true, "runAsUser": 1000, "fsGroup": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        },
    })
}

fn container(name: &str, variables: usize, is_probed: bool) -> Value {
    let variable = |number| json!({"name": format!("{}_SETTING_{number}", name.to_uppercase()), "value": format!("value-of-the-setting-{number}-in-production")});
    let probe = |path: &str| json!({"httpGet": {"path": path, "port": "http", "scheme": "HTTP"}, "periodSeconds": 10, "failureThreshold": 3});
    let mut container = json!({
        "name": name,
        "image": format!("registry.example/platform/{name}:2026.11.3-8f2c1d7"),
        "args": ["--config=/etc/app/config.yaml", "--log-format=json", "--telemetry=otlp"],
        "env": (0..variables).map(variable).collect::<Vec<_>>(),
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/app", "readOnly": true}, {"name": "data", "mountPath": "/var/lib/app"}],
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
    });
    if is_probed {
        container["ports"] = json!([{"name": "http", "containerPort": 8080, "protocol": "TCP"}]);
        container["livenessProbe"] = probe("/livez");
        container["readinessProbe"] = probe("/readyz");
        container["startupProbe"] = probe("/startupz");
    }
    container
}

fn status(number: usize) -> Value {
    let condition =
        |kind: &str| json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": SINCE});
    let of = |name: &str, state: Value| {
        json!({
            "name": name, "ready": true, "started": true, "restartCount": 0, "state": state, "lastState": {},
            "image": format!("registry.example/platform/{name}:2026.11.3-8f2c1d7"),
            "imageID": "registry.example/platform/app@sha256:5e1c7b6f8d2a4c3b9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f",
            "containerID": format!("containerd://{number:064x}"),
        })
    };
    let conditions =
        ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map(condition);
    let running = json!({"running": {"startedAt": SINCE}});
    let over = json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": SINCE, "finishedAt": SINCE, "containerID": format!("containerd://{number:064x}")}});
    json!({
        "phase": "Running",
        "startTime": SINCE,
        "hostIP": "10.0.0.1",
        "podIP": format!("10.{}.{}.{}", 64 + number / 62_500, number / 250 % 250, number % 250 + 1),
        "conditions": conditions,
        "initContainerStatuses": [of("init", over)],
        "containerStatuses": [of("app", running.clone()), of("proxy", running)],
    })
}

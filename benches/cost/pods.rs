//! Pods in a service mesh: two containers, 16 variables and three probes each, a sidecar's annotations,
//! three field managers. About 14 KB of JSON.

use probehound::time::Time;
use serde_json::{Value, json};

/// Number of pods of a Deployment, unless specified otherwise.
pub const REPLICAS: usize = 20;

/// The healthy pod of that number, as the API server sends it, with that many per Deployment.
pub fn json(number: usize, replicas: usize) -> String {
    let deployment = number / replicas;
    let web = format!("checkout-service-{deployment}");
    let set = format!("{web}-7d9f{deployment:05x}");
    let name = format!("{set}-{number:05x}");
    let labels = json!({
        "app": web, "app.kubernetes.io/name": web, "app.kubernetes.io/part-of": "shop", "team": "payments",
        "pod-template-hash": format!("7d9f{deployment:05x}"),
        "security.istio.io/tlsMode": "istio", "service.istio.io/canonical-name": web,
        "service.istio.io/canonical-revision": "latest", "topology.kubernetes.io/region": "eu-central-1",
    });
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": name, "generateName": format!("{set}-"), "namespace": format!("team-{}", deployment % 50),
            "uid": format!("5f0c1a7e-3b7d-4c51-9a58-{number:012x}"), "resourceVersion": (1000 + number).to_string(),
            "creationTimestamp": "2026-11-23T07:00:00Z", "labels": labels, "annotations": annotations(),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": set, "controller": true,
                "uid": format!("9e0c1a7e-3b7d-4c51-9a58-{deployment:012x}"), "blockOwnerDeletion": true}],
            "managedFields": managed_fields(),
        },
        "spec": {
            "volumes": [{"name": token(number), "projected": {"defaultMode": 420, "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}]}},
                {"name": "istio-envoy", "emptyDir": {"medium": "Memory"}}],
            "containers": [container("checkout", 8080, number), container("istio-proxy", 15021, number)],
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
            "nodeName": format!("ip-10-0-{}-{}.eu-central-1.compute.internal", number / 7500, number / 30 % 250),
            "serviceAccountName": "checkout", "schedulerName": "default-scheduler", "priority": 0,
            "securityContext": {"fsGroup": 1337}, "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority",
        },
        "status": {
            "phase": "Running", "qosClass": "Burstable", "hostIP": "10.0.1.7", "startTime": "2026-11-23T07:00:00Z",
            "podIP": format!("10.{}.{}.{}", number / 62_500 % 250, number / 250 % 250, number % 250),
            "conditions": conditions(),
            "containerStatuses": [status("checkout", number), status("istio-proxy", number)],
        },
    })
    .to_string()
}

/// An event of the pod of that number: its readiness probe failed, at that time by the clock of its node,
/// which the API server was told at another.
pub fn event(number: usize, replicas: usize, (node, server): (Time, Time)) -> String {
    let deployment = number / replicas;
    let pod = format!("checkout-service-{deployment}-7d9f{deployment:05x}-{number:05x}");
    let namespace = format!("team-{}", deployment % 50);
    json!({
        "kind": "Event", "apiVersion": "v1",
        "metadata": {
            "name": format!("{pod}.18ea9b5806e0f176"), "namespace": namespace, "resourceVersion": "1000",
            "uid": format!("7a0c1a7e-3b7d-4c51-9a58-{number:012x}"), "creationTimestamp": server.to_string(),
        },
        "involvedObject": {
            "kind": "Pod", "namespace": namespace, "name": pod, "fieldPath": "spec.containers{checkout}",
            "uid": format!("5f0c1a7e-3b7d-4c51-9a58-{number:012x}"),
        },
        "reason": "Unhealthy", "message": "Readiness probe failed: HTTP probe failed with statuscode: 503",
        "source": {"component": "kubelet", "host": "node"}, "type": "Warning", "count": 1,
        "firstTimestamp": node.to_string(), "lastTimestamp": node.to_string(),
    })
    .to_string()
}

fn annotations() -> Value {
    json!({
        "kubectl.kubernetes.io/default-container": "checkout", "kubectl.kubernetes.io/default-logs-container": "checkout",
        "prometheus.io/path": "/stats/prometheus", "prometheus.io/port": "15020", "prometheus.io/scrape": "true",
        "istio.io/rev": "default", "sidecar.istio.io/interceptionMode": "REDIRECT",
        "sidecar.istio.io/status": "{\"initContainers\":[\"istio-init\"],\"containers\":[\"istio-proxy\"],\"volumes\":\
            [\"workload-socket\",\"credential-socket\",\"istio-envoy\",\"istio-data\",\"istio-podinfo\",\"istio-token\"],\
            \"imagePullSecrets\":null,\"revision\":\"default\"}",
    })
}

/// The name of the volume with a pod's token, which is another one for each pod.
fn token(number: usize) -> String {
    format!("kube-api-access-{number:05x}")
}

fn container(name: &str, port: u16, number: usize) -> Value {
    let probe = |path: &str, period: u32, threshold: u32| {
        json!({"httpGet": {"path": path, "port": port, "scheme": "HTTP"}, "timeoutSeconds": 1, "periodSeconds": period,
            "successThreshold": 1, "failureThreshold": threshold})
    };
    let env: Vec<Value> = (0..16)
        .map(|number| match number % 4 {
            0 => json!({"name": format!("CONFIG_SETTING_{number}"), "valueFrom":
                {"configMapKeyRef": {"name": format!("{name}-config"), "key": format!("setting-{number}")}}}),
            1 => json!({"name": format!("POD_FIELD_{number}"), "valueFrom":
                {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}}),
            _ => json!({"name": format!("SERVICE_ENDPOINT_{number}"),
                "value": format!("http://backend-{number}.shop.svc.cluster.local:8080/api")}),
        })
        .collect();
    json!({
        "name": name, "image": format!("registry.example.com/shop/{name}:1.42.0"), "imagePullPolicy": "IfNotPresent",
        "args": ["--listen=:8080", "--log-level=info"], "env": env,
        "ports": [{"name": "http", "containerPort": port, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "livenessProbe": probe("/healthz", 10, 3), "readinessProbe": probe("/ready", 5, 3),
        "startupProbe": probe("/healthz", 2, 30),
        "volumeMounts": [{"name": token(number), "readOnly": true,
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}],
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsUser": 1337},
    })
}

fn status(name: &str, number: usize) -> Value {
    json!({
        "name": name, "ready": true, "started": true, "restartCount": 0,
        "image": format!("registry.example.com/shop/{name}:1.42.0"),
        "imageID": format!("registry.example.com/shop/{name}@sha256:{:064x}", 0x5eed),
        "containerID": format!("containerd://{:064x}", number + name.len()),
        "state": {"running": {"startedAt": "2026-11-23T07:00:05Z"}}, "lastState": {},
    })
}

fn conditions() -> Value {
    let condition = |kind: &str| {
        json!({"type": kind, "status": "True", "lastProbeTime": null,
            "lastTransitionTime": "2026-11-23T07:00:09Z", "observedGeneration": 1})
    };
    json!(["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map(condition))
}

fn managed_fields() -> Value {
    let of_container = |name: &str| {
        let probe = json!({".": {}, "f:failureThreshold": {}, "f:httpGet": {".": {}, "f:path": {}, "f:port": {}, "f:scheme": {}},
            "f:periodSeconds": {}, "f:successThreshold": {}, "f:timeoutSeconds": {}});
        json!({format!("k:{{\"name\":\"{name}\"}}"): {".": {}, "f:args": {}, "f:env": {".": {},
            "k:{\"name\":\"SERVICE_ENDPOINT_2\"}": {".": {}, "f:name": {}, "f:value": {}},
            "k:{\"name\":\"CONFIG_SETTING_0\"}": {".": {}, "f:name": {}, "f:valueFrom": {".": {}, "f:configMapKeyRef": {}}}},
            "f:image": {}, "f:imagePullPolicy": {}, "f:livenessProbe": probe, "f:name": {}, "f:readinessProbe": probe,
            "f:resources": {".": {}, "f:limits": {".": {}, "f:memory": {}}, "f:requests": {".": {}, "f:cpu": {}, "f:memory": {}}},
            "f:startupProbe": probe, "f:terminationMessagePath": {}, "f:terminationMessagePolicy": {}}})
    };
    let entry = |manager: &str, fields: Value, subresource: Option<&str>| {
        json!({"manager": manager, "operation": "Update", "apiVersion": "v1", "time": "2026-11-23T07:00:09Z",
            "fieldsType": "FieldsV1", "fieldsV1": fields, "subresource": subresource})
    };
    json!([
        entry(
            "istio-sidecar-injector",
            json!({"f:metadata": {"f:annotations": {"f:sidecar.istio.io/status": {}}},
            "f:spec": {"f:containers": [of_container("istio-proxy"), of_container("istio-init")], "f:volumes": {}}}),
            None
        ),
        entry(
            "kube-controller-manager",
            json!({"f:metadata": {"f:annotations": {".": {}}, "f:generateName": {},
            "f:labels": {".": {}, "f:app": {}}, "f:ownerReferences": {".": {}}},
            "f:spec": {"f:containers": [of_container("checkout"), of_container("istio-proxy")], "f:dnsPolicy": {},
            "f:enableServiceLinks": {}, "f:restartPolicy": {}, "f:schedulerName": {}, "f:securityContext": {}}}),
            None
        ),
        entry(
            "kubelet",
            json!({"f:status": {"f:conditions": {"k:{\"type\":\"Ready\"}": {".": {}, "f:status": {}, "f:type": {}}},
            "f:containerStatuses": {}, "f:hostIP": {}, "f:phase": {}, "f:podIP": {}, "f:startTime": {}}}),
            Some("status")
        ),
    ])
}

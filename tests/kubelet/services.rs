//! Services and their endpoints, derived from the pods' statuses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::chance::Chance;
use super::stream::{Line, stamp};

/// The lines, with those of one Service per app added.
pub fn beside(lines: Vec<Line>, chance: &mut Chance) -> Vec<Line> {
    let mut apps: BTreeMap<String, App> = BTreeMap::new();
    let mut all = Vec::new();
    for line in lines {
        let extra = endpoints(&line, &mut apps, chance);
        all.push(line);
        all.extend(extra);
    }
    all.sort_by_key(|line| line.at);
    all
}

/// A Service's pods.
struct App {
    uids: [String; 2],
    pods: BTreeMap<String, Value>,
    written: BTreeSet<(String, bool)>,
}

fn endpoints(line: &Line, apps: &mut BTreeMap<String, App>, chance: &mut Chance) -> Vec<Line> {
    let pod = &line.object;
    if line.resource != "pods" || pod["metadata"]["labels"]["batch.kubernetes.io/job-name"].is_string() {
        return Vec::new();
    }
    let Some(name) = pod["metadata"]["labels"]["app"].as_str() else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let app = apps.entry(name.to_owned()).or_insert_with(|| {
        let uids = [chance.uid(), chance.uid()];
        lines.push(Line {
            at: line.at,
            resource: "services".to_owned(),
            kind: "ADDED",
            object: json!({
                "kind": "Service", "apiVersion": "v1",
                "metadata": {"name": name, "namespace": "prod", "uid": uids[0], "creationTimestamp": stamp(line.at)},
                "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}], "type": "ClusterIP"},
            }),
        });
        App { uids, pods: BTreeMap::new(), written: BTreeSet::from([(String::new(), false)]) }
    });
    let pod_name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    if line.kind == "DELETED" {
        app.pods.remove(&pod_name);
    } else {
        app.pods.insert(pod_name, pod.clone());
    }
    let ready = |pod: &Value| {
        pod["status"]["conditions"][0]["status"] == "True" && pod["metadata"]["deletionTimestamp"].is_null()
    };
    let now: BTreeSet<_> = app.pods.iter().map(|(name, pod)| (name.clone(), ready(pod))).collect();
    if now != app.written {
        let kind = if lines.is_empty() { "MODIFIED" } else { "ADDED" };
        app.written = now;
        let at = line.at + chance.between(5, 60);
        lines.push(Line { at, resource: "endpointslices".to_owned(), kind, object: app.slice(name, &ready) });
    }
    lines
}

impl App {
    fn slice(&self, name: &str, ready: &impl Fn(&Value) -> bool) -> Value {
        let endpoints = self.pods.iter().map(|(name, pod)| {
            json!({
                "addresses": [pod["status"]["podIP"]], "conditions": {"ready": ready(pod), "serving": ready(pod)},
                "targetRef": {"kind": "Pod", "namespace": "prod", "name": name, "uid": pod["metadata"]["uid"]},
                "nodeName": pod["spec"]["nodeName"],
            })
        });
        json!({
            "kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1",
            "metadata": {
                "name": format!("{name}-x7k2p"), "namespace": "prod", "uid": self.uids[1],
                "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": "IPv4", "endpoints": endpoints.collect::<Vec<_>>(),
            "ports": [{"name": "", "protocol": "TCP", "port": 8080}],
        })
    }
}

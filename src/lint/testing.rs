//! Small manifests for the tests of rules.

use super::object::{Object, Seen, objects};
use super::{Finding, lint};
use crate::source::manifest::{Found, Node, read};

/// The tree of a document.
pub fn tree(text: &str) -> Node {
    let mut root = None;
    read("test.yaml", text.as_bytes(), &mut |_, found| match found {
        Found::Document(document) => root = Some(document.root),
        Found::Other(what) => panic!("{what}: {text}"),
        Found::Trouble(trouble) => panic!("{trouble}: {text}"),
    });
    root.expect("a document")
}

/// The only object of a document.
pub fn object_of(root: &Node) -> Object<'_> {
    let seen = objects(root).into_iter().next().expect("something");
    let Seen::Object(object) = seen else { panic!("no object: {seen:?}") };
    *object
}

/// The rules with findings.
pub fn ids(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.rule.id()).collect()
}

/// The findings for a container with a port `http` and these fields.
pub fn of_probe(fields: &str) -> Vec<Finding> {
    of_pod_and_probe("dnsPolicy: Default", fields)
}

/// The findings for such a container in a pod with these fields.
pub fn of_pod_and_probe(pod: &str, fields: &str) -> Vec<Finding> {
    let ports = if fields.contains("ports:") { "" } else { "ports: [{name: http, containerPort: 80}], " };
    of_container(&format!("{pod}, containers: [{{name: a, image: i, {ports}{fields}}}]"))
}

/// The findings for a pod with an empty container, and these fields.
pub fn of_pod(fields: &str) -> Vec<Finding> {
    of_container(&format!("containers: [{{name: a, image: i}}], {fields}"))
}

/// The findings for a pod with these fields, and a container unless they have one.
pub fn of_container(fields: &str) -> Vec<Finding> {
    let containers = if fields.contains(" containers:") || fields.starts_with("containers:") {
        ""
    } else {
        "containers: [{name: main, image: i}], "
    };
    said(&format!("{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{{containers}{fields}}}}}"))
}

/// The findings for a Deployment with these fields, and a container with those.
pub fn of_deployment(spec: &str, container: &str) -> Vec<Finding> {
    said(&format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: d}}, spec: {{{spec}, selector: {{}}, template: {{spec: \
         {{containers: [{{name: a, image: i, ports: [{{name: http, containerPort: 80}}], {container}}}]}}}}}}}}"
    ))
}

fn said(text: &str) -> Vec<Finding> {
    let root = tree(text);
    lint(&object_of(&root), Vec::new()).findings
}

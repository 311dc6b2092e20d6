//! Documents → the objects with pods.

use super::pod::Pod;
use crate::source::manifest::{At, Node};

/// The kinds with pods: kind, API group, path of the pod template.
const KINDS: [(&str, &str, &[&str]); 11] = [
    ("Pod", "", &[]),
    ("PodTemplate", "", &["template"]),
    ("ReplicationController", "", &["spec", "template"]),
    ("Deployment", "apps", &["spec", "template"]),
    ("StatefulSet", "apps", &["spec", "template"]),
    ("DaemonSet", "apps", &["spec", "template"]),
    ("ReplicaSet", "apps", &["spec", "template"]),
    ("Job", "batch", &["spec", "template"]),
    ("CronJob", "batch", &["spec", "jobTemplate", "spec", "template"]),
    ("Rollout", "argoproj.io", &["spec", "template"]),
    ("DeploymentConfig", "apps.openshift.io", &["spec", "template"]),
];

/// Kinds that no API server accepts without a selector: those without one are patches.
const SELECTED: [&str; 4] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];

/// Maximum nesting of lists.
const MAX_DEPTH: usize = 4;

/// The identity of an object.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Identity {
    /// `Deployment`
    pub kind: String,
    /// `metadata.namespace`, if set.
    pub namespace: Option<String>,
    /// `metadata.name`, or `metadata.generateName`.
    pub name: String,
}

/// An object with pods.
#[derive(Debug)]
pub struct Object<'a> {
    /// Its identity.
    pub identity: Identity,
    /// Its position.
    pub at: At,
    /// The whole object.
    pub node: &'a Node,
    /// The node with the pod's metadata.
    pub template: &'a Node,
    /// Its pod.
    pub pod: Pod<'a>,
}

/// A value in a document, classified.
#[derive(Debug)]
pub enum Seen<'a> {
    /// An object with pods.
    Object(Box<Object<'a>>),
    /// An object created by another one, which is what people edit.
    Controlled,
    /// A part of an object, such as a patch.
    Part(At),
    /// Anything else.
    Foreign,
}

/// The values in a document; list items one by one.
pub fn objects(root: &Node) -> Vec<Seen<'_>> {
    let mut all = Vec::new();
    collect(root, 0, &mut all);
    all
}

fn collect<'a>(node: &'a Node, depth: usize, all: &mut Vec<Seen<'a>>) {
    let is_list = node.text_of("kind").is_some_and(|kind| kind.ends_with("List"));
    let items = if is_list { node.get("items").map_or(&[][..], Node::items) } else { node.items() };
    if !items.is_empty() && depth < MAX_DEPTH {
        for item in items {
            collect(item, depth + 1, all);
        }
        return;
    }
    all.push(seen(node));
}

fn seen(node: &Node) -> Seen<'_> {
    let (Some(kind), Some(version)) = (node.text_of("kind"), node.text_of("apiVersion")) else {
        return Seen::Foreign;
    };
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let fits = |own: &str| group == own || own == "apps" && group == "extensions";
    let Some((kind, _, path)) = KINDS.iter().find(|(known, own, _)| *known == kind && fits(own)) else {
        return Seen::Foreign;
    };
    let controlled = |owner: &Node| owner.get("controller").is_some_and(Node::is_true);
    if node.at_path(&["metadata", "ownerReferences"]).is_some_and(|owners| owners.items().iter().any(controlled)) {
        return Seen::Controlled;
    }
    let metadata = |key| node.get("metadata").and_then(|metadata| metadata.text_of(key));
    let name = metadata("name").or_else(|| metadata("generateName"));
    // A Rollout may run the template of a Deployment.
    let Some((template, name)) = node.at_path(path).zip(name) else { return Seen::Part(node.at) };
    let has_selector = node.at_path(&["spec", "selector"]).is_some() || group == "extensions";
    let whole = has_selector || !SELECTED.contains(kind);
    // An unrendered template has no meaning.
    let (Some(pod), true, false) = (Pod::parse(template), whole, name.contains("{{")) else {
        return Seen::Part(node.at);
    };
    let identity = Identity {
        kind: (*kind).to_owned(),
        namespace: metadata("namespace").map(str::to_owned),
        name: name.to_owned(),
    };
    Seen::Object(Box::new(Object { identity, at: node.at, node, template, pod }))
}

impl Object<'_> {
    /// The number at that path, or the API server's default.
    pub fn number(&self, path: &[&str], default: i64) -> Option<i64> {
        self.node.at_path(path).map_or(Some(default), Node::number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::tree;

    fn words(text: &str) -> Vec<&'static str> {
        objects(&tree(text))
            .iter()
            .map(|seen| match seen {
                Seen::Object(_) => "object",
                Seen::Controlled => "controlled",
                Seen::Part(_) => "part",
                Seen::Foreign => "foreign",
            })
            .collect()
    }

    #[test]
    fn objects_parts_and_all_else_are_told_apart() {
        let pod = "{containers: [{name: a, image: i}]}";
        let cases = [
            (format!("{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {pod}}}"), "object"),
            (format!("{{apiVersion: v1, kind: Pod, metadata: {{generateName: p-}}, spec: {pod}}}"), "object"),
            (
                format!(
                    "{{apiVersion: v1, kind: Pod, metadata: {{name: p, ownerReferences: [{{controller: true}}]}}, \
                     spec: {pod}}}"
                ),
                "controlled",
            ),
            (
                format!(
                    "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: d}}, spec: {{template: {{spec: {pod}}}}}}}"
                ),
                "part",
            ),
            ("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a}]}}".to_owned(), "part"),
            ("{apiVersion: v1, kind: Service, metadata: {name: p}}".to_owned(), "foreign"),
            (format!("{{apiVersion: batch.volcano.sh/v1, kind: Job, metadata: {{name: p}}, spec: {pod}}}"), "foreign"),
            ("[1, 2]".to_owned(), "foreign"),
        ];
        for (text, word) in cases {
            assert_eq!(words(&text)[0], word, "{text}");
        }
    }

    #[test]
    fn the_items_of_lists_are_objects_of_their_own() {
        let pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: i}]}}";
        let list = format!("{{apiVersion: v1, kind: List, items: [{pod}, {{kind: List, items: [{pod}]}}]}}");
        assert_eq!(words(&list), ["object", "object"]);
        assert_eq!(words("{apiVersion: v1, kind: List, items: []}"), ["foreign"]);
    }
}

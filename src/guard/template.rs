//! What distinguishes two templates, as raw objects.

use serde_json::{Map, Value};

use crate::finding::guard::Refusal;

/// The label that the controller adds to a template.
pub const HASH_LABEL: &str = "pod-template-hash";
/// What `kubectl rollout restart` writes: it changes nothing of how a pod runs.
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";
const LISTS: [&str; 2] = ["containers", "initContainers"];
const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

/// A template as a Deployment holds it: without what its controller adds.
pub fn cleaned(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = object_at(&mut template, "/metadata/labels") {
        labels.remove(HASH_LABEL);
    }
    if let Some(meta) = object_at(&mut template, "/metadata") {
        meta.retain(|_, value| !value.is_null());
    }
    template
}

/// Where a container stands in a template: `/spec/containers/0`.
pub fn place_of(template: &Value, container: &str) -> Option<String> {
    LISTS.iter().find_map(|list| {
        let all = template["spec"][*list].as_array()?;
        let at = all.iter().position(|one| one["name"].as_str() == Some(container))?;
        Some(format!("/spec/{list}/{at}"))
    })
}

/// Checks that going from one template back to another one changes nothing but probes.
///
/// # Errors
/// It changes an image, or something else.
pub fn only_probes_differ(from: &Value, to: &Value) -> Result<(), Refusal> {
    if images(from) != images(to) {
        return Err(Refusal::AnotherImage);
    }
    if without_probes(from) == without_probes(to) { Ok(()) } else { Err(Refusal::OtherChanges) }
}

fn images(template: &Value) -> Vec<(&Value, &Value)> {
    let all = LISTS.iter().filter_map(|list| template["spec"][*list].as_array());
    all.flatten().map(|container| (&container["name"], &container["image"])).collect()
}

fn without_probes(template: &Value) -> Value {
    let mut rest = template.clone();
    for list in LISTS {
        let containers = rest.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
            container.retain(|field, _| !PROBES.contains(&&**field));
        }
    }
    if let Some(annotations) = object_at(&mut rest, "/metadata/annotations") {
        annotations.remove(RESTARTED);
    }
    if let Some(meta) = object_at(&mut rest, "/metadata") {
        meta.retain(|_, value| value.as_object().is_none_or(|all| !all.is_empty()));
    }
    rest
}

/// The object at a place; indexing would panic where something else is there, and insert what is absent.
fn object_at<'a>(value: &'a mut Value, place: &str) -> Option<&'a mut Map<String, Value>> {
    value.pointer_mut(place).and_then(Value::as_object_mut)
}

//! A Deployment and its ReplicaSets, as far as a decision rests on them. Anything in, never a panic.

use serde_json::Value;

use super::template::{HASH_LABEL, cleaned};
use super::{GUARD_ANNOTATION, UNDONE_FOR, UNDONE_TEMPLATE};
use crate::time::Time;

/// The annotation in which the controller counts revisions.
const REVISION: &str = "deployment.kubernetes.io/revision";
/// Labels and annotations of the tools that keep manifests elsewhere.
const GIT_LABELS: [&str; 3] =
    ["argocd.argoproj.io/instance", "kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name"];
const GIT_ANNOTATIONS: [&str; 2] = ["argocd.argoproj.io/tracking-id", "meta.helm.sh/release-name"];
/// Field managers that write an object again from where its manifest is kept, whatever its labels say.
const GIT_MANAGERS: [&str; 5] =
    ["argocd-controller", "argocd-application-controller", "kustomize-controller", "helm-controller", "fleetagent"];

/// A Deployment.
#[derive(Clone, PartialEq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts of an object")]
pub struct Deployment {
    /// Its UID.
    pub uid: String,
    /// Its `resourceVersion`.
    pub version: String,
    /// Its generation: it grows with each change of its specification.
    pub generation: i64,
    /// Whether it is being deleted, or wants no pods.
    pub is_leaving: bool,
    /// Whether its rollout is paused.
    pub is_paused: bool,
    /// Whether an annotation turns the guard off.
    pub is_off: bool,
    /// Whether its manifest is kept elsewhere, by a tool that would write it again.
    pub is_managed: bool,
    /// The Finding for which it was undone last, and the hash of the template that was undone.
    pub undone: Option<(String, String)>,
    /// Whether it has annotations at all.
    pub has_annotations: bool,
    /// Its pods' template, without the hash.
    pub template: Value,
}

/// A ReplicaSet that belongs to a Deployment: by its controller, and by the hash in its labels and selector.
#[derive(Clone, PartialEq, Debug)]
pub struct ReplicaSet {
    /// The hash of its template.
    pub hash: String,
    /// The number of its revision.
    pub revision: u64,
    /// When it was created.
    pub created: Option<Time>,
    /// Its pods' template, without the hash.
    pub template: Value,
}

/// Whether the annotations of this `metadata` turn the guard off.
pub fn turns_off(meta: &Value) -> bool {
    meta["annotations"][GUARD_ANNOTATION].as_str() == Some("off")
}

impl Deployment {
    /// Reads one; `None` if anything is missing that every Deployment has.
    pub fn read(object: &Value) -> Option<Self> {
        let (meta, spec) = (&object["metadata"], &object["spec"]);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let annotation = |name: &str| text(&meta["annotations"][name]);
        Some(Self {
            uid: text(&meta["uid"])?,
            version: text(&meta["resourceVersion"])?,
            generation: meta["generation"].as_i64()?,
            is_leaving: meta["deletionTimestamp"].is_string() || spec["replicas"].as_i64() == Some(0),
            is_paused: spec["paused"].as_bool() == Some(true),
            is_off: turns_off(meta) || turns_off(&spec["template"]["metadata"]),
            is_managed: is_managed(meta),
            undone: annotation(UNDONE_FOR).zip(annotation(UNDONE_TEMPLATE)),
            has_annotations: meta["annotations"].is_object(),
            template: spec["template"].is_object().then(|| cleaned(&spec["template"]))?,
        })
    }
}

impl ReplicaSet {
    /// Reads one; `None` if it does not belong to the Deployment of that UID.
    pub fn read(object: &Value, deployment: &str) -> Option<Self> {
        let (meta, spec) = (&object["metadata"], &object["spec"]);
        let owners = meta["ownerReferences"].as_array()?;
        let controller = owners.iter().find(|owner| owner["controller"].as_bool() == Some(true))?;
        let is_own =
            controller["uid"].as_str() == Some(deployment) && controller["kind"].as_str() == Some("Deployment");
        let hash = meta["labels"][HASH_LABEL].as_str()?;
        let places =
            [&spec["selector"]["matchLabels"][HASH_LABEL], &spec["template"]["metadata"]["labels"][HASH_LABEL]];
        if !is_own || places.iter().any(|place| place.as_str() != Some(hash)) {
            return None;
        }
        Some(Self {
            hash: hash.to_owned(),
            revision: meta["annotations"][REVISION].as_str()?.parse().ok()?,
            created: meta["creationTimestamp"].as_str().and_then(|stamp| Time::parse(stamp).ok()),
            template: cleaned(&spec["template"]),
        })
    }
}

/// Whether a tool keeps it elsewhere: by its labels and annotations, or by the name under which it writes.
fn is_managed(meta: &Value) -> bool {
    let entries = meta["managedFields"].as_array();
    let by_name = entries
        .into_iter()
        .flatten()
        .any(|entry| entry["manager"].as_str().is_some_and(|name| GIT_MANAGERS.contains(&name)));
    let has = |part: &str, keys: &[&str]| keys.iter().any(|key| meta[part][*key].is_string());
    by_name || has("labels", &GIT_LABELS) || has("annotations", &GIT_ANNOTATIONS)
}

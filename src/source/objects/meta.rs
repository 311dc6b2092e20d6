//! `metadata`, lean.

use std::sync::Arc;

use serde::de::{IgnoredAny, MapAccess};

use super::oddity::{Found, Oddity};
use super::shape::{Key, List, Maybe, Shape, Skip, lean};
use crate::source::mask::MAX_NAME;
use crate::text::cut;
use crate::time::Time;

/// Maximum number of labels kept of an object.
const MAX_LABELS: usize = 64;

/// Maximum length of a label key and value: a prefix of 253, a slash and a name of 63.
const MAX_LABEL: usize = 317;

lean! {
    /// `metadata`; `M` is the part of `managedFields` that is kept.
    pub struct ObjectMeta<M> {
        name: String = "name",
        namespace: String = "namespace",
        uid: String = "uid",
        resource_version: String = "resourceVersion",
        generation: i64 = "generation",
        creation_timestamp: String = "creationTimestamp",
        deletion_timestamp: String = "deletionTimestamp",
        labels: LabelsLite = "labels",
        annotations: AnnotationsLite = "annotations",
        owner_references: List<OwnerLite> = "ownerReferences",
        managed_fields: M = "managedFields",
    }

    /// The annotations used by probehound.
    pub struct AnnotationsLite {
        config_hash: String = "kubernetes.io/config.hash",
        revision: String = "deployment.kubernetes.io/revision",
        revision_history: String = "deployment.kubernetes.io/revision-history",
        rollout_revision: String = "rollout.argoproj.io/revision",
        argocd_tracking_id: String = "argocd.argoproj.io/tracking-id",
        helm_release: String = "meta.helm.sh/release-name",
        silence: String = "probehound.dev/silence",
        receiver: String = "probehound.dev/receiver",
        window: String = "probehound.dev/window",
        guard: String = "probehound.dev/guard",
    }

    /// One of `ownerReferences`.
    pub struct OwnerLite {
        kind: String = "kind",
        name: String = "name",
        controller: bool = "controller",
    }

    /// One of `managedFields`.
    pub struct ManagedLite {
        manager: String = "manager",
        operation: String = "operation",
        time: String = "time",
        subresource: String = "subresource",
        /// Whether it owns a part of the pod template.
        fields: TouchesTemplate = "fieldsV1",
    }
}

/// The metadata of objects whose `managedFields` do not matter.
pub type Meta = ObjectMeta<Skip>;

/// The metadata of workloads.
pub type WorkloadMeta = ObjectMeta<List<ManagedLite>>;

impl<M: Shape> ObjectMeta<M> {
    /// Namespace and name, cut; the namespace is empty if there is none.
    ///
    /// # Errors
    /// There is no name, or one of them is not a string.
    pub fn identity(&self) -> Result<(&str, &str), Oddity> {
        let namespace = self.namespace.known("namespace")?.map_or("", String::as_str);
        let name = self.name.required("name")?;
        if name.is_empty() {
            return Err(Oddity::value("name", "expected a name, found the empty string"));
        }
        Ok((cut(namespace, MAX_NAME), cut(name, MAX_NAME)))
    }

    /// Kind and name of its controller, cut; `None` also for one without either.
    pub fn controller(&self) -> Option<(&str, &str)> {
        let owners = self.owner_references.ok()?.0.iter().filter_map(Maybe::ok);
        let mut controllers = owners.filter(|owner| owner.controller.ok() == Some(&true));
        let is_kind = |kind: &&String| kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
        controllers
            .find_map(|owner| Some((cut(owner.kind.ok().filter(is_kind)?, MAX_NAME), cut(owner.name.ok()?, MAX_NAME))))
    }

    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.ok().and_then(|labels| labels.get(key))
    }

    /// An annotation; `None` if it is absent or odd.
    pub fn annotation<'a>(&'a self, of: impl FnOnce(&'a AnnotationsLite) -> &'a Maybe<String>) -> Option<&'a str> {
        self.annotations.ok().and_then(|all| of(all).ok()).map(String::as_str)
    }
}

/// Reads a time; Go's zero time (`0001-01-01T00:00:00Z`), the epoch (the start time of containers that
/// could not be started) and the empty text count as none.
///
/// # Errors
/// It is not an RFC 3339 text, or of a year in which no cluster ran.
pub fn time(field: &Maybe<String>, name: &str) -> Result<Option<Time>, Oddity> {
    match field.known(name)?.map(String::as_str) {
        None | Some("" | "0001-01-01T00:00:00Z") => Ok(None),
        Some(text) if is_epoch(text) => Ok(None),
        Some(text) => match Time::parse(text) {
            Ok(time) => Ok(Some(time)),
            Err(error) => Err(Oddity::value(name, error.to_string())),
        },
    }
}

/// Whether this is the beginning of Unix time, in UTC.
fn is_epoch(text: &str) -> bool {
    let rest = text.strip_prefix("1970-01-01T00:00:00");
    rest.is_some_and(|rest| matches!(rest.trim_start_matches(['.', '0']), "Z" | "z" | "+00:00" | "-00:00"))
}

/// Labels or a selector: the first 64 pairs whose value is a string, cut, sorted. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct LabelsLite(Arc<[(String, String)]>);

impl LabelsLite {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        let place = self.0.binary_search_by(|(known, _)| known.as_str().cmp(key)).ok()?;
        Some(&self.0[place].1)
    }

    /// All pairs, sorted by key.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether this selector, if not empty, matches the labels, which are sorted.
    pub fn select(&self, labels: &[(Arc<str>, Arc<str>)]) -> bool {
        let has = |(key, value): &(String, String)| {
            let place = labels.binary_search_by(|(known, _)| (**known).cmp(key));
            place.is_ok_and(|place| &*labels[place].1 == value.as_str())
        };
        !self.0.is_empty() && self.0.iter().all(has)
    }
}

impl Shape for LabelsLite {
    const EXPECTED: &'static str = "an object";

    fn of_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Result<Self, Found>, A::Error> {
        let mut pairs = Vec::new();
        while pairs.len() < MAX_LABELS {
            let Some(key) = map.next_key::<Maybe<String>>()? else {
                break;
            };
            let value = map.next_value::<Maybe<String>>()?;
            if let (Maybe::Is(key), Maybe::Is(value)) = (key, value) {
                pairs.push((short(key), short(value)));
            }
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        pairs.sort();
        pairs.dedup_by(|later, earlier| later.0 == earlier.0);
        Ok(Ok(Self(pairs.into())))
    }
}

fn short(mut text: String) -> String {
    let end = cut(&text, MAX_LABEL).len();
    text.truncate(end);
    text
}

/// Whether `fieldsV1` contains a field of the pod template (`spec.template`, or `spec.jobTemplate`), found
/// without building it.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct TouchesTemplate(pub bool);

impl Shape for TouchesTemplate {
    const EXPECTED: &'static str = "an object";

    fn of_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Result<Self, Found>, A::Error> {
        let mut touches = false;
        while let Some(place) = map.next_key_seed(Key { names: &["f:spec"], next: 0 })? {
            if place.is_some() {
                touches |= matches!(map.next_value::<Maybe<Spec>>()?, Maybe::Is(Spec(true)));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Ok(Self(touches)))
    }
}

/// The part of `fieldsV1` under `f:spec`.
struct Spec(bool);

impl Shape for Spec {
    const EXPECTED: &'static str = "an object";

    fn of_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Result<Self, Found>, A::Error> {
        let mut touches = false;
        while let Some(place) = map.next_key_seed(Key { names: &["f:template", "f:jobTemplate"], next: 0 })? {
            touches |= place.is_some();
            map.next_value::<IgnoredAny>()?;
        }
        Ok(Ok(Self(touches)))
    }
}

/// Rejects an object of another kind; items of a list have none.
///
/// # Errors
/// The object is of another kind than `wanted`.
pub fn check_kind(kind: &Maybe<String>, wanted: &str, among: &str) -> Result<(), Oddity> {
    match kind.known("kind")?.map(String::as_str) {
        None | Some("") => Ok(()),
        Some(kind) if kind == wanted => Ok(()),
        Some(kind) => {
            let article = if kind.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
            let kind = cut(kind, 63);
            Err(Oddity::new(format!("{article} {kind} among {among}")))
        }
    }
}

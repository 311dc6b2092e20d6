//! A `Finding` object as it is read, reduced to what is needed.

use std::borrow::Cow;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time as Stamp;
use kube::Resource;
use kube::api::ObjectMeta;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::finding::Finding;
use crate::finding::remedy::Remedy;
use crate::report::object::ObjectKey as Key;
use crate::report::object::{FindingObject, FindingSpec, FindingState, FindingStatus, Notification};
use crate::text::hash;
use crate::time::Time;

/// A `Finding` object without `managedFields`, which are most of what the API server sends.
///
/// Total: JSON that is not a finding becomes an object without one, and never fails the list that it is in.
#[derive(Clone, Debug)]
pub struct Stored {
    meta: ObjectMeta,
    spec: Option<FindingSpec>,
    status: Option<FindingStatus>,
}

impl Stored {
    /// Its key, if its name is that of its finding's object.
    pub fn key(&self) -> Option<Key> {
        let key = self.place()?;
        let own = Key::from_identity(&self.object()?.identity()?);
        (own == key).then_some(key)
    }

    /// Its key, whatever it holds.
    pub fn place(&self) -> Option<Key> {
        Some(Key { namespace: self.meta.namespace.as_deref()?.into(), name: self.meta.name.as_deref()?.into() })
    }

    /// Its `resourceVersion` as a number, as in Kubernetes; 0 if it is none.
    pub fn version(&self) -> u64 {
        self.meta.resource_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or(0)
    }

    /// A hash of its UID: a later object of the same name has another one.
    pub fn uid(&self) -> u64 {
        hash::mark(self.meta.uid.as_deref().unwrap_or_default())
    }

    /// When it was created.
    pub fn created(&self) -> Option<Time> {
        self.meta.creation_timestamp.as_ref().map(|time| Time::from_millis(time.0.as_millisecond()))
    }

    /// Its spec: which finding it is.
    pub const fn spec(&self) -> Option<&FindingSpec> {
        self.spec.as_ref()
    }

    /// Its status; `None` if it cannot be parsed.
    pub const fn status(&self) -> Option<&FindingStatus> {
        self.status.as_ref()
    }

    /// The recorded notifications of each receiver.
    pub fn notifications(&self) -> &[Notification] {
        self.status.as_ref().map_or(&[], |status| &status.notifications)
    }

    /// The finding that it holds and its state, if it was ever confirmed.
    ///
    /// Of its remedies only those are accepted that this finding can have.
    pub fn finding(&self) -> Option<(Finding, FindingState)> {
        self.key()?;
        let state = self.status.as_ref()?.state?;
        let mut finding = self.object()?.finding().filter(|finding| finding.confirmed_at.is_some())?;
        finding.remedy.retain(|remedy| !matches!(remedy, Remedy::Words(_)));
        Some((finding, state))
    }

    fn object(&self) -> Option<FindingObject> {
        let mut object = FindingObject::new(self.meta.name.as_deref()?, self.spec.clone()?);
        object.metadata.namespace.clone_from(&self.meta.namespace);
        object.status.clone_from(&self.status);
        Some(object)
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Lean { metadata, spec, status } = Lean::deserialize(deserializer)?;
        let meta = ObjectMeta {
            name: metadata.name,
            namespace: metadata.namespace,
            uid: metadata.uid,
            resource_version: metadata.resource_version,
            creation_timestamp: metadata.creation_timestamp,
            ..ObjectMeta::default()
        };
        Ok(Self { meta, spec: understood(spec), status: understood(status) })
    }
}

#[derive(Deserialize)]
struct Lean {
    #[serde(default)]
    metadata: LeanMeta,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    status: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LeanMeta {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    creation_timestamp: Option<Stamp>,
}

fn understood<T: DeserializeOwned>(part: Value) -> Option<T> {
    serde_json::from_value(part).ok()
}

impl Resource for Stored {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        FindingObject::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        FindingObject::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        FindingObject::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        FindingObject::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::operator::testing::finding;
    use crate::report::remedies::texts;

    #[test]
    fn what_others_put_into_an_object_is_no_remedy() {
        let of = |remedy: &str| {
            let mut object = json!(FindingObject::from_finding(&finding("web"), FindingState::Confirmed, None));
            object["status"]["remedy"] = json!([remedy]);
            let stored: Stored = serde_json::from_value(object).expect("an object");
            texts(&stored.finding().expect("a finding").0)
        };
        let own = "kubectl -n prod rollout undo deployment/web --to-revision=7";
        assert_eq!(of(own), [own]);
        for foreign in [
            "kubectl delete namespace prod",
            "kubectl -n prod rollout undo deployment/api --to-revision=7",
            "kubectl -n kube-system rollout undo deployment/web --to-revision=7",
            "send your password to http://evil",
        ] {
            assert_eq!(of(foreign), [""; 0], "{foreign}");
        }
    }

    #[test]
    fn an_object_that_cannot_be_understood_holds_no_finding_and_fails_no_list() {
        for object in [json!({}), json!({"spec": 3, "status": []}), json!({"metadata": {"name": "a"}, "spec": {}})] {
            let stored: Stored = serde_json::from_value(object).expect("total");
            assert!(stored.finding().is_none() && stored.key().is_none());
        }
    }

    #[test]
    fn an_object_under_a_name_of_its_own_is_nobodys_business() {
        let mut object = json!(FindingObject::from_finding(&finding("web"), FindingState::Confirmed, None));
        object["metadata"]["name"] = json!("mine");
        let stored: Stored = serde_json::from_value(object).expect("an object");
        assert!(stored.key().is_none() && stored.finding().is_none());
    }
}

//! Lean types as kube resources.

use std::borrow::Cow;

use k8s_openapi::NamespaceResourceScope;
use kube::Resource;
use kube::api::ObjectMeta;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use serde::{Deserialize, Deserializer};

use super::wire::{EVENTS, PODS, Schema, Ticket};
use crate::source::objects::{
    ControllerRevisionLite, CronJobLite, DaemonSetLite, DeploymentLite, EndpointSliceLite, EventLite, Found, JobLite,
    Maybe, ObjectMeta as LeanMeta, PodLite, ReplicaSetLite, ServiceLite, Shape, StatefulSetLite,
};
use crate::source::recording::Object;

/// A lean type that the API server serves.
pub trait Lean: Shape + Clone + Default + std::fmt::Debug + Send + Sync + 'static {
    /// `Pod`
    const KIND: &'static str;
    /// `apps`; empty for the core group.
    const GROUP: &'static str;
    /// `v1`
    const VERSION: &'static str;
    /// `pods`
    const PLURAL: &'static str;

    /// How it is read from protobuf; `None` if it is asked for as JSON.
    fn schema() -> Option<&'static Schema<Self>> {
        None
    }

    /// Name, namespace, uid and resourceVersion, as far as present.
    fn stock_meta(&self) -> ObjectMeta;

    /// Converts it into the form used by recordings.
    fn into_object(self: Box<Self>) -> Object;
}

/// A lean object with the part of the standard metadata that kube's `watcher` needs.
///
/// Total like the lean types: JSON that is not an object becomes an empty object, so that it never fails
/// the list that it is in, and is reported as odd when a field of it is needed.
#[derive(Clone, Debug)]
pub struct Watched<T> {
    meta: ObjectMeta,
    /// The object.
    pub object: Box<T>,
}

impl<'de, T: Lean> Deserialize<'de> for Watched<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = match T::schema() {
            Some(_) => is(Arriving::read(deserializer)?).map(|Arriving(object)| object),
            None => is(T::read(deserializer)?).map(Box::new),
        };
        let object = object.unwrap_or_default();
        Ok(Self { meta: object.stock_meta(), object })
    }
}

fn is<T>(read: Maybe<T>) -> Option<T> {
    match read {
        Maybe::Is(value) => Some(value),
        Maybe::Absent | Maybe::Odd(_) => None,
    }
}

/// An object in JSON, or the ticket of one that came in protobuf.
struct Arriving<T>(Box<T>);

impl<T: Lean> Shape for Arriving<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn of_map<'de, A: MapAccess<'de>>(map: A) -> Result<Result<Self, Found>, A::Error> {
        Ok(T::of_map(map)?.map(|object| Self(Box::new(object))))
    }

    fn of_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Result<Self, Found>, A::Error> {
        let mut number = || Ok(seq.next_element::<Maybe<i64>>()?.and_then(is));
        let (place, object) = (number()?, number()?);
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        let ticket = place.zip(object).map(|(place, object)| Ticket { place, object });
        Ok(ticket.and_then(|ticket| T::schema()?.shelf().take(ticket)).map(Self).ok_or(Found::List))
    }
}

impl<T: Lean> Resource for Watched<T> {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        T::KIND.into()
    }

    fn group((): &()) -> Cow<'_, str> {
        T::GROUP.into()
    }

    fn version((): &()) -> Cow<'_, str> {
        T::VERSION.into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        T::PLURAL.into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

fn stock<M: Shape>(meta: &Maybe<LeanMeta<M>>) -> ObjectMeta {
    let Some(meta) = meta.ok() else {
        return ObjectMeta::default();
    };
    let text = |field: &Maybe<String>| field.ok().filter(|text| !text.is_empty()).cloned();
    ObjectMeta {
        name: text(&meta.name),
        namespace: text(&meta.namespace),
        uid: text(&meta.uid),
        resource_version: text(&meta.resource_version),
        ..ObjectMeta::default()
    }
}

macro_rules! served {
    ($($lite:ty = $kind:ident, $group:literal, $plural:literal $(, $schema:ident)?;)+) => {$(
        impl Lean for $lite {
            const KIND: &'static str = stringify!($kind);
            const GROUP: &'static str = $group;
            const VERSION: &'static str = "v1";
            const PLURAL: &'static str = $plural;

            $(fn schema() -> Option<&'static Schema<Self>> {
                Some(&$schema)
            })?

            fn stock_meta(&self) -> ObjectMeta {
                stock(&self.metadata)
            }

            fn into_object(self: Box<Self>) -> Object {
                Object::$kind(self)
            }
        }
    )+};
}

served! {
    PodLite = Pod, "", "pods", PODS;
    EventLite = Event, "", "events", EVENTS;
    ServiceLite = Service, "", "services";
    DeploymentLite = Deployment, "apps", "deployments";
    ReplicaSetLite = ReplicaSet, "apps", "replicasets";
    StatefulSetLite = StatefulSet, "apps", "statefulsets";
    DaemonSetLite = DaemonSet, "apps", "daemonsets";
    ControllerRevisionLite = ControllerRevision, "apps", "controllerrevisions";
    JobLite = Job, "batch", "jobs";
    CronJobLite = CronJob, "batch", "cronjobs";
    EndpointSliceLite = EndpointSlice, "discovery.k8s.io", "endpointslices";
}

#[cfg(test)]
mod tests {
    use kube::core::{ObjectList, WatchEvent};

    use super::*;

    #[test]
    fn an_odd_object_does_not_fail_the_list_that_it_is_in() {
        let list = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9","continue":"next"},"items":[
            null, 7, "x", [], {"metadata":null}, {"metadata":{"name":3,"labels":[]},"spec":"x","status":{"containerStatuses":null}},
            {"metadata":{"name":"web","namespace":"n","uid":"u","resourceVersion":"8","managedFields":[{}]}}]}"#;
        let list: ObjectList<Watched<PodLite>> = serde_json::from_str(list).expect("total");
        let names: Vec<_> = list.items.iter().map(|pod| pod.meta.name.as_deref()).collect();
        assert_eq!(names, [None, None, None, None, None, None, Some("web")]);
        assert_eq!(list.items[6].meta.resource_version.as_deref(), Some("8"));
        assert_eq!(list.metadata.continue_.as_deref(), Some("next"));
    }

    #[test]
    fn a_watch_event_is_read_whatever_comes_first() {
        for line in [
            r#"{"type":"MODIFIED","object":{"kind":"Pod","metadata":{"name":"web","resourceVersion":"8"}}}"#,
            r#"{"object":{"kind":"Pod","metadata":{"name":"web","resourceVersion":"8"}},"type":"MODIFIED"}"#,
        ] {
            let event: WatchEvent<Watched<PodLite>> = serde_json::from_str(line).expect("readable");
            let WatchEvent::Modified(pod) = event else { panic!("{event:?}") };
            assert_eq!(pod.meta.name.as_deref(), Some("web"));
        }
    }

    #[test]
    fn the_paths_are_those_of_the_api() {
        let path = |of: String| of;
        assert_eq!(path(Watched::<PodLite>::url_path(&(), None)), "/api/v1/pods");
        assert_eq!(path(Watched::<EventLite>::url_path(&(), Some("n"))), "/api/v1/namespaces/n/events");
        assert_eq!(
            path(Watched::<EndpointSliceLite>::url_path(&(), Some("n"))),
            "/apis/discovery.k8s.io/v1/namespaces/n/endpointslices"
        );
    }
}

//! The changes of a resource's objects, each as the server sent it.

use std::marker::PhantomData;
use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use kube::api::ObjectMeta;
use kube::runtime::watcher::Event;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::client::Access;
use super::follow::{Followed, Selectors, follow};
use super::health::{Resource, StreamHealth, WatchHealth};
use super::stamps::Stamped;
use super::watched::{Lean, Watched};
use crate::source::cluster::settings::InitialList;
use crate::source::objects::{
    ControllerRevisionLite, CronJobLite, DaemonSetLite, DeploymentLite, EndpointSliceLite, EventLite, Found, JobLite,
    Maybe, PodLite, ReplicaSetLite, ServiceLite, Shape, StatefulSetLite,
};
use crate::source::recorder::{self, Sighting};
use crate::source::recording::Object;
use crate::time::Time;

/// Selects all kubelet events on pods: recordings are also read by people.
const EVENT_FIELDS: &str = "source=kubelet,involvedObject.kind=Pod";

/// Watches a resource in one or all namespaces, forever. As with the watches of the operator failures do
/// not end it: they are counted in `health` and logged.
pub fn watch_raw(
    access: &Access,
    resource: recorder::Resource,
    namespace: Option<&Arc<str>>,
    health: &Arc<WatchHealth>,
) -> BoxStream<'static, Sighting> {
    use recorder::Resource as Of;

    let whole = namespace.map_or_else(|| Arc::from(""), Arc::clone);
    let health = StreamHealth::new(health, Resource::Recorded(resource.plural()), &whole);
    let fields = (resource == Of::Events).then(|| EVENT_FIELDS.to_owned());
    let what = Followed {
        namespace: namespace.cloned(),
        selectors: Selectors { labels: None, fields },
        initial_list: InitialList::Auto,
    };
    match resource {
        Of::Pods => sightings::<PodLite>(access, what, health).boxed(),
        Of::Events => sightings::<EventLite>(access, what, health).boxed(),
        Of::ReplicaSets => sightings::<ReplicaSetLite>(access, what, health).boxed(),
        Of::ControllerRevisions => sightings::<ControllerRevisionLite>(access, what, health).boxed(),
        Of::Deployments => sightings::<DeploymentLite>(access, what, health).boxed(),
        Of::StatefulSets => sightings::<StatefulSetLite>(access, what, health).boxed(),
        Of::DaemonSets => sightings::<DaemonSetLite>(access, what, health).boxed(),
        Of::Jobs => sightings::<JobLite>(access, what, health).boxed(),
        Of::CronJobs => sightings::<CronJobLite>(access, what, health).boxed(),
        Of::Services => sightings::<ServiceLite>(access, what, health).boxed(),
        Of::EndpointSlices => sightings::<EndpointSliceLite>(access, what, health).boxed(),
    }
}

fn sightings<T: Lean>(
    access: &Access,
    what: Followed,
    health: StreamHealth,
) -> impl Stream<Item = Sighting> + Send + use<T> {
    follow::<Raw<T>>(access, what, health).map(|event| match event {
        Event::Init => Sighting::ListStarted,
        Event::InitApply(Watched { object, .. }) => Sighting::Listed(object.value),
        Event::Apply(Watched { object, .. }) => Sighting::Changed(object.value),
        Event::Delete(Watched { object, .. }) => Sighting::Gone(object.value),
        Event::InitDone => Sighting::ListFinished,
    })
}

/// An object of the same resource as `T`, with all its fields.
#[derive(Clone, Debug)]
struct Raw<T> {
    value: Value,
    of: PhantomData<fn() -> T>,
}

impl<T> Default for Raw<T> {
    fn default() -> Self {
        Self { value: Value::Null, of: PhantomData }
    }
}

impl<T> Shape for Raw<T> {
    const EXPECTED: &'static str = "an object";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Maybe<Self>, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(if value.is_object() {
            Maybe::Is(Self { value, of: PhantomData })
        } else {
            Maybe::Odd(Box::new(Found::Nothing))
        })
    }
}

impl<T: Lean> Lean for Raw<T> {
    const KIND: &'static str = T::KIND;
    const GROUP: &'static str = T::GROUP;
    const VERSION: &'static str = T::VERSION;
    const PLURAL: &'static str = T::PLURAL;

    fn stock_meta(&self) -> ObjectMeta {
        let text =
            |name: &str| self.value["metadata"][name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        ObjectMeta {
            name: text("name"),
            namespace: text("namespace"),
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            ..ObjectMeta::default()
        }
    }

    fn into_object(self: Box<Self>) -> Object {
        Object::Foreign
    }
}

impl<T> Stamped for Raw<T> {
    fn said_at(&self) -> Option<Time> {
        None
    }
}

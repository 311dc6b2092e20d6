//! The pods and events of a cluster as one stream.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{BoxStream, SelectAll};
use futures::{FutureExt, Stream, StreamExt};
use kube::runtime::watcher::Event;
use tokio::sync::watch as signal;
use tokio::time::timeout;

use super::client::Access;
use super::follow::{Followed, Selectors, follow};
use super::health::{Resource, StreamHealth, WatchHealth};
use super::watched::Watched;
use crate::engine::{Scope, Seen};
use crate::source::Input;
use crate::source::cluster::settings::Watch;
use crate::source::objects::{EventLite, PodLite};
use crate::text::glob::Glob;

/// Selects kubelet events on pods, without frequent ones that contain no information.
///
/// `source` falls back to `reportingComponent` if it is empty (`pkg/registry/core/event/strategy.go`), so
/// the selector works for kubelets of any version. Never select by type: Killing is a Normal event.
pub(super) const EVENT_FIELDS: &str = "source=kubelet,involvedObject.kind=Pod,reason!=Pulling,reason!=Pulled,reason!=Created,\
     reason!=Started,reason!=SandboxChanged,reason!=DNSConfigForming,reason!=FailedSync";

/// Maximum number of excluded namespaces that the server is asked to leave out: each lengthens the address
/// of every request. Those beyond it are left out here.
const MAX_NOT_SENT: usize = 50;

/// How long events wait for the list of their pods.
const PODS_FIRST: Duration = Duration::from_secs(20);

/// Watches pods and events, forever: each namespace on two connections of its own, or all of them on two.
///
/// Events cannot be selected by the labels of pods: with a pod selector, the events of other pods arrive as
/// well, and the engine holds them in a bounded list of events without a pod.
///
/// Failures do not end it: they are counted in `health` and logged, and what fails is retried with a
/// back-off while the rest continues. A slow reader loses nothing: what it has not taken is not read from
/// the connection.
pub fn watch(access: &Access, what: &Watch, health: &Arc<WatchHealth>) -> impl Stream<Item = Input> + Send + use<> {
    let scopes: Vec<Option<Arc<str>>> = match &what.namespaces[..] {
        [] => vec![None],
        some => some.iter().map(|namespace| Some(Arc::from(&**namespace))).collect(),
    };
    let mut all = SelectAll::new();
    for namespace in scopes {
        let (listed, pods_listed) = signal::channel(false);
        all.push(pods(access, what, namespace.as_ref(), health, listed));
        all.push(events(access, what, namespace.as_ref(), health, pods_listed));
    }
    let what = what.clone();
    all.filter(move |input| std::future::ready(!is_left_out(&what, input)))
}

/// Whether it is of a namespace that is not watched: the server cannot be asked to leave out a pattern.
fn is_left_out(what: &Watch, input: &Input) -> bool {
    let metadata = match input {
        Input::Pod(pod, _) | Input::PodGone(pod) => &pod.metadata,
        Input::Event(event) => &event.metadata,
        Input::ListStarted(_) | Input::ListFinished(_) => return false,
    };
    let namespace = metadata.ok().and_then(|metadata| metadata.namespace.ok());
    namespace.is_some_and(|namespace| what.excludes(namespace))
}

/// A field selector without the namespaces that are left out by name.
fn fields(what: &Watch, others: &str) -> Option<String> {
    let named = what.exclude_namespaces.iter().map(Glob::as_str).filter(|name| !name.contains('*'));
    let named = named.filter(|name| what.excludes(name)).take(MAX_NOT_SENT);
    let parts = named.map(|name| format!("metadata.namespace!={name}"));
    let parts: Vec<String> =
        Some(others.to_owned()).filter(|others| !others.is_empty()).into_iter().chain(parts).collect();
    Some(parts.join(",")).filter(|fields| !fields.is_empty())
}

fn pods(
    access: &Access,
    what: &Watch,
    namespace: Option<&Arc<str>>,
    health: &Arc<WatchHealth>,
    listed: signal::Sender<bool>,
) -> BoxStream<'static, Input> {
    let selectors = Selectors { labels: what.pod_selector.clone(), fields: fields(what, "") };
    let health = of_stream(health, Resource::Pods, namespace);
    let scope = namespace.map_or(Scope::All, |namespace| Scope::Namespace(Arc::clone(namespace)));
    let pods = follow::<PodLite>(access, followed(what, namespace, selectors), health);
    pods.map(move |event| match event {
        Event::Init => Input::ListStarted(scope.clone()),
        Event::InitApply(Watched { object, .. }) => Input::Pod(object, Seen::Listed),
        Event::Apply(Watched { object, .. }) => Input::Pod(object, Seen::Changed),
        Event::Delete(Watched { object, .. }) => Input::PodGone(object),
        Event::InitDone => {
            listed.send_replace(true);
            Input::ListFinished(scope.clone())
        }
    })
    .boxed()
}

fn events(
    access: &Access,
    what: &Watch,
    namespace: Option<&Arc<str>>,
    health: &Arc<WatchHealth>,
    mut pods_listed: signal::Receiver<bool>,
) -> BoxStream<'static, Input> {
    let selectors = Selectors { labels: None, fields: fields(what, EVENT_FIELDS) };
    let health = of_stream(health, Resource::Events, namespace);
    let events = follow::<EventLite>(access, followed(what, namespace, selectors), health);
    // If pods cannot be listed, failures of the events watch should be reported all the same.
    let first = async move { _ = timeout(PODS_FIRST, pods_listed.wait_for(|listed| *listed)).await };
    let events = events.filter_map(async |event| match event {
        Event::InitApply(Watched { object, .. }) | Event::Apply(Watched { object, .. }) => Some(Input::Event(object)),
        // The expiry of an event changes nothing.
        Event::Delete(_) | Event::Init | Event::InitDone => None,
    });
    first.map(move |()| events).into_stream().flatten().boxed()
}

fn followed(what: &Watch, namespace: Option<&Arc<str>>, selectors: Selectors) -> Followed {
    Followed { namespace: namespace.cloned(), selectors, initial_list: what.initial_list }
}

fn of_stream(health: &Arc<WatchHealth>, resource: Resource, namespace: Option<&Arc<str>>) -> StreamHealth {
    let namespace = namespace.map_or_else(|| Arc::from(""), Arc::clone);
    StreamHealth::new(health, resource, &namespace)
}

#[cfg(test)]
mod tests;

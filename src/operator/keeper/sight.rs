//! What happens to the objects: others edit and delete them, and other replicas write them.

use std::time::Duration;

use futures::stream::{BoxStream, SelectAll};
use futures::{Stream, StreamExt, stream};
use kube::Api;
use kube::api::DynamicObject;
use kube::runtime::watcher::{Config, Error, Event, Result, watcher};

use super::refusal::Refusal;
use super::state::{Kept, Key};
use super::store::Store;
use crate::engine::Scope;
use crate::source::cluster::{Backoff, Trouble, watch_cause};

/// How long the server lets a watch go on: a dead peer is noticed soon after.
const WATCH_SECONDS: u32 = 10;
/// Objects of a page.
const PAGE: u32 = 250;

/// Something that happened to the objects.
#[derive(Debug)]
pub enum Sighting {
    /// A list begins, or begins anew.
    Started(Scope),
    /// An object as it is now.
    Saw(Key, Kept),
    /// An object is gone; with the `resourceVersion` of its end.
    Gone(Key, u64),
    /// A list is complete.
    Finished(Scope),
    /// They cannot be watched; it is tried again.
    Failed(Scope, Refusal),
}

/// Watches the objects, for ever: failures are told, waited out and do not end it.
pub fn watch(store: &Store) -> impl Stream<Item = Sighting> + Send + use<> {
    let mut all = SelectAll::new();
    for (namespace, api) in store.scopes() {
        let scope = namespace.map_or(Scope::All, Scope::Namespace);
        let watched = Watched { api, scope, events: None, backoff: Backoff::seeded_by_chance(), pause: Duration::ZERO };
        all.push(
            stream::unfold(watched, |mut watched| async {
                let sighting = watched.next().await;
                Some((sighting, watched))
            })
            .boxed(),
        );
    }
    all
}

struct Watched {
    api: Api<DynamicObject>,
    scope: Scope,
    events: Option<BoxStream<'static, Result<Event<DynamicObject>>>>,
    backoff: Backoff,
    pause: Duration,
}

impl Watched {
    async fn next(&mut self) -> Sighting {
        loop {
            tokio::time::sleep(std::mem::take(&mut self.pause)).await;
            let api = &self.api;
            let config = || Config::default().timeout(WATCH_SECONDS).page_size(PAGE);
            let events = self.events.get_or_insert_with(|| watcher(api.clone(), config()).boxed());
            let sighting = match events.next().await {
                Some(Ok(event)) => sighting(&self.scope, &event),
                Some(Err(error)) => Some(self.failed(&error)),
                None => {
                    self.events = None;
                    None
                }
            };
            if let Some(sighting) = sighting {
                return sighting;
            }
        }
    }

    fn failed(&mut self, error: &Error) -> Sighting {
        let refusal = refusal(error);
        self.pause = self.backoff.wait().max(refusal.pause());
        if !matches!(error, Error::WatchFailed(_)) {
            // kube would go on from a version that the server may know no more, for ever.
            self.events = None;
        }
        Sighting::Failed(self.scope.clone(), refusal)
    }
}

fn sighting(scope: &Scope, event: &Event<DynamicObject>) -> Option<Sighting> {
    match event {
        Event::Init => Some(Sighting::Started(scope.clone())),
        Event::InitDone => Some(Sighting::Finished(scope.clone())),
        Event::InitApply(object) | Event::Apply(object) => {
            let (key, kept) = Kept::of(object)?;
            Some(Sighting::Saw(key, kept))
        }
        Event::Delete(object) => {
            let metadata = &object.metadata;
            let key = Key { namespace: metadata.namespace.as_deref()?.into(), name: metadata.name.as_deref()?.into() };
            let version = metadata.resource_version.as_deref().and_then(|version| version.parse().ok());
            Some(Sighting::Gone(key, version.unwrap_or(0)))
        }
    }
}

fn refusal(error: &Error) -> Refusal {
    match error {
        Error::InitialListFailed(error) | Error::WatchStartFailed(error) | Error::WatchFailed(error) => {
            Refusal::of(error)
        }
        error => Refusal::Other { trouble: Trouble::of_watch(error), cause: watch_cause(error) },
    }
}

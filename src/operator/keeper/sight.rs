//! Watches the objects: others edit and delete them, and other replicas write them.

use std::time::Duration;

use futures::stream::{BoxStream, SelectAll};
use futures::{Stream, StreamExt, stream};
use kube::Api;
use kube::runtime::watcher::{Config, Error, Event, Result, watcher};

use super::refusal::Refusal;
use super::state::{Kept, Key};
use super::store::Store;
use super::stored::Stored;
use crate::engine::Scope;
use crate::report::object::Notification;
use crate::source::cluster::{Backoff, Trouble, Way, watch_cause};

/// Time limit of a watch on the server: a dead peer is noticed soon after.
const WATCH_SECONDS: u32 = 10;
/// Objects per page.
const PAGE: u32 = 250;

/// A change observed on the objects.
#[derive(Debug)]
pub enum Sighting {
    /// A list begins, or is restarted.
    Started(Scope),
    /// An object as it is now, and its recorded notifications.
    Saw(Key, Kept, Vec<Notification>),
    /// An object was deleted; with the `resourceVersion` of its deletion.
    Gone(Key, u64),
    /// A list is complete.
    Finished(Scope),
    /// They cannot be watched; retried.
    Failed(Scope, Refusal),
}

/// Watches the objects forever: failures are reported, waited out and do not end it.
pub fn watch(store: &Store) -> impl Stream<Item = Sighting> + Send + use<> {
    let mut all = SelectAll::new();
    for (namespace, api) in store.scopes() {
        let scope = namespace.map_or(Scope::All, Scope::Namespace);
        let (way, backoff) = (store.way().clone(), Backoff::seeded_by_chance());
        let watched = Watched { api, scope, way, events: None, backoff, pause: None };
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
    api: Api<Stored>,
    scope: Scope,
    way: Way,
    events: Option<BoxStream<'static, Result<Event<Stored>>>>,
    backoff: Backoff,
    /// The pause before the next attempt.
    pause: Option<(Duration, Trouble)>,
}

impl Watched {
    async fn next(&mut self) -> Sighting {
        loop {
            if let Some((wait, trouble)) = self.pause.take() {
                self.way.pause(wait, trouble, &mut self.backoff).await;
            }
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
        self.pause = Some((self.backoff.wait().max(refusal.pause()), Trouble::of_watch(error)));
        if !matches!(error, Error::WatchFailed(_)) {
            // kube would keep resuming from a version that the server may no longer have, forever.
            self.events = None;
        }
        Sighting::Failed(self.scope.clone(), refusal)
    }
}

fn sighting(scope: &Scope, event: &Event<Stored>) -> Option<Sighting> {
    match event {
        Event::Init => Some(Sighting::Started(scope.clone())),
        Event::InitDone => Some(Sighting::Finished(scope.clone())),
        Event::InitApply(object) | Event::Apply(object) => {
            let (key, kept) = Kept::from_object(object)?;
            Some(Sighting::Saw(key, kept, object.notifications().to_vec()))
        }
        Event::Delete(object) => Some(Sighting::Gone(object.place()?, object.version())),
    }
}

fn refusal(error: &Error) -> Refusal {
    match error {
        Error::InitialListFailed(error) | Error::WatchStartFailed(error) | Error::WatchFailed(error) => {
            Refusal::from_error(error)
        }
        error => Refusal::Other { trouble: Trouble::of_watch(error), cause: watch_cause(error) },
    }
}

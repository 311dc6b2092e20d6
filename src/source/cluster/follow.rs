//! One watch of one resource in one scope, which continues whatever happens.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use http_body_util::BodyExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use tower::service_fn;

use super::backoff::Backoff;
use super::client::{Access, Version};
use super::health::StreamHealth;
use super::stamps::Stamped;
use super::trouble::{Trouble, cause, watch_cause};
use super::watched::{Lean, Watched};
use super::wire::{Reader, Report, encoding};
use crate::source::cluster::settings::InitialList;

/// Time limit of a watch on the server: short, so that a dead peer is noticed soon. Resuming a watch costs
/// one request and repeats nothing.
const WATCH_SECONDS: u32 = 10;

/// Objects per page: 5,000 pods of 15 KB take 1.0 to 1.5 s whether they are read by 50 or by 500, but the
/// peak memory is 22 MB with 100, 30 MB with 250 and 45 MB with 500.
const PAGE: u32 = 100;

/// Streamed lists are enabled by default from this version on (`WatchList`; in 1.33 it is off).
const STREAMS_LISTS: Version = Version { major: 1, minor: 34 };

/// The scope of a watch.
#[derive(Debug)]
pub(super) struct Followed {
    /// The namespace; `None` for all.
    pub namespace: Option<Arc<str>>,
    /// Label and field selectors.
    pub selectors: Selectors,
    /// How the initial list is read.
    pub initial_list: InitialList,
}

/// Selectors for what the server sends.
#[derive(Clone, Default, Debug)]
pub(super) struct Selectors {
    /// By labels.
    pub labels: Option<String>,
    /// By fields.
    pub fields: Option<String>,
}

/// The changes of the objects, forever: failures are counted, logged, waited out and not passed on.
pub(super) fn follow<T: Lean + Stamped>(
    access: &Access,
    what: Followed,
    health: StreamHealth,
) -> impl Stream<Item = Event<Watched<T>>> + Send + use<T> {
    let health = Arc::new(health);
    let client = noted::<T>(access.client(), &health);
    let api = match &what.namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    };
    let follower = Follower {
        access: access.clone(),
        api,
        what,
        health,
        streamed: None,
        events: None,
        phase: Phase::Opening,
        backoff: Backoff::seeded_by_chance(),
        relists: Backoff::seeded_by_chance(),
    };
    stream::unfold(follower, |mut follower| async {
        let event = follower.next().await;
        Some((event, follower))
    })
}

/// A client that reports each answered request: kube's `watcher` emits nothing when a quiet watch is
/// resumed. It asks for protobuf where the type can be read from it.
fn noted<T: Lean>(client: &Client, health: &Arc<StreamHealth>) -> Client {
    let namespace = client.default_namespace().to_owned();
    let reader = T::schema().map(|schema| Reader::new(schema, unreadable(health)));
    let (client, health) = (client.clone(), Arc::clone(health));
    let service = service_fn(move |mut request| {
        let (client, health, reader) = (client.clone(), Arc::clone(&health), reader.clone());
        async move {
            if let Some(reader) = &reader {
                reader.ask(&mut request);
            }
            let answer = client.send(request).await?;
            if answer.status().is_success() {
                health.answered(encoding(answer.headers()));
            }
            Ok::<_, kube::Error>(match reader {
                Some(reader) => reader.read(answer).await,
                None => answer.map(BodyExt::boxed_unsync),
            })
        }
    });
    Client::new(service, namespace)
}

/// Counts an object that cannot be read: the watch continues without it.
fn unreadable(health: &Arc<StreamHealth>) -> Report {
    let health = Arc::clone(health);
    Arc::new(move |unreadable| {
        let cause = format!("an object that cannot be read: {unreadable}");
        health.failed(Trouble::Decode, &cause, Duration::ZERO);
    })
}

type Events<T> = BoxStream<'static, watcher::Result<Event<Watched<T>>>>;

struct Follower<T> {
    access: Access,
    api: Api<Watched<T>>,
    what: Followed,
    health: Arc<StreamHealth>,
    /// Whether lists are streamed; `None` until it is known.
    streamed: Option<bool>,
    events: Option<Events<T>>,
    phase: Phase,
    backoff: Backoff,
    /// A list after an expired version is not a failure, but lists in a row would be a storm.
    relists: Backoff,
}

/// The progress of a watch since it was last started.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Phase {
    /// Nothing has been answered yet.
    Opening,
    /// A list is being read.
    Listing,
    /// The list is complete.
    Watching,
}

impl<T: Lean + Stamped> Follower<T> {
    async fn next(&mut self) -> Event<Watched<T>> {
        loop {
            let Some(events) = &mut self.events else {
                self.begin().await;
                continue;
            };
            match events.next().await {
                Some(Ok(event)) => {
                    if self.goes_on(&event) {
                        return event;
                    }
                }
                Some(Err(error)) => self.failed(&error).await,
                None => self.events = None,
            }
        }
    }

    /// Restarts with a list.
    async fn begin(&mut self) {
        let streamed = match self.streamed {
            Some(streamed) => Ok(streamed),
            None => streams_lists(&self.access, self.what.initial_list).await,
        };
        let streamed = match streamed {
            Ok(streamed) => *self.streamed.insert(streamed),
            Err(error) => return self.wait_out(Trouble::from_error(&error), &cause(&error)).await,
        };
        let mut config = watcher::Config::default().timeout(WATCH_SECONDS).page_size(PAGE);
        config.label_selector.clone_from(&self.what.selectors.labels);
        config.field_selector.clone_from(&self.what.selectors.fields);
        if streamed {
            config = config.streaming_lists();
        }
        self.phase = Phase::Opening;
        self.events = Some(watcher::watcher(self.api.clone(), config).boxed());
    }

    /// Processes an event; `false` if it must not be passed on.
    fn goes_on(&mut self, event: &Event<Watched<T>>) -> bool {
        match event {
            Event::Init => return self.list_begins(),
            Event::InitDone => {
                self.phase = Phase::Watching;
                self.health.listed();
            }
            Event::Apply(watched) => self.health.object(watched.object.said_at()),
            Event::InitApply(_) | Event::Delete(_) => self.health.object(None),
        }
        true
    }

    /// A streamed list that ended before it was complete would end so again: the timeout of a watch ends
    /// its initial list as well, however far it got.
    fn list_begins(&mut self) -> bool {
        let before = std::mem::replace(&mut self.phase, Phase::Listing);
        if self.streamed == Some(true) && before == Phase::Listing {
            self.read_pages("it did not come to its end as a stream");
            return false;
        }
        self.health.list_started();
        true
    }

    fn read_pages(&mut self, why: &str) {
        self.health.falls_back(why);
        self.streamed = Some(false);
        self.events = None;
    }

    async fn failed(&mut self, error: &watcher::Error) {
        let trouble = Trouble::of_watch(error);
        match error {
            watcher::Error::WatchStartFailed(_) if trouble == Trouble::Gone => {
                // kube would request the same version forever.
                self.events = None;
            }
            watcher::Error::WatchStartFailed(kube::Error::Api(status))
                if self.streamed == Some(true) && refuses(status.code) =>
            {
                self.read_pages("the server does not stream it");
            }
            _ => {}
        }
        self.wait_out(trouble, &watch_cause(error)).await;
    }

    async fn wait_out(&mut self, trouble: Trouble, cause: &str) {
        let wait = match trouble {
            // One unreadable line costs no more than itself.
            Trouble::Decode if self.phase == Phase::Watching => Duration::ZERO,
            Trouble::Gone => self.relists.wait(),
            _ => self.backoff.wait(),
        };
        self.health.failed(trouble, cause, wait);
        self.access.way().pause(wait, trouble, &mut self.backoff).await;
    }
}

/// Whether an answer refuses streamed lists as such (422 if `WatchList` is off): missing permissions, bad
/// credentials and temporary errors prove nothing about the server's features.
const fn refuses(code: u16) -> bool {
    matches!(code, 400..=499) && !matches!(code, 401 | 403 | 408 | 410 | 429)
}

/// Whether to request streamed lists from this server.
async fn streams_lists(access: &Access, wanted: InitialList) -> kube::Result<bool> {
    match wanted {
        InitialList::List => Ok(false),
        InitialList::Stream => Ok(true),
        InitialList::Auto => match access.version().await {
            Ok(version) => Ok(version >= STREAMS_LISTS),
            // Some clusters do not tell anyone their version.
            Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) => Ok(false),
            Err(error) => Err(error),
        },
    }
}

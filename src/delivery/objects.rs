//! The `Finding` objects: where findings are learnt, and what was told is recorded.
//!
//! A kube-runtime `Controller`, which never works on one object twice at once: what several receivers
//! were told of a finding is written by one after the other.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::{ApiResource, DynamicObject};
use kube::runtime::controller::{self, Action, Controller};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Api, Client};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{debug, warn};

use super::ledger::{Ledger, Record};
use crate::finding::Identity;
use crate::operator::board::Board;
use crate::operator::clock;
use crate::operator::leadership::Leadership;
use crate::report::object::{DELIVERY_MANAGER, FindingObject, object_name};
use crate::source::cluster::{Backoff, Trouble, cause};

/// Objects that are written at once.
const AT_ONCE: u16 = 8;
/// The server ends a watch after so long: a dead peer is noticed soon after.
const WATCH: u32 = 10;
/// A write takes so long at most.
const WRITE: Duration = Duration::from_secs(10);
/// What could not be written is tried again after so long.
const AGAIN: Duration = Duration::from_secs(2);
/// How often it is looked which objects are gone, and what could not be asked for.
const SWEEP: Duration = Duration::from_secs(5);

/// The objects of all namespaces, or of one.
#[derive(Clone)]
pub struct Objects {
    client: Client,
    namespace: Option<String>,
}

/// What the reconciler works with.
struct Means {
    objects: Objects,
    ledger: Arc<Ledger>,
    leadership: Leadership,
}

/// Why an object was not written.
#[derive(thiserror::Error, Debug)]
enum NotWritten {
    #[error("{}", cause(.0))]
    Refused(kube::Error),
    #[error("no answer in time")]
    TimedOut,
}

impl Objects {
    /// Those of a namespace, or of all.
    pub const fn new(client: Client, namespace: Option<String>) -> Self {
        Self { client, namespace }
    }

    /// Whether they can be listed.
    ///
    /// # Errors
    /// There are none of the kind, the right is missing, or there is no answer.
    pub async fn check(&self) -> Result<(), kube::Error> {
        self.api().list_metadata(&ListParams::default().limit(1)).await.map(drop)
    }

    /// Follows them into the ledger and records what was told, until it is dropped.
    pub async fn follow(self, ledger: Arc<Ledger>, board: Arc<Board>, leadership: Leadership) {
        let (ask, asked) = mpsc::channel(1);
        let config = controller::Config::default().concurrency(AT_ONCE);
        let controller = Controller::new_with(self.api(), watcher::Config::default().timeout(WATCH), resource())
            .with_config(config)
            .trigger_backoff(Backoff::seeded_by_chance())
            .reconcile_all_on(stream_of(asked));
        let store = controller.store();
        let means = Arc::new(Means { objects: self.clone(), ledger: Arc::clone(&ledger), leadership });
        let run = controller.run(reconcile, again, Arc::clone(&means)).for_each(|outcome| {
            if let Err(controller::Error::QueueError(error)) = &outcome {
                debug!(why = crate::source::cluster::watch_cause(error), "Finding objects cannot be watched");
            }
            std::future::ready(())
        });
        tokio::select! {
            () = run => {}
            () = self.keep(&store, &means, &board, &ask) => {}
        }
    }

    /// Sees which objects there are, and asks that what was told be written.
    async fn keep(&self, store: &Store<DynamicObject>, means: &Means, board: &Board, ask: &mpsc::Sender<()>) {
        if store.wait_until_ready().await.is_err() {
            return;
        }
        for object in store.state() {
            saw(&means.ledger, &object);
        }
        means.ledger.settle_on(Record::Objects);
        let mut changed = means.ledger.subscribe();
        let mut ticks = interval(SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.sweep(store, &means.ledger, board),
                Ok(()) = changed.changed() => {}
            }
            let owed = means.leadership.holds() && means.ledger.owed().iter().any(|identity| self.holds(identity));
            if owed {
                // One that is asked for already will see this too.
                let _ = ask.try_send(());
            }
        }
    }

    fn sweep(&self, store: &Store<DynamicObject>, ledger: &Ledger, board: &Board) {
        let there = |identity: &Identity| !self.holds(identity) || store.get(&object_ref(identity)).is_some();
        ledger.only_these(there, board, clock::now());
    }

    /// Whether a finding's object is one of these.
    fn holds(&self, identity: &Identity) -> bool {
        self.namespace.as_deref().is_none_or(|namespace| *namespace == *identity.namespace)
    }

    fn api(&self) -> Api<DynamicObject> {
        match &self.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource()),
            None => Api::all_with(self.client.clone(), &resource()),
        }
    }
}

/// Takes in an object and, where something of it was told that does not stand in it, writes that.
async fn reconcile(object: Arc<DynamicObject>, means: Arc<Means>) -> Result<Action, NotWritten> {
    let Some(identity) = saw(&means.ledger, &object) else { return Ok(Action::await_change()) };
    // All objects are looked at when something was told of one.
    let Some(told) = means.ledger.unrecorded(&identity) else { return Ok(Action::await_change()) };
    if !means.leadership.holds() {
        return Ok(Action::await_change());
    }
    let name = object_name(&identity);
    let patch = json!({
        "apiVersion": resource().api_version,
        "kind": resource().kind,
        "metadata": { "name": name, "namespace": identity.namespace },
        "status": { "notifications": told },
    });
    let api: Api<DynamicObject> = Api::namespaced_with(means.objects.client.clone(), &identity.namespace, &resource());
    let params = PatchParams::apply(DELIVERY_MANAGER).force();
    match timeout(WRITE, api.patch_status(&name, &params, &Patch::Apply(&patch))).await {
        Ok(Ok(_)) => means.ledger.recorded(&identity, told),
        Ok(Err(error)) if is_for_good(&error) => {
            let finding = object.metadata.name.as_deref();
            warn!(finding, why = cause(&error), "What was told cannot be recorded: after a restart it is told again");
            means.ledger.excuse(&identity);
        }
        Ok(Err(error)) => return Err(NotWritten::Refused(error)),
        Err(_) => return Err(NotWritten::TimedOut),
    }
    Ok(Action::await_change())
}

fn again(_: Arc<DynamicObject>, error: &NotWritten, _: Arc<Means>) -> Action {
    debug!(why = %error, "What was told could not be recorded; it is tried again");
    Action::requeue(AGAIN)
}

/// Whether there is nothing to write to, or it will not be taken: to wait would hold up all else.
fn is_for_good(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    matches!(status.code, 400 | 404 | 422) || Trouble::of(error) == Trouble::Forbidden
}

/// Takes in an object, unless it is as it was; one that cannot be read affects nothing else.
fn saw(ledger: &Ledger, object: &DynamicObject) -> Option<Identity> {
    if let Some(identity) = ledger.has_seen(&object.metadata) {
        return Some(identity);
    }
    let value = serde_json::to_value(object).ok();
    let Some(seen) = value.and_then(|value| serde_json::from_value::<FindingObject>(value).ok()) else {
        let (finding, namespace) = (object.metadata.name.as_deref(), object.metadata.namespace.as_deref());
        debug!(namespace, finding, "A Finding object cannot be read, and is passed over");
        return None;
    };
    ledger.saw(&seen);
    seen.finding().map(|finding| finding.identity())
}

fn object_ref(identity: &Identity) -> ObjectRef<DynamicObject> {
    ObjectRef::new_with(&object_name(identity), resource()).within(&identity.namespace)
}

fn resource() -> ApiResource {
    ApiResource::erase::<FindingObject>(&())
}

fn stream_of<T: Send + 'static>(receiver: mpsc::Receiver<T>) -> impl Stream<Item = T> + Send {
    stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) })
}

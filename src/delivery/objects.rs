//! The `Finding` objects: where findings are learnt, and what was told is recorded.
//!
//! A kube-runtime `Controller`, which never works on one object twice at once: what several receivers
//! were told of a finding is written by one after the other.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use futures::{FutureExt, Stream, StreamExt, stream};
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::{ApiResource, DynamicObject};
use kube::runtime::controller::{self, Action, Controller};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Api, Client};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
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
/// Objects of one page of a list.
const PAGE: u32 = 250;
/// A list takes so long at most.
const LIST: Duration = Duration::from_secs(30);
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

/// What all of it works with.
struct Means {
    ledger: Arc<Ledger>,
    leadership: Leadership,
}

/// What a reconciler works with.
struct Context {
    client: Client,
    means: Arc<Means>,
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

    /// All of them as they are now, by the API server's own word.
    async fn list(&self) -> Result<Vec<DynamicObject>, kube::Error> {
        let mut all = Vec::new();
        let mut params = ListParams::default().limit(PAGE);
        loop {
            let page = self.api().list(&params).await?;
            all.extend(page.items);
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(all),
            }
        }
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

/// Follows the objects into the ledger and records what was told, until it is dropped.
///
/// Nothing is told before this replica leads and has asked what there is by then: what it heard as a
/// follower may be older than the last words of the leader before.
pub async fn follow(all: Vec<Objects>, ledger: Arc<Ledger>, board: Arc<Board>, leadership: Leadership) {
    let means = Arc::new(Means { ledger, leadership });
    let (controllers, followed): (Vec<_>, Vec<_>) =
        all.into_iter().map(|objects| followed(objects, Arc::clone(&means))).unzip();
    tokio::select! {
        _ = join_all(controllers) => {}
        () = keep(&followed, &means, &board) => {}
    }
}

/// Objects with the cache of their controller.
struct Followed {
    objects: Objects,
    store: Store<DynamicObject>,
    /// Asks the controller to look at all of them.
    ask: mpsc::Sender<()>,
}

/// The controller of some objects, to be run, and what it sees.
fn followed(objects: Objects, means: Arc<Means>) -> (BoxFuture<'static, ()>, Followed) {
    let (ask, asked) = mpsc::channel(1);
    let context = Arc::new(Context { client: objects.client.clone(), means });
    let controller = Controller::new_with(objects.api(), watcher::Config::default().timeout(WATCH), resource())
        .with_config(controller::Config::default().concurrency(AT_ONCE))
        .trigger_backoff(Backoff::seeded_by_chance())
        .reconcile_all_on(stream_of(asked));
    let store = controller.store();
    let run = controller.run(reconcile, again, context).for_each(|outcome| {
        if let Err(controller::Error::QueueError(error)) = &outcome {
            debug!(why = crate::source::cluster::watch_cause(error), "Finding objects cannot be watched");
        }
        std::future::ready(())
    });
    (run.boxed(), Followed { objects, store, ask })
}

/// Term after term: asks what there is, lets it be told, and keeps an eye on it.
async fn keep(all: &[Followed], means: &Means, board: &Board) {
    let (mut acquired, mut lost) = (means.leadership.clone(), means.leadership.clone());
    loop {
        acquired.acquired().await;
        let term = async {
            take_over(all, &means.ledger).await;
            means.ledger.settle_on(Record::Objects);
            watch_over(all, means, board).await;
        };
        tokio::select! {
            () = lost.lost() => {}
            () = term => return,
        }
        means.ledger.settle_on(Record::Unknown);
    }
}

/// Asks until there is an answer.
async fn take_over(all: &[Followed], ledger: &Ledger) {
    let mut backoff = Backoff::seeded_by_chance();
    for followed in all {
        loop {
            match timeout(LIST, followed.objects.list()).await {
                Ok(Ok(objects)) => {
                    for object in &objects {
                        saw(ledger, object);
                    }
                    break;
                }
                Ok(Err(error)) => debug!(why = cause(&error), "Finding objects cannot be listed; it is tried again"),
                Err(_) => debug!("Finding objects cannot be listed in time; it is tried again"),
            }
            sleep(backoff.wait()).await;
        }
    }
}

/// Sees which objects are gone, and asks that what was told be written.
async fn watch_over(all: &[Followed], means: &Means, board: &Board) {
    let mut changed = means.ledger.subscribe();
    let mut ticks = interval(SWEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => sweep(all, &means.ledger, board),
            Ok(()) = changed.changed() => {}
        }
        let owed = means.ledger.owed();
        for followed in all {
            if owed.iter().any(|identity| followed.objects.holds(identity)) {
                // One that is asked for already will see this too.
                let _ = followed.ask.try_send(());
            }
        }
    }
}

fn sweep(all: &[Followed], ledger: &Ledger, board: &Board) {
    // Before its first list a cache knows nothing of what there is not.
    if !all.iter().all(|followed| is_ready(&followed.store)) {
        return;
    }
    let in_store = |identity: &Identity| all.iter().any(|followed| followed.store.get(&object_ref(identity)).is_some());
    ledger.only_these(in_store, board, clock::now());
}

fn is_ready(store: &Store<DynamicObject>) -> bool {
    store.wait_until_ready().now_or_never().is_some()
}

/// Takes in an object and, where something of it was told that does not stand in it, writes that.
async fn reconcile(object: Arc<DynamicObject>, context: Arc<Context>) -> Result<Action, NotWritten> {
    let means = &context.means;
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
    let api: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), &identity.namespace, &resource());
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

fn again(_: Arc<DynamicObject>, error: &NotWritten, _: Arc<Context>) -> Action {
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

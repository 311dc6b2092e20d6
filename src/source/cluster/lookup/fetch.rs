//! Reads objects from the API server: with bounded concurrency, timeouts, and a short-lived cache.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use kube::api::ListParams;
use kube::{Api, Client};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

use super::Attempt;
use crate::source::cluster::health::LogThrottle;
use crate::source::cluster::trouble::{Trouble, cause};
use crate::source::cluster::watched::{Lean, Watched};
use crate::source::recording::Object;

/// Maximum number of concurrent requests, so that a storm of needs is no storm for the API server.
const AT_ONCE: usize = 4;
/// Maximum number of cached answers.
const MAX_KEPT: usize = 64;
/// Cache time for concurrent look-ups. The engine repeats a need after a second because something has
/// changed, and must not get an old answer.
const MOMENT: Duration = Duration::from_millis(500);
/// Cache time of a namespace's Services, which are read for each of its workloads, and whose selectors
/// hardly ever change.
const SERVICES: Duration = Duration::from_secs(5);

/// How much of a list is read.
#[derive(Copy, Clone, Debug)]
pub struct Extent {
    /// Objects per page, which are in memory at once before they are made lean.
    pub page: u32,
    /// Maximum number of objects; a longer list is cut.
    pub most: usize,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The objects; empty if there is no such object.
    pub objects: Vec<Arc<Object>>,
    /// Whether there are more than were read.
    pub is_cut: bool,
}

/// What was found, or why the request failed.
pub type Reply = Result<Arc<Found>, Trouble>;

/// Reads objects, and logs what it may not or cannot read.
pub struct Fetcher {
    client: Client,
    permits: Semaphore,
    kept: Mutex<BTreeMap<Question, Kept>>,
    refused: Mutex<BTreeSet<&'static str>>,
    told: LogThrottle,
}

/// A request to the API server.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Question {
    plural: &'static str,
    namespace: Arc<str>,
    which: Which,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Which {
    Named(Arc<str>),
    /// By labels; all of them if it is empty.
    Selected(String),
}

struct Kept {
    until: Instant,
    reply: Arc<OnceCell<Reply>>,
}

/// Why a request failed.
enum Failure {
    TooLate,
    Refused(kube::Error),
}

impl Fetcher {
    /// Reads through that client.
    pub fn new(client: Client) -> Self {
        let permits = Semaphore::new(AT_ONCE);
        Self { client, permits, kept: Mutex::default(), refused: Mutex::default(), told: LogThrottle::default() }
    }

    /// One object.
    pub async fn named<T: Lean>(&self, namespace: &Arc<str>, name: &Arc<str>, attempt: Attempt) -> Reply {
        let api = self.api::<T>(namespace);
        let ask = async {
            let found = self.in_time(attempt, api.get_opt(name)).await?;
            Ok(Found { objects: found.into_iter().map(shared).collect(), is_cut: false })
        };
        self.once::<T>(namespace, Which::Named(Arc::clone(name)), attempt, ask.boxed()).await
    }

    /// The objects with these labels, all if they are empty.
    pub async fn selected<T: Lean>(
        &self,
        namespace: &Arc<str>,
        labels: &str,
        extent: Extent,
        attempt: Attempt,
    ) -> Reply {
        let api = self.api::<T>(namespace);
        let ask = self.pages(&api, labels, extent, attempt);
        self.once::<T>(namespace, Which::Selected(labels.to_owned()), attempt, ask.boxed()).await
    }

    /// Waits until a cached answer expires, and drops it; forever if there is none.
    pub async fn forget(&self) {
        let next = locked(&self.kept).values().map(|kept| kept.until).min();
        match next {
            Some(until) => sleep_until(until).await,
            None => std::future::pending().await,
        }
        let now = Instant::now();
        locked(&self.kept).retain(|_, kept| kept.until > now);
    }

    fn api<T: Lean>(&self, namespace: &str) -> Api<Watched<T>> {
        Api::namespaced(self.client.clone(), namespace)
    }

    async fn pages<T: Lean>(
        &self,
        api: &Api<Watched<T>>,
        labels: &str,
        extent: Extent,
        attempt: Attempt,
    ) -> Result<Found, Failure> {
        let mut params = ListParams::default().limit(extent.page);
        params.label_selector = Some(labels.to_owned()).filter(|labels| !labels.is_empty());
        let mut found = Found::default();
        loop {
            let page = self.in_time(attempt, api.list(&params)).await?;
            found.objects.extend(page.items.into_iter().map(shared));
            params.continue_token = page.metadata.continue_.filter(|next| !next.is_empty());
            found.is_cut = params.continue_token.is_some() && found.objects.len() >= extent.most;
            if params.continue_token.is_none() || found.is_cut {
                return Ok(found);
            }
        }
    }

    /// Waits for a free slot, and then for the answer.
    async fn in_time<R>(&self, attempt: Attempt, request: impl Future<Output = kube::Result<R>>) -> Result<R, Failure> {
        let _permit = self.permits.acquire().await.expect("it is never closed");
        timeout(attempt.patience, request).await.map_err(|_| Failure::TooLate)?.map_err(Failure::Refused)
    }

    /// Sends a request, unless the same one is in flight or was answered a moment ago.
    async fn once<T: Lean>(
        &self,
        namespace: &Arc<str>,
        which: Which,
        attempt: Attempt,
        ask: BoxFuture<'_, Result<Found, Failure>>,
    ) -> Reply {
        let question = Question { plural: T::PLURAL, namespace: Arc::clone(namespace), which };
        let cell = self.place(&question);
        let reply = cell
            .get_or_init(async || ask.await.map(Arc::new).map_err(|why| self.tell::<T>(namespace, attempt, &why)))
            .await;
        let may_pass = reply.as_ref().is_err_and(|trouble| trouble.may_pass());
        if may_pass {
            locked(&self.kept).retain(|_, kept| !Arc::ptr_eq(&kept.reply, &cell));
        }
        reply.clone()
    }

    /// Where the answer to a question is, or will be.
    fn place(&self, question: &Question) -> Arc<OnceCell<Reply>> {
        let now = Instant::now();
        let mut kept = locked(&self.kept);
        kept.retain(|_, kept| kept.until > now);
        if let Some(known) = kept.get(question) {
            return Arc::clone(&known.reply);
        }
        let reply = Arc::default();
        let span = if question.plural == "services" { SERVICES } else { MOMENT };
        if kept.len() < MAX_KEPT {
            kept.insert(question.clone(), Kept { until: now + span, reply: Arc::clone(&reply) });
        }
        reply
    }

    /// Logs a failure: a missing permission once per kind, anything else rarely, and only if it is not
    /// retried.
    fn tell<T: Lean>(&self, namespace: &str, attempt: Attempt, why: &Failure) -> Trouble {
        let (trouble, cause) = match why {
            Failure::TooLate => (Trouble::Timeout, "no answer in time".to_owned()),
            Failure::Refused(error) => (Trouble::from_error(error), cause(error)),
        };
        let (resource, error) = (T::PLURAL, trouble.word());
        if trouble == Trouble::Forbidden {
            if locked(&self.refused).insert(resource) {
                tracing::warn!(resource, namespace, cause, "Objects around the pods may not be looked up");
            }
        } else if trouble.may_pass() && !attempt.is_last {
            tracing::debug!(resource, namespace, error, cause, "Objects around the pods are looked up again");
        } else if self.told.may_tell() {
            tracing::warn!(resource, namespace, error, cause, "Objects around the pods cannot be looked up");
        }
        trouble
    }
}

fn shared<T: Lean>(watched: Watched<T>) -> Arc<Object> {
    Arc::new(watched.object.into_object())
}

/// What a panic elsewhere left behind is still valid.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

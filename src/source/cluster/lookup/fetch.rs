//! Objects from the API server: few requests at once, none without an end, none twice in a moment.

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

/// Requests at once, so that a storm of needs is no storm for the API server.
const AT_ONCE: usize = 4;
/// Answers that are kept for others who ask the same.
const MAX_KEPT: usize = 64;
/// A moment: for those who ask at the same time. The engine asks again after a second because
/// something has changed, and must not get what was before.
const MOMENT: Duration = Duration::from_millis(500);
/// The Services of a namespace are asked for by each of its workloads, and their selectors hardly
/// ever change.
const SERVICES: Duration = Duration::from_secs(5);

/// How much is read of a list.
#[derive(Copy, Clone, Debug)]
pub struct Extent {
    /// Objects of a page: what is in memory at once before it is made small.
    pub page: u32,
    /// Objects in all; where there are more, the list is cut.
    pub most: usize,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The objects; none where there is no such object.
    pub objects: Vec<Arc<Object>>,
    /// Whether there is more than is read.
    pub is_cut: bool,
}

/// What was found, or why nothing could be.
pub type Reply = Result<Arc<Found>, Trouble>;

/// Fetches objects, and tells in the log where it may not or cannot.
pub struct Fetcher {
    client: Client,
    permits: Semaphore,
    kept: Mutex<BTreeMap<Question, Kept>>,
    refused: Mutex<BTreeSet<&'static str>>,
    told: LogThrottle,
}

/// What is asked of the API server.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Question {
    plural: &'static str,
    namespace: Arc<str>,
    which: Which,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Which {
    Named(Arc<str>),
    /// By labels; all of them where it is empty.
    Selected(String),
}

struct Kept {
    until: Instant,
    reply: Arc<OnceCell<Reply>>,
}

/// Why a request has no answer.
enum Failure {
    TooLate,
    Refused(kube::Error),
}

impl Fetcher {
    /// Fetches with that client.
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

    /// The objects with these labels, all where they are empty.
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

    /// Waits until something that is kept is too old, and forgets it; for ever where nothing is.
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

    /// Waits for a place, and then for an answer.
    async fn in_time<R>(&self, attempt: Attempt, request: impl Future<Output = kube::Result<R>>) -> Result<R, Failure> {
        let _permit = self.permits.acquire().await.expect("it is never closed");
        timeout(attempt.patience, request).await.map_err(|_| Failure::TooLate)?.map_err(Failure::Refused)
    }

    /// Asks, unless somebody asks the same just now or has a moment ago.
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

    /// Tells what went wrong: a missing right once for each kind, anything else seldom, and only
    /// where it is not tried again.
    fn tell<T: Lean>(&self, namespace: &str, attempt: Attempt, why: &Failure) -> Trouble {
        let (trouble, cause) = match why {
            Failure::TooLate => (Trouble::Timeout, "no answer in time".to_owned()),
            Failure::Refused(error) => (Trouble::of(error), cause(error)),
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

/// What a panic elsewhere left is still what was known.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

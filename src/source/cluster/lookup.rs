//! Looks up the engine's needs in the cluster.

mod around;
mod fetch;
mod namespaces;
mod queue;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc;

use super::client::Access;
use crate::engine::{Need, Observation};
use crate::source::recording::{Object, RecordKind};
use crate::source::{Observer, Oddity, Related};
use around::{Gathered, around};
use fetch::Fetcher;
pub use namespaces::{NamespaceAnswer, NamespaceLookup};
use queue::{Put, Queue};

/// Maximum number of waiting needs: two for each of 4,000 workloads that begin to loop at once, at some 200
/// bytes.
const MAX_WAITING: usize = 8192;
/// Maximum number of needs processed concurrently. Most of them wait for one of their requests, or for a
/// retry.
const AT_ONCE: usize = 64;
/// Maximum number of answers not taken yet.
const MAX_ANSWERS: usize = 64;

/// The engine delays its first publication by 2 s; later answers still improve the finding.
const ATTEMPTS: [Attempt; 3] = [
    Attempt { pause: Duration::ZERO, patience: Duration::from_millis(1500), is_last: false },
    Attempt { pause: Duration::from_secs(1), patience: Duration::from_secs(5), is_last: false },
    Attempt { pause: Duration::from_secs(3), patience: Duration::from_secs(10), is_last: true },
];

/// One attempt at a look-up.
#[derive(Copy, Clone, Debug)]
struct Attempt {
    /// The pause before it.
    pause: Duration,
    /// Timeout of each of its requests.
    patience: Duration,
    /// Whether a failure is final; before that it is retried, and need not be reported.
    is_last: bool,
}

/// Looks up needs; cheap to clone. It ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// Wakes the worker.
    asked: mpsc::Sender<()>,
    queue: Arc<Mutex<Queue>>,
    counts: Arc<LookupCounts>,
}

/// An answer: the objects found for a need.
#[derive(Debug)]
pub struct Answer {
    /// The need.
    pub need: Need,
    /// Controllers, revisions, Services, slices.
    pub objects: Vec<Arc<Object>>,
    /// Whether nothing is missing: no permission, no page, no answer in time.
    pub is_whole: bool,
}

/// The outcomes of needs.
#[derive(Debug, Default)]
pub struct LookupCounts {
    answered: AtomicU64,
    partial: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl LookupCounts {
    /// The outcomes and their numbers: `answered`, `partial` (something is missing), `failed` (nothing
    /// could be read), `dropped` (too many were waiting).
    pub fn by_outcome(&self) -> [(&'static str, u64); 4] {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            ("answered", read(&self.answered)),
            ("partial", read(&self.partial)),
            ("failed", read(&self.failed)),
            ("dropped", read(&self.dropped)),
        ]
    }

    fn count(&self, gathered: &Gathered) {
        let count = match (gathered.is_whole(), gathered.objects.is_empty()) {
            (true, _) => &self.answered,
            (false, false) => &self.partial,
            (false, true) => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

impl Lookup {
    /// Starts a look-up task; the answers are received at the other end.
    ///
    /// A need may be answered twice: with what was available at once, and with the rest later.
    pub fn start(access: &Access) -> (Self, mpsc::Receiver<Answer>) {
        let (asked, woken) = mpsc::channel(1);
        let (answers, answered) = mpsc::channel(MAX_ANSWERS);
        let (queue, counts) = (Arc::<Mutex<Queue>>::default(), Arc::<LookupCounts>::default());
        let worker = Worker {
            fetcher: Fetcher::new(access.client().clone()),
            queue: Arc::clone(&queue),
            counts: Arc::clone(&counts),
            answers,
        };
        tokio::spawn(async move { worker.run(woken).await });
        (Self { asked, queue, counts }, answered)
    }

    /// Queues a need, without waiting. A need that is already queued is processed once.
    pub fn ask(&self, need: Need) {
        if locked(&self.queue).put(need) != Put::Waits {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
        // If it is full the worker is about to run anyway.
        _ = self.asked.try_send(());
    }

    /// Number of waiting needs.
    pub fn depth(&self) -> usize {
        locked(&self.queue).len()
    }

    /// The outcomes of needs so far.
    pub fn counts(&self) -> &Arc<LookupCounts> {
        &self.counts
    }
}

impl Answer {
    /// The observation for the engine: `None` if nothing is known; and why objects were left out. The
    /// observer reports oddities of the others.
    pub fn observation(&self, observer: &mut Observer) -> (Option<Observation>, Vec<Oddity>) {
        let mut related = Related::new();
        let take = |object: &Arc<Object>| related.apply(RecordKind::Added, object, observer).err();
        let odd = self.objects.iter().filter_map(take).collect();
        if self.is_whole {
            related.services_are_complete();
        }
        (related.answer(&self.need), odd)
    }
}

struct Worker {
    fetcher: Fetcher,
    queue: Arc<Mutex<Queue>>,
    counts: Arc<LookupCounts>,
    answers: mpsc::Sender<Answer>,
}

impl Worker {
    async fn run(&self, mut woken: mpsc::Receiver<()>) {
        let mut work = FuturesUnordered::new();
        loop {
            while work.len() < AT_ONCE {
                // If it is requested again from now on, it is a new need: what is read now may be older.
                let Some(need) = locked(&self.queue).next() else { break };
                work.push(self.answer(need));
            }
            tokio::select! {
                woken = woken.recv() => if woken.is_none() { break },
                Some(()) = work.next() => {}
                () = self.fetcher.forget(), if work.is_empty() => {}
            }
        }
    }

    async fn answer(&self, need: Need) {
        for (index, attempt) in ATTEMPTS.into_iter().enumerate() {
            tokio::time::sleep(attempt.pause).await;
            let gathered = around(&self.fetcher, &need, attempt).await;
            let is_last = !gathered.may_become_whole() || attempt.is_last;
            if is_last {
                self.counts.count(&gathered);
            }
            if is_last || (index == 0 && !gathered.objects.is_empty()) {
                self.send(need.clone(), gathered).await;
            }
            if is_last {
                return;
            }
        }
    }

    async fn send(&self, need: Need, gathered: Gathered) {
        let is_whole = gathered.is_whole();
        // Nobody receives any more when the operator ends.
        _ = self.answers.send(Answer { need, objects: gathered.objects, is_whole }).await;
    }
}

fn locked(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

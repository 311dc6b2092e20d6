//! Keeps the `Finding` objects of the cluster as the board says: written on change, put back when a
//! person deletes them while they go on, put right when somebody edits them, removed when they are
//! long over and told.
//!
//! [`plan`] decides what to do and when, and is pure; [`store`] does it.
//!
//! Invariants:
//! - Nothing is written without asking [`Leadership::holds`] right before.
//! - Nothing is lost: what cannot be written stays wanted, in its newest state, and is tried again.
//! - Where there is no API for it, or no right, all else goes on.

mod complaints;
mod plan;
mod refusal;
mod sight;
mod state;
mod store;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, Stream, StreamExt};
use kube::api::DynamicObject;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{info, warn};

pub use refusal::Refusal;
pub use store::Store;

use super::board::{Board, News};
use super::clock;
use super::driver::Memory;
use super::instruments::{Instruments, WriteOutcome};
use super::leadership::Leadership;
use super::metrics::Metrics;
use super::metrics::labels::Queue;
use super::stop::Stop;
use crate::config::Config;
use crate::finding::{Finding, Identity};
use crate::source::cluster::Backoff;
use complaints::Complaints;
use plan::{Action, Now, Outcome, Plan};
use sight::Sighting;
use state::{Kept, Key};

/// Objects that are written at once.
const AT_ONCE: usize = 8;
/// A new leader waits so long for what the one before it had said; then it goes on without.
const TAKE_OVER: Duration = Duration::from_secs(30);
/// How long the last words may take.
const LAST_WORDS: Duration = Duration::from_millis(2500);

/// What the keeper works with.
pub struct Means {
    /// Reads and writes the objects.
    pub store: Store,
    /// What is to stand in them.
    pub board: Arc<Board>,
    /// How long to keep what is over.
    pub config: watch::Receiver<Arc<Config>>,
    /// Whether to write.
    pub leadership: Leadership,
    /// Takes what another leader has said.
    pub memories: mpsc::Sender<Memory>,
    /// Counts what is written.
    pub metrics: Arc<Metrics>,
}

/// What the objects of the cluster say that had been said when this replica was started.
///
/// # Errors
/// They cannot be read.
pub async fn remembered(store: &Store) -> Result<Vec<Finding>, Refusal> {
    Ok(store.list().await?.iter().filter_map(state::remembered).collect())
}

/// Keeps the objects until `stop`; then writes what waits for its time, if this replica leads.
pub async fn run(means: Means, mut stop: Stop) {
    let sightings = sight::watch(&means.store);
    let mut keeper = Keeper::new(means);
    tokio::select! {
        biased;
        () = stop.asked() => {}
        () = keeper.keep(sightings) => {}
    }
    keeper.say_last_words().await;
}

struct Keeper {
    means: Means,
    news: News,
    plan: Plan,
    instruments: Arc<Instruments>,
    complaints: Complaints,
    role: Role,
    work: FuturesUnordered<BoxFuture<'static, (Key, Done)>>,
}

/// What came of an action.
type Done = Result<Option<Kept>, Refusal>;

enum Role {
    Standby,
    TakingOver(BoxFuture<'static, Vec<DynamicObject>>),
    Leading,
}

/// What happens to a role.
enum Turn {
    /// The Lease was acquired.
    Acquired,
    /// What the leader before had said is known, and the objects that there are.
    TookOver(Vec<DynamicObject>),
    /// The Lease was lost.
    Lost,
}

impl Keeper {
    fn new(means: Means) -> Self {
        let plan = Plan::new(means.config.borrow().findings.keep_resolved);
        let (news, instruments) = (means.board.subscribe(), means.metrics.instruments());
        let complaints = Complaints::new(Arc::clone(&instruments));
        Self { means, news, plan, instruments, complaints, role: Role::Standby, work: FuturesUnordered::new() }
    }

    /// For ever.
    async fn keep(&mut self, sightings: impl Stream<Item = Sighting> + Send) {
        let mut sightings = std::pin::pin!(sightings);
        let mut leadership = self.means.leadership.clone();
        loop {
            self.start_what_is_due();
            self.means.metrics.queue_depth(Queue::Writes, self.work.len() + self.plan.overdue(now()));
            let due = self.next_due();
            tokio::select! {
                Ok(()) = self.means.config.changed() => self.config_changed(),
                news = self.news.next() => self.want(&news),
                Some(sighting) = sightings.next() => self.see(sighting),
                Some((key, done)) = self.work.next() => self.done(&key, done),
                turn = self.role.next(&mut leadership) => self.turn(turn),
                () = sleep_until(due) => {}
            }
        }
    }

    /// Starts what is due, if this replica leads and not too much is going on.
    fn start_what_is_due(&mut self) {
        while matches!(self.role, Role::Leading) && self.work.len() < AT_ONCE {
            let Some(action) = self.plan.take_due(now()) else { break };
            self.work.push(perform(self.means.store.clone(), action).boxed());
        }
    }

    fn next_due(&self) -> Instant {
        const IDLE: Duration = Duration::from_mins(1);
        let waits = matches!(self.role, Role::Leading) && self.work.len() < AT_ONCE;
        let due = self.plan.next_due().filter(|_| waits);
        due.unwrap_or_else(|| Instant::now() + IDLE)
    }

    fn config_changed(&mut self) {
        let keep_resolved = self.means.config.borrow_and_update().findings.keep_resolved;
        self.plan.set_keep_resolved(keep_resolved, now());
    }

    fn take_news(&mut self) {
        let news = self.news.take();
        self.want(&news);
    }

    fn want(&mut self, news: &BTreeSet<Identity>) {
        for shown in news.iter().filter_map(|identity| self.means.board.get(identity)) {
            self.plan.want(&shown, now());
        }
    }

    fn see(&mut self, sighting: Sighting) {
        match sighting {
            Sighting::Started(scope) => self.plan.list_started(scope),
            Sighting::Saw(key, kept) => {
                self.plan.saw(&key, kept, now());
                if self.plan.take_contested() {
                    self.complaints.contested(&key);
                }
            }
            Sighting::Gone(key, version) => self.plan.gone(&key, version, now()),
            Sighting::Finished(scope) => {
                self.complaints.can_watch(&scope);
                self.plan.list_finished(&scope, now());
            }
            Sighting::Failed(scope, refusal) => self.complaints.cannot_watch(&scope, &refusal),
        }
    }

    fn done(&mut self, key: &Key, done: Done) {
        let count = |outcome| self.instruments.wrote(outcome);
        let outcome = match done {
            Ok(Some(kept)) => {
                count(WriteOutcome::Written);
                self.complaints.can_write(key);
                Outcome::Stands(kept)
            }
            Ok(None) => {
                count(WriteOutcome::Removed);
                Outcome::Gone
            }
            Err(Refusal::Missing) => Outcome::Gone,
            Err(Refusal::NoNamespace) => {
                count(WriteOutcome::GivenUp);
                Outcome::Impossible
            }
            Err(Refusal::NotLeading) => Outcome::Failed(Duration::ZERO),
            Err(refusal) => {
                count(WriteOutcome::Failed);
                self.complaints.cannot_write(key, &refusal);
                Outcome::Failed(refusal.pause())
            }
        };
        self.plan.done(key, outcome, now());
    }

    fn turn(&mut self, turn: Turn) {
        self.role = match turn {
            Turn::Acquired => {
                Role::TakingOver(take_over(self.means.store.clone(), self.means.memories.clone()).boxed())
            }
            Turn::TookOver(objects) => {
                info!(objects = objects.len(), "Writes Finding objects from here on");
                for (key, kept) in objects.iter().filter_map(Kept::of) {
                    self.plan.saw(&key, kept, now());
                }
                // What the engine made of it, before anything is written.
                self.take_news();
                Role::Leading
            }
            Turn::Lost => Role::Standby,
        };
    }

    /// What waits for its time is written now, or in the next start's time.
    async fn say_last_words(&mut self) {
        if !matches!(self.role, Role::Leading) {
            return;
        }
        self.take_news();
        self.plan.hurry(now());
        let words = async {
            loop {
                self.start_what_is_due();
                let Some((key, done)) = self.work.next().await else { break };
                self.done(&key, done);
            }
        };
        if timeout(LAST_WORDS, words).await.is_err() {
            warn!("Not all Finding objects could be written before the end");
        }
    }
}

impl Role {
    async fn next(&mut self, leadership: &mut Leadership) -> Turn {
        match self {
            Self::Standby => {
                leadership.acquired().await;
                Turn::Acquired
            }
            Self::TakingOver(objects) => tokio::select! {
                () = leadership.lost() => Turn::Lost,
                objects = objects => Turn::TookOver(objects),
            },
            Self::Leading => {
                leadership.lost().await;
                Turn::Lost
            }
        }
    }
}

async fn perform(store: Store, action: Action) -> (Key, Done) {
    match action {
        Action::Write { key, object, exists } => {
            let written = store.write(&key, &object, exists).await;
            let done = written.map(|object| Kept::of(&object).map(|(_, kept)| kept));
            (key, done)
        }
        Action::Remove { key, kept } => {
            let done = store.remove(&key, &kept).await.map(|()| None);
            (key, done)
        }
    }
}

/// Hands what the leader before had said to the engine, so that nothing it knew is unlearnt; gives
/// back the objects that there are.
async fn take_over(store: Store, memories: mpsc::Sender<Memory>) -> Vec<DynamicObject> {
    let mut backoff = Backoff::seeded_by_chance();
    let patience = Instant::now() + TAKE_OVER;
    let objects = loop {
        match store.list().await {
            Ok(objects) => break objects,
            Err(Refusal::NoApi | Refusal::Forbidden(_)) => break Vec::new(),
            Err(_) if Instant::now() >= patience => break Vec::new(),
            Err(_) => sleep(backoff.wait()).await,
        }
    };
    let findings = objects.iter().filter_map(state::remembered).collect();
    let (taken, told) = oneshot::channel();
    // Where the engine's task has ended, so does this one.
    if memories.send(Memory { findings, taken }).await.is_ok() {
        let _ = told.await;
    }
    objects
}

fn now() -> Now {
    Now { time: clock::now(), instant: Instant::now() }
}

#[cfg(test)]
mod tests;

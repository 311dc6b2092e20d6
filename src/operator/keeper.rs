//! Keeps the `Finding` objects of the cluster in line with the board: written on change, recreated when
//! someone deletes them while the finding is open, corrected when someone edits them, removed when the
//! finding was resolved long ago and its receivers were notified.
//!
//! [`plan`] decides what to do and when, and is pure; [`store`] does it. Nothing else in this process reads
//! or writes these objects, but for `status.guard`, which is the guard's alone: the notifications they record
//! go to the [`ledger`], and new notifications are recorded here.
//!
//! [`ledger`]: crate::findings::ledger
//!
//! Invariants:
//! - Nothing is written without asking [`Leadership::holds`] right before.
//! - Nothing is lost: what cannot be written stays wanted, in its newest state, and is retried.
//! - Without the API or the permission for it, everything else keeps working.

mod action;
mod complaints;
mod item;
mod memory;
mod plan;
mod refusal;
mod retention;
mod sight;
mod state;
mod store;
mod stored;
mod work;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, Stream, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{info, warn};

pub use refusal::Refusal;
pub use state::Key;
pub use store::Store;
pub use stored::Stored;

use super::driver::Memory;
use crate::config::Config;
use crate::engine::ChangeKind;
use crate::finding::Identity;
use crate::findings::board::{Board, BoardChanges, Entry as Shown};
use crate::findings::ledger::{Ledger, Record};
use crate::metrics::Metrics;
use crate::metrics::instruments::{Instruments, WriteOutcome};
use crate::metrics::labels::Queue;
use crate::runtime::clock;
use crate::runtime::leadership::Leadership;
use crate::runtime::stop::Stop;
use crate::source::cluster::Trouble;
use action::Setback;
use action::{Action, Outcome};
use complaints::Complaints;
pub use memory::remembered;
use memory::{Learnt, TakeOver};
use plan::{Now, Plan};
use retention::Why;
use sight::Sighting;
use work::{Done, Worker};

/// Maximum number of objects written concurrently.
const AT_ONCE: usize = 8;
/// Time limit for the final writes before shutdown.
const LAST_WORDS: Duration = Duration::from_millis(2500);

/// What the keeper works with.
pub struct Means {
    /// Reads and writes the objects.
    pub store: Store,
    /// The findings to be written to them.
    pub board: Arc<Board>,
    /// The notifications to be recorded in them.
    pub ledger: Arc<Ledger>,
    /// How long to keep resolved findings.
    pub config: watch::Receiver<Arc<Config>>,
    /// Whether this replica may write.
    pub leadership: Leadership,
    /// Receives the findings that another leader published.
    pub memories: mpsc::Sender<Memory>,
    /// Counts the writes.
    pub metrics: Arc<Metrics>,
}

/// Keeps the objects until `stop`; then writes what is still pending, if this replica leads.
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
    news: BoardChanges,
    plan: Plan,
    instruments: Arc<Instruments>,
    complaints: Complaints,
    role: Role,
    work: FuturesUnordered<BoxFuture<'static, (Key, Result<Done, Refusal>)>>,
}

enum Role {
    Standby,
    TakingOver(BoxFuture<'static, Learnt>),
    Leading,
}

/// A change of the replica's role.
enum Turn {
    /// The Lease was acquired.
    Acquired,
    /// The previous leader's findings and the existing objects are known.
    TookOver(Learnt),
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

    /// Runs forever.
    async fn keep(&mut self, sightings: impl Stream<Item = Sighting> + Send) {
        let mut sightings = std::pin::pin!(sightings);
        let mut leadership = self.means.leadership.clone();
        let (ledger, way) = (Arc::clone(&self.means.ledger), self.means.store.way().clone());
        loop {
            self.start_what_is_due();
            self.say_how_much_waits();
            let (due, out_since) = (self.next_due(), self.plan.out_since());
            tokio::select! {
                Ok(()) = self.means.config.changed() => self.config_changed(),
                news = self.news.next() => self.want(&news),
                () = ledger.owing() => self.owe(),
                Some(sighting) = sightings.next() => self.see(sighting),
                Some((key, done)) = self.work.next() => self.done(&key, done),
                turn = self.role.next(&mut leadership) => self.turn(turn),
                () = way.success_after(out_since.unwrap_or_else(Instant::now)), if out_since.is_some() => self.plan.is_back(now()),
                () = sleep_until(due) => {}
            }
        }
    }

    /// Starts what is due, if this replica leads and there is room for more work.
    fn start_what_is_due(&mut self) {
        while matches!(self.role, Role::Leading) && self.work.len() < AT_ONCE {
            let Some(action) = self.plan.take_due(now()) else { break };
            let worker = Worker { store: self.means.store.clone(), memories: self.means.memories.clone() };
            match action {
                Action::Record { key } => match self.means.ledger.unrecorded(&key) {
                    Some(notified) => self.work.push(worker.record(key, notified).boxed()),
                    None => self.plan.done(&key, Outcome::NothingToRecord, now()),
                },
                action => self.work.push(worker.perform(action).boxed()),
            }
        }
        self.tell_of_removals();
    }

    /// A replica that does not lead has nothing to write, whatever is due.
    fn say_how_much_waits(&mut self) {
        let overdue = self.plan.overdue(now());
        let waits = if matches!(self.role, Role::Leading) { overdue } else { 0 };
        self.means.metrics.queue_depth(Queue::Writes, self.work.len() + waits);
    }

    fn tell_of_removals(&mut self) {
        let removed = self.plan.take_removed();
        if removed.is_empty() {
            return;
        }
        let of = |why| removed.get(&why).copied().unwrap_or_default();
        let (long_over, alike, crowded) = (of(Why::LongOver), of(Why::Alike), of(Why::Crowded));
        info!(long_over, alike, crowded, "Removing Finding objects of resolved findings");
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
            if let Some(key) = self.plan.want(&shown, now()) {
                self.means.ledger.heard(&key, &shown);
            }
        }
    }

    /// Marks notifications to be recorded, where that is possible.
    fn owe(&mut self) {
        let ledger = &self.means.ledger;
        let record = ledger.record();
        for key in ledger.take_owed() {
            let can = record == Record::Objects && self.plan.owe(&key, now());
            if !can && record != Record::Unknown {
                ledger.excuse(&key);
            }
        }
    }

    fn see(&mut self, sighting: Sighting) {
        match sighting {
            Sighting::Started(scope) => self.plan.list_started(scope),
            Sighting::Saw(key, kept, notified) => {
                let goes_on = kept.over.is_none();
                if self.plan.saw(&key, kept, now()) {
                    self.means.ledger.saw(&key, goes_on, &notified);
                }
                if self.plan.take_contested() {
                    self.complaints.contested(&key);
                }
            }
            Sighting::Gone(key, version) => {
                self.plan.gone(&key, version, now());
                self.means.ledger.gone(&key);
            }
            Sighting::Finished(scope) => {
                self.complaints.can_watch(&scope);
                for gone in self.plan.list_finished(&scope, now()) {
                    self.means.ledger.gone(&gone);
                }
                self.record_where_it_can_be();
            }
            Sighting::Failed(scope, refusal) => {
                self.complaints.cannot_watch(&scope, &refusal);
                self.record_where_it_can_be();
            }
        }
    }

    /// Records notifications in the objects, or remembers them here where there are none.
    fn record_where_it_can_be(&mut self) {
        if !matches!(self.role, Role::Leading) {
            return;
        }
        let record = if self.complaints.can_all_be_watched() { Record::Objects } else { Record::Memory };
        self.means.ledger.set_record(record);
        self.owe();
    }

    fn done(&mut self, key: &Key, done: Result<Done, Refusal>) {
        let count = |outcome| self.instruments.wrote(outcome);
        let outcome = match done {
            Ok(Done::Wrote(kept)) => {
                count(WriteOutcome::Written);
                self.complaints.can_write(key);
                Outcome::Stands(kept)
            }
            Ok(Done::Recorded(kept, notified)) => {
                self.means.ledger.saw(key, kept.over.is_none(), &notified);
                Outcome::Recorded(kept)
            }
            Ok(Done::Unrecordable(why)) => {
                let object = crate::text::escape::visible(&key.name);
                warn!(object, why, "Sent notifications cannot be recorded: after a restart they are sent again");
                self.means.ledger.excuse(key);
                Outcome::NothingToRecord
            }
            Ok(Done::Read(found)) => {
                self.take_news();
                if found { Outcome::Read } else { Outcome::NoFinding }
            }
            Ok(Done::Removed) => {
                count(WriteOutcome::Removed);
                Outcome::Gone
            }
            Err(Refusal::Missing) => Outcome::Gone,
            Err(Refusal::NoNamespace) => {
                count(WriteOutcome::GivenUp);
                self.means.ledger.excuse(key);
                Outcome::Impossible
            }
            Err(Refusal::NotLeading) => Outcome::Failed(Setback::own(Duration::ZERO)),
            Err(refusal) => {
                count(WriteOutcome::Failed);
                self.complaints.cannot_write(key, &refusal);
                Outcome::Failed(self.setback(&refusal))
            }
        };
        self.plan.done(key, outcome, now());
    }

    fn setback(&self, refusal: &Refusal) -> Setback {
        let way = self.means.store.way();
        let own = Setback::own(refusal.pause());
        let is_out = way.is_out() || refusal.trouble() == Trouble::Connection;
        Setback { at_most: way.at_most(own.at_most), is_out, ..own }
    }

    fn turn(&mut self, turn: Turn) {
        self.role = match turn {
            Turn::Acquired => {
                let memories = self.means.leadership.is_shared().then(|| self.means.memories.clone());
                let take_over = TakeOver { store: self.means.store.clone(), memories };
                Role::TakingOver(take_over.learn().boxed())
            }
            Turn::TookOver(learnt) => {
                self.take_over(learnt);
                Role::Leading
            }
            Turn::Lost => {
                self.means.ledger.set_record(Record::Unknown);
                Role::Standby
            }
        };
    }

    /// Takes in the existing objects and what the engine made of them, before anything is written or
    /// notified.
    fn take_over(&mut self, learnt: Learnt) {
        info!(objects = learnt.objects.len(), "Writing Finding objects");
        self.take_news();
        let ledger = &self.means.ledger;
        ledger.set_first_notified(learnt.first_notified);
        for object in learnt.objects {
            let goes_on = object.kept.over.is_none();
            self.plan.saw(&object.key, object.kept, now());
            match object.left {
                Some(left) => ledger.left(&object.key, left, &object.notified),
                None => ledger.saw(&object.key, goes_on, &object.notified),
            }
        }
        ledger.set_record(if learnt.readable { Record::Objects } else { Record::Memory });
        // What was withdrawn while its object was not known yet was forgotten, as never shown.
        let is_withdrawn = |shown: &Shown| shown.kind == ChangeKind::Withdrawn;
        let withdrawn = self.means.board.all().into_iter().filter(is_withdrawn);
        let withdrawn = withdrawn.map(|shown| shown.finding.identity()).collect();
        self.want(&withdrawn);
        self.owe();
    }

    /// Writes what is still pending now, within the time allowed for shutdown.
    async fn say_last_words(&mut self) {
        if !matches!(self.role, Role::Leading) {
            return;
        }
        self.take_news();
        self.plan.hurry(now());
        let ledger = Arc::clone(&self.means.ledger);
        let words = async {
            loop {
                self.owe();
                self.start_what_is_due();
                // Notifications sent while the receivers' tasks end are recorded too.
                if self.work.is_empty() && !ledger.is_read() {
                    break;
                }
                tokio::select! {
                    Some((key, done)) = self.work.next() => self.done(&key, done),
                    () = ledger.owing() => {}
                }
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
            Self::TakingOver(learnt) => tokio::select! {
                () = leadership.lost() => Turn::Lost,
                learnt = learnt => Turn::TookOver(learnt),
            },
            Self::Leading => {
                leadership.lost().await;
                Turn::Lost
            }
        }
    }
}

fn now() -> Now {
    Now { time: clock::now(), instant: Instant::now() }
}

#[cfg(test)]
mod tests;

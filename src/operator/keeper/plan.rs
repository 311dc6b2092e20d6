//! Which objects to write or remove, and when: the desired state against the stored one. Pure: time comes
//! in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::action::{Action, Outcome};
use super::item::{Busy, Item};
use super::retention::{self, Past, Why};
use super::state::{Kept, Key, Wanted};
use crate::engine::Scope;
use crate::findings::board::{self, Entry as Shown};
use crate::time::Time;

/// How often to check for resolved objects to remove and for unknown open ones.
const SWEEP: Duration = Duration::from_secs(30);
/// The same while there is more to do than one sweep handles.
const SWEEP_ON: Duration = Duration::from_secs(2);
/// Maximum number of actions scheduled by one sweep: the API server has other work.
const BATCH: usize = 200;
/// Number of sweeps after which an open object that is unknown here is read again.
const READ_AGAIN: u32 = 20;
/// Maximum number of known objects; each takes some 250 bytes.
const MAX_ITEMS: usize = 50_000;

/// Maximum number of open findings that are read from their objects.
const MAX_KNOWN: usize = board::MAX_FINDINGS - BATCH;

/// What is known of all objects.
#[derive(Debug)]
pub struct Plan {
    keep_resolved: Duration,
    items: BTreeMap<Key, Item>,
    /// Actions that are due later, and those due now.
    due: BTreeSet<(Instant, Key)>,
    ready: BTreeSet<(Instant, Key)>,
    sweep_at: Option<Instant>,
    sweeps: u32,
    removed: BTreeMap<Why, usize>,
    lists: u32,
    listing: BTreeMap<Scope, u32>,
    /// Since when writes are no longer delayed.
    hurry: Option<Instant>,
    contested: bool,
    /// Actions that wait for the server to be reachable, and since when.
    out: Option<(Instant, BTreeSet<Key>)>,
}

impl Plan {
    /// A plan without objects; those resolved and notified are kept for `keep_resolved`.
    pub const fn new(keep_resolved: Duration) -> Self {
        Self {
            keep_resolved,
            items: BTreeMap::new(),
            due: BTreeSet::new(),
            ready: BTreeSet::new(),
            sweep_at: None,
            sweeps: 0,
            removed: BTreeMap::new(),
            lists: 0,
            listing: BTreeMap::new(),
            hurry: None,
            contested: false,
            out: None,
        }
    }

    /// Changes how long resolved findings are kept.
    pub fn set_keep_resolved(&mut self, keep_resolved: Duration, now: Now) {
        self.keep_resolved = keep_resolved;
        self.sweep_at = Some(now.instant);
    }

    /// Takes in what the board shows of a finding; returns the key of its object, if it has one.
    pub fn want(&mut self, shown: &Shown, now: Now) -> Option<Key> {
        let wanted = Wanted::from_entry(shown)?;
        let key = Key::from_identity(&shown.finding.identity());
        self.items.entry(key.clone()).or_default().motion().wanted = Some(wanted);
        self.settle(&key, now);
        Some(key)
    }

    /// Takes in that notifications of a finding are to be recorded; `false` if there is no object to record
    /// them in, and there will be none.
    pub fn owe(&mut self, key: &Key, now: Now) -> bool {
        let Some(item) = self.items.get_mut(key) else { return false };
        item.owe();
        self.settle(key, now);
        true
    }

    /// Takes in an object that was seen or returned by a write; `false` if a newer version is known.
    pub fn saw(&mut self, key: &Key, kept: Kept, now: Now) -> bool {
        if self.items.len() >= MAX_ITEMS && !self.items.contains_key(key) {
            return false;
        }
        let item = self.items.entry(key.clone()).or_default();
        item.list = self.lists;
        let is_news = item.saw(kept);
        if is_news {
            self.contested |= item.is_contested(now.instant);
        }
        self.settle(key, now);
        if self.sweep_at.is_none() {
            self.sweep_at = Some(now.instant + SWEEP);
        }
        is_news
    }

    /// Takes in the deletion of an object; `version` is that of its deletion, 0 if unknown.
    ///
    /// A resolved one is gone for good; an open one is recreated.
    pub fn gone(&mut self, key: &Key, version: u64, now: Now) {
        if self.items.get_mut(key).is_some_and(|item| item.gone(version)) {
            self.settle(key, now);
        }
    }

    /// A list begins: whatever is not in it when it ends is gone.
    pub fn list_started(&mut self, scope: Scope) {
        self.lists += 1;
        self.listing.insert(scope, self.lists);
    }

    /// A list is complete; returns what is gone.
    pub fn list_finished(&mut self, scope: &Scope, now: Now) -> Vec<Key> {
        let Some(begun) = self.listing.remove(scope) else { return Vec::new() };
        let is_missing = |(key, item): &(&Key, &Item)| item.is_missing_since(begun) && scope.includes(&key.namespace);
        let missing: Vec<Key> = self.items.iter().filter(is_missing).map(|(key, _)| key.clone()).collect();
        for key in &missing {
            self.gone(key, 0, now);
        }
        missing
    }

    /// Whether since the last call somebody overwrote an object once too often.
    pub fn take_contested(&mut self) -> bool {
        std::mem::take(&mut self.contested)
    }

    /// The number of objects removed for each reason since the last call.
    pub fn take_removed(&mut self) -> BTreeMap<Why, usize> {
        std::mem::take(&mut self.removed)
    }

    /// When the next action is due.
    pub fn next_due(&self) -> Option<Instant> {
        let first = |all: &BTreeSet<(Instant, Key)>| all.first().map(|(at, _)| *at);
        first(&self.ready).or(first(&self.due)).into_iter().chain(self.sweep_at).min()
    }

    /// The number of actions that are due and not yet taken.
    pub fn overdue(&mut self, now: Now) -> usize {
        self.come_due(now);
        self.ready.len()
    }

    fn come_due(&mut self, now: Now) {
        while self.due.first().is_some_and(|(due, _)| *due <= now.instant) {
            self.ready.extend(self.due.pop_first());
        }
    }

    /// An action to be done now; its outcome must be passed to [`Plan::done`].
    pub fn take_due(&mut self, now: Now) -> Option<Action> {
        if self.sweep_at.is_some_and(|at| at <= now.instant) {
            self.sweep(now);
        }
        self.come_due(now);
        while let Some((_, key)) = self.ready.pop_first() {
            let Some(item) = self.items.get_mut(&key) else { continue };
            if let Some(action) = item.begin(&key, self.hurry, now.instant) {
                return Some(action);
            }
            self.settle(&key, now);
        }
        None
    }

    /// Takes in the outcome of an action.
    pub fn done(&mut self, key: &Key, outcome: Outcome, now: Now) {
        let Some(item) = self.items.get_mut(key) else { return };
        let was = item.ended(now.instant);
        match outcome {
            Outcome::Stands(kept) => {
                let stands = was == Some(Busy::Writing(kept.marks.whole));
                item.wrote(kept.marks.whole, stands, now.instant);
                self.saw(key, kept, now);
            }
            Outcome::Recorded(kept) => {
                item.recorded(was, Some(kept.marks.whole));
                self.saw(key, kept, now);
            }
            Outcome::NothingToRecord => {
                item.recorded(was, None);
                self.settle(key, now);
            }
            Outcome::Read => self.settle(key, now),
            Outcome::NoFinding => {
                item.is_over_since(now.time);
                self.settle(key, now);
            }
            Outcome::Gone => self.gone(key, 0, now),
            Outcome::Impossible => {
                item.give_up();
                self.settle(key, now);
            }
            Outcome::Failed(setback) => {
                item.failed(setback, now.instant);
                if setback.is_out {
                    self.out.get_or_insert((now.instant, BTreeSet::new())).1.insert(key.clone());
                }
                self.settle(key, now);
            }
        }
    }

    /// Since when an action waits for the server to be reachable.
    pub fn out_since(&self) -> Option<Instant> {
        self.out.as_ref().map(|(since, _)| *since)
    }

    /// The server is reachable again: retries what waited for it.
    pub fn is_back(&mut self, now: Now) {
        for key in self.out.take().into_iter().flat_map(|(_, keys)| keys) {
            if let Some(item) = self.items.get_mut(&key) {
                item.is_back(now.instant);
            }
            self.settle(&key, now);
        }
    }

    /// Makes delayed writes due, now and from now on: the process is about to end. Anything but mere counts
    /// goes first, whenever it comes.
    pub fn hurry(&mut self, now: Now) {
        self.hurry = Some(now.instant);
        self.sweep_at = None;
        let moving = self.items.iter().filter(|(_, item)| item.is_moving());
        let moving: Vec<Key> = moving.map(|(key, _)| key.clone()).collect();
        for key in &moving {
            self.settle(key, now);
        }
    }

    /// Decides what to do with all objects at rest.
    fn sweep(&mut self, now: Now) {
        self.sweeps = self.sweeps.wrapping_add(1);
        let left = self.remove_some(now) + self.read_some(now);
        self.sweep_at = Some(now.instant + if left > 0 { SWEEP_ON } else { SWEEP });
    }

    /// Schedules the removal of resolved objects; returns how many are left for the next time.
    fn remove_some(&mut self, now: Now) -> usize {
        let resting = self.items.iter().filter_map(|(key, item)| {
            let kept = item.at_rest()?;
            Some(Past { key, kept, over: kept.over? })
        });
        let leaving = retention::leaving(resting.collect(), self.keep_resolved, now.time);
        let left = leaving.len().saturating_sub(BATCH);
        for (key, why) in leaving.into_iter().take(BATCH) {
            if let Some(item) = self.items.get_mut(&key) {
                item.motion().retires = true;
                *self.removed.entry(why).or_default() += 1;
            }
            self.settle(&key, now);
        }
        left
    }

    /// Schedules reads of open objects that are unknown here, while there is room for them.
    fn read_some(&mut self, now: Now) -> usize {
        let wanted = self.items.values().filter(|item| item.is_wanted_open()).count();
        let room = MAX_KNOWN.saturating_sub(wanted);
        let sweep = self.sweeps;
        let unread = |item: &&mut Item| {
            let unknown = item.at_rest().is_some_and(|kept| kept.over.is_none());
            unknown && (item.read == 0 || sweep.wrapping_sub(item.read) >= READ_AGAIN)
        };
        let mut reads = Vec::new();
        for (key, item) in self.items.iter_mut().filter(|(_, item)| unread(item)).take(BATCH.min(room)) {
            item.read = sweep.max(1);
            item.motion().reads = true;
            reads.push(key.clone());
        }
        for key in &reads {
            self.settle(key, now);
        }
        usize::from(reads.len() == BATCH)
    }

    /// Reschedules an object, and drops it if nothing is left of it.
    fn settle(&mut self, key: &Key, now: Now) {
        let Some(item) = self.items.get_mut(key) else { return };
        item.forget_what_is_done();
        let before = item.take_due();
        let due = item.next(self.hurry, now.instant);
        if let Some(before) = before.filter(|before| Some(*before) != due) {
            let entry = (before, key.clone());
            if !self.due.remove(&entry) {
                self.ready.remove(&entry);
            }
        }
        if let Some(due) = due {
            item.motion().due = Some(due);
            if before != Some(due) {
                self.due.insert((due, key.clone()));
            }
        }
        if item.is_nothing() {
            self.items.remove(key);
        }
    }
}

/// The time of day, and the monotonic clock at the same moment.
#[derive(Copy, Clone, Debug)]
pub struct Now {
    /// For the times in objects.
    pub time: Time,
    /// For pauses.
    pub instant: Instant,
}

#[cfg(test)]
mod tests;

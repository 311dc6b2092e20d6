//! Which objects to write or remove, and when: what is to stand in the cluster against what stands
//! there. Pure: time comes in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::state::{Kept, Key, Over, Wanted};
use crate::engine::Scope;
use crate::operator::board::Entry as Shown;
use crate::report::object::{FindingObject, FindingState};
use crate::time::Time;

/// Counts alone are written no more often.
const COUNTS: Duration = Duration::from_mins(1);
/// Nothing of one finding is written more often, whatever happens.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// So often in a row is no slip of a person any more.
const CONTESTS: u32 = 5;
/// An object whose end a receiver was not told is kept so much longer: by then that receiver is gone
/// from the configuration, or nobody misses it.
const UNTOLD: Duration = Duration::from_hours(24 * 7);
/// Most objects that are remembered; each takes some hundred bytes.
const MOST: usize = 50_000;

/// What is to be done with one object.
#[derive(Debug)]
pub enum Action {
    /// Write what it says; make it first where it does not exist.
    Write {
        /// Where it is.
        key: Key,
        /// All of it.
        object: Box<FindingObject>,
        /// Whether it is known to exist.
        exists: bool,
    },
    /// Remove it, if it is still the one that was seen.
    Remove {
        /// Where it is.
        key: Key,
        /// As it was seen.
        kept: Kept,
    },
}

/// What came of an action.
#[derive(Debug)]
pub enum Outcome {
    /// It stands there so.
    Stands(Kept),
    /// It is not there.
    Gone,
    /// It cannot be there: its namespace is going or gone.
    Impossible,
    /// Nothing is known; to be tried again, after this time at the earliest.
    Failed(Duration),
}

/// What is known of all objects.
#[derive(Debug)]
pub struct Plan {
    keep_resolved: Duration,
    items: BTreeMap<Key, Item>,
    due: BTreeSet<(Instant, Key)>,
    lists: u64,
    listing: BTreeMap<Scope, u64>,
    /// Nothing waits for its time any more.
    hurry: bool,
    contested: bool,
}

#[derive(Debug, Default)]
struct Item {
    wanted: Option<Wanted>,
    kept: Option<Kept>,
    /// The newest `resourceVersion` seen of it, as a number: what is older is old news.
    version: u64,
    /// The list in which it was last seen.
    list: u64,
    written: Option<Instant>,
    /// The mark of what was written then.
    left: Option<u64>,
    /// How often in a row somebody else wrote something else over it.
    contests: u32,
    failures: u32,
    /// Nothing is done before.
    not_before: Option<Instant>,
    /// What is being done with it; a write with the mark of what is written.
    busy: Option<Busy>,
    due: Option<Instant>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Busy {
    Writing(u64),
    Removing,
}

impl Plan {
    /// A plan that knows of nothing; what is over and told is kept for `keep_resolved`.
    pub const fn new(keep_resolved: Duration) -> Self {
        Self {
            keep_resolved,
            items: BTreeMap::new(),
            due: BTreeSet::new(),
            lists: 0,
            listing: BTreeMap::new(),
            hurry: false,
            contested: false,
        }
    }

    /// Goes on with another time to keep what is over.
    pub fn set_keep_resolved(&mut self, keep_resolved: Duration, now: Now) {
        self.keep_resolved = keep_resolved;
        self.settle_all(now);
    }

    /// Takes in what the board shows of a finding.
    pub fn want(&mut self, shown: &Shown, now: Now) {
        let Some(wanted) = Wanted::of(shown) else { return };
        let key = Key::of(&shown.finding.identity());
        self.items.entry(key.clone()).or_default().wanted = Some(wanted);
        self.settle(&key, now);
    }

    /// Takes in an object that was seen, or came back from a write.
    pub fn saw(&mut self, key: &Key, kept: Kept, now: Now) {
        if self.items.len() >= MOST && !self.items.contains_key(key) {
            return;
        }
        let item = self.items.entry(key.clone()).or_default();
        item.list = self.lists;
        let version = number(&kept.resource_version);
        if version > item.version || version == 0 {
            item.version = version;
            let before = item.kept.replace(kept);
            item.stays_over(before.as_ref());
            self.contested |= item.is_contested(now.instant);
        }
        self.settle(key, now);
    }

    /// Takes in that an object is gone; `version` is that of its removal, 0 if it is not known.
    ///
    /// One that was over is gone for good; one that goes on is made again.
    pub fn gone(&mut self, key: &Key, version: u64, now: Now) {
        let Some(item) = self.items.get_mut(key) else { return };
        if version != 0 && version < item.version {
            return;
        }
        item.version = item.version.max(version);
        (item.kept, item.left) = (None, None);
        if item.wanted.as_ref().is_some_and(Wanted::is_over) {
            item.wanted = None;
        }
        self.settle(key, now);
    }

    /// A list begins: what is not in it when it ends is gone.
    pub fn list_started(&mut self, scope: Scope) {
        self.lists += 1;
        self.listing.insert(scope, self.lists);
    }

    /// A list is complete.
    pub fn list_finished(&mut self, scope: &Scope, now: Now) {
        let Some(begun) = self.listing.remove(scope) else { return };
        let missing = |(key, item): &(&Key, &Item)| {
            item.kept.is_some() && item.busy.is_none() && item.list < begun && scope.includes(&key.namespace)
        };
        let missing: Vec<Key> = self.items.iter().filter(missing).map(|(key, _)| key.clone()).collect();
        for key in &missing {
            self.gone(key, 0, now);
        }
    }

    /// Whether since the last call something was written over by somebody else once too often.
    pub fn take_contested(&mut self) -> bool {
        std::mem::take(&mut self.contested)
    }

    /// When something is next due.
    pub fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// How much is due and has not been taken.
    pub fn overdue(&self, now: Now) -> usize {
        self.due.iter().take_while(|(due, _)| *due <= now.instant).count()
    }

    /// Something that is due and is to be done now; [`Plan::done`] has to be told what came of it.
    pub fn take_due(&mut self, now: Now) -> Option<Action> {
        while self.next_due().is_some_and(|due| due <= now.instant) {
            let Some((_, key)) = self.due.pop_first() else { break };
            let Some(item) = self.items.get_mut(&key) else { continue };
            item.due = None;
            if let Some((busy, action)) = item.action(key) {
                item.busy = Some(busy);
                return Some(action);
            }
        }
        None
    }

    /// Takes in what came of an action.
    pub fn done(&mut self, key: &Key, outcome: Outcome, now: Now) {
        let Some(item) = self.items.get_mut(key) else { return };
        let was = item.busy.take();
        item.not_before = Some(now.instant + PAUSE);
        match outcome {
            Outcome::Stands(kept) => {
                (item.written, item.left) = (Some(now.instant), Some(kept.marks.whole));
                // What does not stand as it was written is not written every second.
                let refused = was != Some(Busy::Writing(kept.marks.whole));
                if refused {
                    item.failed(PAUSE, now.instant);
                } else {
                    item.failures = 0;
                }
                self.saw(key, kept, now);
            }
            Outcome::Gone => self.gone(key, 0, now),
            Outcome::Impossible => {
                (item.wanted, item.kept) = (None, None);
                self.settle(key, now);
            }
            Outcome::Failed(pause) => {
                item.failed(pause, now.instant);
                self.settle(key, now);
            }
        }
    }

    /// What waits for its time becomes due, now and from now on: there is no later.
    pub fn hurry(&mut self, now: Now) {
        self.hurry = true;
        self.settle_all(now);
    }

    fn settle_all(&mut self, now: Now) {
        let all: Vec<Key> = self.items.keys().cloned().collect();
        for key in &all {
            self.settle(key, now);
        }
    }

    /// Decides anew when something is to be done with an object, and forgets one that is nothing.
    fn settle(&mut self, key: &Key, now: Now) {
        let Some(item) = self.items.get_mut(key) else { return };
        item.forget_what_is_done();
        let idle = item.busy.is_none();
        if idle && item.wanted.is_none() && item.kept.is_none() {
            self.set_due(key, None);
            self.items.remove(key);
            return;
        }
        let due = item.next(self.keep_resolved, self.hurry, now).filter(|_| idle);
        self.set_due(key, due);
    }

    fn set_due(&mut self, key: &Key, due: Option<Instant>) {
        let Some(item) = self.items.get_mut(key) else { return };
        if let Some(before) = std::mem::replace(&mut item.due, due) {
            self.due.remove(&(before, key.clone()));
        }
        if let Some(due) = due {
            self.due.insert((due, key.clone()));
        }
    }
}

impl Item {
    /// What has been written as over, by whomever, is not written again.
    fn forget_what_is_done(&mut self) {
        let Some(wanted) = self.wanted.as_ref().filter(|wanted| wanted.is_over()) else { return };
        let done = match &self.kept {
            Some(kept) => kept.over.is_some() && kept.episode >= wanted.episode(),
            // Nobody has to hear that what was never shown is no more.
            None => wanted.state() == FindingState::Withdrawn && self.busy.is_none(),
        };
        if done {
            self.wanted = None;
        }
    }

    /// An episode that is over stays over, whatever a person writes into its object.
    fn stays_over(&mut self, before: Option<&Kept>) {
        let (None, Some(kept), Some(before)) = (&self.wanted, &mut self.kept, before) else { return };
        if kept.over.is_none() && kept.episode == before.episode && kept.uid == before.uid {
            kept.over = before.over;
        }
    }

    /// What somebody else writes over again and again, as a second replica without a Lease would, is
    /// written ever more seldom.
    fn is_contested(&mut self, now: Instant) -> bool {
        let (Some(kept), Some(left), Some(written)) = (&self.kept, self.left, self.written) else { return false };
        // What is seen in the middle of a write is one's own.
        if kept.marks.whole == left || self.busy.is_some() {
            return false;
        }
        self.contests = if now - written < 2 * LONGEST_PAUSE { self.contests.saturating_add(1) } else { 1 };
        let pause = PAUSE.saturating_mul(1 << (self.contests - 1).min(6)).min(LONGEST_PAUSE);
        self.not_before = self.not_before.max(Some(now + pause));
        self.left = None;
        self.contests >= CONTESTS
    }

    /// When something is to be done, if ever.
    fn next(&self, keep_resolved: Duration, hurry: bool, now: Now) -> Option<Instant> {
        let due = match (&self.wanted, &self.kept) {
            (Some(wanted), Some(kept)) if wanted.marks.whole == kept.marks.whole => return None,
            (Some(wanted), Some(kept)) if wanted.marks.essence == kept.marks.essence && !hurry => {
                self.written.map_or(now.instant, |written| written + COUNTS)
            }
            (Some(_), _) => now.instant,
            (None, Some(Kept { over: Some(Over { since, told }), .. })) => {
                let keep = if *told { keep_resolved } else { keep_resolved.saturating_add(UNTOLD) };
                now.instant.checked_add(since.plus(keep).since(now.time))?
            }
            // One that goes on and that nobody here knows of is left alone.
            (None, _) => return None,
        };
        let pause = self.not_before.filter(|_| !hurry || self.failures > 0);
        Some(pause.map_or(due, |not_before| due.max(not_before)))
    }

    fn action(&self, key: Key) -> Option<(Busy, Action)> {
        match (&self.wanted, &self.kept) {
            (Some(wanted), kept) => {
                let (object, exists) = (Box::new(wanted.object()), kept.is_some());
                Some((Busy::Writing(wanted.marks.whole), Action::Write { key, object, exists }))
            }
            (None, Some(kept)) => Some((Busy::Removing, Action::Remove { key, kept: kept.clone() })),
            (None, None) => None,
        }
    }

    fn failed(&mut self, at_least: Duration, now: Instant) {
        let pause = PAUSE.saturating_mul(1 << self.failures.min(6)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(now + pause.max(at_least));
    }
}

/// The time of day, and the monotonic clock at the same moment.
#[derive(Copy, Clone, Debug)]
pub struct Now {
    /// For what objects say.
    pub time: Time,
    /// For pauses.
    pub instant: Instant,
}

/// A `resourceVersion` as a number; 0 if it is none.
fn number(resource_version: &str) -> u64 {
    resource_version.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests;

//! The current findings, and the notifications sent to each receiver about them.
//!
//! The state of a finding comes from the engine, by way of the board. Its notifications are stored in its
//! object and kept here as well, since a write is visible in the object only later. Of two entries the
//! later one counts.
//!
//! Invariants:
//! - Open findings are kept here, and resolved ones until each receiver needs no more notifications of
//!   them.
//! - Each reader gets what changed, not everything: the cost of a change does not depend on the number of
//!   findings.

mod entry;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::finding::{Finding, Identity};
use crate::findings::asked::Asked;
use crate::findings::board;
use crate::report::object::{FindingState, Notification, ObjectKey};
use crate::time::Time;
use entry::Entry;

/// Maximum number of resolved findings that still have to be notified; beyond that the oldest are dropped.
const MAX_OVER: usize = 2_000;

/// Shared by those who observe findings, notify of them and record the notifications.
#[derive(Debug)]
pub struct Ledger {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    owing: Notify,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<ObjectKey, Entry>,
    readers: BTreeMap<String, Changed>,
    /// Resolved findings, ordered by time of resolution.
    over: BTreeSet<(Time, ObjectKey)>,
    /// Findings with notifications to be recorded that have not been taken yet.
    owed: BTreeSet<ObjectKey>,
    /// When each receiver was first notified of anything, as far as is known.
    first_notified: BTreeMap<String, Time>,
    record: Record,
    forgotten: u64,
}

/// Where notifications are recorded.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Record {
    /// Not known yet: nothing must be sent.
    #[default]
    Unknown,
    /// In the objects.
    Objects,
    /// Only here: a restart loses them.
    Memory,
}

/// A finding, and its state for one receiver.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The finding as it is now.
    pub finding: Arc<Finding>,
    /// Whether it is open.
    pub state: FindingState,
    /// Whether a silence of the configuration covers it.
    pub silenced: bool,
    /// What the annotations of its workload ask for.
    pub asked: Arc<Asked>,
    /// The last notification of it to the receiver.
    pub notified: Option<Notification>,
}

/// The changes for one reader since it last looked.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    /// Everything that it knew is void.
    pub all: bool,
    keys: BTreeSet<ObjectKey>,
}

/// The changes for one reader.
#[derive(Debug, Default)]
pub struct LedgerChanges {
    /// Everything that it knew is void: these are all entries.
    pub all: bool,
    /// Each changed finding in its current state; `None` if it is gone.
    pub changed: Vec<(ObjectKey, Option<Standing>)>,
    /// When the receiver was first notified of anything, as far as is known.
    pub first_notified: Option<Time>,
}

/// A finding known only from its object: it was resolved while no replica was watching.
#[derive(Clone, Debug)]
pub struct Left {
    /// The finding.
    pub finding: Finding,
    /// Its final state.
    pub state: FindingState,
    /// Whether a silence covered it.
    pub silenced: bool,
    /// What the annotations of its workload asked for.
    pub asked: Arc<Asked>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { state: Mutex::default(), changed: watch::channel(0).0, owing: Notify::new() }
    }
}

impl Ledger {
    /// A reader for one receiver; all entries are new to it.
    pub fn reader(self: &Arc<Self>, receiver: &str) -> Reader {
        let mut all = self.locked();
        all.readers.insert(receiver.to_owned(), Changed { all: true, keys: BTreeSet::new() });
        for entry in all.entries.values_mut() {
            entry.unsettle(receiver);
        }
        drop(all);
        Reader { ledger: Arc::clone(self), receiver: receiver.to_owned(), changed: self.changed.subscribe() }
    }

    /// Whether any receiver has a reader.
    pub fn is_read(&self) -> bool {
        !self.locked().readers.is_empty()
    }

    /// Where notifications are recorded.
    pub fn record(&self) -> Record {
        self.locked().record
    }

    /// All existing findings have been read: from now on notifications can be sent, and are recorded there.
    pub fn set_record(&self, record: Record) {
        let mut all = self.locked();
        if all.record == record {
            return;
        }
        all.record = record;
        for changed in all.readers.values_mut() {
            changed.all = true;
        }
        // Notifications sent meanwhile, or that could not be recorded then.
        all.owed = all.entries.iter_mut().filter_map(|(key, entry)| entry.owes_anew().then(|| key.clone())).collect();
        drop(all);
        self.wake();
        self.owing.notify_one();
    }

    /// Takes in the state of a finding on the board. Findings that are only suspected are ignored.
    pub fn heard(&self, key: &ObjectKey, shown: &board::Entry) {
        let mut all = self.locked();
        all.entries.entry(key.clone()).or_default().hear(shown);
        all.changed(key);
        all.make_room();
        drop(all);
        self.wake();
    }

    /// Takes in what an object contains; an open finding is remembered until the board knows it too.
    pub fn saw(&self, key: &ObjectKey, goes_on: bool, notifications: &[Notification]) {
        let mut all = self.locked();
        all.note_notifications(notifications);
        if goes_on && !notifications.is_empty() {
            all.entries.entry(key.clone()).or_default();
        }
        let Some(entry) = all.entries.get_mut(key) else { return };
        if entry.saw(goes_on, notifications) {
            self.changed(all, key);
        }
    }

    /// Receivers were first notified at these times, or before.
    pub fn set_first_notified(&self, first_notified: BTreeMap<String, Time>) {
        let mut all = self.locked();
        for (receiver, at) in first_notified {
            all.note_first_notified(&receiver, at);
        }
    }

    /// A finding was resolved while no replica was watching; its notifications come from its object.
    pub fn left(&self, key: &ObjectKey, left: Left, notifications: &[Notification]) {
        let mut all = self.locked();
        all.note_notifications(notifications);
        let entry = all.entries.entry(key.clone()).or_default();
        entry.saw(true, notifications);
        entry.leave(left);
        all.changed(key);
        all.make_room();
        drop(all);
        self.wake();
    }

    /// The object was deleted: the notifications are stored only here.
    pub fn gone(&self, key: &ObjectKey) {
        let mut all = self.locked();
        if let Some(entry) = all.entries.get_mut(key) {
            entry.gone();
            self.changed(all, key);
        }
    }

    /// The findings with notifications to be recorded since the last call.
    pub fn take_owed(&self) -> BTreeSet<ObjectKey> {
        std::mem::take(&mut self.locked().owed)
    }

    /// Waits until there is something to record, or a reader has gone.
    pub async fn owing(&self) {
        self.owing.notified().await;
    }

    /// The last notification of a finding to each receiver, as far as it is kept here.
    pub fn notifications(&self, key: &ObjectKey) -> Vec<Notification> {
        self.locked().entries.get(key).map(Entry::newest).unwrap_or_default()
    }

    /// The notifications to be written into an object, if it does not contain them.
    pub fn unrecorded(&self, key: &ObjectKey) -> Option<Vec<Notification>> {
        let all = self.locked();
        all.entries.get(key).filter(|entry| entry.is_owed()).map(Entry::newest)
    }

    /// An object cannot be written: its notifications are known only here, until it is written again.
    pub fn excuse(&self, key: &ObjectKey) {
        let mut all = self.locked();
        if let Some(entry) = all.entries.get_mut(key) {
            entry.excused = true;
        }
        all.changed(key);
        drop(all);
        self.wake();
    }

    /// Number of resolved findings that were dropped before all receivers were notified.
    pub fn forgotten(&self) -> u64 {
        self.locked().forgotten
    }

    /// Informs the readers, and the recorder if notifications are not stored in the object.
    fn changed(&self, mut all: MutexGuard<'_, State>, key: &ObjectKey) {
        all.changed(key);
        let owes = all.entries.get(key).is_some_and(Entry::is_owed);
        if owes {
            all.owed.insert(key.clone());
        }
        drop(all);
        self.wake();
        if owes {
            self.owing.notify_one();
        }
    }

    fn wake(&self) {
        self.changed.send_modify(|version| *version = version.wrapping_add(1));
    }

    /// What a panic elsewhere left behind is still correct.
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Informs the readers that an entry changed, and updates the indices.
    fn changed(&mut self, key: &ObjectKey) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if let Some(before) = entry.ordered.take() {
            self.over.remove(&(before, key.clone()));
        }
        if entry.is_done(|receiver| self.readers.contains_key(receiver), self.readers.len()) {
            self.entries.remove(key);
        } else if let Some(ended) = entry.ended() {
            entry.ordered = Some(ended);
            self.over.insert((ended, key.clone()));
        }
        for changed in self.readers.values_mut().filter(|changed| !changed.all) {
            changed.keys.insert(key.clone());
        }
    }

    fn forget_if_done(&mut self, key: &ObjectKey) {
        let Some(entry) = self.entries.get(key) else { return };
        if entry.is_done(|receiver| self.readers.contains_key(receiver), self.readers.len())
            && let Some(entry) = self.entries.remove(key)
            && let Some(ended) = entry.ordered
        {
            self.over.remove(&(ended, key.clone()));
        }
    }

    /// Drops those that were resolved longest ago.
    fn make_room(&mut self) {
        while self.over.len() > MAX_OVER {
            let Some((_, key)) = self.over.pop_first() else { return };
            self.entries.remove(&key);
            self.owed.remove(&key);
            self.forgotten += 1;
        }
    }

    fn note_notifications(&mut self, notifications: &[Notification]) {
        for notified in notifications {
            self.note_first_notified(&notified.receiver, notified.at);
        }
    }

    fn note_first_notified(&mut self, receiver: &str, at: Time) {
        if let Some(first) = self.first_notified.get_mut(receiver) {
            *first = at.min(*first);
        } else {
            self.first_notified.insert(receiver.to_owned(), at);
        }
    }
}

/// Reads findings for one receiver; as long as it exists, resolved ones are kept for it.
#[derive(Debug)]
pub struct Reader {
    ledger: Arc<Ledger>,
    receiver: String,
    changed: watch::Receiver<u64>,
}

impl Reader {
    /// Where notifications are recorded.
    pub fn record(&self) -> Record {
        self.ledger.record()
    }

    /// Waits for a change after the last [`Reader::take`].
    pub async fn changed(&mut self) {
        if self.changed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The changes since the last call.
    pub fn take(&mut self) -> LedgerChanges {
        self.changed.mark_unchanged();
        let mut all = self.ledger.locked();
        let Some(changed) = all.readers.get_mut(&self.receiver).map(std::mem::take) else {
            return LedgerChanges::default();
        };
        let standing = |key: &ObjectKey| all.entries.get(key).and_then(|entry| entry.standing(&self.receiver));
        let keys: Box<dyn Iterator<Item = &ObjectKey>> =
            if changed.all { Box::new(all.entries.keys()) } else { Box::new(changed.keys.iter()) };
        LedgerChanges {
            all: changed.all,
            changed: keys.map(|key| (key.clone(), standing(key))).collect(),
            first_notified: all.first_notified.get(&self.receiver).copied(),
        }
    }

    /// Makes all entries new again.
    pub fn forget(&self) {
        if let Some(changed) = self.ledger.locked().readers.get_mut(&self.receiver) {
            *changed = Changed { all: true, keys: BTreeSet::new() };
        }
    }

    /// The receiver was notified, which is to be recorded.
    pub fn notified(&self, records: &[(Identity, Notification)]) {
        let mut all = self.ledger.locked();
        for (identity, notified) in records {
            let key = ObjectKey::from_identity(identity);
            all.note_notifications(std::slice::from_ref(notified));
            if let Some(entry) = all.entries.get_mut(&key) {
                entry.tell(notified);
                all.owed.insert(key.clone());
                all.changed(&key);
            }
        }
        drop(all);
        self.ledger.wake();
        self.ledger.owing.notify_one();
    }

    /// Whether the receiver's notifications of these findings are recorded, as far as they can be.
    pub fn is_recorded(&self, keys: &[ObjectKey]) -> bool {
        let all = self.ledger.locked();
        all.record == Record::Memory || keys.iter().all(|key| all.entries.get(key).is_none_or(|entry| !entry.is_owed()))
    }

    /// The receiver needs no more notifications of these, if they are resolved.
    pub fn settle<'a>(&self, keys: impl Iterator<Item = &'a ObjectKey>) {
        let mut all = self.ledger.locked();
        for key in keys {
            if let Some(entry) = all.entries.get_mut(key)
                && entry.settle(&self.receiver)
            {
                all.forget_if_done(key);
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut all = self.ledger.locked();
        all.readers.remove(&self.receiver);
        let over: Vec<ObjectKey> = all.over.iter().map(|(_, key)| key.clone()).collect();
        for key in &over {
            all.forget_if_done(key);
        }
        drop(all);
        self.ledger.owing.notify_one();
    }
}

#[cfg(test)]
mod tests;

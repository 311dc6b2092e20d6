//! The findings as they are, and what each receiver was told of them.
//!
//! What was told stands in the objects; it is kept here as well, since what the API server says of
//! them comes later than what was written. Of two entries the later one counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tokio::sync::watch;

use super::policy::Item;
use super::route::Routes;
use crate::engine::ChangeKind;
use crate::finding::{Finding, Identity};
use crate::operator::board;
use crate::report::object::{ENTRIES, FindingObject, FindingState, Notification, Told, object_name};
use crate::time::Time;

/// Findings whose object is gone are remembered so long: one that a person deletes comes back.
const REMEMBERED: std::time::Duration = std::time::Duration::from_hours(1);

/// Shared by whoever learns of findings, who tells of them and who records what was told.
#[derive(Debug)]
pub struct Ledger {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<Identity, Entry>,
    /// Which finding an object holds, and in which version it was seen last, by namespace and name.
    objects: BTreeMap<(String, String), (String, Identity)>,
    record: Record,
}

/// Where what was told is recorded.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Record {
    /// Nothing is known yet: nothing must be told.
    #[default]
    Unknown,
    /// In the objects.
    Objects,
    /// Here alone: a restart forgets it.
    Memory,
}

#[derive(Debug)]
struct Entry {
    finding: Arc<Finding>,
    state: FindingState,
    silenced: bool,
    told: BTreeMap<String, Notification>,
    recorded: BTreeMap<String, Notification>,
    /// It cannot be recorded, and need not be tried again before something changes.
    excused: bool,
    /// Since when there is no object of it.
    gone: Option<Time>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { state: Mutex::default(), changed: watch::channel(0).0 }
    }
}

impl Ledger {
    /// Tells whenever something changed.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Where what was told is recorded.
    pub fn record(&self) -> Record {
        self.locked().record
    }

    /// All that there is has been seen: from now on it can be told, and is recorded there.
    pub fn settle_on(&self, record: Record) {
        self.locked().record = record;
        self.wake();
    }

    /// Which finding an object holds that was seen in this version already.
    pub fn has_seen(&self, object: &ObjectMeta) -> Option<Identity> {
        let (key, version) = key_and_version(object)?;
        let all = self.locked();
        all.objects.get(&key).filter(|(seen, _)| *seen == version).map(|(_, identity)| identity.clone())
    }

    /// An object is so now. One that does not hold a finding or has another's name is passed over, and
    /// so is a state that is older than what was seen: a list may overtake a watch.
    pub fn saw(&self, object: &FindingObject) {
        let Some(finding) = object.finding() else { return };
        let identity = finding.identity();
        if object.metadata.name.as_deref() != Some(object_name(&identity).as_str()) {
            return;
        }
        let status = object.status.as_ref();
        let recorded = status.map(|status| status.notifications.clone()).unwrap_or_default();
        let recorded = recorded.into_iter().map(|told| (told.receiver.clone(), told)).collect();
        let state = status.and_then(|status| status.state).unwrap_or(FindingState::Confirmed);
        let silenced = status.is_some_and(|status| status.silenced_by.is_some());
        let mut all = self.locked();
        if let Some((key, version)) = key_and_version(&object.metadata) {
            let known = all.objects.get(&key).map(|(known, _)| known.as_str());
            if known.is_some_and(|known| is_older(&version, known)) {
                return;
            }
            all.objects.insert(key, (version, identity.clone()));
        }
        let entry = all.entries.entry(identity).or_insert_with(|| Entry::new(&finding));
        (entry.finding, entry.state, entry.silenced) = (Arc::new(finding), state, silenced);
        (entry.gone, entry.excused) = (None, false);
        entry.take_in(recorded);
        drop(all);
        self.wake();
    }

    /// A finding is so now, as the board says; where there are no objects.
    pub fn heard(&self, shown: &board::Entry) {
        let finding = &shown.finding;
        if finding.confirmed_at.is_none() {
            return;
        }
        let mut all = self.locked();
        let entry = all.entries.entry(finding.identity()).or_insert_with(|| Entry::new(finding));
        entry.become_as(shown);
        entry.gone = None;
        drop(all);
        self.wake();
    }

    /// These are all objects that there are at `now`. What the board says of the others is how they
    /// ended; what it does not know is forgotten after a while.
    pub fn only_these(&self, there: impl Fn(&Identity) -> bool, board: &board::Board, now: Time) {
        let mut guard = self.locked();
        let all = &mut *guard;
        let mut changed = false;
        all.objects.retain(|_, (_, identity)| there(identity));
        for (identity, entry) in &mut all.entries {
            if there(identity) {
                continue;
            }
            changed |= entry.gone.is_none();
            entry.gone.get_or_insert(now);
            if let Some(shown) = board.get(identity).filter(|shown| !shown.is_open()) {
                changed |= entry.state == FindingState::Confirmed;
                entry.become_as(&shown);
            }
        }
        all.entries.retain(|_, entry| entry.gone.is_none_or(|gone| now.since(gone) < REMEMBERED));
        drop(guard);
        if changed {
            self.wake();
        }
    }

    /// How one receiver stands to the findings at `now`.
    pub fn items(&self, receiver: &str, routes: &Routes, now: Time) -> Vec<Item> {
        let all = self.locked();
        let item = |entry: &Entry| Item {
            finding: Arc::clone(&entry.finding),
            state: entry.state,
            silenced: entry.silenced,
            admission: routes.admission(receiver, &entry.finding, now),
            told: entry.told.get(receiver).cloned(),
        };
        all.entries.values().filter(|entry| entry.is_of_use(receiver)).map(item).collect()
    }

    /// A receiver was told something, which is to be recorded.
    pub fn told(&self, records: &[(Identity, Notification)]) {
        let mut all = self.locked();
        for (identity, told) in records {
            if let Some(entry) = all.entries.get_mut(identity) {
                entry.told.insert(told.receiver.clone(), told.clone());
                entry.excused = false;
            }
        }
        drop(all);
        self.wake();
    }

    /// What has to be written into an object, if it does not stand there.
    pub fn unrecorded(&self, identity: &Identity) -> Option<Vec<Notification>> {
        let all = self.locked();
        let entry = all.entries.get(identity)?;
        entry.is_owed().then(|| entry.newest())
    }

    /// These findings have something that is to be recorded.
    pub fn owed(&self) -> Vec<Identity> {
        let all = self.locked();
        all.entries.iter().filter(|(_, entry)| entry.is_owed()).map(|(identity, _)| identity.clone()).collect()
    }

    /// An object was written.
    pub fn recorded(&self, identity: &Identity, written: Vec<Notification>) {
        let mut all = self.locked();
        if let Some(entry) = all.entries.get_mut(identity) {
            entry.recorded = written.into_iter().map(|told| (told.receiver.clone(), told)).collect();
        }
        drop(all);
        self.wake();
    }

    /// An object cannot be written: what was told of it is known here alone.
    pub fn excuse(&self, identity: &Identity) {
        if let Some(entry) = self.locked().entries.get_mut(identity) {
            entry.excused = true;
        }
        self.wake();
    }

    /// Whether what a receiver was told of these findings is recorded, as far as it can be.
    pub fn is_recorded<'a>(&self, mut identities: impl Iterator<Item = &'a Identity>) -> bool {
        let all = self.locked();
        all.record == Record::Memory
            || identities.all(|identity| all.entries.get(identity).is_none_or(|entry| !entry.is_owed()))
    }

    fn wake(&self) {
        self.changed.send_modify(|version| *version = version.wrapping_add(1));
    }

    /// What a panic elsewhere left is still what was told.
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn new(finding: &Finding) -> Self {
        Self {
            finding: Arc::new(finding.clone()),
            state: FindingState::Confirmed,
            silenced: false,
            told: BTreeMap::new(),
            recorded: BTreeMap::new(),
            excused: false,
            gone: None,
        }
    }

    fn become_as(&mut self, shown: &board::Entry) {
        self.finding = Arc::clone(&shown.finding);
        self.silenced = shown.silenced_by.is_some();
        self.state = match shown.kind {
            ChangeKind::Resolved => FindingState::Resolved,
            ChangeKind::Withdrawn => FindingState::Withdrawn,
            _ => FindingState::Confirmed,
        };
    }

    fn take_in(&mut self, recorded: BTreeMap<String, Notification>) {
        for (receiver, told) in &recorded {
            if self.told.get(receiver).is_none_or(|known| known.at < told.at) {
                self.told.insert(receiver.clone(), told.clone());
            }
        }
        self.recorded = recorded;
    }

    /// Whether it is there, or the receiver has yet to hear how it ended.
    fn is_of_use(&self, receiver: &str) -> bool {
        self.gone.is_none()
            || self.told.get(receiver).is_some_and(|told| matches!(told.told, Told::Opened | Told::Changed))
    }

    /// Whether something that was told does not stand in the object. Only the marks count: what an
    /// older definition of the API drops must not be written for ever.
    fn is_owed(&self) -> bool {
        let mark = |told: &Notification| (told.episode, told.told, told.at);
        let stands = |told: &Notification| self.recorded.get(&told.receiver).is_some_and(|it| mark(it) == mark(told));
        !self.excused && self.gone.is_none() && !self.newest().iter().all(stands)
    }

    /// As many entries as an object takes, the newest.
    fn newest(&self) -> Vec<Notification> {
        let mut all: Vec<Notification> = self.told.values().cloned().collect();
        all.sort_by_key(|told| std::cmp::Reverse(told.at));
        all.truncate(ENTRIES);
        all.sort_by(|one, other| one.receiver.cmp(&other.receiver));
        all
    }
}

fn key_and_version(object: &ObjectMeta) -> Option<((String, String), String)> {
    let key = (object.namespace.clone()?, object.name.clone()?);
    Some((key, object.resource_version.clone()?))
}

/// Whether a version is before another one; where they are no numbers nobody knows.
fn is_older(version: &str, known: &str) -> bool {
    match (version.parse::<u64>(), known.parse::<u64>()) {
        (Ok(version), Ok(known)) => version < known,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::testing::{at, finding};

    #[test]
    fn what_was_told_counts_at_once_and_is_owed_until_it_stands_in_the_object() {
        let ledger = Ledger::default();
        let mut object = object();
        ledger.saw(&object);
        let id = finding("web").identity();
        assert_eq!(ledger.unrecorded(&id), None);
        ledger.told(&[(id.clone(), told("slack", 10))]);
        assert!(!ledger.is_recorded([&id].into_iter()));
        ledger.saw(&object);
        assert_eq!(items(&ledger)[0].told.as_ref().map(|told| told.at), Some(at(10)), "the cache lags");
        object.status.as_mut().expect("it has one").notifications = ledger.unrecorded(&id).expect("it is owed");
        ledger.saw(&object);
        assert!(ledger.is_recorded([&id].into_iter()));
    }

    #[test]
    fn what_another_leader_told_later_counts() {
        let ledger = Ledger::default();
        let mut object = object();
        ledger.saw(&object);
        ledger.told(&[(finding("web").identity(), told("slack", 10))]);
        object.status.as_mut().expect("it has one").notifications = vec![told("slack", 20)];
        ledger.saw(&object);
        assert_eq!(items(&ledger)[0].told.as_ref().map(|told| told.at), Some(at(20)));
        assert_eq!(ledger.owed(), []);
    }

    #[test]
    fn what_a_person_wipes_out_is_written_again() {
        let ledger = Ledger::default();
        let mut object = object();
        object.status.as_mut().expect("it has one").notifications = vec![told("slack", 10), told("ops", 10)];
        ledger.saw(&object);
        object.status.as_mut().expect("it has one").notifications.clear();
        ledger.saw(&object);
        assert_eq!(ledger.owed().len(), 1);
        assert_eq!(ledger.unrecorded(&finding("web").identity()).map(|told| told.len()), Some(2));
    }

    #[test]
    fn an_object_that_is_deleted_and_comes_back_is_not_told_again() {
        let (ledger, board) = (Ledger::default(), board::Board::default());
        ledger.saw(&object());
        ledger.told(&[(finding("web").identity(), told("slack", 10))]);
        ledger.only_these(|_| false, &board, at(20));
        assert_eq!(ledger.owed(), [], "there is nothing to write to");
        ledger.saw(&object());
        assert!(items(&ledger)[0].told.is_some());
        assert_eq!(ledger.owed().len(), 1, "it is written into the new object");
    }

    #[test]
    fn how_a_finding_ended_whose_namespace_was_deleted_is_known_from_the_board() {
        let (ledger, board) = (Ledger::default(), board::Board::default());
        ledger.saw(&object());
        ledger.told(&[(finding("web").identity(), told("slack", 10))]);
        let over = Finding { resolved_at: Some(at(60)), ..finding("web") };
        let (finding, silenced_by) = (Arc::new(over), None);
        board.put_up(board::Entry { finding, kind: ChangeKind::Resolved, at: at(60), silenced_by });
        ledger.only_these(|_| false, &board, at(61));
        assert_eq!(items(&ledger)[0].state, FindingState::Resolved);
        ledger.only_these(|_| false, &board, at(61).plus(REMEMBERED));
        assert!(items(&ledger).is_empty());
    }

    #[test]
    fn an_older_state_of_an_object_changes_nothing() {
        let ledger = Ledger::default();
        let (mut old, mut new) = (object(), object());
        old.metadata.resource_version = Some("99".to_owned());
        new.metadata.resource_version = Some("100".to_owned());
        new.status.as_mut().expect("it has one").notifications = vec![told("slack", 10)];
        ledger.saw(&new);
        ledger.saw(&old);
        assert_eq!(ledger.owed(), []);
        assert!(ledger.has_seen(&new.metadata).is_some());
    }

    #[test]
    fn an_object_of_another_name_is_nobodys() {
        let ledger = Ledger::default();
        let mut object = object();
        object.metadata.name = Some("copy".to_owned());
        ledger.saw(&object);
        assert!(items(&ledger).is_empty());
    }

    fn items(ledger: &Ledger) -> Vec<Item> {
        let routes = Routes(vec![super::super::route::Route::default_to("slack")]);
        ledger.items("slack", &routes, at(100))
    }

    fn object() -> FindingObject {
        FindingObject::of(&finding("web"), FindingState::Confirmed, None)
    }

    fn told(receiver: &str, seconds: i64) -> Notification {
        Notification {
            receiver: receiver.to_owned(),
            episode: 1,
            told: Told::Opened,
            at: at(seconds),
            said: None,
            digest: None,
            refused: None,
        }
    }
}

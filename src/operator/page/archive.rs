//! What the page shows: the findings that are open, and those that were resolved in the last day.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::engine::{ChangeKind, Finding};
use crate::finding::Identity;
use crate::finding::rank::Rank;
use crate::findings::board::Board;
use crate::findings::ledger::Ledger;
use crate::report::object::{Notification, ObjectKey};
use crate::time::Time;

/// How long a resolved finding is shown, and how many at most; those that were resolved first go first.
const SHOWN: Duration = Duration::from_hours(24);
const MAX_OVER: usize = 500;
/// Minimum time between two turns of the page: many changes at once are one.
const TURN: Duration = Duration::from_millis(500);
/// How long messages about what is resolved may still be sent.
const TELLING: Duration = Duration::from_mins(10);

/// The findings of the page.
#[derive(Debug)]
pub struct Archive {
    shown: Mutex<BTreeMap<Identity, Shown>>,
    turned: watch::Sender<u64>,
}

/// A finding as the page shows it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The finding.
    pub finding: Arc<Finding>,
    /// The silence that keeps it from being told.
    pub silenced_by: Option<Arc<str>>,
    /// The last message to each receiver.
    pub notified: Vec<Notification>,
}

impl Default for Archive {
    fn default() -> Self {
        Self { shown: Mutex::default(), turned: watch::channel(0).0 }
    }
}

impl Archive {
    /// All of them: open ones first, worst first; then resolved ones, the last first.
    pub fn all(&self) -> Vec<Shown> {
        let mut all: Vec<Shown> = self.locked().values().cloned().collect();
        all.sort_by_cached_key(|shown| {
            let rank = Rank::from_finding(&shown.finding);
            (shown.finding.resolved_at.is_some(), std::cmp::Reverse((shown.finding.resolved_at, rank)))
        });
        all
    }

    /// The namespaces that they are in.
    pub fn namespaces(&self) -> BTreeSet<Arc<str>> {
        self.locked().keys().map(|identity| Arc::clone(&identity.namespace)).collect()
    }

    /// The number of turns so far: another one is another page.
    pub fn turns(&self) -> watch::Receiver<u64> {
        self.turned.subscribe()
    }

    /// Takes over the state of a finding; `None` if it is gone from the board.
    fn put(&self, identity: Identity, state: Option<(Arc<Finding>, ChangeKind, Option<Arc<str>>)>, ledger: &Ledger) {
        let mut all = self.locked();
        match state {
            Some((_, ChangeKind::Withdrawn, _)) => _ = all.remove(&identity),
            Some((finding, _, silenced_by)) => {
                let known = all.remove(&identity).map(|shown| shown.notified).unwrap_or_default();
                let notified = ledger.notifications(&ObjectKey::from_identity(&identity));
                let notified = if notified.is_empty() { known } else { notified };
                all.insert(identity, Shown { finding, silenced_by, notified });
            }
            // What left without having been resolved has lost its place.
            None if all.get(&identity).is_some_and(|shown| shown.finding.resolved_at.is_none()) => {
                all.remove(&identity);
            }
            None => {}
        }
    }

    /// Forgets what was resolved long ago, and takes over what was told meanwhile.
    fn tidy(&self, ledger: &Ledger, now: Time) {
        let mut all = self.locked();
        all.retain(|_, shown| shown.finding.resolved_at.is_none_or(|at| now.since(at) < SHOWN));
        let mut over: Vec<(Time, Identity)> =
            all.iter().filter_map(|(identity, shown)| Some((shown.finding.resolved_at?, identity.clone()))).collect();
        over.sort();
        for (_, identity) in over.iter().take(over.len().saturating_sub(MAX_OVER)) {
            all.remove(identity);
        }
        for (identity, shown) in all.iter_mut() {
            if shown.finding.resolved_at.is_none_or(|at| now.since(at) < TELLING) {
                let notified = ledger.notifications(&ObjectKey::from_identity(identity));
                if !notified.is_empty() {
                    shown.notified = notified;
                }
            }
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<Identity, Shown>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the archive up to date, forever; `clock` gives the time of day.
pub async fn follow(archive: Arc<Archive>, board: Arc<Board>, ledger: Arc<Ledger>, clock: fn() -> Time) -> Infallible {
    const TIDY: Duration = Duration::from_secs(5);
    let mut changes = board.subscribe();
    loop {
        tokio::select! {
            identities = changes.next() => {
                for identity in identities {
                    let entry = board.get(&identity);
                    archive.put(identity, entry.map(|entry| (entry.finding, entry.kind, entry.silenced_by)), &ledger);
                }
            }
            () = sleep(TIDY) => {}
        }
        archive.tidy(&ledger, clock());
        archive.turned.send_modify(|turn| *turn = turn.wrapping_add(1));
        sleep(TURN).await;
    }
}

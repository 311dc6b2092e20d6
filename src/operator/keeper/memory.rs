//! What the objects recorded as published and notified before this replica started, or became leader.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::refusal::Refusal;
use super::state::{Kept, Key};
use super::store::Store;
use super::stored::Stored;
use crate::finding::Finding;
use crate::finding::rank::Rank;
use crate::findings::asked::{Asked, AskedSilence};
use crate::findings::board;
use crate::findings::ledger::Left;
use crate::operator::driver::Memory;
use crate::report::object::{FindingState, Notification};
use crate::runtime::clock;
use crate::source::cluster::Backoff;
use crate::time::Time;

/// Maximum number of resolved findings passed to the engine, newest first: for these it can count
/// recurrences and attribute earlier ends.
const MAX_OVER: usize = 1_000;
/// Number of findings passed to the engine at once.
const AT_ONCE: usize = 250;
/// Findings resolved longer ago than this are no longer worth a notification.
const NEWS: Duration = Duration::from_hours(24);
/// Maximum number of resolved findings that may still need a notification, newest first.
const MAX_LEFT: usize = 500;

/// An object found at a take-over.
#[derive(Debug)]
pub struct Found {
    /// Its key.
    pub key: Key,
    /// The part of it that is kept.
    pub kept: Kept,
    /// Its notifications, if the finding is open or its resolution may still have to be notified.
    pub notified: Vec<Notification>,
    /// What only the object knows of it, if it was resolved and that may still have to be notified.
    pub left: Option<Left>,
}

/// What was read at a take-over.
#[derive(Debug, Default)]
pub struct Learnt {
    /// The objects.
    pub objects: Vec<Found>,
    /// When each receiver was first notified of anything.
    pub first_notified: BTreeMap<String, Time>,
    /// Whether the objects can be read at all.
    pub readable: bool,
}

/// The findings to pass to the engine, bounded in number.
#[derive(Debug, Default)]
struct Findings {
    open: BTreeMap<(Reverse<Rank>, Key), Finding>,
    over: BTreeMap<(Reverse<Time>, Key), Finding>,
}

impl Findings {
    fn add(&mut self, key: Key, finding: Finding) {
        match finding.resolved_at {
            None => {
                self.open.insert((Reverse(Rank::from_finding(&finding)), key), finding);
                if self.open.len() > board::MAX_FINDINGS {
                    self.open.pop_last();
                }
            }
            Some(resolved_at) => {
                let brief = Finding { evidence: Vec::new(), hypotheses: Vec::new(), remedy: Vec::new(), ..finding };
                self.over.insert((Reverse(resolved_at), key), brief);
                if self.over.len() > MAX_OVER {
                    self.over.pop_last();
                }
            }
        }
    }

    fn take_in(&mut self, object: &Stored) {
        let Some(key) = object.key() else { return };
        if let Some((finding, _)) = object.finding().filter(|(_, state)| *state != FindingState::Withdrawn) {
            self.add(key, finding);
        }
    }

    fn into_all(self) -> Vec<Finding> {
        self.open.into_values().chain(self.over.into_values()).collect()
    }
}

/// The findings that the cluster's objects held when this replica started: open ones, the worst if there
/// are too many, and the most recently resolved.
///
/// # Errors
/// They cannot be read.
pub async fn remembered(store: &Store) -> Result<Vec<Finding>, Refusal> {
    let mut findings = Findings::default();
    store.each(|object| findings.take_in(object)).await?;
    Ok(findings.into_all())
}

/// Reads the existing objects when this replica becomes leader.
pub struct TakeOver {
    /// Where the objects are.
    pub store: Store,
    /// Receives the findings that another leader published, if there may have been one.
    pub memories: Option<mpsc::Sender<Memory>>,
}

impl TakeOver {
    /// Retries until there is an answer: without it the past notifications are unknown. The engine knows
    /// all findings published before when this is done, so that nothing is lost.
    pub async fn learn(self) -> Learnt {
        let mut backoff = Backoff::seeded_by_chance();
        let (objects, findings) = loop {
            let (mut objects, mut findings) = (Objects::default(), Findings::default());
            let shared = self.memories.is_some();
            let each = self.store.each(|object| {
                objects.take_in(object);
                if shared {
                    findings.take_in(object);
                }
            });
            match each.await {
                Ok(()) => break (objects, findings),
                Err(Refusal::NoApi | Refusal::Forbidden(_)) => return Learnt::default(),
                Err(refusal) => {
                    let wait = backoff.wait();
                    self.store.way().pause(wait, refusal.trouble(), &mut backoff).await;
                }
            }
        };
        if let Some(memories) = self.memories {
            hand_over(&memories, findings.into_all()).await;
        }
        Learnt { objects: objects.all, first_notified: objects.first_notified, readable: true }
    }
}

async fn hand_over(memories: &mpsc::Sender<Memory>, findings: Vec<Finding>) {
    let mut findings = findings.into_iter().peekable();
    loop {
        let some: Vec<Finding> = findings.by_ref().take(AT_ONCE).collect();
        let (taken, notified) = oneshot::channel();
        // If the engine's task has ended, so does this one.
        if memories.send(Memory { findings: some, taken }).await.is_err() {
            return;
        }
        let _ = notified.await;
        if findings.peek().is_none() {
            return;
        }
    }
}

/// The objects of a list, as compact as possible.
#[derive(Debug, Default)]
struct Objects {
    all: Vec<Found>,
    /// Those of `all` that were resolved and may still need a notification, by time of resolution.
    left: BTreeSet<(Time, usize)>,
    first_notified: BTreeMap<String, Time>,
}

impl Objects {
    fn take_in(&mut self, object: &Stored) {
        let Some((key, kept)) = Kept::from_object(object) else { return };
        let ended = kept.over.filter(|over| clock::now().since(*over) < NEWS || !kept.notified);
        let left = ended.and_then(|_| left(object));
        for notified in object.notifications() {
            let first = self.first_notified.entry(notified.receiver.clone()).or_insert(notified.at);
            *first = notified.at.min(*first);
        }
        let matters = kept.over.is_none() || left.is_some();
        let notified = if matters { object.notifications().to_vec() } else { Vec::new() };
        if let (Some(ended), true) = (ended, left.is_some()) {
            self.left.insert((ended, self.all.len()));
        }
        self.all.push(Found { key, kept, notified, left });
        if self.left.len() > MAX_LEFT
            && let Some((_, place)) = self.left.pop_first()
        {
            (self.all[place].left, self.all[place].notified) = (None, Vec::new());
        }
    }
}

/// What an object says about a resolved finding. Its remedies no longer matter.
fn left(object: &Stored) -> Option<Left> {
    let (finding, state) = object.finding()?;
    let finding = Finding { evidence: Vec::new(), hypotheses: Vec::new(), remedy: Vec::new(), ..finding };
    let status = object.status()?;
    let silenced = status.silenced_by.is_some();
    // It ended under that silence, whenever that ends.
    let until = Time::from_millis(i64::MAX);
    let words = status.silenced_by_annotation.as_deref();
    let silence = words.map(|words| AskedSilence { until, words: words.into() });
    let asked = Arc::new(Asked { silence, ..Asked::default() });
    (state != FindingState::Confirmed).then_some(Left { finding, state, silenced, asked })
}

//! What to send to one receiver next, given the findings, its past notifications of each, and the time.
//!
//! The caller sends what [`next`] returns, records the notification, and asks again.

mod due;
pub(super) mod storm;

use std::sync::Arc;
use std::time::Duration;

use crate::finding::Finding;
use crate::report::object::{FindingState, Notification};
use crate::report::update::{Digest, Dispatch, Kind, Why};
use crate::time::Time;
use due::Due;

/// Maximum number of findings in a digest: a line of 300 characters for each fits into one message.
pub const MAX_IN_DIGEST: usize = 30;
/// Findings of each namespace that come before more of any other: a crash loop in one delays no other's
/// messages.
const SHARE_OF_DIGEST: usize = 10;
/// Maximum number of missed findings that one message sums up; each costs a write.
pub const MAX_MISSED: usize = 500;
/// Findings suspected within this time after the start were looping before: a first look at a large cluster
/// takes that long.
const FIRST_LOOK: Duration = Duration::from_secs(30);
/// How long the very first digest waits for what the first look has yet to find.
const FIRST_GATHER: Duration = Duration::from_secs(5);

/// A finding, and its state for one receiver.
#[derive(Clone, Debug)]
pub struct Item {
    /// The finding as it is now.
    pub finding: Arc<Finding>,
    /// Whether it is open.
    pub state: FindingState,
    /// Whether a silence of the configuration covers it.
    pub silenced: bool,
    /// How it is routed.
    pub admission: Admission,
    /// The last notification of it to the receiver.
    pub notified: Option<Notification>,
}

/// How a finding is routed to a receiver.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Admission {
    /// The receiver is notified.
    Routed,
    /// The receiver is notified when the mute time is over.
    Muted(Time),
    /// No route leads there any more: findings already notified are followed to their end, no new ones are
    /// notified.
    ToItsEnd,
    /// No route names its namespace: no notifications, not even of the end of what was notified before.
    Barred,
}

/// The policy's settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Minimum interval between notifications of changes to one finding, unless it got much worse.
    pub changes_every: Duration,
    /// Interval of reminders of open findings; `None`: no reminders.
    pub remind_every: Option<Duration>,
    /// More findings than this within a minute are sent as a digest.
    pub digest_above: usize,
    /// What one message can contain.
    pub holds: Holds,
}

impl Default for Settings {
    fn default() -> Self {
        Self { changes_every: Duration::from_mins(5), remind_every: None, digest_above: 5, holds: Holds::OneOrMany }
    }
}

/// What one message can contain.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Holds {
    /// One finding, or a digest of many.
    OneOrMany,
    /// One finding; those that came and went are not notified.
    One,
}

/// The receiver's history.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Past {
    /// Since when this process serves the receiver.
    pub since: Time,
    /// When the receiver was first notified of anything, as far as is known.
    pub first_notified: Option<Time>,
    /// Nothing may be sent before this time: the receiver's rate limit, or a back-off.
    pub not_before: Time,
}

/// What to do next.
#[derive(Clone, Debug)]
pub enum Next {
    /// Send this, then ask again.
    Send(Dispatch),
    /// Ask again then, or when something changes.
    Wait(Time),
    /// Ask again when something changes.
    Nothing,
}

/// What to send next to a receiver whose past notifications are those of the items.
///
/// Findings for which nothing is due and that were not notified in the last minute may be left out.
pub fn next(items: &[Item], past: Past, settings: &Settings, now: Time) -> Next {
    let existed = existed_since(items, past);
    let due = items.iter().filter_map(|item| due::of(item, existed, settings));
    let (ready, later): (Vec<Due>, Vec<Due>) = due.partition(|due| due.at <= now);
    if ready.is_empty() {
        return later.iter().map(|due| due.at).min().map_or(Next::Nothing, Next::Wait);
    }
    if now < past.not_before {
        return Next::Wait(past.not_before);
    }
    let (missed, fresh): (Vec<Due>, Vec<Due>) = ready.into_iter().partition(|due| due.kind == Kind::Missed);
    if fresh.is_empty() {
        return Next::Send(came_and_went(missed));
    }
    tell(items, in_order(fresh), past, settings, now)
}

/// The next update of one finding for the receiver, and the earliest time to send it.
pub fn due(item: &Item, past: Past, settings: &Settings) -> Option<(Time, Kind)> {
    let existed = existed_since(std::slice::from_ref(item), past);
    due::of(item, existed, settings).map(|due| (due.at, due.kind))
}

/// One of them, or a digest.
fn tell(items: &[Item], fresh: Vec<Due>, past: Past, settings: &Settings, now: Time) -> Next {
    if settings.holds == Holds::One {
        return one(fresh);
    }
    if is_first_look(items, &fresh, past) {
        let complete = past.since.max(oldest(&fresh)).plus(FIRST_GATHER);
        return if now < complete { Next::Wait(complete) } else { digest(Why::FirstLook, &fresh) };
    }
    match storm::of(items, &fresh, settings, now) {
        storm::Storm::No => one(fresh),
        storm::Storm::Gathers(until) => Next::Wait(until),
        storm::Storm::Breaks => digest(Why::Storm, &fresh),
    }
}

fn one(fresh: Vec<Due>) -> Next {
    fresh.into_iter().next().map_or(Next::Nothing, |due| Next::Send(Dispatch::One(due.news())))
}

fn digest(why: Why, fresh: &[Due]) -> Next {
    let waiting = fresh.len().saturating_sub(MAX_IN_DIGEST);
    let news = shared(fresh).into_iter().map(Due::news).collect();
    Next::Send(Dispatch::Digest(Digest { why, news, waiting }))
}

/// As many as fit into a digest, in their order: first the share of each namespace.
fn shared<'a>(fresh: &[Due<'a>]) -> Vec<Due<'a>> {
    let mut of_one = std::collections::BTreeMap::<&str, usize>::new();
    let mut places: Vec<(bool, usize)> = Vec::with_capacity(fresh.len());
    for (place, due) in fresh.iter().enumerate() {
        let before = of_one.entry(&due.item.finding.namespace).or_default();
        *before += 1;
        places.push((*before > SHARE_OF_DIGEST, place));
    }
    places.sort_unstable();
    places.truncate(MAX_IN_DIGEST);
    places.sort_unstable_by_key(|(_, place)| *place);
    places.into_iter().map(|(_, place)| fresh[place]).collect()
}

fn came_and_went(mut missed: Vec<Due>) -> Dispatch {
    missed.sort_by_key(|due| (due.since, due.item.finding.identity()));
    let waiting = missed.len().saturating_sub(MAX_MISSED);
    let news = missed.into_iter().take(MAX_MISSED).map(Due::news).collect();
    Dispatch::Digest(Digest { why: Why::Missed, news, waiting })
}

/// Since when the receiver is known to exist: it is not notified of what came and went before.
fn existed_since(items: &[Item], past: Past) -> Time {
    let notified = items.iter().filter_map(|item| item.notified.as_ref()).map(|notified| notified.at);
    notified.chain(past.first_notified).min().map_or(past.since, |first| first.min(past.since))
}

/// Whether the receiver was never notified of anything, and everything to be sent was looping before the
/// start.
fn is_first_look(items: &[Item], fresh: &[Due], past: Past) -> bool {
    let looked = past.since.plus(FIRST_LOOK);
    let never_told = past.first_notified.is_none() && items.iter().all(|item| item.notified.is_none());
    never_told && fresh.iter().any(|due| due.item.finding.opened_at < looked)
}

fn oldest(fresh: &[Due]) -> Time {
    fresh.iter().map(|due| due.since).min().unwrap_or_default()
}

/// The worst workload first, then the one that has waited longest; for one workload in chronological order.
fn in_order(mut fresh: Vec<Due>) -> Vec<Due> {
    let mut workloads = std::collections::BTreeMap::new();
    for due in &fresh {
        let rank = (std::cmp::Reverse(due.item.finding.severity), due.since);
        let worst = workloads.entry(workload(due)).or_insert(rank);
        *worst = (worst.0.min(rank.0), worst.1.min(rank.1));
    }
    fresh.sort_by_cached_key(|due| {
        let workload = workload(due);
        (workloads.get(&workload).copied(), workload, due.since, due.kind, due.item.finding.identity())
    });
    fresh
}

fn workload(due: &Due) -> (Arc<str>, Arc<str>) {
    (Arc::clone(&due.item.finding.namespace), Arc::clone(&due.item.finding.workload))
}

//! What happened to nodes: kubelet restarts, and containers that were terminated at once.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::memory::node_clock::{Clock, Delays, EventDelays, Lags};
use crate::engine::observation::KubeletEvent;
use crate::time::Time;

/// Maximum number of nodes remembered, and of pairs of namespace and node.
const MAX_NODES: usize = 10_000;
/// Maximum number of terminations remembered per node.
const MAX_SIGNALLED: usize = 64;
/// How long they are remembered.
const REMEMBERED: Duration = Duration::from_mins(15);
/// Terminations within this time of each other count as simultaneous.
const TOGETHER: Duration = Duration::from_secs(10);
/// Number of workloads that do not terminate together by chance.
const MANY: usize = 3;

/// What happened to nodes, by name.
#[derive(Debug, Default)]
pub struct Nodes {
    /// What is known from statuses, which only kubelets write.
    seen: HashMap<Arc<str>, FromStatuses>,
    /// What is known of a node from the events of a namespace: whoever may write events there can forge
    /// these, so they count only in that namespace.
    heard: BTreeMap<(Arc<str>, Arc<str>), FromEvents>,
    /// The number of changes so far.
    changes: u64,
}

/// What is known of a node from the statuses of all pods.
#[derive(Debug, Default)]
struct FromStatuses {
    statuses: Delays,
    lags: Lags,
    signalled: VecDeque<Signalled>,
    state: u64,
}

/// What is known of a node from the events of a namespace.
#[derive(Debug, Default)]
struct FromEvents {
    heard: EventDelays,
    lags: Lags,
    kubelet_since: Option<Time>,
    last: Time,
    state: u64,
}

/// A container was terminated by a signal from outside, and not by a probe.
#[derive(Debug, PartialEq)]
struct Signalled {
    at: Time,
    workload: SignalledWorkload,
}

/// Namespace and `KIND/NAME`.
pub type SignalledWorkload = (Arc<str>, String);

impl Nodes {
    /// What a namespace may know of them.
    pub const fn seen_from<'a>(&'a self, namespace: &'a Arc<str>) -> NodesSeen<'a> {
        NodesSeen { nodes: self, namespace }
    }

    /// A status with this stamp of a node has just arrived.
    pub fn status(&mut self, name: &Arc<str>, stamp: Time, now: Time) {
        let next = self.changes + 1;
        let Some(seen) = self.statuses_of(name) else { return };
        seen.statuses.add(stamp, now);
        if seen.lags.note(stamp, Clock::measured(Some(&seen.statuses), None, now), now) {
            seen.state = next;
            self.changes = next;
        }
    }

    /// An event of a pod on a node was received, by an engine running since `born`.
    pub fn event(&mut self, name: &Arc<str>, event: &KubeletEvent, born: Option<Time>, now: Time) {
        let clock = self.seen_from(&event.pod.namespace).clock(Some(name), now);
        let next = self.changes + 1;
        let events = self.events_of(name, &event.pod.namespace, now);
        if let Some(created) = event.created {
            events.heard.created(event.first, created);
        }
        // If its count rose without a later time, the time of that is not known.
        let says_when = event.count <= 1 || event.last > event.first;
        // Events older than the first observation were not in transit.
        if says_when && born.is_some_and(|born| clock.ours(event.last) > born) {
            events.heard.arrived(event.last, now);
            if events.lags.note(event.last, clock, now) {
                events.state = next;
            }
        }
    }

    /// Notes that a node's kubelet was restarted between two times, according to an event of a namespace.
    pub fn kubelet_restarted(&mut self, name: &Arc<str>, namespace: &Arc<str>, (after, by): (Time, Time), now: Time) {
        let next = self.changes + 1;
        let events = self.events_of(name, namespace, now);
        let known = events.kubelet_since.unwrap_or(by);
        // The same restart as shown by another pod's event, or a new one.
        let since = Some(if known > after { by.min(known) } else { by });
        if events.kubelet_since != since {
            events.kubelet_since = since;
            events.state = next;
        }
    }

    /// Notes that a container on a node was terminated from outside; in any order, any number of times.
    pub fn fell(&mut self, name: &Arc<str>, workload: SignalledWorkload, at: Time) {
        let fall = Signalled { at, workload };
        let next = self.changes + 1;
        let Some(node) = self.statuses_of(name).filter(|node| !node.signalled.contains(&fall)) else { return };
        node.signalled.retain(|known| at.since(known.at) <= REMEMBERED);
        node.signalled.push_back(fall);
        if node.signalled.len() > MAX_SIGNALLED {
            node.make_room();
        }
        node.state = next;
        self.changes = next;
    }

    fn statuses_of(&mut self, name: &Arc<str>) -> Option<&mut FromStatuses> {
        let room = self.seen.len() < MAX_NODES || self.seen.contains_key(name);
        room.then(|| self.seen.entry(Arc::clone(name)).or_default())
    }

    fn events_of(&mut self, name: &Arc<str>, namespace: &Arc<str>, now: Time) -> &mut FromEvents {
        let key = (Arc::clone(name), Arc::clone(namespace));
        if self.heard.len() >= MAX_NODES && !self.heard.contains_key(&key) {
            let oldest = self.heard.iter().min_by_key(|(_, events)| events.last).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.heard.remove(&key));
        }
        self.changes += 1;
        let state = self.changes;
        // One that was dropped and begins again is another one.
        let events = self.heard.entry(key).or_insert_with(|| FromEvents { state, ..FromEvents::default() });
        events.last = now;
        events
    }
}

impl FromStatuses {
    /// Drops the oldest termination of the namespace that has most.
    fn make_room(&mut self) {
        let mut ends: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
        for fall in &self.signalled {
            *ends.entry(&fall.workload.0).or_default() += 1;
        }
        let most = ends.iter().max_by_key(|(_, ends)| **ends).map(|(namespace, _)| *namespace);
        let oldest = self.signalled.iter().position(|fall| Some(&fall.workload.0) == most);
        oldest.and_then(|at| self.signalled.remove(at));
    }

    fn workloads_at(&self, at: Time) -> BTreeSet<&SignalledWorkload> {
        let near = |fall: &&Signalled| fall.at.since(at) <= TOGETHER && at.since(fall.at) <= TOGETHER;
        self.signalled.iter().filter(near).map(|fall| &fall.workload).collect()
    }
}

/// What is known of nodes in a namespace.
#[derive(Copy, Clone)]
pub struct NodesSeen<'a> {
    nodes: &'a Nodes,
    namespace: &'a Arc<str>,
}

impl<'a> NodesSeen<'a> {
    /// What happened to that node, if anything is remembered.
    pub fn get(self, name: Option<&Arc<str>>) -> Option<Node<'a>> {
        let name = name?;
        let seen = self.nodes.seen.get(name);
        let events = self.nodes.heard.get(&(Arc::clone(name), Arc::clone(self.namespace)));
        (seen.is_some() || events.is_some()).then_some(Node { seen, events, namespace: self.namespace })
    }

    /// The clock of that node.
    pub fn clock(self, name: Option<&Arc<str>>, now: Time) -> Clock {
        self.at(name, now).1
    }

    /// Both.
    pub fn at(self, name: Option<&Arc<str>>, now: Time) -> (Option<Node<'a>>, Clock) {
        let node = self.get(name);
        let statuses = node.and_then(|node| node.seen).map(|seen| &seen.statuses);
        let heard = node.and_then(|node| node.events).map(|events| &events.heard);
        (node, Clock::measured(statuses, heard, now))
    }
}

/// What was found out about nodes within one look: most of a workload's pods are on few of them.
///
/// A node is known again by where its name lies, which its pods share: another copy of it costs one more look-up.
pub struct WithinALook<T>(BTreeMap<*const u8, T>);

impl<T: Copy> WithinALook<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// What was found out about a node, or is now.
    pub fn of(&mut self, name: Option<&Arc<str>>, find_out: impl FnOnce() -> T) -> T {
        *self.0.entry(name.map_or(ptr::null(), |name| name.as_ptr())).or_insert_with(find_out)
    }
}

/// What happened to a node, as far as known in a namespace.
#[derive(Copy, Clone)]
pub struct Node<'a> {
    seen: Option<&'a FromStatuses>,
    events: Option<&'a FromEvents>,
    namespace: &'a Arc<str>,
}

/// What is known of a node apart from its clock: equal as long as nothing of it has changed.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeState {
    statuses: Option<u64>,
    events: Option<u64>,
}

impl Node<'_> {
    /// What is known of it now, apart from its clock.
    pub fn state(self) -> NodeState {
        NodeState { statuses: self.seen.map(|seen| seen.state), events: self.events.map(|events| events.state) }
    }

    /// When its kubelet was last restarted, as far as observed.
    pub fn kubelet_since(self) -> Option<Time> {
        self.events?.kubelet_since
    }

    /// The maximum lag of writes that it made between two times of its own.
    pub fn lag_between(self, from: Time, to: Time) -> Duration {
        let lags = self.seen.map(|seen| &seen.lags).into_iter().chain(self.events.map(|events| &events.lags));
        lags.map(|lags| lags.between(from, to)).max().unwrap_or_default()
    }

    /// Whether containers of several workloads were terminated on it around that time.
    ///
    /// A workload with a termination that no other workload shared has a reason of its own.
    pub fn fell_at(self, at: Time) -> bool {
        let Some(seen) = self.seen.filter(|seen| seen.signalled.len() >= MANY) else { return false };
        let alone = seen.signalled.iter().filter(|fall| !self.are_many(&seen.workloads_at(fall.at)));
        let alone: BTreeSet<_> = alone.map(|fall| &fall.workload).collect();
        self.are_many(&seen.workloads_at(at).difference(&alone).copied().collect())
    }

    /// Whether this many do not terminate by chance. A tenant of another namespace can terminate as many
    /// containers there as they like, when they like: a whole namespace counts as one.
    fn are_many(self, workloads: &BTreeSet<&SignalledWorkload>) -> bool {
        let (own, others): (Vec<&SignalledWorkload>, Vec<_>) =
            workloads.iter().copied().partition(|(namespace, _)| namespace == self.namespace);
        let others: BTreeSet<_> = others.into_iter().map(|(namespace, _)| namespace).collect();
        own.len() + others.len() >= MANY
    }
}

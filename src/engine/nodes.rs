//! What happened to nodes: kubelets that were away, and containers that were ended at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::clock::{Clock, Measured};
use super::workload::Workload;
use crate::time::Time;

/// Nodes of which something is remembered.
const MOST: usize = 10_000;
/// Ends remembered of a node.
const MOST_FALLS: usize = 64;
/// So long they are remembered.
const REMEMBERED: Duration = Duration::from_mins(15);
/// What ends within this time of each other ended at once.
const TOGETHER: Duration = Duration::from_secs(10);
/// So many workloads do not end at once by chance.
const MANY: usize = 3;

/// What happened to nodes, by name.
#[derive(Debug, Default)]
pub(super) struct Nodes(BTreeMap<Arc<str>, Node>);

/// What happened to a node.
#[derive(Debug, Default)]
pub(super) struct Node {
    kubelet_since: Option<Time>,
    measured: Measured,
    falls: VecDeque<Fall>,
}

/// A container was ended by a signal from outside, and not by a probe.
#[derive(Debug, PartialEq)]
struct Fall {
    at: Time,
    /// Namespace and `KIND/NAME` of its workload.
    workload: (Arc<str>, String),
}

impl Nodes {
    /// What happened to that node, if anything is remembered.
    pub fn get(&self, name: Option<&Arc<str>>) -> Option<&Node> {
        self.0.get(name?)
    }

    /// How that node's clock stands to ours.
    pub fn clock(&self, name: Option<&Arc<str>>, now: Time) -> Clock {
        match self.get(name) {
            Some(node) => node.measured.clock(now),
            None => Measured::default().clock(now),
        }
    }

    /// What is measured of a node's clock, to add to it; `None` where there is no room.
    pub fn measured(&mut self, name: &Arc<str>) -> Option<&mut Measured> {
        self.entry(name).map(|node| &mut node.measured)
    }

    /// Notes that a node's kubelet was restarted after one time and by another.
    pub fn kubelet_restarted(&mut self, name: &Arc<str>, (after, by): (Time, Time)) {
        if let Some(node) = self.entry(name) {
            let known = node.kubelet_since.unwrap_or(by);
            // The same restart as another pod's event showed, or a new one.
            node.kubelet_since = Some(if known > after { by.min(known) } else { by });
        }
    }

    /// Notes that a container on a node was ended from outside; in any order, any number of times.
    pub fn fell(&mut self, name: &Arc<str>, workload: &Workload, at: Time) {
        let fall = Fall { at, workload: (Arc::clone(&workload.namespace), workload.label()) };
        let Some(node) = self.entry(name).filter(|node| !node.falls.contains(&fall)) else { return };
        node.falls.retain(|known| at.since(known.at) <= REMEMBERED);
        node.falls.push_back(fall);
        if node.falls.len() > MOST_FALLS {
            node.falls.pop_front();
        }
    }

    fn entry(&mut self, name: &Arc<str>) -> Option<&mut Node> {
        let room = self.0.len() < MOST || self.0.contains_key(name);
        room.then(|| self.0.entry(Arc::clone(name)).or_default())
    }
}

impl Node {
    /// When its kubelet was last seen to have been restarted.
    pub const fn kubelet_since(&self) -> Option<Time> {
        self.kubelet_since
    }

    /// How late at most what it wrote between two times of its own arrived.
    pub fn lag_between(&self, from: Time, to: Time) -> Duration {
        self.measured.lag_between(from, to)
    }

    /// Whether containers of several workloads were ended on it around that time.
    ///
    /// A workload of which a container was also ended when no others were has a reason of its own.
    pub fn fell_at(&self, at: Time) -> bool {
        if self.falls.len() < MANY {
            return false;
        }
        let alone = self.falls.iter().filter(|fall| self.workloads_at(fall.at).len() < MANY);
        let alone: BTreeSet<_> = alone.map(|fall| &fall.workload).collect();
        self.workloads_at(at).difference(&alone).count() >= MANY
    }

    fn workloads_at(&self, at: Time) -> BTreeSet<&(Arc<str>, String)> {
        let near = |fall: &&Fall| fall.at.since(at) <= TOGETHER && at.since(fall.at) <= TOGETHER;
        self.falls.iter().filter(near).map(|fall| &fall.workload).collect()
    }
}

//! What happened to many at once: which workloads became unwell when, and which kubelets were away.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::workload::Workload;
use crate::time::Time;

/// Onsets kept, of all workloads.
const MOST: usize = 512;
/// Workloads that become unwell within this time of each other fell together.
const TOGETHER: Duration = Duration::from_secs(10);

/// The latest times at which a probe that had passed began to fail.
#[derive(Debug, Default)]
pub(super) struct Onsets(VecDeque<Onset>);

#[derive(Debug)]
struct Onset {
    at: Time,
    namespace: Arc<str>,
    workload: String,
}

impl Onsets {
    /// Notes that a probe of a workload that had passed began to fail.
    pub fn note(&mut self, workload: &Workload, at: Time) {
        let onset = Onset { at, namespace: Arc::clone(&workload.namespace), workload: workload.label() };
        let known = |other: &Onset| {
            other.at == onset.at && other.namespace == onset.namespace && other.workload == onset.workload
        };
        if self.0.iter().any(known) {
            return;
        }
        self.0.push_back(onset);
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// Other workloads of the namespace that became unwell around that time, by name.
    pub fn around(&self, workload: &Workload, at: Time) -> Vec<Arc<str>> {
        let label = workload.label();
        let mut names: Vec<Arc<str>> = self
            .0
            .iter()
            .filter(|onset| onset.namespace == workload.namespace && onset.workload != label)
            .filter(|onset| onset.at.since(at) <= TOGETHER && at.since(onset.at) <= TOGETHER)
            .map(|onset| Arc::from(onset.workload.as_str()))
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

/// Nodes of which a restart of the kubelet is remembered.
const MOST_NODES: usize = 10_000;

/// When the kubelets were last seen to have been restarted, by node.
#[derive(Debug, Default)]
pub(super) struct Kubelets(BTreeMap<Arc<str>, Time>);

impl Kubelets {
    /// Notes that a node's kubelet was restarted after one time and by another.
    pub fn note(&mut self, node: &Arc<str>, (after, by): (Time, Time)) {
        if self.0.len() < MOST_NODES || self.0.contains_key(node) {
            let known = self.0.entry(Arc::clone(node)).or_insert(by);
            // The same restart as another pod's event showed, or a new one.
            *known = if *known > after { by.min(*known) } else { by };
        }
    }

    /// When that node's kubelet was restarted, if that was seen.
    pub fn since(&self, node: Option<&Arc<str>>) -> Option<Time> {
        self.0.get(node?).copied()
    }
}

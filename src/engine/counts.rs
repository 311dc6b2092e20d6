//! Counts of what happened to containers, for metrics.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::memory::workload::Workload;
use crate::engine::observation::Owner;
use crate::kubelet::ProbeKind;

/// Maximum number of distinct counts kept until they are taken: what does not fit is not counted.
const MAX_COUNTS: usize = 10_000;

/// A count for a container since the counts were last taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Count {
    /// The workload's namespace.
    pub namespace: Arc<str>,
    /// The workload as far as it was known then: the top of its chain of controllers.
    pub workload: Owner,
    /// The container's name.
    pub container: Arc<str>,
    /// What happened.
    pub what: Counted,
    /// The increment; it saturates.
    pub by: u64,
}

/// What is counted.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Counted {
    /// `restartCount` rose between two sightings, by that much. Restarts visible at first sight do not
    /// count.
    Restart,
    /// A probe failed: a new event counts as one, a known one by the increase of its `count`.
    ProbeFailure(ProbeKind),
}

/// The counts until they are taken.
#[derive(Debug, Default)]
pub(super) struct Counts(BTreeMap<Key, u64>);

type Key = (Arc<str>, Owner, Arc<str>, Counted);

impl Counts {
    /// Adds to a count.
    pub fn add(&mut self, workload: &Workload, container: &Arc<str>, what: Counted, by: u32) {
        if by == 0 {
            return;
        }
        let key = (Arc::clone(&workload.namespace), workload.top.clone(), Arc::clone(container), what);
        if self.0.len() < MAX_COUNTS || self.0.contains_key(&key) {
            let count = self.0.entry(key).or_default();
            *count = count.saturating_add(u64::from(by));
        }
    }

    /// Takes all of them, in the order of their keys.
    pub fn take(&mut self) -> Vec<Count> {
        let taken = std::mem::take(&mut self.0).into_iter();
        taken
            .map(|((namespace, workload, container, what), by)| Count { namespace, workload, container, what, by })
            .collect()
    }
}

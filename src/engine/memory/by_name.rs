//! Workloads by what they are called.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::memory::workload::Workload;
use crate::engine::observation::Owner;
use crate::text::hash::mark;

/// All workloads, by their number.
pub type Workloads = BTreeMap<usize, Box<Workload>>;

/// The numbers of workloads, by a hash of their namespaces, kinds and names: these stand in the workloads, and a
/// second time they would cost each a hundred bytes.
#[derive(Debug, Default)]
pub struct ByName(BTreeSet<(u64, usize)>);

impl ByName {
    /// The number of the workload of that name, which is one of `all`.
    pub fn find(&self, all: &Workloads, namespace: &str, top: &Owner) -> Option<usize> {
        let hash = mark(&(namespace, top));
        let mut alike = self.0.range((hash, 0)..=(hash, usize::MAX)).map(|(_, id)| *id);
        alike.find(|id| all.get(id).is_some_and(|it| *it.namespace == *namespace && it.top == *top))
    }

    /// Adds a workload.
    pub fn insert(&mut self, id: usize, workload: &Workload) {
        self.0.insert((mark(&(&*workload.namespace, &workload.top)), id));
    }

    /// Removes a workload.
    pub fn remove(&mut self, id: usize, workload: &Workload) {
        self.0.remove(&(mark(&(&*workload.namespace, &workload.top)), id));
    }
}

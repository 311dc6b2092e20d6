//! What an input lacks, and the consequences.

use super::Counts;
use crate::engine::PodSnapshot;

/// Something missing in an input.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Lack {
    /// No pods: there is nothing to look at.
    Pods,
    /// No kubelet events: the probes' results are unknown.
    Events,
    /// No revisions and Services: it is unknown what changed, and what worked before.
    Related,
}

/// What is missing, most important first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lacks(pub Vec<Lack>);

impl Lacks {
    /// What is missing in these objects.
    pub fn from_counts(counts: &Counts) -> Self {
        let lacks = [
            (counts.pods == 0, Lack::Pods),
            (counts.pods > 0 && counts.events == 0, Lack::Events),
            (counts.with_revisions > 0 && counts.related == 0, Lack::Related),
        ];
        Self(lacks.into_iter().filter_map(|(is_lacking, lack)| is_lacking.then_some(lack)).collect())
    }
}

/// Whether a pod's controller keeps revisions.
pub(super) fn has_revisions(pod: &PodSnapshot) -> bool {
    pod.owner.as_ref().is_some_and(|owner| matches!(&*owner.kind, "ReplicaSet" | "StatefulSet" | "DaemonSet"))
}

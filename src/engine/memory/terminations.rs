//! The terminations of a container of a workload within a day.

use std::collections::VecDeque;

use crate::diagnosis::OwnKind;
use crate::engine::observation::Uid;
use crate::kubelet::ProbeKind;
use crate::time::Time;

/// Maximum number of terminations remembered of a container.
const MAX_TERMINATIONS: usize = 32;

/// Terminations of a container of a workload within a day, over its pods, oldest first.
#[derive(Debug, Default)]
pub struct PastTerminations(VecDeque<PastTermination>);

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastTermination {
    /// The pod.
    pub pod: Uid,
    /// The time, by our clock.
    pub at: Time,
    /// What caused it.
    pub kind: Kind,
}

/// What caused a termination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A probe.
    Probe(ProbeKind),
    /// The app itself.
    Own(OwnKind),
}

impl PastTerminations {
    /// Adds one, or updates a known one.
    pub fn add(&mut self, end: PastTermination) {
        // It is judged again when its event has arrived.
        if let Some(known) = self.0.iter_mut().find(|known| known.pod == end.pod && known.at == end.at) {
            known.kind = end.kind;
        } else {
            let place = self.0.iter().rposition(|known| known.at <= end.at).map_or(0, |at| at + 1);
            self.0.insert(place, end);
        }
        if self.0.len() > MAX_TERMINATIONS {
            self.0.pop_front();
        }
    }

    /// Drops those before a time.
    pub fn forget(&mut self, before: Time) {
        while self.0.front().is_some_and(|end| end.at < before) {
            self.0.pop_front();
        }
    }

    /// The terminations of the same kind as the last one.
    pub fn alike(&self) -> Vec<PastTermination> {
        let last = self.0.back().map(|end| end.kind);
        self.0.iter().filter(|end| Some(end.kind) == last).copied().collect()
    }
}

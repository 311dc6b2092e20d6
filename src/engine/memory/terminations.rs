//! The ends of a container of a workload within a day.

use std::collections::VecDeque;

use crate::diagnosis::OwnKind;
use crate::engine::observation::Uid;
use crate::kubelet::ProbeKind;
use crate::time::Time;

/// Ends remembered of a container.
const MAX_TERMINATIONS: usize = 32;

/// Ends of a container of a workload within a day, over its pods, oldest first.
#[derive(Debug, Default)]
pub struct PastTerminations(VecDeque<PastTermination>);

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastTermination {
    /// Whose.
    pub pod: Uid,
    /// When, in our time.
    pub at: Time,
    /// What ended it.
    pub kind: Kind,
}

/// What ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A probe.
    Probe(ProbeKind),
    /// The app itself.
    Own(OwnKind),
}

impl PastTerminations {
    /// Adds one, or judges one anew.
    pub fn add(&mut self, end: PastTermination) {
        // It is judged anew when its event has come.
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

    /// Forgets what was before.
    pub fn forget(&mut self, before: Time) {
        while self.0.front().is_some_and(|end| end.at < before) {
            self.0.pop_front();
        }
    }

    /// The ends of the kind of the last one.
    pub fn alike(&self) -> Vec<PastTermination> {
        let last = self.0.back().map(|end| end.kind);
        self.0.iter().filter(|end| Some(end.kind) == last).copied().collect()
    }
}

//! What was reported already.

use std::collections::{BTreeSet, VecDeque};
use std::hash::Hash;

use crate::text::hash::mark;

/// Maximum number of reports that are remembered; then the oldest is forgotten, and may be repeated.
const MAX_TOLD: usize = 2_000;

/// Hashes of what was reported, the oldest first.
#[derive(Debug, Default)]
pub struct Told {
    all: BTreeSet<u64>,
    order: VecDeque<u64>,
}

impl Told {
    /// Whether it was not reported yet; it is now.
    pub fn is_new(&mut self, what: &impl Hash) -> bool {
        let mark = mark(what);
        if !self.all.insert(mark) {
            return false;
        }
        self.order.push_back(mark);
        if self.order.len() > MAX_TOLD
            && let Some(oldest) = self.order.pop_front()
        {
            self.all.remove(&oldest);
        }
        true
    }
}

//! What is kept of the episodes of workloads that are forgotten.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::engine::memory::tracked_container::{Past, Problem};
use crate::engine::memory::workload::Workload;
use crate::text::hash::mark;

/// Maximum number of problems of containers of which it is kept; beyond, the oldest is dropped.
const MAX_PAST: usize = 10_000;

/// The past of containers, by a hash of their place and problem: a pod of the same name may come again, and
/// whoever takes over may still read that its last episode goes on.
#[derive(Debug, Default)]
pub struct PastEpisodes {
    all: BTreeMap<u64, Past>,
    oldest: VecDeque<u64>,
}

impl PastEpisodes {
    /// Keeps what matters of a workload that is about to be forgotten.
    pub fn keep(&mut self, workload: &Workload) {
        for (container, case) in &workload.cases {
            for (problem, episode) in &case.episodes {
                if let Some(past) = Past::from_finding(&episode.finding) {
                    self.insert(place(workload, container, *problem), past);
                }
            }
        }
    }

    /// The past of a problem of a container.
    pub fn get(&self, workload: &Workload, container: &Arc<str>, problem: Problem) -> Option<Past> {
        self.all.get(&place(workload, container, problem)).copied()
    }

    fn insert(&mut self, place: u64, past: Past) {
        if self.all.insert(place, past).is_some() {
            return;
        }
        self.oldest.push_back(place);
        if self.oldest.len() > MAX_PAST
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.all.remove(&oldest);
        }
    }
}

fn place(workload: &Workload, container: &Arc<str>, problem: Problem) -> u64 {
    mark(&(&workload.namespace, &workload.top, container, problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    #[test]
    fn it_is_bounded_and_drops_the_oldest() {
        let mut past = PastEpisodes::default();
        for place in 0..=MAX_PAST as u64 {
            past.insert(place, Past { episodes: 1, resolved_at: Time::default() });
        }
        past.insert(MAX_PAST as u64, Past { episodes: 2, resolved_at: Time::default() });
        assert_eq!((past.all.len(), past.oldest.len()), (MAX_PAST, MAX_PAST));
        assert!(!past.all.contains_key(&0));
        assert_eq!(past.all[&(MAX_PAST as u64)].episodes, 2);
    }
}

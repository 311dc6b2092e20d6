//! The queue of needs: pure.
//!
//! The namespaces take turns, and if too many needs wait the namespace with the most loses one: however
//! much loops in one namespace delays no answer about another.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::MAX_WAITING;
use crate::engine::Need;

/// The needs that wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: BTreeSet<Need>,
    namespaces: BTreeMap<Arc<str>, VecDeque<Need>>,
    /// The namespaces with waiting needs, the next in turn first.
    turns: VecDeque<Arc<str>>,
}

/// The result of queueing a need.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Put {
    /// It is queued.
    Waits,
    /// It is queued in place of another one.
    Instead,
    /// There is no place for it.
    Full,
}

impl Queue {
    /// Number of waiting needs.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Queues it; a need that is already waiting is queued once.
    pub fn put(&mut self, need: Need) -> Put {
        if self.waiting.contains(&need) {
            return Put::Waits;
        }
        let namespace = Arc::clone(namespace(&need));
        let is_full = self.len() >= MAX_WAITING;
        if is_full && !self.make_room_for(&namespace) {
            return Put::Full;
        }
        let of_it = self.namespaces.entry(Arc::clone(&namespace)).or_default();
        if of_it.is_empty() {
            self.turns.push_back(namespace);
        }
        of_it.push_back(need.clone());
        self.waiting.insert(need);
        if is_full { Put::Instead } else { Put::Waits }
    }

    /// The first need of the next namespace in turn.
    pub fn next(&mut self) -> Option<Need> {
        let namespace = self.turns.pop_front()?;
        let of_it = self.namespaces.get_mut(&namespace)?;
        let need = of_it.pop_front()?;
        self.waiting.remove(&need);
        if of_it.is_empty() {
            self.namespaces.remove(&namespace);
        } else {
            self.turns.push_back(namespace);
        }
        Some(need)
    }

    /// Drops the last need of the namespace that has most, if `namespace` has fewer.
    fn make_room_for(&mut self, namespace: &Arc<str>) -> bool {
        let own = self.namespaces.get(namespace).map_or(0, VecDeque::len);
        let Some(largest) = self.namespaces.values_mut().max_by_key(|of_it| of_it.len()) else { return false };
        if largest.len() <= own + 1 {
            return false;
        }
        largest.pop_back().is_some_and(|need| self.waiting.remove(&need))
    }
}

const fn namespace(need: &Need) -> &Arc<str> {
    match need {
        Need::Workload { namespace, .. } | Need::Services { namespace, .. } => namespace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Owner;

    #[test]
    fn each_namespace_has_its_turn() {
        let mut queue = Queue::default();
        for number in 0..100 {
            queue.put(need("a-tenant", number));
        }
        queue.put(need("zoo", 1));
        queue.put(need("zoo", 2));
        let order: Vec<Need> = std::iter::from_fn(|| queue.next()).collect();
        assert_eq!(order.len(), 102);
        assert_eq!(order[..4], [need("a-tenant", 0), need("zoo", 1), need("a-tenant", 1), need("zoo", 2)]);
        assert_eq!((queue.len(), queue.next(), queue.namespaces.len()), (0, None, 0));
    }

    #[test]
    fn where_too_many_wait_the_namespace_that_has_most_gives_way() {
        let mut queue = Queue::default();
        for number in 0..MAX_WAITING {
            assert_eq!(queue.put(need("a-tenant", number)), Put::Waits);
        }
        assert_eq!(queue.put(need("a-tenant", 0)), Put::Waits, "it waits already");
        assert_eq!(queue.put(need("a-tenant", MAX_WAITING)), Put::Full);
        for number in 0..MAX_WAITING / 2 {
            assert_eq!(queue.put(need("zoo", number)), Put::Instead, "{number}");
        }
        assert_eq!(queue.put(need("zoo", MAX_WAITING)), Put::Full, "it would have more");
        assert_eq!(queue.len(), MAX_WAITING);
        assert_eq!(queue.put(need("a-tenant", MAX_WAITING - 1)), Put::Full, "it went, and counts as new");
    }

    fn need(namespace: &str, number: usize) -> Need {
        let owner = Owner { kind: "Job".into(), name: format!("job-{number}").into() };
        Need::Workload { namespace: namespace.into(), owner }
    }
}

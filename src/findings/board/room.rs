//! Decides which findings get a place when there are not enough for all: pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::finding::Identity;
use crate::finding::rank::Rank;

/// The places, limited in total and per namespace.
///
/// Invariant: findings of a namespace never displace those of another one that has fewer places.
#[derive(Debug)]
pub(super) struct Room {
    in_all: usize,
    for_one: usize,
    taken: usize,
    namespaces: BTreeMap<Arc<str>, BTreeSet<(Rank, Identity)>>,
    /// The namespaces by number of places.
    by_size: BTreeSet<(usize, Arc<str>)>,
}

/// The result of asking for a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// A free place.
    Free,
    /// The place of a less important finding.
    Of(Identity),
    /// No place.
    None,
}

impl Room {
    /// All places are free.
    pub const fn new(in_all: usize, for_one: usize) -> Self {
        Self { in_all, for_one, taken: 0, namespaces: BTreeMap::new(), by_size: BTreeSet::new() }
    }

    /// Gives it a place, if there is one; a displaced finding has none any more.
    pub fn admit(&mut self, rank: Rank, identity: &Identity) -> Place {
        let own = self.namespaces.get(&identity.namespace).map_or(0, BTreeSet::len);
        let place = if own >= self.for_one {
            self.least_of(&identity.namespace).filter(|(least, _)| *least < rank)
        } else if self.taken >= self.in_all {
            self.for_the_smaller(rank, identity, own)
        } else {
            self.insert(rank, identity);
            return Place::Free;
        };
        let Some((least, other)) = place else { return Place::None };
        self.leave(least, &other);
        self.insert(rank, identity);
        Place::Of(other)
    }

    /// Frees its place.
    pub fn leave(&mut self, rank: Rank, identity: &Identity) {
        let Some(places) = self.namespaces.get_mut(&identity.namespace) else { return };
        let before = places.len();
        if places.remove(&(rank, identity.clone())) {
            self.taken -= 1;
        }
        let now = places.len();
        if now == 0 {
            self.namespaces.remove(&identity.namespace);
        }
        self.has(&identity.namespace, before, now);
    }

    fn insert(&mut self, rank: Rank, identity: &Identity) {
        let places = self.namespaces.entry(Arc::clone(&identity.namespace)).or_default();
        let before = places.len();
        if places.insert((rank, identity.clone())) {
            self.taken += 1;
        }
        let now = places.len();
        self.has(&identity.namespace, before, now);
    }

    fn has(&mut self, namespace: &Arc<str>, before: usize, now: usize) {
        self.by_size.remove(&(before, Arc::clone(namespace)));
        if now > 0 {
            self.by_size.insert((now, Arc::clone(namespace)));
        }
    }

    /// Suspected findings give way to confirmed ones; otherwise the namespace with the most places to one
    /// with fewer, but confirmed findings never to suspected ones.
    fn for_the_smaller(&self, rank: Rank, identity: &Identity, own: usize) -> Option<(Rank, Identity)> {
        if let Some(suspected) = rank.is_confirmed().then(|| self.largest_that_suspects()).flatten() {
            return self.least_of(suspected);
        }
        let (most, namespace) = self.by_size.last()?;
        let (least, other) = self.least_of(namespace)?;
        let gives_way = if *namespace == identity.namespace || *most <= own + 1 {
            least < rank
        } else {
            rank.is_confirmed() || !least.is_confirmed()
        };
        gives_way.then_some((least, other))
    }

    fn largest_that_suspects(&self) -> Option<&Arc<str>> {
        let suspects =
            |places: &BTreeSet<(Rank, Identity)>| places.first().is_some_and(|(least, _)| !least.is_confirmed());
        let all = self.namespaces.iter().filter(|(_, places)| suspects(places));
        all.max_by_key(|(_, places)| places.len()).map(|(namespace, _)| namespace)
    }

    fn least_of(&self, namespace: &Arc<str>) -> Option<(Rank, Identity)> {
        self.namespaces.get(namespace)?.first().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Finding, Severity};
    use crate::operator::testing::finding;

    #[test]
    fn a_namespace_that_is_full_keeps_its_worst() {
        let mut room = Room::new(10, 2);
        let warning = Finding { severity: Severity::Warning, ..finding("warning") };
        assert_eq!(admit(&mut room, &warning), Place::Free);
        assert_eq!(admit(&mut room, &finding("one")), Place::Free);
        assert_eq!(admit(&mut room, &finding("other")), Place::Of(warning.identity()));
        assert_eq!(admit(&mut room, &warning), Place::None);
    }

    #[test]
    fn the_namespace_that_has_most_makes_room_for_another_but_not_what_is_confirmed_for_what_is_suspected() {
        let mut room = Room::new(3, 3);
        for name in ["a", "b", "c"] {
            admit(&mut room, &finding(name));
        }
        let elsewhere = Finding { namespace: "shop".into(), severity: Severity::Warning, ..finding("cart") };
        let suspected = Finding { confirmed_at: None, ..elsewhere.clone() };
        assert_eq!(admit(&mut room, &suspected), Place::None);
        assert!(matches!(admit(&mut room, &elsewhere), Place::Of(other) if *other.namespace == *"prod"));
        let another = Finding { workload: "Deployment/till".into(), ..elsewhere };
        assert_eq!(admit(&mut room, &another), Place::None, "it would have more than the other one");
    }

    #[test]
    fn what_is_confirmed_takes_a_place_from_what_is_suspected_wherever_that_is() {
        let mut room = Room::new(3, 3);
        let suspected = Finding { namespace: "shop".into(), confirmed_at: None, ..finding("cart") };
        for finding in [finding("a"), finding("b"), suspected.clone()] {
            admit(&mut room, &finding);
        }
        assert_eq!(admit(&mut room, &finding("c")), Place::Of(suspected.identity()));
        assert_eq!(admit(&mut room, &suspected), Place::None);
    }

    #[test]
    fn a_place_that_was_left_is_free() {
        let mut room = Room::new(1, 1);
        admit(&mut room, &finding("a"));
        room.leave(Rank::from_finding(&finding("a")), &finding("a").identity());
        assert_eq!(admit(&mut room, &finding("b")), Place::Free);
        assert_eq!((room.namespaces.len(), room.by_size.len()), (1, 1));
    }

    fn admit(room: &mut Room, finding: &Finding) -> Place {
        room.admit(Rank::from_finding(finding), &finding.identity())
    }
}

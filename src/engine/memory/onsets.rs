//! Which workloads became unhealthy at the same time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::time::Time;

/// Maximum number of containers of workloads whose onset is remembered.
const MAX_ONSETS: usize = 512;
/// Workloads that become unhealthy within this time of each other did so together.
const TOGETHER: Duration = Duration::from_secs(10);
/// After this long without an onset, the next one begins a new spell.
const SPELL_GAP: Duration = Duration::from_mins(15);

/// When probes that had passed began to fail, by container of a workload.
///
/// Only the first onset of a spell counts: of two containers that fail again and again some failures are
/// always close together.
#[derive(Debug, Default)]
pub struct FailureOnsets(BTreeMap<Who, Spell>);

/// Namespace, `KIND/NAME` of the workload, container.
pub type Who = (Arc<str>, Arc<str>, Arc<str>);

#[derive(Debug, Clone)]
struct Spell {
    began: Time,
    last: Time,
    /// The node, as long as there is only one.
    node: Option<Arc<str>>,
}

impl Spell {
    fn take_in(&mut self, at: Time) {
        if at.since(self.last) > SPELL_GAP || (at < self.began && self.began.since(at) <= SPELL_GAP) {
            self.began = at;
        }
        self.last = self.last.max(at);
    }
}

impl FailureOnsets {
    /// Notes that a probe of a container that had passed began to fail; in any order, any number of times.
    pub fn note(&mut self, who: Who, node: Option<&Arc<str>>, at: Time) {
        let spell = self.entry(who, at, node);
        spell.take_in(at);
        if spell.node.as_ref() != node {
            spell.node = None;
        }
    }

    fn entry(&mut self, who: Who, at: Time, node: Option<&Arc<str>>) -> &mut Spell {
        if self.0.len() >= MAX_ONSETS && !self.0.contains_key(&who) {
            self.make_room();
        }
        self.0.entry(who).or_insert_with(|| Spell { began: at, last: at, node: node.cloned() })
    }

    /// Drops the oldest of the namespace that has most.
    fn make_room(&mut self) {
        let mut sizes: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
        for (namespace, _, _) in self.0.keys() {
            *sizes.entry(namespace).or_default() += 1;
        }
        let most = sizes.into_iter().max_by_key(|(_, size)| *size).map(|(namespace, _)| namespace);
        let of_it = self.0.iter().filter(|(who, _)| Some(&who.0) == most);
        let oldest = of_it.min_by_key(|(_, spell)| spell.last).map(|(who, _)| who.clone());
        oldest.and_then(|who| self.0.remove(&who));
    }

    /// Earlier onsets belong to a resolved episode.
    pub fn forget(&mut self, who: &Who) {
        self.0.remove(who);
    }

    /// A workload turned out to be part of another.
    pub fn rename(&mut self, from: &Who, to: Who) {
        if let Some(spell) = self.0.remove(from) {
            let known = self.entry(to, spell.began, spell.node.as_ref());
            known.take_in(spell.began);
            known.take_in(spell.last);
        }
    }

    /// Other workloads of the namespace that became unhealthy when this container did, by name.
    pub fn fell_together(&self, own: &Who) -> Vec<Arc<str>> {
        let others = self.near(own).filter(|((namespace, _, _), _)| *namespace == own.0);
        let mut names: Vec<_> = others.map(|((_, name, _), _)| Arc::clone(name)).collect();
        names.dedup();
        names
    }

    /// The one node on which this container became unhealthy, and the other workloads that became unhealthy
    /// only there at the same time: all of its own namespace and one of each other one, since a tenant
    /// there can make as many fail as they like.
    pub fn on_one_node(&self, own: &Who) -> Option<(Arc<str>, Vec<Arc<str>>)> {
        let node = self.0.get(own)?.node.clone()?;
        let others = self.near(own).filter(|(_, spell)| spell.node.as_ref() == Some(&node));
        let mut others: Vec<_> = others.map(|((namespace, name, _), _)| (namespace, name)).collect();
        others.dedup_by(|next, one| next.0 == one.0 && (next.1 == one.1 || *next.0 != own.0));
        Some((node, others.into_iter().map(|(_, name)| Arc::clone(name)).collect()))
    }

    /// Other workloads that became unhealthy when this one did.
    fn near<'a>(&'a self, own: &'a Who) -> impl Iterator<Item = (&'a Who, &'a Spell)> {
        let began = self.0.get(own).map(|spell| spell.began);
        let near = move |spell: &Spell| {
            began.is_some_and(|began| spell.began.since(began) <= TOGETHER && began.since(spell.began) <= TOGETHER)
        };
        self.0.iter().filter(move |(who, spell)| (&who.0, &who.1) != (&own.0, &own.1) && near(spell))
    }
}

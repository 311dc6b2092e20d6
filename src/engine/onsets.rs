//! Which workloads became unwell at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::workload::Workload;
use crate::time::Time;

/// Containers of workloads of which it is remembered when they became unwell.
const MOST: usize = 512;
/// Workloads that become unwell within this time of each other fell together.
const TOGETHER: Duration = Duration::from_secs(10);
/// What was well for so long becomes unwell anew.
const WELL: Duration = Duration::from_mins(15);

/// When probes that had passed began to fail, by container of a workload.
///
/// Only the first time of a spell counts: of two that fail again and again some failures always lie
/// close together.
#[derive(Debug, Default)]
pub(super) struct Onsets(BTreeMap<Who, Spell>);

/// Namespace, `KIND/NAME` of the workload, container.
type Who = (Arc<str>, Arc<str>, Arc<str>);

#[derive(Debug, Clone, Copy)]
struct Spell {
    began: Time,
    last: Time,
}

impl Spell {
    fn take_in(&mut self, at: Time) {
        if at.since(self.last) > WELL || (at < self.began && self.began.since(at) <= WELL) {
            self.began = at;
        }
        self.last = self.last.max(at);
    }
}

impl Onsets {
    /// Notes that a probe of a container that had passed began to fail; in any order, any number of
    /// times.
    pub fn note(&mut self, workload: &Workload, container: &Arc<str>, at: Time) {
        self.entry(who(workload, container), at).take_in(at);
    }

    fn entry(&mut self, who: Who, at: Time) -> &mut Spell {
        if self.0.len() >= MOST && !self.0.contains_key(&who) {
            let oldest = self.0.iter().min_by_key(|(_, spell)| spell.last).map(|(who, _)| who.clone());
            oldest.and_then(|who| self.0.remove(&who));
        }
        self.0.entry(who).or_insert(Spell { began: at, last: at })
    }

    /// What was before belongs to an episode that is over.
    pub fn forget(&mut self, workload: &Workload, container: &Arc<str>) {
        self.0.remove(&who(workload, container));
    }

    /// A workload turned out to be a part of another.
    pub fn rename(&mut self, from: &Workload, to: &Workload) {
        for container in from.cases.keys() {
            if let Some(spell) = self.0.remove(&who(from, container)) {
                let known = self.entry(who(to, container), spell.began);
                known.take_in(spell.began);
                known.take_in(spell.last);
            }
        }
    }

    /// Other workloads of the namespace that became unwell when this container did, by name.
    pub fn fell_together(&self, workload: &Workload, container: &Arc<str>) -> Vec<Arc<str>> {
        let own = who(workload, container);
        let Some(Spell { began, .. }) = self.0.get(&own).copied() else {
            return Vec::new();
        };
        let near = |spell: &Spell| spell.began.since(began) <= TOGETHER && began.since(spell.began) <= TOGETHER;
        let others = self.0.iter().filter(|((namespace, name, _), _)| *namespace == own.0 && *name != own.1);
        let mut names: Vec<_> =
            others.filter(|(_, spell)| near(spell)).map(|((_, name, _), _)| Arc::clone(name)).collect();
        names.dedup();
        names
    }
}

fn who(workload: &Workload, container: &Arc<str>) -> Who {
    (Arc::clone(&workload.namespace), workload.label().into(), Arc::clone(container))
}

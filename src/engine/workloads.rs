//! Assigns pods to workloads, and takes in the answers to look-ups.

use std::sync::Arc;
use std::time::Duration;

use super::{ChangeKind, Engine, Finding, Owner, PodSnapshot, ServicesFacts, WorkloadFacts};
use crate::engine::memory::tracked_container::Problem;
use crate::engine::memory::workload::Workload;
use crate::finding::Change;

/// Maximum number of owners whose topmost controller is remembered.
const MAX_TOPS: usize = 50_000;
impl Engine {
    /// The workload that a pod belongs to, created if it is new.
    pub(super) fn workload_of(&mut self, snapshot: &PodSnapshot) -> usize {
        let namespace = &snapshot.id.namespace;
        let learnt = snapshot.owner.as_ref().and_then(|owner| self.tops.get(&(Arc::clone(namespace), owner.clone())));
        let top = learnt.cloned().unwrap_or_else(|| snapshot.likely_top());
        self.workload_named(namespace, top)
    }

    fn workload_named(&mut self, namespace: &Arc<str>, top: Owner) -> usize {
        if let Some(id) = self.by_name.find(&self.workloads, namespace, &top) {
            return id;
        }
        self.next_workload += 1;
        let (id, workload) = (self.next_workload, Workload::new(Arc::clone(namespace), top));
        self.by_name.insert(id, &workload);
        self.workloads.insert(id, Box::new(workload));
        id
    }

    pub(super) fn workload_facts(&mut self, facts: WorkloadFacts) {
        if self.tops.len() < MAX_TOPS {
            self.tops.insert((Arc::clone(&facts.namespace), facts.owner.clone()), facts.top.clone());
        }
        let id = self.workload_named(&facts.namespace, facts.top.clone());
        self.move_pods(&facts, id);
        let Some(workload) = self.workloads.get_mut(&id) else { return };
        let is_new = workload.facts.as_deref() != Some(&facts);
        workload.facts = Some(Box::new(facts));
        self.after(id, is_new);
    }

    /// Moves the pods of an owner to the workload that turned out to be its topmost controller.
    fn move_pods(&mut self, facts: &WorkloadFacts, to: usize) {
        let deployment = |name: &str| Owner { kind: "Deployment".into(), name: name.into() };
        let guesses = [Some(facts.owner.clone()), facts.owner.name.rsplit_once('-').map(|(name, _)| deployment(name))];
        for from in guesses
            .into_iter()
            .flatten()
            .filter_map(|top| self.by_name.find(&self.workloads, &facts.namespace, &top))
            .filter(|from| *from != to)
            .collect::<Vec<_>>()
        {
            let Some(workload) = self.workloads.get_mut(&from) else {
                continue;
            };
            let owned =
                |place: &u32| self.pods.get(*place).is_some_and(|pod| pod.owner.as_deref() == Some(&facts.owner));
            let places: Vec<u32> = workload.pods.iter().filter(owned).collect();
            if places.is_empty() {
                continue;
            }
            let all = places.len() == workload.pods.len();
            workload.pods.remove_all(&places);
            for place in &places {
                if let Some(pod) = self.pods.get_mut(*place) {
                    pod.workload = to;
                }
            }
            let taken = all.then(|| self.workloads.remove(&from)).flatten();
            if let Some(taken) = &taken {
                self.by_name.remove(from, taken);
                if let Some(at) = taken.wake {
                    self.wakes.remove(&(at, from));
                }
            }
            self.receive(from, to, places, taken);
        }
    }

    fn receive(&mut self, from: usize, to: usize, places: Vec<u32>, taken: Option<Box<Workload>>) {
        let now = self.now;
        let Some(workload) = self.workloads.get_mut(&to) else {
            return;
        };
        for place in places {
            let Some(pod) = self.pods.get(place) else { continue };
            workload.owner = pod.owner.clone().or_else(|| workload.owner.take());
            workload.pods.insert(place);
            workload.record_mut(&pod.template, &self.pods, now);
        }
        workload.empty_since = None;
        let Some(taken) = taken else { return };
        for container in taken.cases.keys() {
            self.onsets.rename(&taken.who(container), workload.who(container));
        }
        workload.services = workload.services.take().or(taken.services);
        workload.asked = workload.asked.max(taken.asked);
        if let Some(chronicle) = &mut self.chronicle {
            chronicle.renamed(from, to, workload);
        }
        for record in taken.templates {
            let known = workload.record_mut(&record.template, &self.pods, now);
            for (mine, theirs) in known.containers.iter_mut().zip(record.containers) {
                mine.absorb(theirs);
            }
        }
        let label: Arc<str> = workload.label().into();
        for (name, case) in taken.cases {
            let old = workload.cases.entry(name).or_default().absorb(*case, &label);
            self.changes.extend(old.into_iter().map(|finding| Change {
                kind: ChangeKind::Withdrawn,
                at: now,
                finding,
            }));
        }
    }

    pub(super) fn services_facts(&mut self, facts: ServicesFacts) {
        let top = self.tops.get(&(Arc::clone(&facts.namespace), facts.owner.clone())).unwrap_or(&facts.owner).clone();
        let Some(id) = self.by_name.find(&self.workloads, &facts.namespace, &top) else {
            return;
        };
        let Some(workload) = self.workloads.get_mut(&id) else { return };
        let is_new = workload.services.as_ref() != Some(&facts.services);
        workload.services = Some(facts.services);
        workload.note_reach();
        self.after(id, is_new);
    }

    /// Takes up a finding published before a restart of the operator, or by another replica.
    pub(super) fn remember(&mut self, finding: &Finding) {
        let Some((kind, name)) = finding.workload.split_once('/') else {
            return;
        };
        let id = self.workload_named(&finding.namespace, Owner { kind: kind.into(), name: name.into() });
        let now = self.now;
        let Some(workload) = self.workloads.get_mut(&id) else {
            return;
        };
        if workload.pods.is_empty() {
            workload.empty_since = workload.empty_since.or(Some(now));
        }
        let past = self.past.get(workload, &finding.container, Problem::from_finding(finding));
        let case = workload.cases.entry(Arc::clone(&finding.container)).or_default();
        let said = case.remember(finding, past, now);
        let has_pods = !workload.pods.is_empty();
        self.changes.extend(said.map(|(kind, finding)| Change { kind, at: now, finding }));
        if has_pods {
            self.after(id, true);
        }
        self.wake(id, Some(now.plus(Duration::from_mins(1))));
    }
}

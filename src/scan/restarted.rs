//! Containers that restarted, or do not run, whether a finding speaks of them or not.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Tops;
use crate::finding::Labels;
use crate::engine::{ContainerSnapshot, Finding, Need, Observation, Owner, PodSnapshot, State};
use crate::source::Related;
use crate::time::Time;

/// A container of a workload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restarted {
    /// The namespace.
    pub namespace: Arc<str>,
    /// What controls its pods.
    pub owner: Owner,
    /// The top of the chain of controllers, where it is known.
    pub top: Option<Owner>,
    /// Its name.
    pub container: Arc<str>,
    /// The labels of its pods' template, sorted.
    pub labels: Labels,
    /// In how many pods.
    pub pods: usize,
    /// How often in all, and the most of one pod.
    pub restarts: u64,
    /// The most of one pod.
    pub most: u32,
    /// When it last ended.
    pub last: Option<Time>,
    /// With which exit code.
    pub exit: Option<i32>,
    /// What it waits for now: `CrashLoopBackOff`.
    pub waits: Option<Arc<str>>,
}

/// Those of these pods that restarted or wait for something other than their turn.
pub fn of(pods: &[PodSnapshot]) -> Vec<Restarted> {
    let mut all: BTreeMap<(Arc<str>, Owner, Arc<str>), Restarted> = BTreeMap::new();
    for pod in pods {
        for container in pod.containers.iter().filter(|container| is_told(container)) {
            let Some(spec) = pod.template.containers.get(container.index) else { continue };
            let owner = owner(pod);
            let key = (Arc::clone(&pod.id.namespace), owner.clone(), Arc::clone(&spec.name));
            let one = all.entry(key).or_insert_with(|| Restarted {
                namespace: Arc::clone(&pod.id.namespace),
                owner,
                top: None,
                container: Arc::clone(&spec.name),
                labels: pod.template.labels.clone(),
                pods: 0,
                restarts: 0,
                most: 0,
                last: None,
                exit: None,
                waits: None,
            });
            one.add(container);
        }
    }
    all.into_values().collect()
}

fn owner(pod: &PodSnapshot) -> Owner {
    let bare = || Owner { kind: "Pod".into(), name: Arc::clone(&pod.id.name) };
    pod.owner.clone().unwrap_or_else(bare)
}

fn is_told(container: &ContainerSnapshot) -> bool {
    container.restarts > 0 || waits(container).is_some()
}

/// What it waits for, unless it is just being made.
fn waits(container: &ContainerSnapshot) -> Option<&Arc<str>> {
    match &container.state {
        State::Waiting { reason, .. } if !matches!(&**reason, "" | "ContainerCreating" | "PodInitializing") => {
            Some(reason)
        }
        _ => None,
    }
}

impl Restarted {
    fn add(&mut self, container: &ContainerSnapshot) {
        self.pods += 1;
        self.restarts += u64::from(container.restarts);
        self.most = self.most.max(container.restarts);
        if let Some(reason) = waits(container) {
            self.waits = Some(Arc::clone(reason));
        }
        let now = match &container.state {
            State::Ended(end) => Some(end),
            _ => None,
        };
        for end in now.into_iter().chain(&container.last) {
            if end.finished >= self.last {
                self.last = end.finished;
                self.exit = Some(end.exit);
            }
        }
    }

    /// Finds what is on top of its owner.
    pub(super) fn find_top(&mut self, tops: &Tops, related: &Related) {
        let key = (Arc::clone(&self.namespace), self.owner.clone());
        let need = || Need::Workload { namespace: Arc::clone(&self.namespace), owner: self.owner.clone() };
        let asked = || match related.answer(&need()) {
            Some(Observation::Workload(facts)) => Some(facts.top),
            _ => None,
        };
        self.top = tops.get(&key).cloned().or_else(asked);
    }

    /// `Deployment/web`, as far as it is known.
    pub fn workload(&self) -> String {
        let top = self.top.as_ref().unwrap_or(&self.owner);
        format!("{}/{}", top.kind, top.name)
    }

    /// Whether a finding speaks of it.
    pub fn is_of(&self, finding: &Finding) -> bool {
        let (_, name) = finding.workload.split_once('/').unwrap_or_default();
        let below = || self.owner.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
        self.namespace == finding.namespace
            && self.container == finding.container
            && (*self.workload() == *finding.workload || self.top.is_none() && below())
    }
}

//! Containers that restarted, do not run, or are not ready, with or without a finding.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Tops;
use crate::engine::{ContainerSnapshot, Finding, HashLabel, Need, Observation, Owner, PodSnapshot, Role, State};
use crate::finding::Labels;
use crate::source::Related;
use crate::time::Time;

/// A container of a workload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restarted {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The controller of its pods.
    pub owner: Owner,
    /// The top of the chain of controllers, if known.
    pub top: Option<Owner>,
    /// Its name.
    pub container: Arc<str>,
    /// The labels of its pods' template, sorted.
    pub labels: Labels,
    /// The number of pods.
    pub pods: usize,
    /// The total number of restarts.
    pub restarts: u64,
    /// The maximum number of restarts of one pod.
    pub most: u32,
    /// When it last terminated.
    pub last: Option<Time>,
    /// The exit code of its last termination.
    pub exit: Option<i32>,
    /// The reason for which it is waiting: `CrashLoopBackOff`.
    pub waits: Option<Arc<str>>,
}

/// The containers in these pods that restarted, wait for something other than their turn, or are not ready.
pub fn of<'a>(pods: impl Iterator<Item = &'a PodSnapshot>) -> Vec<Restarted> {
    let mut all: BTreeMap<(Arc<str>, Owner, Arc<str>), Restarted> = BTreeMap::new();
    for pod in pods {
        for container in &pod.containers {
            let Some(spec) = pod.template.containers.get(container.index) else { continue };
            let unready = spec.role == Role::App && is_unready(container);
            if container.restarts == 0 && waits(container).is_none() && !unready {
                continue;
            }
            let owner = owner(pod);
            let key = (Arc::clone(&pod.id.namespace), owner.clone(), Arc::clone(&spec.name));
            let one = all.entry(key).or_insert_with(|| Restarted {
                namespace: Arc::clone(&pod.id.namespace),
                owner,
                top: guess(pod),
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

/// The topmost controller of an owner, as far as it is known.
pub(super) fn top(namespace: &Arc<str>, owner: &Owner, tops: &Tops, related: &Related) -> Option<Owner> {
    let key = (Arc::clone(namespace), owner.clone());
    let need = Need::Workload { namespace: Arc::clone(namespace), owner: owner.clone() };
    let asked = || match related.answer(&need) {
        Some(Observation::Workload(facts)) => Some(facts.top),
        _ => None,
    };
    tops.get(&key).cloned().or_else(asked)
}

/// The topmost controller inferred from the name of a pod's controller: a `ReplicaSet` with its template's
/// hash in its name belongs to a Deployment or a Rollout.
pub(super) fn guess(pod: &PodSnapshot) -> Option<Owner> {
    let owner = pod.owner.as_ref().filter(|owner| &*owner.kind == "ReplicaSet")?;
    let name = owner.name.strip_suffix(pod.template.revision_hash.as_deref()?)?.strip_suffix('-')?;
    let kind = if pod.template.hash_label == Some(HashLabel::Rollouts) { "Rollout" } else { "Deployment" };
    Some(Owner { kind: kind.into(), name: name.into() })
}

/// The controller of a pod, or the pod itself.
pub(super) fn owner(pod: &PodSnapshot) -> Owner {
    let bare = || Owner { kind: "Pod".into(), name: Arc::clone(&pod.id.name) };
    pod.owner.clone().unwrap_or_else(bare)
}

/// Whether it runs, but gets no traffic.
const fn is_unready(container: &ContainerSnapshot) -> bool {
    matches!(container.state, State::Running { .. }) && !container.ready
}

/// The reason for which it is waiting, unless it is just being created.
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
            State::Terminated(end) => Some(end),
            _ => None,
        };
        for end in now.into_iter().chain(&container.last) {
            if end.finished >= self.last {
                self.last = end.finished;
                self.exit = Some(end.exit);
            }
        }
    }

    /// Finds its topmost controller.
    pub(super) fn find_top(&mut self, tops: &Tops, related: &Related) {
        let known = top(&self.namespace, &self.owner, tops, related);
        self.top = known.or_else(|| self.top.take());
    }

    /// `Deployment/web`, as far as it is known.
    pub fn workload(&self) -> String {
        let top = self.top.as_ref().unwrap_or(&self.owner);
        format!("{}/{}", top.kind, top.name)
    }

    /// Whether a finding is about it.
    pub fn is_of(&self, finding: &Finding) -> bool {
        self.namespace == finding.namespace
            && self.container == finding.container
            && *self.workload() == *finding.workload
    }
}

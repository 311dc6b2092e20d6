//! What happens in the cluster: pods, restarts, rollouts, from the records alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::{Need, Observation, Owner, PodId, PodSnapshot, Uid, WorkloadFacts};
use crate::replay::Progress;
use crate::report::text::demo::{Rollout, Scene};
use crate::time::Time;

/// The pods of a recording and the workload that the newest of them belongs to.
#[derive(Debug, Default)]
pub struct Cluster {
    pods: BTreeMap<Uid, Pod>,
    restarts_of_gone: u64,
    owner: Option<(Arc<str>, Owner)>,
    facts: Option<WorkloadFacts>,
}

#[derive(Debug)]
struct Pod {
    ready: bool,
    live: bool,
    restarts: u64,
    revision_hash: Option<Arc<str>>,
}

impl Cluster {
    /// Takes in a record.
    pub fn see(&mut self, progress: &Progress<'_>) {
        match progress.observation {
            Some(Observation::Pod(pod)) => self.pod(pod),
            Some(Observation::PodGone(id)) => self.gone(id),
            _ => {}
        }
        if let Some((namespace, owner)) = self.owner.clone()
            && !matches!(progress.observation, Some(Observation::Event(_)))
            && let Some(Observation::Workload(facts)) = progress.related.answer(&Need::Workload { namespace, owner })
        {
            self.facts = Some(*facts);
        }
    }

    /// Its current state; `None` before there is a pod.
    pub fn scene(&self, at: Time) -> Option<Scene> {
        if self.pods.is_empty() {
            return None;
        }
        let live = || self.pods.values().filter(|pod| pod.live);
        let wanted = self.facts.as_ref().and_then(|facts| facts.desired);
        let ready = live().filter(|pod| pod.ready).count() as u32;
        Some(Scene {
            at,
            ready,
            wanted: wanted.unwrap_or(live().count() as u32),
            restarts: self.restarts_of_gone + self.pods.values().map(|pod| pod.restarts).sum::<u64>(),
            rollout: self.rollout(),
        })
    }

    /// `Deployment/auth-service`, once a pod and its owners are known.
    pub fn workload(&self) -> Option<String> {
        self.facts.as_ref().map(|facts| format!("{} {}", facts.top.kind, facts.top.name))
    }

    fn rollout(&self) -> Option<Rollout> {
        let newest = self.facts.as_ref()?.revisions.last()?;
        let of_it = |pod: &&Pod| pod.live && pod.revision_hash == newest.hash;
        Some(Rollout {
            revision: newest.number,
            by: newest.by.clone(),
            pods: self.pods.values().filter(of_it).count() as u32,
        })
    }

    fn pod(&mut self, snapshot: &PodSnapshot) {
        let pod = Pod {
            ready: !snapshot.containers.is_empty() && snapshot.containers.iter().all(|container| container.ready),
            live: !snapshot.deleting && snapshot.ended_by.is_none(),
            restarts: snapshot.containers.iter().map(|container| u64::from(container.restarts)).sum(),
            revision_hash: snapshot.template.revision_hash.clone(),
        };
        self.pods.insert(snapshot.id.uid, pod);
        if let Some(owner) = &snapshot.owner {
            self.owner = Some((Arc::clone(&snapshot.id.namespace), owner.clone()));
        }
    }

    fn gone(&mut self, id: &PodId) {
        if let Some(pod) = self.pods.remove(&id.uid) {
            self.restarts_of_gone += pod.restarts;
        }
    }
}

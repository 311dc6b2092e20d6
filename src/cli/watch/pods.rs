//! The history of the pods, one lane per container.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::lane::{Cell, Lane, Phase, Turn, Window};
use super::news::{ContainerGlance, PodGlance, ProbeFailure};
use crate::engine::{Finding, Owner, Scope, Uid};
use crate::time::Time;

/// Maximum number of pods with lanes: those of a large cluster, at some hundred bytes for a healthy one.
const MAX_PODS: usize = 20_000;
/// Maximum number of deleted pods with lanes; the oldest are dropped first.
const MAX_GONE: usize = 2_000;
/// Maximum number of controllers whose workload is remembered.
const MAX_TOPS: usize = 20_000;

/// The pods seen, bounded in number.
#[derive(Debug, Default)]
pub struct Pods {
    known: BTreeMap<Uid, Pod>,
    gone: VecDeque<Uid>,
    tops: BTreeMap<(Arc<str>, Owner), Owner>,
    /// The running lists, each with the number of the last sighting before it.
    lists: BTreeMap<Scope, u64>,
    sightings: u64,
}

#[derive(Debug)]
struct Pod {
    namespace: Arc<str>,
    name: Arc<str>,
    owner: Option<Owner>,
    likely_top: Owner,
    lanes: Vec<ContainerLane>,
    is_gone: bool,
    sighting: u64,
}

#[derive(Debug)]
struct ContainerLane {
    name: Arc<str>,
    restarts: u32,
    lane: Lane,
}

/// A lane of a pod.
#[derive(Copy, Clone, Debug)]
pub struct PodLane<'a> {
    /// The pod's name.
    pub pod: &'a str,
    /// What the container did.
    pub lane: &'a Lane,
}

impl Pods {
    /// A pod was seen.
    pub fn seen(&mut self, glance: PodGlance, now: Time) {
        self.sightings += 1;
        if !self.known.contains_key(&glance.uid) && !self.has_room() {
            return;
        }
        let pod = self.known.entry(glance.uid).or_insert_with(|| Pod {
            namespace: glance.namespace,
            name: glance.name,
            owner: None,
            likely_top: glance.likely_top.clone(),
            lanes: Vec::new(),
            is_gone: false,
            sighting: 0,
        });
        (pod.owner, pod.likely_top, pod.sighting) = (glance.owner, glance.likely_top, self.sightings);
        for container in glance.containers {
            pod.see(container, glance.created, now);
        }
    }

    /// A pod is gone.
    pub fn gone(&mut self, uid: Uid, now: Time) {
        let Some(pod) = self.known.get_mut(&uid).filter(|pod| !pod.is_gone) else { return };
        pod.is_gone = true;
        for of in &mut pod.lanes {
            of.lane.turn(now, Turn::Phase(Phase::Absent));
        }
        self.gone.push_back(uid);
        if self.gone.len() > MAX_GONE {
            self.forget_one();
        }
    }

    /// A list begins.
    pub fn list_started(&mut self, scope: Scope) {
        self.lists.insert(scope, self.sightings);
    }

    /// A list is complete: pods of its scope not seen since its start are gone.
    pub fn list_finished(&mut self, scope: &Scope, now: Time) {
        let Some(began) = self.lists.remove(scope) else { return };
        let missed = |pod: &Pod| !pod.is_gone && pod.sighting <= began && scope.includes(&pod.namespace);
        let missed: Vec<Uid> = self.known.iter().filter(|(_, pod)| missed(pod)).map(|(uid, _)| *uid).collect();
        for uid in missed {
            self.gone(uid, now);
        }
    }

    /// A probe failed. An event without a container name is attributed to the only one, or to none.
    pub fn probe_failed(&mut self, failure: &ProbeFailure) {
        let Some(pod) = self.known.get_mut(&failure.uid) else { return };
        let is_only = pod.lanes.len() == 1;
        let named = |of: &&mut ContainerLane| failure.container.as_ref().map_or(is_only, |name| of.name == *name);
        if let Some(of) = pod.lanes.iter_mut().find(named) {
            of.lane.turn(failure.at, Turn::ProbeFailed);
        }
    }

    /// The topmost controller of a controller of pods was found.
    pub fn top(&mut self, namespace: Arc<str>, owner: Owner, top: Owner) {
        if self.tops.len() < MAX_TOPS {
            self.tops.insert((namespace, owner), top);
        }
    }

    /// The number of existing pods.
    pub fn len(&self) -> usize {
        self.known.len() - self.gone.len()
    }

    /// The lanes of a finding's container in the pods of its workload that existed within that time, the
    /// worst first.
    pub fn lanes(&self, finding: &Finding, within: Window) -> Vec<PodLane<'_>> {
        let of_workload = |pod: &&Pod| pod.namespace == finding.namespace && self.is_of(pod, &finding.workload);
        let lanes = self.known.values().filter(of_workload).filter_map(|pod| {
            let of = pod.lanes.iter().find(|of| of.name == finding.container)?;
            Some((pod, PodLane { pod: &pod.name, lane: &of.lane }))
        });
        let mut ranked: Vec<_> = lanes
            .filter(|(_, of)| of.lane.cells(within, 1).iter().any(|cell| *cell != Cell::Absent))
            .map(|(pod, of)| (worst_first(pod, of.lane, within), of))
            .collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, of)| of).collect()
    }

    fn is_of(&self, pod: &Pod, workload: &str) -> bool {
        let learnt = pod.owner.as_ref().and_then(|owner| self.tops.get(&(Arc::clone(&pod.namespace), owner.clone())));
        let top = learnt.unwrap_or(&pod.likely_top);
        workload.split_once('/') == Some((&*top.kind, &*top.name))
    }

    /// Makes room for one more, if possible.
    fn has_room(&mut self) -> bool {
        if self.known.len() >= MAX_PODS {
            self.forget_one();
        }
        self.known.len() < MAX_PODS
    }

    fn forget_one(&mut self) {
        if let Some(uid) = self.gone.pop_front() {
            self.known.remove(&uid);
        }
    }
}

impl Pod {
    fn see(&mut self, seen: ContainerGlance, created: Option<Time>, now: Time) {
        let Some(of) = self.lanes.iter_mut().find(|of| of.name == seen.name) else {
            let lane = first_seen(&seen, created, now);
            self.lanes.push(ContainerLane { name: seen.name, restarts: seen.restarts, lane });
            return;
        };
        if seen.restarts > of.restarts {
            of.lane.turn(now, Turn::Restarted);
        }
        of.restarts = seen.restarts;
        if !self.is_gone {
            of.lane.turn(now, Turn::Phase(seen.phase));
        }
    }
}

/// A lane that begins before the container was seen, as far as its status shows it.
fn first_seen(seen: &ContainerGlance, created: Option<Time>, now: Time) -> Lane {
    let mut lane = Lane::default();
    let since = seen.since.filter(|since| *since <= now);
    if let Some(created) = created.filter(|created| seen.restarts == 0 && *created <= since.unwrap_or(now)) {
        lane.turn(created, Turn::Phase(Phase::Waiting));
    }
    let runs = matches!(seen.phase, Phase::Ready | Phase::Unready);
    if let Some(since) = since.filter(|_| runs && seen.restarts > 0) {
        lane.turn(since, Turn::Restarted);
    }
    lane.turn(since.unwrap_or(now), Turn::Phase(seen.phase));
    lane
}

type Worst<'a> = (Reverse<usize>, Reverse<usize>, bool, &'a str);

/// Sorts by restarts, then by failed probes; of equal ones, existing pods first.
fn worst_first<'a>(pod: &'a Pod, lane: &Lane, within: Window) -> Worst<'a> {
    let count = |turn| Reverse(lane.count(turn, within));
    (count(Turn::Restarted), count(Turn::ProbeFailed), pod.is_gone, &pod.name)
}

//! From observations to findings: pure, deterministic, without IO and without a clock.
//!
//! Invariants:
//! - Time only comes in: with [`Engine::apply`] and [`Engine::tick`].
//! - The same observations at the same times give the same changes, byte for byte.
//! - A `RestartLoop` and a `Killed` are confirmed only by ends that stood in a pod's status.
//! - Everything kept is bounded, whatever comes in.

mod attention;
mod case;
mod change;
mod hear;
mod history;
mod intake;
mod judge;
mod looping;
mod observation;
mod onsets;
mod over;
mod pods;
mod quiet;
mod remedy;
mod scene;
mod speak;
mod status;
mod trial;
mod waiting;
mod workload;

pub use crate::finding::{
    Cause, Change, ChangeKind, Confidence, Effect, Fact, Fault, Finding, Pods, RevisionChange, ServiceState, Severity,
    Value,
};
pub use observation::{
    ContainerId, ContainerSnapshot, Ended, KubeletEvent, Need, Observation, Owner, PodId, PodSnapshot, Revision, Seen,
    ServiceFacts, ServicesFacts, State, Uid, WorkloadFacts,
};

pub use crate::template::{ContainerSpec, EnvField, PodTemplate, RestartPolicy, Role};

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::time::Time;
use onsets::{Kubelets, Onsets};
use pods::PodTable;
use waiting::Waiting;
use workload::Workload;

/// What can be set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Restarts further apart than this are no loop.
    pub window: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { window: Duration::from_mins(15) }
    }
}

/// Turns observations into findings.
///
/// The caller applies what it sees, ticks when a deadline has come, and drains what the engine
/// wants to say and to know after each.
#[derive(Default)]
pub struct Engine {
    settings: Settings,
    now: Time,
    pods: PodTable,
    workloads: BTreeMap<usize, Workload>,
    next_workload: usize,
    by_name: HashMap<(Arc<str>, Owner), usize>,
    tops: HashMap<(Arc<str>, Owner), Owner>,
    wakes: BTreeSet<(Time, usize)>,
    waiting: Waiting,
    onsets: Onsets,
    kubelets: Kubelets,
    list: u32,
    changes: Vec<Change>,
    needs: Vec<Need>,
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Takes in what was seen at `now`. A `now` before an earlier one counts as that one.
    pub fn apply(&mut self, observation: Observation, now: Time) {
        self.now = self.now.max(now);
        match observation {
            Observation::Pod(snapshot) => self.pod(*snapshot),
            Observation::PodGone(id) => self.pod_gone(&id),
            Observation::Event(event) => self.event(*event),
            Observation::ListStarted => self.list = self.list.wrapping_add(1),
            Observation::ListFinished => self.list_finished(),
            Observation::Workload(facts) => self.workload_facts(*facts),
            Observation::Services(facts) => self.services_facts(facts),
            Observation::Remembered(finding) => self.remember(&finding),
        }
    }

    /// When [`Engine::tick`] is next due, if nothing is seen before.
    pub fn next_deadline(&self) -> Option<Time> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Time) {
        self.now = self.now.max(now);
        while let Some((_, id)) = self.wakes.first().copied().filter(|(at, _)| *at <= self.now) {
            self.look(id);
        }
    }

    /// What there is to say since the last call, in order.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// What it would like to know since the last call, in order, each once.
    pub fn take_needs(&mut self) -> Vec<Need> {
        std::mem::take(&mut self.needs)
    }

    /// How many pods it keeps.
    pub fn pods(&self) -> usize {
        self.pods.len()
    }

    /// Events whose pod was never seen, by now.
    pub const fn events_without_pod(&self) -> u64 {
        self.waiting.dropped()
    }

    /// All findings with their last episode, ordered by namespace, workload, container, effect and
    /// probe.
    pub fn findings(&self) -> Vec<Arc<Finding>> {
        let cases = self.workloads.values().flat_map(|workload| workload.cases.values());
        let episodes = cases.flat_map(|case| case.episodes.values());
        let mut findings: Vec<_> = episodes
            .filter(|episode| episode.told.is_some())
            .map(|episode| Arc::new(episode.finding.clone()))
            .collect();
        findings.sort_by(|one, other| key(one).cmp(&key(other)));
        findings
    }
}

fn key(finding: &Finding) -> (&str, &str, &str, Effect, Option<crate::kubelet::ProbeKind>) {
    (&finding.namespace, &finding.workload, &finding.container, finding.effect, finding.probe)
}

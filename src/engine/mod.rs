//! From observations to findings: pure, deterministic, without IO and without a clock.
//!
//! Invariants:
//! - Time only comes in: with [`Engine::apply`] and [`Engine::tick`].
//! - The same observations at the same times give the same changes, byte for byte.
//! - A `RestartLoop` and a `Killed` are confirmed only by ends that stood in a pod's status.
//! - Everything kept is bounded, whatever comes in.

mod chronicle;
mod counts;
mod effects;
mod episodes;
pub mod incident;
mod intake;
mod memory;
mod observation;
mod recall;
mod schedule;
mod tried;
mod view;
mod workloads;

pub use crate::finding::{
    Cause, Change, ChangeKind, Confidence, Considered, Effect, Fact, Fault, Finding, Hypothesis, Identity, Pods,
    RevisionChange, ServiceState, Severity, Standing, Value,
};
pub use chronicle::Chronicled;
pub use counts::{Count, Counted};
pub use observation::{
    ContainerId, ContainerSnapshot, KubeletEvent, Need, Observation, Owner, PodId, PodSnapshot, Revision, Scope, Seen,
    ServiceFacts, ServicesFacts, State, Terminated, Uid, WorkloadFacts,
};
pub use tried::{Passing, Tried};

pub use crate::template::{
    ContainerSpec, Containers, EnvField, ExitCodes, HashLabel, PodTemplate, RestartAction, RestartPolicy, RestartRule,
    Role,
};

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::time::Time;
use chronicle::Chronicle;
use counts::Counts;
use intake::lists::Lists;
use intake::unmatched_events::UnmatchedEvents;
use memory::by_name::{ByName, Workloads};
use memory::nodes::Nodes;
use memory::onsets::FailureOnsets;
use memory::past_episodes::PastEpisodes;
use memory::pods::PodTable;

/// The engine's settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Restarts further apart than this are not a loop; 15 minutes by default.
    pub window: Duration,
    /// Number of restarts of one container within the window that confirm kills by a probe, unless the
    /// cause is deterministic; 2 by default.
    pub probe_kills: u32,
    /// Number of restarts of one container within the window that confirm terminations of its own; 3 by
    /// default.
    pub own_ends: u32,
    /// Whether the output of exec probes is kept for reports; true by default. Otherwise it is only
    /// evaluated.
    pub exec_output: bool,
}

impl Settings {
    /// Maximum of `probe_kills` and `own_ends`: so many terminations of a container are surely remembered.
    /// Larger values count as this, and zero as one.
    pub const MAX_ENDS: u32 = memory::history::MAX_INCARNATIONS as u32 - 3;

    fn bounded(mut self) -> Self {
        for ends in [&mut self.probe_kills, &mut self.own_ends] {
            *ends = (*ends).clamp(1, Self::MAX_ENDS);
        }
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { window: Duration::from_mins(15), probe_kills: 2, own_ends: 3, exec_output: true }
    }
}

/// Turns observations into findings.
///
/// The caller applies what it observes, ticks when a deadline has come, and drains the engine's changes and
/// needs after each.
#[derive(Default)]
pub struct Engine {
    settings: Settings,
    /// The time of the first observation.
    born: Option<Time>,
    /// Whether there will be no more observations.
    settled: bool,
    now: Time,
    pods: PodTable,
    /// Boxed, since a map that grows at its end is half empty.
    workloads: Workloads,
    next_workload: usize,
    by_name: ByName,
    tops: HashMap<(Arc<str>, Owner), Owner>,
    wakes: BTreeSet<(Time, usize)>,
    unmatched: UnmatchedEvents,
    past: PastEpisodes,
    onsets: FailureOnsets,
    nodes: Nodes,
    lists: Lists,
    counts: Counts,
    chronicle: Option<Box<Chronicle>>,
    changes: Vec<Change>,
    needs: Vec<Need>,
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(settings: Settings) -> Self {
        Self { settings: settings.bounded(), ..Self::default() }
    }

    /// Continues with other settings: existing findings stay, later looks use these.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings.bounded();
    }

    /// Takes in an observation made at `now`. A `now` before an earlier one counts as that one.
    pub fn apply(&mut self, observation: Observation, now: Time) {
        self.now = self.now.max(now);
        self.born.get_or_insert(self.now);
        match observation {
            Observation::Pod(snapshot) => self.pod(&snapshot),
            Observation::PodGone(id) => self.pod_gone(&id),
            Observation::Event(event) => self.event(*event),
            Observation::ListStarted(scope) => self.lists.start(scope),
            Observation::ListFinished(scope) => self.list_finished(&scope),
            Observation::Workload(facts) => self.workload_facts(*facts),
            Observation::Services(facts) => self.services_facts(facts),
            Observation::Remembered(finding) => self.remember(&finding),
        }
    }

    /// When [`Engine::tick`] is next due, if nothing is observed before.
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

    /// Lets time pass as [`Engine::tick`] does, but looks at no more than `most` workloads: the others stay
    /// due, so that the caller is not blocked for long.
    pub fn tick_some(&mut self, now: Time, most: usize) {
        self.now = self.now.max(now);
        for _ in 0..most {
            let Some((_, id)) = self.wakes.first().copied().filter(|(at, _)| *at <= self.now) else { return };
            self.look(id);
        }
    }

    /// Ends all waits for events that may still come, at the end of an input: everything that can be
    /// concluded is published now. No time passes.
    pub fn settle(&mut self) {
        self.settled = true;
        let all: Vec<usize> = self.workloads.keys().copied().collect();
        for id in all {
            self.look(id);
        }
        self.settled = false;
    }

    /// The changes since the last call, in order.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// The needs since the last call, in order, each once.
    pub fn take_needs(&mut self) -> Vec<Need> {
        std::mem::take(&mut self.needs)
    }

    /// The counts since the last call, merged by key and in that order.
    ///
    /// Bounded: beyond 10,000 distinct counts between two calls the rest is dropped.
    pub fn take_counts(&mut self) -> Vec<Count> {
        self.counts.take()
    }

    /// Forgets what was judged of containers and still holds: the next looks judge anew, and find the same.
    pub fn forget_judged(&mut self) {
        let cases = self.workloads.values_mut().flat_map(|workload| workload.cases.values_mut());
        cases.for_each(|case| case.judged.clear());
    }

    /// The number of pods that it keeps.
    pub fn pods(&self) -> usize {
        self.pods.len()
    }

    /// The number of events dropped because their pod was never seen.
    pub const fn events_without_pod(&self) -> u64 {
        self.unmatched.dropped()
    }

    /// All findings with their last episode, ordered by namespace, workload, container, effect and
    /// probe.
    pub fn findings(&self) -> Vec<Arc<Finding>> {
        let cases = self.workloads.values().flat_map(|workload| workload.cases.values());
        let episodes = cases.flat_map(|case| case.episodes.values());
        let mut findings: Vec<_> = episodes
            .filter(|episode| episode.published.is_some())
            .map(|episode| Arc::clone(&episode.finding))
            .collect();
        findings.sort_by_cached_key(|finding| finding.identity());
        findings
    }
}

//! From observations to findings: pure, deterministic, without IO and without a clock.
//!
//! Invariants:
//! - Time only comes in: with [`Engine::apply`] and [`Engine::tick`].
//! - The same observations at the same times give the same changes, byte for byte.
//! - A `RestartLoop` and a `Killed` are confirmed only by ends that stood in a pod's status.
//! - Everything kept is bounded, whatever comes in.

mod observation;

pub use crate::finding::{
    Cause, Change, ChangeKind, Confidence, Effect, Fact, Fault, Finding, Pods, RevisionChange, ServiceState, Severity,
    Value,
};
pub use observation::{
    ContainerId, ContainerSnapshot, Ended, KubeletEvent, Need, Observation, Owner, PodId, PodSnapshot, Revision, Seen,
    ServiceFacts, ServicesFacts, State, Uid, WorkloadFacts,
};

pub use crate::template::{ContainerSpec, EnvField, PodTemplate, RestartPolicy, Role};

use std::sync::Arc;
use std::time::Duration;

use crate::time::Time;

/// What can be set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Restarts further apart than this are no loop.
    pub window: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(15 * 60),
        }
    }
}

/// Turns observations into findings.
///
/// The caller applies what it sees, ticks when a deadline has come, and drains what the engine
/// wants to say and to know after each.
#[derive(Default)]
pub struct Engine {
    settings: Settings,
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Takes in what was seen at `now`. A `now` before an earlier one counts as that one.
    pub fn apply(&mut self, observation: Observation, now: Time) {
        let _ = (observation, now, &self.settings);
    }

    /// When [`Engine::tick`] is next due, if nothing is seen before.
    pub fn next_deadline(&self) -> Option<Time> {
        None
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Time) {
        let _ = now;
    }

    /// What there is to say since the last call, in order.
    pub fn take_changes(&mut self) -> Vec<Change> {
        Vec::new()
    }

    /// What it would like to know since the last call, in order, each once.
    pub fn take_needs(&mut self) -> Vec<Need> {
        Vec::new()
    }

    /// All findings with their last episode, ordered by namespace, workload, container, effect and
    /// probe.
    pub fn findings(&self) -> Vec<Arc<Finding>> {
        Vec::new()
    }
}

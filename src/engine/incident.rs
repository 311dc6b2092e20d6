//! The course of an incident: what the pods of a workload did, as far as the engine remembers it.

use std::sync::Arc;

use crate::finding::{Cause, ChangeKind, Effect};
use crate::kubelet::ProbeKind;
use crate::time::Time;

/// The course of a finding's workload, in our time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Incident {
    /// Its container in each pod that was in trouble, in the order of the pods' creation.
    pub lanes: Vec<PodLane>,
    /// Number of pods that were in trouble and have no lane any more.
    pub forgotten: u32,
    /// Number of its pods that exist and were never in trouble.
    pub well: u32,
    /// Ready pods and restarts over time; empty unless the engine keeps a chronicle.
    pub points: Vec<Point>,
    /// The revisions that were rolled out, oldest first.
    pub rollouts: Vec<Rollout>,
    /// What was published about the finding, in order.
    pub published: Vec<Published>,
}

/// What one container of one pod did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PodLane {
    /// The pod's name, if it is known.
    pub pod: Option<Arc<str>>,
    /// The container's name.
    pub container: Arc<str>,
    /// The pod's node.
    pub node: Option<Arc<str>>,
    /// The number of its template's revision.
    pub revision: Option<u64>,
    /// Its states, in order and without overlaps.
    pub spans: Box<[Span]>,
    /// What happened at single moments, in order.
    pub marks: Box<[Mark]>,
    /// What its probes were last answered, in the kubelet's words.
    pub said: Option<Arc<str>>,
    /// `restartCount`
    pub restarts: u32,
    /// When the pod was gone.
    pub gone: Option<Time>,
}

impl PodLane {
    /// Whether the container ended, other than with its pod.
    pub fn has_ended(&self) -> bool {
        self.marks.iter().any(Mark::is_end)
    }
}

/// A state of a container, and how long it lasted.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Span {
    /// Its beginning.
    pub from: Time,
    /// Its end, or the present.
    pub to: Time,
    /// The state.
    pub phase: Phase,
}

/// The states of a container in a lane.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// Created, and not started yet.
    Created,
    /// Running, not ready.
    Running,
    /// Running and ready.
    Ready,
    /// Ended, waiting for its next start.
    BackOff,
    /// Its incarnations of that time are not remembered any more.
    Forgotten,
}

/// A moment of a container.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// When.
    pub at: Time,
    /// What happened.
    pub what: Happened,
}

impl Mark {
    /// Whether the container ended.
    pub const fn is_end(&self) -> bool {
        !matches!(self.what, Happened::ProbeFailed(..))
    }
}

/// What can happen to a container at a moment.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Happened {
    /// A probe failed, so often.
    ProbeFailed(ProbeKind, u32),
    /// A probe ended it.
    Killed(ProbeKind),
    /// It ended otherwise, with this exit code.
    Ended(i32),
}

/// A workload at a time.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Point {
    /// When.
    pub at: Time,
    /// Pods whose containers are all ready: the endpoints that its Services can have.
    pub ready: u32,
    /// Pods wanted.
    pub wanted: u32,
    /// Restarts so far.
    pub restarts: u64,
}

/// A revision, and when it became the desired one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rollout {
    /// Its number.
    pub revision: u64,
    /// When.
    pub at: Time,
    /// The field manager that applied it.
    pub by: Option<Arc<str>>,
}

/// A publication about a finding.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Published {
    /// When.
    pub at: Time,
    /// What happened to it.
    pub kind: ChangeKind,
    /// What it was called.
    pub effect: Effect,
    /// Its cause then.
    pub cause: Cause,
}

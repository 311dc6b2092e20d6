//! Updates for the screen, from a cluster or from a recording.

use std::sync::Arc;

use super::lane::Phase;
use crate::cli::error::Error;
use crate::engine::{Change, ContainerSnapshot, Observation, Owner, PodSnapshot, Scope, State, Uid};
use crate::kubelet::EventMessage;
use crate::time::Time;

/// An update.
#[derive(Debug)]
pub enum News {
    /// Time has advanced.
    Time(Time),
    /// A pod as it is now.
    Pod(Box<PodGlance>),
    /// A pod is gone.
    Gone(Uid),
    /// A list of pods begins: pods of its scope that do not appear before it ends are gone.
    ListStarted(Scope),
    /// A list of pods is complete.
    ListFinished(Scope),
    /// A probe failed.
    ProbeFailed(ProbeFailure),
    /// The topmost controller of a controller of pods.
    Top {
        /// The namespace of both.
        namespace: Arc<str>,
        /// The controller.
        owner: Owner,
        /// The workload.
        top: Owner,
    },
    /// The engine published a change.
    Change(Change),
    /// A line of a recording cannot be used, or only partly.
    Unusable(Unusable),
    /// The state of the source: what currently cannot be observed, and what is still missing.
    Source(Sight),
    /// There are no more updates.
    Over(Result<(), Error>),
    /// The process was asked to stop.
    ToldToEnd,
}

/// A line of a recording that cannot be used, or is used without what is odd about it.
#[derive(Debug)]
pub struct Unusable {
    /// Its number, from 1.
    pub line: u64,
    /// Why.
    pub what: String,
    /// Whether the whole line is unusable.
    pub is_whole: bool,
}

/// The state of a source.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sight {
    /// Whether everything has been listed once.
    pub is_listed: bool,
    /// What cannot be observed, and why, in words.
    pub troubles: Vec<String>,
}

/// The displayed properties of a pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PodGlance {
    /// Its UID.
    pub uid: Uid,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its own controller, if any.
    pub owner: Option<Owner>,
    /// Its workload, as far as inferred from the pod itself.
    pub likely_top: Owner,
    /// When it was created.
    pub created: Option<Time>,
    /// Its containers.
    pub containers: Vec<ContainerGlance>,
}

/// The displayed properties of a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContainerGlance {
    /// Its name.
    pub name: Arc<str>,
    /// Its state.
    pub phase: Phase,
    /// Since when, if its status shows it.
    pub since: Option<Time>,
    /// The number of restarts.
    pub restarts: u32,
}

/// A probe failure reported by an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProbeFailure {
    /// The pod's UID.
    pub uid: Uid,
    /// The container, if the event names it.
    pub container: Option<Arc<str>>,
    /// When, by the node's clock: accurate enough for a picture.
    pub at: Time,
}

impl News {
    /// The displayed part of an observation, if any.
    pub fn from_observation(observation: &Observation, now: Time) -> Option<Self> {
        match observation {
            Observation::Pod(pod) => Some(Self::Pod(Box::new(glance(pod)))),
            Observation::PodGone(id) => Some(Self::Gone(id.uid)),
            Observation::ListStarted(scope) => Some(Self::ListStarted(scope.clone())),
            Observation::ListFinished(scope) => Some(Self::ListFinished(scope.clone())),
            Observation::Event(event) if matches!(event.said, EventMessage::ProbeFailed { .. }) => {
                let container = event.container.clone().filter(|_| !event.aggregated);
                Some(Self::ProbeFailed(ProbeFailure { uid: event.pod.uid, container, at: event.last.min(now) }))
            }
            Observation::Workload(facts) => Some(Self::Top {
                namespace: Arc::clone(&facts.namespace),
                owner: facts.owner.clone(),
                top: facts.top.clone(),
            }),
            Observation::Event(_) | Observation::Services(_) | Observation::Remembered(_) => None,
        }
    }
}

fn glance(pod: &PodSnapshot) -> PodGlance {
    let is_over = pod.ended_by.is_some();
    let containers = pod.containers.iter().filter_map(|status| {
        let spec = pod.template.containers.get(status.index)?;
        Some(container(&spec.name, status, is_over))
    });
    PodGlance {
        uid: pod.id.uid,
        namespace: Arc::clone(&pod.id.namespace),
        name: Arc::clone(&pod.id.name),
        owner: pod.owner.clone(),
        likely_top: pod.likely_top(),
        created: pod.created,
        containers: containers.collect(),
    }
}

fn container(name: &Arc<str>, status: &ContainerSnapshot, is_over: bool) -> ContainerGlance {
    let ended = status.last.as_ref().and_then(|last| last.finished);
    let (phase, since) = match &status.state {
        _ if is_over => (Phase::Ended, None),
        State::Running { since } if status.ready => (Phase::Ready, *since),
        State::Running { since } => (Phase::Unready, *since),
        State::Terminated(terminated) => (Phase::Ended, terminated.finished),
        State::Waiting { .. } => (Phase::Waiting, ended),
    };
    ContainerGlance { name: Arc::clone(name), phase, since, restarts: status.restarts }
}

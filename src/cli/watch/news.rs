//! What comes to the screen, from a cluster or from a recording.

use std::sync::Arc;

use super::lane::Phase;
use crate::cli::error::Error;
use crate::engine::{Change, ContainerSnapshot, Observation, Owner, PodSnapshot, Scope, State, Uid};
use crate::kubelet::EventMessage;
use crate::time::Time;

/// Something that is new.
#[derive(Debug)]
pub enum News {
    /// Time has come to here.
    Time(Time),
    /// A pod as it is now.
    Pod(Box<PodGlance>),
    /// A pod is gone.
    Gone(Uid),
    /// A list of pods begins: those of its scope that do not come before it ends are gone.
    ListStarted(Scope),
    /// A list of pods is complete.
    ListFinished(Scope),
    /// A probe failed.
    ProbeFailed(ProbeFailure),
    /// What is on top of a controller of pods.
    Top {
        /// The namespace of both.
        namespace: Arc<str>,
        /// The controller.
        owner: Owner,
        /// The workload.
        top: Owner,
    },
    /// The engine says something.
    Change(Change),
    /// A line of a recording cannot be used, or not as a whole.
    Unusable(Unusable),
    /// How the source is: what of it cannot be seen at the moment, and what is still waited for.
    Source(Sight),
    /// Nothing more will come.
    Over(Result<(), Error>),
    /// The process was told to end.
    ToldToEnd,
}

/// A line of a recording that cannot be used, or is used without what is odd about it.
#[derive(Debug)]
pub struct Unusable {
    /// Which, from 1.
    pub line: u64,
    /// Why.
    pub what: String,
    /// Whether nothing of it is used.
    pub is_whole: bool,
}

/// How a source is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sight {
    /// Whether all that there is has been seen once.
    pub is_listed: bool,
    /// What cannot be seen, and why, in words.
    pub troubles: Vec<String>,
}

/// What is shown of a pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PodGlance {
    /// Its UID.
    pub uid: Uid,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its own controller, where it has one.
    pub owner: Option<Owner>,
    /// Its workload, as far as the pod itself tells.
    pub likely_top: Owner,
    /// When it was created.
    pub created: Option<Time>,
    /// What its containers do.
    pub containers: Vec<ContainerGlance>,
}

/// What is shown of a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContainerGlance {
    /// Its name.
    pub name: Arc<str>,
    /// What it does.
    pub phase: Phase,
    /// Since when, where its status says so.
    pub since: Option<Time>,
    /// How often it was started again.
    pub restarts: u32,
}

/// A probe that failed, as an event says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProbeFailure {
    /// The pod's UID.
    pub uid: Uid,
    /// The container, where the event names it.
    pub container: Option<Arc<str>>,
    /// When, by the node's clock: near enough for a picture.
    pub at: Time,
}

impl News {
    /// What of an observation is shown, if anything.
    pub fn of(observation: &Observation, now: Time) -> Option<Self> {
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

//! The inputs delivered by sources.

use super::objects::{EventLite, Oddity, PodLite};
use super::recording::{Object, RecordKind};
use crate::engine::{Observation, Scope, Seen};

/// A pod or an event from a list, a watch, a dump or a recording, owned or borrowed, or the start or end of
/// a list of pods.
#[derive(Debug)]
pub enum Input<P = Box<PodLite>, E = Box<EventLite>> {
    /// A list of pods begins, or is restarted.
    ListStarted(Scope),
    /// A pod as it is now.
    Pod(P, Seen),
    /// A pod that was deleted, in its last state.
    PodGone(P),
    /// A list of pods is complete: pods of its scope that were not seen since it started are gone.
    ListFinished(Scope),
    /// A kubelet event on a pod: new, updated, or listed again.
    Event(E),
}

impl Object {
    /// The pod or event that it is, delivered in this way; `None` for other resources, and for deleted events.
    pub fn input(&self, kind: RecordKind) -> Option<Input<&PodLite, &EventLite>> {
        match (self, kind) {
            (Self::Pod(pod), RecordKind::Deleted) => Some(Input::PodGone(pod)),
            (Self::Pod(pod), RecordKind::Added) => Some(Input::Pod(pod, Seen::Listed)),
            (Self::Pod(pod), _) => Some(Input::Pod(pod, Seen::Changed)),
            (Self::Event(event), kind) => (kind != RecordKind::Deleted).then_some(Input::Event(event)),
            _ => None,
        }
    }
}

/// An input, converted for the engine.
#[derive(Debug)]
pub struct Observed {
    /// The observation; `None` for an event that is not the kubelet's, not on a pod, or irrelevant.
    pub observation: Option<Observation>,
    /// Fields that were treated as absent, each with its path.
    pub odd: Vec<Oddity>,
}

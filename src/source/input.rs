//! What sources deliver.

use super::objects::{EventLite, Oddity, PodLite};
use super::recording::{Object, Record, RecordKind};
use crate::engine::{Observation, Scope, Seen};

/// A pod or an event as a list, a watch, a dump or a recording delivers it, owned or borrowed, or the begin or end
/// of a list of pods.
#[derive(Debug)]
pub enum Input<P = Box<PodLite>, E = Box<EventLite>> {
    /// A list of pods begins, or begins anew.
    ListStarted(Scope),
    /// A pod as it is now.
    Pod(P, Seen),
    /// A pod for the last time.
    PodGone(P),
    /// A list of pods is complete: pods of its scope that were not seen since it started are gone.
    ListFinished(Scope),
    /// An event of a kubelet on a pod, new, counted on, or listed once more.
    Event(E),
}

impl Record {
    /// The pod or event that it is about; `None` for what is of other resources, and for events that are deleted.
    pub fn input(&self) -> Option<Input<&PodLite, &EventLite>> {
        match (&self.object, self.kind) {
            (Object::Pod(pod), RecordKind::Deleted) => Some(Input::PodGone(pod)),
            (Object::Pod(pod), RecordKind::Added) => Some(Input::Pod(pod, Seen::Listed)),
            (Object::Pod(pod), _) => Some(Input::Pod(pod, Seen::Changed)),
            (Object::Event(event), kind) => (kind != RecordKind::Deleted).then_some(Input::Event(event)),
            _ => None,
        }
    }
}

/// An input as the engine takes it.
#[derive(Debug)]
pub struct Observed {
    /// What the engine is given; `None` for an event that is not the kubelet's, not on a pod, or says nothing that matters.
    pub observation: Option<Observation>,
    /// Fields that were taken for absent, each with its path.
    pub odd: Vec<Oddity>,
}

//! The time of a dump: the newest timestamp in it.

use std::time::Duration;

use super::objects::{EventLite, Maybe};
use super::recording::Object;
use crate::engine::{ContainerSnapshot, KubeletEvent, PodSnapshot, State, Terminated};
use crate::time::Time;

/// Maximum time by which a believed event is later than all timestamps of the API server and the kubelets:
/// anyone who may write events may write any time into them.
const AHEAD: Duration = Duration::from_hours(24);

/// The newest timestamp so far that only the API server or a kubelet's status can have set.
#[derive(Copy, Clone, Debug, Default)]
pub struct Newest(Option<Time>);

impl Newest {
    /// The newest timestamp that can be believed, including those of these events.
    pub fn time(&self, events: &[KubeletEvent]) -> Option<Time> {
        let said = events.iter().map(|event| event.last);
        match self.0 {
            Some(sure) => said.filter(|said| said.since(sure) <= AHEAD).max().max(Some(sure)),
            None => said.max(),
        }
    }

    /// Takes in the creation time of an object.
    pub fn note(&mut self, object: &Object) {
        if let Object::Event(event) = object {
            self.0 = self.0.max(created(event));
        }
    }

    /// Takes in the timestamps of a pod.
    pub fn note_pod(&mut self, pod: &PodSnapshot) {
        let of_containers = pod.containers.iter().filter_map(of_container).max();
        self.0 = self.0.max(pod.created).max(pod.start_time).max(of_containers);
    }
}

fn created(event: &EventLite) -> Option<Time> {
    let Maybe::Is(text) = &event.metadata.ok()?.creation_timestamp else { return None };
    Time::parse(text).ok()
}

fn of_container(container: &ContainerSnapshot) -> Option<Time> {
    let now = match &container.state {
        State::Running { since } => *since,
        State::Terminated(end) => of_end(end),
        State::Waiting { .. } => None,
    };
    now.max(container.last.as_ref().and_then(of_end))
}

fn of_end(end: &Terminated) -> Option<Time> {
    end.finished.max(end.started)
}

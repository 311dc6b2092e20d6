//! Objects → what the engine is given, with what many share kept once.

mod event;
mod intern;
mod odd;
mod pod;
mod probe;
mod template;
mod words;

use std::borrow::Borrow;
use std::sync::Arc;

use crate::engine::{ContainerSpec, HashLabel, KubeletEvent, Observation, PodId, PodSnapshot, PodTemplate, Seen};
use crate::kubelet::ProbeSpec;

use super::input::{Input, Observed};
use super::objects::{EventLite, Oddity, PodLite, PodTemplateLite};
use intern::{Shared, Templates};
use odd::Odd;

/// Turns objects into observations.
///
/// It remembers only what it hands out again: names, the templates that pods share, the containers that
/// templates share, and the probes that containers share. Unused entries are dropped, so that it stays as
/// small as what the engine keeps.
#[derive(Debug, Default)]
pub struct Observer {
    names: Shared<str>,
    containers: Shared<ContainerSpec>,
    probes: Shared<ProbeSpec>,
    templates: Templates,
    odd: Odd,
}

impl Observer {
    /// An observer that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the engine is given of a pod or an event, live, from a recording or from a dump.
    ///
    /// # Errors
    /// It is no pod or event, has no name, a UID that is none, no list of containers, or says not on which pod or
    /// when it was: nothing comes of it.
    pub fn observe<P: Borrow<PodLite>, E: Borrow<EventLite>>(
        &mut self,
        input: &Input<P, E>,
    ) -> Result<Observed, Oddity> {
        let read = self.take_in(input);
        let odd = self.take_oddities();
        read.map(|observation| Observed { observation, odd })
    }

    fn take_in<P: Borrow<PodLite>, E: Borrow<EventLite>>(
        &mut self,
        input: &Input<P, E>,
    ) -> Result<Option<Observation>, Oddity> {
        Ok(match input {
            Input::ListStarted(scope) => Some(Observation::ListStarted(scope.clone())),
            Input::ListFinished(scope) => Some(Observation::ListFinished(scope.clone())),
            Input::Pod(pod, seen) => Some(Observation::Pod(Box::new(self.pod(pod.borrow(), *seen)?))),
            Input::PodGone(pod) => Some(Observation::PodGone(self.pod_id(pod.borrow())?)),
            Input::Event(event) => self.event(event.borrow())?.map(Box::new).map(Observation::Event),
        })
    }

    /// What was odd about the objects that were read since this was last asked: fields that were
    /// taken for absent, each with its path. An odd field of a template is noted when the template is
    /// first seen.
    pub fn take_oddities(&mut self) -> Vec<Oddity> {
        self.odd.take()
    }

    /// A pod as it is now.
    ///
    /// # Errors
    /// It is no pod, has no name, a UID that is none, or no list of containers.
    pub(super) fn pod(&mut self, pod: &PodLite, seen: Seen) -> Result<PodSnapshot, Oddity> {
        pod::snapshot(self, pod, seen)
    }

    /// The identity of a pod that is gone.
    ///
    /// # Errors
    /// It is no pod, has no name, or a UID that is none.
    pub(super) fn pod_id(&mut self, pod: &PodLite) -> Result<PodId, Oddity> {
        pod::identity(self, pod)
    }

    /// A kubelet's event on a pod; `None` for an event that is not the kubelet's, not on a pod, or
    /// irrelevant.
    ///
    /// # Errors
    /// It is no event, does not say on which pod, or has no time at all.
    pub(super) fn event(&mut self, event: &EventLite) -> Result<Option<KubeletEvent>, Oddity> {
        event::kubelet_event(self, event)
    }

    /// The template of a workload's revision; `revision_hash` is the value its pods carry, and in which
    /// label.
    ///
    /// # Errors
    /// It has no list of containers.
    pub fn template(
        &mut self,
        template: &PodTemplateLite,
        revision_hash: Option<(HashLabel, &str)>,
    ) -> Result<Arc<PodTemplate>, Oddity> {
        template::of_revision(self, template, revision_hash)
    }

    /// The shared copy of a recurring name.
    pub fn name(&mut self, text: &str) -> Arc<str> {
        self.names.get(text)
    }
}

#[cfg(test)]
mod tests;

//! Objects → the engine's input, with shared values kept once.

mod event;
mod intern;
mod odd;
mod pod;
mod probe;
mod template;
mod words;

use std::sync::Arc;

use crate::engine::{HashLabel, KubeletEvent, PodId, PodSnapshot, PodTemplate, Seen};

use super::objects::{EventLite, Oddity, PodLite, PodTemplateLite};
use intern::{Names, Templates};
use odd::Odd;

/// Turns objects into observations.
///
/// It remembers only what it hands out again: names, and the templates that pods share. Unused entries are
/// dropped, so that it stays as small as what the engine keeps.
#[derive(Debug, Default)]
pub struct Observer {
    names: Names,
    templates: Templates,
    odd: Odd,
}

impl Observer {
    /// An observer that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The oddities of the objects read since the last call: fields that were treated as absent, each with
    /// its path. An odd field of a template is noted when the template is first seen.
    pub fn take_oddities(&mut self) -> Vec<Oddity> {
        self.odd.take()
    }

    /// A pod as it is now.
    ///
    /// # Errors
    /// It is not a pod, or has no name, an invalid UID, or no list of containers.
    pub fn pod(&mut self, pod: &PodLite, seen: Seen) -> Result<PodSnapshot, Oddity> {
        pod::snapshot(self, pod, seen)
    }

    /// The identity of a pod that is gone.
    ///
    /// # Errors
    /// It is not a pod, or has no name or an invalid UID.
    pub fn pod_id(&mut self, pod: &PodLite) -> Result<PodId, Oddity> {
        pod::identity(self, pod)
    }

    /// A kubelet's event on a pod; `None` for an event that is not the kubelet's, not on a pod, or
    /// irrelevant.
    ///
    /// # Errors
    /// It is not an event, names no pod, or has no time at all.
    pub fn event(&mut self, event: &EventLite) -> Result<Option<KubeletEvent>, Oddity> {
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

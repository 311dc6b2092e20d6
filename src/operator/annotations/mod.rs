//! What the annotations of workloads, their pods and their namespaces ask for.
//!
//! Those of a pod come with the watch of pods, those of a workload with the engine's look-ups, which are
//! repeated while it has an open finding; those of a namespace, where the settings want them, are read as often.
//! The engine does not know them. [`Annotated`] is sans-IO.
//!
//! Invariants:
//! - Annotations concern the findings of their own workload and nothing else.
//! - What cannot be read, or not in time, silences nothing.

pub mod events;
mod namespaces;
mod notes;
mod pods;
mod read;
mod told;
mod workloads;

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub use read::Refused;

use crate::config::Annotations;
use crate::engine::{Finding, Need, Observation};
use crate::finding::Identity;
use crate::findings::asked::Asked;
use crate::findings::board::Entry;
use crate::source::Input;
use crate::source::cluster::{Answer, NamespaceAnswer};
use crate::source::objects::PodLite;
use crate::time::Time;
use namespaces::Namespaces;
use pods::Pods;
use read::{Level, read};
use told::Told;
use workloads::Workloads;

/// How long receivers that heed annotations are not notified of a finding whose annotations are unknown: a
/// few attempts at a look-up, or the first list after a start.
const PATIENCE: Duration = Duration::from_secs(30);
/// Annotations that were read longer than this before a finding was confirmed are read again first.
const STALE: Duration = Duration::from_mins(2);
/// Minimum interval between look-ups for the sake of annotations.
const REFRESH: Duration = Duration::from_secs(1);

/// Reports a value that has no effect, with namespace and workload; once for each object that has it.
pub type Complain = Box<dyn Fn(&str, &str, &Refused) + Send>;

/// The annotations that are known, and what they ask for.
pub struct Annotated {
    settings: Annotations,
    pods: Pods,
    workloads: Workloads,
    namespaces: Namespaces,
    /// The open findings of namespaces whose annotations matter.
    open: BTreeSet<Identity>,
    told: Told,
    complain: Complain,
    started: Option<Time>,
    refreshed: Time,
    /// What most findings share: nothing is asked for.
    nothing: Arc<Asked>,
}

impl Annotated {
    /// Nothing is known yet.
    pub fn new(settings: Annotations) -> Self {
        Self {
            settings,
            pods: Pods::default(),
            workloads: Workloads::default(),
            namespaces: Namespaces::default(),
            open: BTreeSet::new(),
            told: Told::default(),
            complain: Box::new(|_, _, _| ()),
            started: None,
            refreshed: Time::default(),
            nothing: Arc::default(),
        }
    }

    /// Reports values that have no effect.
    pub fn set_complain(&mut self, complain: Complain) {
        self.complain = complain;
    }

    /// Continues with other settings; `open` are the findings on the board.
    pub fn set_settings(&mut self, settings: Annotations, open: &[Entry]) {
        self.settings = settings;
        self.open.clear();
        for entry in open {
            self.note(entry);
        }
    }

    /// Takes in what the watches deliver; `false` if that changes nothing for an open finding.
    pub fn handle_input<P: Borrow<PodLite>, E>(&mut self, input: &Input<P, E>, now: Time) -> bool {
        let is_new = match input {
            Input::Pod(pod, _) => self.pods.saw(pod.borrow()),
            Input::PodGone(pod) => {
                self.pods.gone(pod.borrow(), now);
                false
            }
            Input::ListStarted(scope) => {
                self.pods.list_started(scope);
                false
            }
            Input::ListFinished(scope) => {
                self.pods.list_finished(scope, now);
                true
            }
            Input::Event(_) => false,
        };
        is_new && !self.open.is_empty()
    }

    /// Takes in the answer to a look-up; `false` if that changes nothing for an open finding.
    pub fn handle_answer(&mut self, answer: &Answer, facts: Option<&Observation>, now: Time) -> bool {
        let open = &self.open;
        self.workloads.make_room(|(namespace, workload)| {
            open.iter().any(|identity| identity.namespace == *namespace && identity.workload == *workload)
        });
        self.workloads.answered(answer, facts, now) && !self.open.is_empty()
    }

    /// Takes in what was read of a namespace; `false` if that changes nothing for an open finding.
    pub fn handle_namespace(&mut self, answer: &NamespaceAnswer, now: Time) -> bool {
        self.namespaces.answered(answer, now)
    }

    /// Takes in what is about to be shown.
    pub fn note(&mut self, entry: &Entry) {
        let identity = entry.finding.identity();
        if entry.is_open() && self.settings.grants.name(&identity.namespace) {
            self.open.insert(identity);
        } else {
            self.open.remove(&identity);
        }
    }

    /// A finding is shown no more.
    pub fn forget(&mut self, identity: &Identity) {
        self.open.remove(identity);
    }

    /// What is asked for about a finding at `now`, and when that changes by itself.
    pub fn ask(&mut self, finding: &Finding, now: Time) -> (Arc<Asked>, Option<Time>) {
        self.started.get_or_insert(now);
        if !self.settings.grants.name(&finding.namespace) {
            return (Arc::clone(&self.nothing), None);
        }
        let key = (Arc::clone(&finding.namespace), Arc::clone(&finding.workload));
        let pods_of = format!("pods of {}", finding.workload);
        let of_workload = self.workloads.get(&key).map(|(notes, _)| Level { source: &finding.workload, notes });
        let of_pod = finding.example.as_ref().and_then(|example| self.pods.get(&finding.namespace, example));
        let of_pod = of_pod.map(|notes| Level { source: &pods_of, notes });
        let namespace = format!("Namespace/{}", finding.namespace);
        let of_namespace = self.namespaces.get(&finding.namespace).filter(|_| self.settings.namespaces);
        let of_namespace = of_namespace.map(|notes| Level { source: &namespace, notes });
        let levels: Vec<Level> = of_workload.into_iter().chain(of_pod).chain(of_namespace).collect();
        let mut reading = read(&levels, &finding.namespace, &self.settings, now);
        for refused in &reading.refused {
            let of: &str = if refused.source == namespace { &namespace } else { &finding.workload };
            if self.told.is_new(&(&finding.namespace, of, refused.annotation, &refused.value)) {
                (self.complain)(&finding.namespace, &finding.workload, refused);
            }
        }
        reading.asked.unread_until = self.unread_until(finding, now);
        let turns = reading.turns.into_iter().chain(reading.asked.unread_until).min();
        (Arc::new(reading.asked), turns)
    }

    /// A look-up that is due for the sake of the annotations.
    pub fn refresh(&mut self, now: Time) -> Option<Need> {
        if self.next_refresh().is_none_or(|due| due > now) {
            return None;
        }
        self.refreshed = now;
        self.pods.forget(now);
        if self.settings.namespaces {
            self.namespaces.refresh(self.open.iter().map(|identity| Arc::clone(&identity.namespace)), now);
        }
        let keys = self.open.iter().map(|identity| (Arc::clone(&identity.namespace), Arc::clone(&identity.workload)));
        self.workloads.refresh(keys, now)
    }

    /// The namespaces that are to be read, for the sake of their annotations.
    pub fn take_namespaces(&mut self) -> Vec<Arc<str>> {
        self.namespaces.take_due()
    }

    /// When [`Annotated::refresh`] is next due.
    pub fn next_refresh(&self) -> Option<Time> {
        (!self.open.is_empty()).then(|| self.refreshed.plus(REFRESH))
    }

    fn unread_until(&self, finding: &Finding, now: Time) -> Option<Time> {
        let from = finding.confirmed_at?.max(self.started?);
        let key = (Arc::clone(&finding.namespace), Arc::clone(&finding.workload));
        let is_read = || self.workloads.get(&key).is_some_and(|(_, read)| read >= from.minus(STALE));
        let is_read_too =
            || !self.settings.namespaces || self.namespaces.are_read_since(&finding.namespace, from.minus(STALE));
        let is_known = self.pods.are_listed() && (finding.workload.starts_with("Pod/") || is_read()) && is_read_too();
        Some(from.plus(PATIENCE)).filter(|until| *until > now && !is_known)
    }
}

#[cfg(test)]
mod tests;

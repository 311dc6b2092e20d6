//! The engine's caller: passes observations in, and changes on to the board and the log.
//!
//! [`Driver`] is sans-IO, like the engine: it is given inputs and the time, and asked which needs it has
//! and when it is next due. [`run`] is the task around it.

mod change_log;
mod oddities;
mod publisher;
mod task;

use std::borrow::Borrow;
use std::sync::Arc;

pub use oddities::{Kind, Loss, Skipped};
pub use task::{Ask, Ended, Inlets, Memory, Surroundings, run};

use crate::config::{Config, Watch};
use crate::engine::incident::Incident;
use crate::engine::{Change, Chronicled, Engine, Finding, Need, Observation};
use crate::finding::Identity;
use crate::findings::board::Board;
use crate::metrics::instruments::Instruments;
use crate::operator::annotations::Complain;
use crate::source::cluster::{Answer, NamespaceAnswer};
use crate::source::objects::{EventLite, PodLite};
use crate::source::{Input, Observed, Observer};
use crate::time::Time;
use oddities::Oddities;
use publisher::Publisher;

/// Maximum number of workloads evaluated in one go.
const AT_ONCE: usize = 16;

/// An observer of the engine's inputs and outputs. It is called inline and must not take long.
pub trait Onlooker: Send {
    /// The observation is about to be passed to the engine.
    fn observed(&mut self, observation: &Observation, now: Time);
    /// The engine has emitted this change.
    fn changed(&mut self, change: &Change);
}

/// Owns the engine and everything needed to feed it.
pub struct Driver {
    engine: Engine,
    observer: Observer,
    shown: Publisher,
    oddities: Oddities,
    watched: Watch,
    instruments: Arc<Instruments>,
    onlooker: Option<Box<dyn Onlooker>>,
}

impl Driver {
    /// A driver that has seen nothing; its changes are published on `board`.
    pub fn new(config: &Config, board: Arc<Board>, instruments: Arc<Instruments>, skipped: Skipped) -> Self {
        let mut engine = Engine::new(config.detection.clone());
        if config.page.enabled {
            engine.keep_chronicle(Chronicled::Unwell);
        }
        Self {
            engine,
            observer: Observer::new(),
            shown: Publisher::new(board, config),
            oddities: Oddities::new(skipped),
            watched: config.watch.clone(),
            instruments,
            onlooker: None,
        }
    }

    /// The same, with an onlooker.
    #[must_use]
    pub fn seen_by(self, onlooker: Box<dyn Onlooker>) -> Self {
        Self { onlooker: Some(onlooker), ..self }
    }

    /// The same; values of annotations that have no effect are reported.
    #[must_use]
    pub fn complaining(mut self, complain: Complain) -> Self {
        self.shown.set_complain(complain);
        self
    }

    /// Takes in an input from the watches.
    pub fn handle_input<P: Borrow<PodLite>, E: Borrow<EventLite>>(&mut self, input: &Input<P, E>, now: Time) {
        self.shown.handle_input(input, now);
        if let Some(observation) = self.observe(input, now) {
            self.apply(observation, now);
        }
    }

    /// Takes in the answer to a look-up. `false` if it does not contain what was asked for: the engine asks
    /// again when something changes.
    pub fn handle_answer(&mut self, answer: &Answer, now: Time) -> bool {
        let (observation, odd) = answer.observation(&mut self.observer);
        let (Need::Workload { namespace, .. } | Need::Services { namespace, .. }) = &answer.need;
        for oddity in odd {
            self.oddities.note(Kind::Related, Loss::Object, namespace, &oddity, now);
        }
        for oddity in self.observer.take_oddities() {
            self.oddities.note(Kind::Related, Loss::Field, namespace, &oddity, now);
        }
        self.shown.handle_answer(answer, observation.as_ref(), now);
        let Some(observation) = observation else {
            return false;
        };
        self.apply(observation, now);
        true
    }

    /// Takes in the annotations of a namespace.
    pub fn handle_namespace(&mut self, answer: &NamespaceAnswer, now: Time) {
        self.shown.handle_namespace(answer, now);
    }

    /// Takes in findings published before a restart, or by another replica. Open ones are shown at once:
    /// the engine publishes nothing about them until something changes. Those of namespaces that are not
    /// watched any more are withdrawn: nobody will see them end.
    pub fn handle_memory(&mut self, findings: Vec<Finding>, now: Time) {
        for finding in findings {
            if self.watched.excludes(&finding.namespace) {
                self.shown.forget(&finding, now);
                continue;
            }
            self.shown.remember(&finding, now);
            self.engine.apply(Observation::Remembered(Box::new(finding)), now);
        }
        self.speak(now);
    }

    /// Continues with other settings.
    pub fn handle_settings(&mut self, config: &Config, now: Time) {
        self.engine.set_settings(config.detection.clone());
        self.shown.set_settings(config, now);
    }

    /// Lets time pass, for some of what is due: with thousands of workloads the rest stays due, so that a
    /// stop requested meanwhile need not wait for it.
    pub fn handle_deadline(&mut self, now: Time) {
        self.engine.tick_some(now, AT_ONCE);
        self.shown.tick(now);
    }

    /// When [`Driver::handle_deadline`] is next due, if no input arrives first.
    pub fn next_deadline(&self) -> Option<Time> {
        self.engine.next_deadline().into_iter().chain(self.shown.next_deadline()).min()
    }

    /// The needs that have come up since the last call.
    pub fn take_needs(&mut self) -> Vec<Need> {
        let mut needs = self.engine.take_needs();
        needs.extend(self.shown.take_need());
        needs
    }

    /// The namespaces whose annotations are to be read.
    pub fn take_namespaces(&mut self) -> Vec<Arc<str>> {
        self.shown.take_namespaces()
    }

    /// Passes on the engine's changes and counts.
    pub fn speak(&mut self, now: Time) {
        for change in self.engine.take_changes() {
            self.shown.change(&change, now);
            if let Some(onlooker) = &mut self.onlooker {
                onlooker.changed(&change);
            }
        }
        self.instruments.count(&self.engine.take_counts(), now);
    }

    /// Publishes the counts that were still held back: nothing is published after this.
    pub fn handle_stop(&mut self, now: Time) {
        self.speak(now);
        for finding in self.engine.findings() {
            self.shown.last_count(finding, now);
        }
    }

    /// The course of a finding, as far as it is remembered.
    pub fn incident(&self, finding: &Identity) -> Incident {
        self.engine.incident(finding)
    }

    /// The number of pods that the engine keeps.
    pub fn pods(&self) -> usize {
        self.engine.pods()
    }

    /// The number of events dropped because their pod was never seen.
    pub const fn events_without_pod(&self) -> u64 {
        self.engine.events_without_pod()
    }

    fn apply(&mut self, observation: Observation, now: Time) {
        if let Some(onlooker) = &mut self.onlooker {
            onlooker.observed(&observation, now);
        }
        self.engine.apply(observation, now);
    }

    /// The observation that an input becomes for the engine; its oddities are counted and logged.
    fn observe<P: Borrow<PodLite>, E: Borrow<EventLite>>(
        &mut self,
        input: &Input<P, E>,
        now: Time,
    ) -> Option<Observation> {
        let (observation, odd, loss) = match self.observer.observe(input) {
            Ok(Observed { observation, odd }) if odd.is_empty() => return observation,
            Ok(Observed { observation, odd }) => (observation, odd, Loss::Field),
            Err(oddity) => (None, vec![oddity], Loss::Object),
        };
        let (kind, place) = oddities::place(input);
        for oddity in &odd {
            self.oddities.note(kind, loss, &place, oddity, now);
        }
        observation
    }
}

#[cfg(test)]
mod tests;

//! The engine's caller: what is seen goes in, what is said goes onto the board and into the log.
//!
//! [`Driver`] is sans-IO, like the engine: it is given inputs and the time, and asked what it wants to
//! know and when it is next due. [`run`] is the task around it.

mod change_log;
mod oddities;
mod publisher;
mod task;

use std::borrow::Borrow;
use std::sync::Arc;

pub use oddities::{Kind, Loss, Skipped};
pub use task::{Ended, Inlets, Memory, Surroundings, run};

use crate::config::Config;
use crate::engine::{Change, Engine, Finding, Need, Observation};
use crate::findings::board::Board;
use crate::metrics::instruments::Instruments;
use crate::source::cluster::Answer;
use crate::source::objects::{EventLite, PodLite};
use crate::source::{Input, Observed, Observer};
use crate::time::Time;
use oddities::Oddities;
use publisher::Publisher;

/// Workloads that are looked at in one go.
const AT_ONCE: usize = 16;

/// Somebody who looks on: hears what the engine hears and says, when it does, and must not take long.
pub trait Onlooker: Send {
    /// The engine is about to be told this.
    fn observed(&mut self, observation: &Observation, now: Time);
    /// The engine has said this.
    fn changed(&mut self, change: &Change);
}

/// Owns the engine and all that is needed to feed it.
pub struct Driver {
    engine: Engine,
    observer: Observer,
    shown: Publisher,
    oddities: Oddities,
    instruments: Arc<Instruments>,
    onlooker: Option<Box<dyn Onlooker>>,
}

impl Driver {
    /// A driver that has seen nothing; what it says goes onto `board`.
    pub fn new(config: &Config, board: Arc<Board>, instruments: Arc<Instruments>, skipped: Skipped) -> Self {
        Self {
            engine: Engine::new(config.detection.clone()),
            observer: Observer::new(),
            shown: Publisher::new(board, config.silences.clone()),
            oddities: Oddities::new(skipped),
            instruments,
            onlooker: None,
        }
    }

    /// The same, with somebody who looks on.
    #[must_use]
    pub fn seen_by(self, onlooker: Box<dyn Onlooker>) -> Self {
        Self { onlooker: Some(onlooker), ..self }
    }

    /// Takes in what was seen.
    pub fn handle_input<P: Borrow<PodLite>, E: Borrow<EventLite>>(&mut self, input: &Input<P, E>, now: Time) {
        if let Some(observation) = self.observe(input, now) {
            self.apply(observation, now);
        }
    }

    /// Takes in what was looked up. `false` where it does not say what was asked for: the engine asks
    /// again when there is news.
    pub fn handle_answer(&mut self, answer: &Answer, now: Time) -> bool {
        let (observation, odd) = answer.observation(&mut self.observer);
        let (Need::Workload { namespace, .. } | Need::Services { namespace, .. }) = &answer.need;
        for oddity in odd {
            self.oddities.note(Kind::Related, Loss::Object, namespace, &oddity, now);
        }
        for oddity in self.observer.take_oddities() {
            self.oddities.note(Kind::Related, Loss::Field, namespace, &oddity, now);
        }
        let Some(observation) = observation else {
            return false;
        };
        self.apply(observation, now);
        true
    }

    /// Takes in what was said before a restart, or by another replica. What goes on is shown at once:
    /// the engine says nothing of it until there is news.
    pub fn handle_memory(&mut self, findings: Vec<Finding>, now: Time) {
        for finding in findings {
            self.shown.remember(&finding, now);
            self.engine.apply(Observation::Remembered(Box::new(finding)), now);
        }
        self.speak(now);
    }

    /// Goes on with other settings.
    pub fn handle_settings(&mut self, config: &Config, now: Time) {
        self.engine.set_settings(config.detection.clone());
        self.shown.set_silences(config.silences.clone(), now);
    }

    /// Lets time pass, for some of what is due: where thousands of workloads are, the rest stays due, and
    /// the end that is asked for meanwhile need not wait for it.
    pub fn handle_deadline(&mut self, now: Time) {
        self.engine.tick_some(now, AT_ONCE);
        self.shown.tick(now);
    }

    /// When [`Driver::handle_deadline`] is next due, if nothing is seen before.
    pub fn next_deadline(&self) -> Option<Time> {
        self.engine.next_deadline().into_iter().chain(self.shown.next_deadline()).min()
    }

    /// What it would like to know since the last call.
    pub fn take_needs(&mut self) -> Vec<Need> {
        self.engine.take_needs()
    }

    /// Passes on what the engine says and counts.
    pub fn speak(&mut self, now: Time) {
        for change in self.engine.take_changes() {
            self.shown.change(&change, now);
            if let Some(onlooker) = &mut self.onlooker {
                onlooker.changed(&change);
            }
        }
        self.instruments.count(&self.engine.take_counts(), now);
    }

    /// Shows the counts that waited for their time: after this nothing more is said.
    pub fn handle_stop(&mut self, now: Time) {
        self.speak(now);
        for finding in self.engine.findings() {
            self.shown.last_count(finding, now);
        }
    }

    /// How many pods the engine keeps.
    pub fn pods(&self) -> usize {
        self.engine.pods()
    }

    /// Events that were dropped because their pod was never seen.
    pub const fn events_without_pod(&self) -> u64 {
        self.engine.events_without_pod()
    }

    fn apply(&mut self, observation: Observation, now: Time) {
        if let Some(onlooker) = &mut self.onlooker {
            onlooker.observed(&observation, now);
        }
        self.engine.apply(observation, now);
    }

    /// What the engine is given of an input; what is odd about it is counted and logged.
    fn observe<P: Borrow<PodLite>, E: Borrow<EventLite>>(
        &mut self,
        input: &Input<P, E>,
        now: Time,
    ) -> Option<Observation> {
        let (read, loss) = match self.observer.observe(input) {
            Ok(Observed { observation, odd }) if odd.is_empty() => return observation,
            Ok(Observed { observation, odd }) => ((observation, odd), Loss::Field),
            Err(oddity) => ((None, vec![oddity]), Loss::Object),
        };
        let (observation, odd) = read;
        let (kind, place) = oddities::place(input);
        for oddity in &odd {
            self.oddities.note(kind, loss, &place, oddity, now);
        }
        observation
    }
}

#[cfg(test)]
mod tests;

//! Whether this process is alive, and whether it is ready.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A loop that has not beaten for this long hangs: it beats at least every few seconds.
const HANGS_AFTER: Duration = Duration::from_secs(30);

/// Signals that a loop is still running; cheap to clone.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    began: Instant,
    /// Milliseconds after `began`.
    last: Arc<AtomicU64>,
}

impl Heartbeat {
    /// A heart that has just beaten.
    pub fn new() -> Self {
        Self { began: Instant::now(), last: Arc::default() }
    }

    /// Beats.
    pub fn beat(&self) {
        self.last.store(self.began.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// Time since the last beat.
    pub fn silent_for(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }

    /// Whether it beat recently.
    pub fn is_alive(&self) -> bool {
        self.silent_for() < HANGS_AFTER
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self::new()
    }
}

/// The conditions for this replica to become ready; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    all: Arc<Mutex<Vec<Item>>>,
}

#[derive(Debug)]
struct Item {
    what: &'static str,
    state: State,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    Awaited,
    Done,
    DoneWithout(String),
}

/// One condition that readiness waits for.
#[derive(Debug)]
pub struct Awaited {
    readiness: Readiness,
    place: usize,
}

impl Readiness {
    /// Adds a condition: `the first list of pods`.
    pub fn wait_for(&self, what: &'static str) -> Awaited {
        let mut all = self.locked();
        all.push(Item { what, state: State::Awaited });
        Awaited { readiness: self.clone(), place: all.len() - 1 }
    }

    /// Whether all conditions are met.
    pub fn is_ready(&self) -> bool {
        self.locked().iter().all(|item| item.state != State::Awaited)
    }

    /// One line per condition.
    pub fn lines(&self) -> Vec<String> {
        let line = |item: &Item| match &item.state {
            State::Awaited => format!("waiting for {}", item.what),
            State::Done => format!("ok: {}", item.what),
            State::DoneWithout(why) => format!("ok without {}: {why}", item.what),
        };
        self.locked().iter().map(line).collect()
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Item>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Awaited {
    /// The condition is met.
    pub fn done(&self) {
        self.set(State::Done);
    }

    /// The condition will not be met, and the replica works without it: `events may not be watched`.
    pub fn done_without(&self, why: impl Into<String>) {
        self.set(State::DoneWithout(why.into()));
    }

    fn set(&self, state: State) {
        self.readiness.locked()[self.place].state = state;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_ready_when_all_has_happened_or_will_not() {
        let readiness = Readiness::default();
        let pods = readiness.wait_for("the first list of pods");
        let events = readiness.wait_for("the first list of events");
        assert!(!readiness.is_ready());
        events.done_without("forbidden");
        assert_eq!(
            readiness.lines(),
            ["waiting for the first list of pods", "ok without the first list of events: forbidden"]
        );
        pods.done();
        assert!(readiness.is_ready());
    }

    #[test]
    fn a_heart_that_has_just_been_made_is_alive() {
        let heartbeat = Heartbeat::new();
        heartbeat.beat();
        assert!(heartbeat.is_alive() && heartbeat.silent_for() < Duration::from_secs(1));
    }
}

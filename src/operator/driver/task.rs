//! The task around the driver.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, Stream, StreamExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::Driver;
use crate::config::Config;
use crate::engine::incident::Incident;
use crate::engine::{Finding, Need};
use crate::finding::Identity;
use crate::runtime::stop::Stop;
use crate::source::Input;
use crate::source::cluster::{Answer, CatchUp, NamespaceAnswer};
use crate::time::Time;

/// Maximum number of observations taken in before anything else gets its turn: some milliseconds' worth.
const BATCH: usize = 256;
/// Maximum sleep: the time of day may be adjusted meanwhile.
const MAX_SLEEP: Duration = Duration::from_secs(10);
/// Minimum sleep before something due: times are whole milliseconds.
const TICK: Duration = Duration::from_millis(1);
/// Maximum time spent on what is due and observed before the stop signal is checked again.
const SLICE: Duration = Duration::from_millis(100);
/// How often to check whether the watch is back.
const BLIND_POLL: Duration = Duration::from_millis(500);

/// Findings published before a restart, or by another replica.
#[derive(Debug)]
pub struct Memory {
    /// The findings.
    pub findings: Vec<Finding>,
    /// Completed when the engine knows them and the board shows them.
    pub taken: oneshot::Sender<()>,
}

/// A question about the course of a finding.
#[derive(Debug)]
pub struct Ask {
    /// Which finding.
    pub finding: Identity,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Incident>,
}

/// The sources of all that the driver takes in, in order of priority.
pub struct Inlets<S> {
    /// Ends the task.
    pub stop: Stop,
    /// The settings.
    pub config: watch::Receiver<Arc<Config>>,
    /// Findings published by other replicas.
    pub memories: mpsc::Receiver<Memory>,
    /// Answers to look-ups.
    pub answers: mpsc::Receiver<Answer>,
    /// Annotations of namespaces.
    pub namespaces: mpsc::Receiver<NamespaceAnswer>,
    /// Questions about the course of findings.
    pub asks: mpsc::Receiver<Ask>,
    /// What the watches deliver.
    pub observations: S,
}

/// Why the driver cannot continue.
#[derive(thiserror::Error, Debug, PartialEq, Eq)]
#[error("the watch of the cluster has ended")]
pub struct Ended;

/// What the task needs from its surroundings; no method may block.
pub trait Surroundings {
    /// The time of day.
    fn now(&self) -> Time;
    /// Whether pods are being watched at the moment. While they are not, silence proves nothing, and no
    /// time passes for the engine.
    fn sees(&self) -> bool;
    /// Passes on a need of the engine.
    fn ask(&mut self, need: Need);
    /// Has the annotations of a namespace read.
    fn ask_namespace(&mut self, namespace: Arc<str>);
    /// The loop has completed an iteration, which took in so many observations.
    fn loop_completed(&mut self, observations: usize);
}

/// Drives until `stop`.
///
/// # Errors
/// The stream of observations has ended.
pub async fn run<S>(driver: Driver, inlets: Inlets<S>, surroundings: impl Surroundings) -> Result<(), Ended>
where
    S: Stream<Item = Input>,
{
    let Inlets { mut stop, mut config, mut memories, mut answers, mut namespaces, mut asks, observations } = inlets;
    let mut observations = pin!(observations);
    let mut task = Task { driver, surroundings, catch_up: CatchUp::new() };
    loop {
        let due = task.due();
        let mut seen = 0;
        tokio::select! {
            biased;
            // 1. Stop.
            () = stop.asked() => {
                task.step(Driver::handle_stop);
                return Ok(());
            }
            // 2. Settings.
            Ok(()) = config.changed() => {
                let config = Arc::clone(&config.borrow_and_update());
                task.step(|driver, now| driver.handle_settings(&config, now));
            }
            // 3. Findings of other replicas.
            Some(memory) = memories.recv() => {
                task.step(|driver, now| driver.handle_memory(memory.findings, now));
                // The requester may have gone meanwhile.
                let _ = memory.taken.send(());
            }
            // 4. Answers to look-ups.
            Some(answer) = answers.recv() => {
                task.step(|driver, now| _ = driver.handle_answer(&answer, now));
            }
            // 5. Annotations of namespaces.
            Some(answer) = namespaces.recv() => {
                task.step(|driver, now| driver.handle_namespace(&answer, now));
            }
            // 6. Questions of the page: rare, since it keeps the answers for a while.
            Some(ask) = asks.recv() => {
                // Who asked may have gone meanwhile.
                let _ = ask.answer.send(task.driver.incident(&ask.finding));
            }
            // 7. Observations.
            observation = observations.next() => {
                let Some(first) = observation else { return Err(Ended) };
                seen = task.batch(first, || observations.next().now_or_never().flatten());
                task.deadline();
                tokio::task::yield_now().await;
            }
            // 8. What is due.
            () = tokio::time::sleep_until(due) => task.deadline(),
        }
        task.surroundings.loop_completed(seen);
    }
}

struct Task<S> {
    driver: Driver,
    surroundings: S,
    catch_up: CatchUp,
}

impl<S: Surroundings> Task<S> {
    fn step(&mut self, step: impl FnOnce(&mut Driver, Time)) {
        let (started, now) = (Instant::now(), self.surroundings.now());
        step(&mut self.driver, now);
        self.driver.speak(now);
        for need in self.driver.take_needs() {
            self.surroundings.ask(need);
        }
        for namespace in self.driver.take_namespaces() {
            self.surroundings.ask_namespace(namespace);
        }
        self.driver.instruments.step(started.elapsed(), self.driver.pods());
        self.driver.instruments.events_without_pod(self.driver.events_without_pod());
    }

    /// Takes in what is ready, without waiting for more; returns how many there were.
    fn batch(&mut self, first: Input, mut more: impl FnMut() -> Option<Input>) -> usize {
        let (mut taken, began) = (0, Instant::now());
        self.step(|driver, now| {
            let more = std::iter::from_fn(|| if began.elapsed() < SLICE { more() } else { None });
            for input in std::iter::once(first).chain(more).take(BATCH) {
                driver.handle_input(&input, now);
                taken += 1;
            }
        });
        taken
    }

    /// Lets time pass, while something is due and pods are being watched.
    fn deadline(&mut self) {
        let (began, now) = (Instant::now(), self.surroundings.now());
        let blind = self.is_blind();
        let is_due = |driver: &Driver| driver.next_deadline().is_some_and(|deadline| deadline <= now);
        while !blind && is_due(&self.driver) && began.elapsed() < SLICE {
            self.step(Driver::handle_deadline);
        }
    }

    /// When to check again whether something is due.
    fn due(&mut self) -> Instant {
        let now = Instant::now();
        if self.is_blind() {
            return now + BLIND_POLL;
        }
        let deadline = self.driver.next_deadline();
        now + deadline.map_or(MAX_SLEEP, |deadline| deadline.since(self.surroundings.now()).clamp(TICK, MAX_SLEEP))
    }

    fn is_blind(&mut self) -> bool {
        self.catch_up.is_blind(self.surroundings.sees())
    }
}

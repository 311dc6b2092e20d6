//! What is remembered of one container of one pod: its incarnations, and the kubelet's events.
//!
//! Raw facts only, in any order and any number of times; [`crate::engine::view::termination`] interprets
//! them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::diagnosis::Blocked;
use crate::engine::memory::node_clock::Clock;
use crate::engine::observation::{ContainerId, Terminated, Uid};
use crate::kubelet::{Failure, ProbeKind};
use crate::time::Time;

/// Maximum number of incarnations kept of a container; older ones are folded into its template's record.
pub const MAX_INCARNATIONS: usize = 10;
/// Maximum number of distinct probe events kept of a container.
const MAX_WORDS: usize = 16;
/// Maximum number of single failures kept of a container, for attribution to its incarnations.
const MAX_SAMPLES: usize = 48;
/// Maximum number of Killing events kept of a container.
const MAX_KILLINGS: usize = 12;

/// What is remembered of one container.
#[derive(Debug, Default)]
pub struct History {
    /// Its pod's name, for reports.
    pub pod: Option<Arc<str>>,
    /// Its incarnations, oldest first; the last one may still run.
    pub incarnations: VecDeque<Incarnation>,
    /// When the last incarnation that is no longer kept terminated.
    pub cut: Option<Time>,
    /// Its probe events.
    pub probe_events: Vec<ProbeEvent>,
    /// Single failures, by time.
    pub samples: VecDeque<Sample>,
    /// Killing events, by time.
    pub killings: VecDeque<Kill>,
    /// Number of terminations seen in the status so far.
    pub ends: u32,
    /// The last observed `restartCount`.
    pub restarts: u32,
    /// Why it cannot start, while it cannot.
    pub blocked: Option<Blocked>,
    /// Since when no sandbox, or no volume, could be created for its pod.
    pub no_sandbox_since: Option<Time>,
    /// When its postStart hook was reported to have failed.
    pub hooks: VecDeque<Time>,
    /// When it last turned out that changes of it had been missed.
    pub gap: Option<Time>,
}

/// One incarnation.
#[derive(Debug, Clone)]
pub struct Incarnation {
    /// Its container ID.
    pub id: Option<ContainerId>,
    /// When it started, in whole seconds.
    pub started: Option<Time>,
    /// When it was first seen ready.
    pub ready: Option<Time>,
    /// When it was first seen ready after having been seen to run and not to be ready.
    pub became_ready: Option<Time>,
    /// When it was first seen `started` after having been seen not `started`.
    pub came_up: Option<Time>,
    /// Whether it was seen `started`.
    pub has_started: bool,
    /// The last time at which it was seen to run.
    pub seen_running: Option<Time>,
    /// How it terminated.
    pub end: Option<Termination>,
}

/// An incarnation's termination according to its pod's status.
#[derive(Debug, Clone)]
pub struct Termination {
    /// The status.
    pub ended: Terminated,
    /// When it was first seen there.
    pub seen_at: Time,
    /// Whether the container was seen `terminated` before it was replaced; `None` if the watch was broken
    /// in between.
    pub by_itself: Option<bool>,
    /// Whether the pod was being deleted or had been terminated as a whole.
    pub with_pod: bool,
    /// Whether the status showed that its postStart hook had failed.
    pub hook: bool,
}

/// A result of a probe, counted by one event.
#[derive(Debug, Clone)]
pub struct ProbeEvent {
    /// The event.
    pub event: Uid,
    /// Which probe.
    pub probe: ProbeKind,
    /// The kind of result.
    pub kind: ProbeEventKind,
    /// What went wrong.
    pub failure: Failure,
    /// The kubelet's message.
    pub text: Arc<str>,
    /// The address that it says the probe connected to, for a failure.
    pub dialed: Option<Box<SocketAddr>>,
    /// A hash of the message, even if the message itself is not kept.
    pub mark: u64,
    /// The event's count.
    pub count: u32,
    /// First occurrence.
    pub first: Time,
    /// Last occurrence.
    pub last: Time,
}

/// The kind of a probe's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeEventKind {
    /// It failed: counted by the kubelet.
    Failed,
    /// It could not run.
    Errored,
    /// It passed with a warning.
    Warned,
}

/// One failure of a probe.
#[derive(Debug, Clone)]
pub struct Sample {
    /// When, in whole seconds.
    pub at: Time,
    /// Which probe.
    pub probe: ProbeKind,
    /// What went wrong.
    pub failure: Failure,
    /// The number of failures that it stands for: more than one if some were lost.
    pub count: u32,
}

/// A Killing event.
#[derive(Debug, Clone, PartialEq)]
pub struct Kill {
    /// When, in whole seconds.
    pub at: Time,
    /// The reason it gives.
    pub why: KillReason,
    /// The event's count by then.
    pub count: u32,
}

/// The reason of a Killing event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillReason {
    /// A probe failed.
    Probe(ProbeKind),
    /// "Stopping container".
    Stopping,
    /// The postStart hook failed.
    Hook,
    /// On purpose.
    Deliberate,
}

impl Termination {
    /// When it terminated, by our clock.
    pub fn at(&self, clock: Clock) -> Time {
        self.ended.finished.map_or(self.seen_at, |finished| clock.ours(finished))
    }
}

impl ProbeEvent {
    /// Takes over a later state of the same event; returns the increase of its count.
    fn count_on(&mut self, later: Self) -> u32 {
        let more = later.count.saturating_sub(self.count);
        self.count = self.count.max(later.count);
        if more > 0 && later.last >= self.last {
            self.last = later.last;
            self.failure = later.failure;
            self.text = later.text;
            self.dialed = later.dialed;
            self.mark = later.mark;
        }
        more
    }
}

impl Incarnation {
    /// An incarnation of which only the start is known.
    pub const fn begun(id: Option<ContainerId>, started: Option<Time>) -> Self {
        Self {
            id,
            started,
            ready: None,
            became_ready: None,
            came_up: None,
            has_started: false,
            seen_running: None,
            end: None,
        }
    }

    /// An incarnation whose termination was seen first.
    pub fn ended(end: Termination) -> Self {
        let mut run = Self::begun(end.ended.id, end.ended.started);
        run.end = Some(end);
        run
    }

    fn is(&self, id: Option<ContainerId>, started: Option<Time>) -> bool {
        match (self.id, id) {
            (Some(mine), Some(other)) => mine == other,
            _ => self.started.is_some() && self.started == started,
        }
    }
}

impl History {
    /// The incarnation with that ID, or with that start if one of both has no ID.
    pub fn run_mut(&mut self, id: Option<ContainerId>, started: Option<Time>) -> Option<&mut Incarnation> {
        self.incarnations.iter_mut().rev().find(|run| run.is(id, started))
    }

    /// The incarnation that has not terminated, if it is the last one.
    pub fn current(&self) -> Option<&Incarnation> {
        self.incarnations.back().filter(|run| run.end.is_none())
    }

    /// Inserts an incarnation, ordered by start.
    pub fn insert(&mut self, run: Incarnation) {
        let place = match run.started {
            Some(started) => self
                .incarnations
                .iter()
                .position(|other| other.started.is_some_and(|other| other > started))
                .unwrap_or(self.incarnations.len()),
            None => self.incarnations.len(),
        };
        self.incarnations.insert(place, run);
    }

    /// Takes in a probe event; returns the number of new occurrences: one for a new event, whatever its
    /// count, and 0 if nothing is new.
    pub fn hear(&mut self, words: ProbeEvent) -> u32 {
        let ProbeEvent { kind, probe, first, last, count, .. } = words;
        let failure = words.failure.clone();
        let (heard, samples) =
            if let Some(known) = self.probe_events.iter_mut().find(|known| known.event == words.event) {
                let more = known.count_on(words);
                (more, [(last, more), (last, 0)])
            } else {
                self.remember_words(words);
                let before = u32::from(count > 1 && first < last);
                (count.min(1), [(first, before), (last, count - before)])
            };
        for (at, count) in samples.into_iter().filter(|(_, count)| *count > 0 && kind == ProbeEventKind::Failed) {
            self.sample(Sample { at, probe, failure: failure.clone(), count });
        }
        heard
    }

    fn remember_words(&mut self, words: ProbeEvent) {
        if self.probe_events.len() >= MAX_WORDS {
            let oldest = self.probe_events.iter().enumerate().min_by_key(|(_, words)| words.last).map(|(at, _)| at);
            if let Some(at) = oldest {
                self.probe_events.remove(at);
            }
        }
        self.probe_events.push(words);
    }

    fn sample(&mut self, sample: Sample) {
        let place = self.samples.iter().rposition(|other| other.at <= sample.at).map_or(0, |at| at + 1);
        self.samples.insert(place, sample);
        if self.samples.len() > MAX_SAMPLES {
            self.samples.pop_front();
        }
    }

    /// Takes in a Killing event; returns whether it was new.
    pub fn killing(&mut self, kill: Kill) -> bool {
        if self.killings.iter().any(|known| known.at == kill.at && known.why == kill.why) {
            return false;
        }
        let place = self.killings.iter().rposition(|other| other.at <= kill.at).map_or(0, |at| at + 1);
        self.killings.insert(place, kill);
        if self.killings.len() > MAX_KILLINGS {
            self.killings.pop_front();
        }
        true
    }

    /// Takes in that the postStart hook failed; returns whether that was new.
    pub fn hook_failed(&mut self, at: Time) -> bool {
        if self.hooks.contains(&at) {
            return false;
        }
        self.hooks.push_back(at);
        if self.hooks.len() > MAX_KILLINGS {
            self.hooks.pop_front();
        }
        true
    }

    /// When the incarnation at `index` started and when the next one did.
    pub fn span(&self, index: usize) -> (Option<Time>, Option<Time>) {
        let started = self.incarnations.get(index).and_then(|run| run.started);
        (started, self.incarnations.get(index + 1).and_then(|run| run.started))
    }

    /// When the incarnation at `index` terminated, by the node's clock.
    pub fn finished(&self, index: usize) -> Option<Time> {
        self.incarnations.get(index)?.end.as_ref()?.ended.finished
    }

    /// When the incarnation before that at `index` terminated, by the node's clock.
    pub fn finished_before(&self, index: usize) -> Option<Time> {
        self.finished(index.checked_sub(1)?)
    }

    /// The failures of a probe that belong to the incarnation at `index`.
    ///
    /// What is reported in the second of a restart belongs to the incarnation before.
    pub fn samples_of(&self, index: usize, probe: ProbeKind) -> impl Iterator<Item = &Sample> {
        let before = self.finished_before(index).or(self.cut);
        let (from, to) = self.span(index);
        // What is reported between two incarnations belongs to neither.
        let until = self.finished(index).or(to.map(|to| to.minus(Duration::from_secs(1))));
        let known = index == 0 || from.is_some();
        self.samples.iter().filter(move |sample| {
            known
                && sample.probe == probe
                && from.is_none_or(|from| sample.at >= from)
                && before.is_none_or(|before| sample.at > before)
                && until.is_none_or(|until| sample.at <= until)
        })
    }

    /// When the termination was seen that was seen last.
    pub fn last_seen_end(&self) -> Option<Time> {
        self.incarnations.iter().filter_map(|run| run.end.as_ref()).map(|end| end.seen_at).max()
    }

    /// Number of terminations known only from the restart count.
    pub const fn ends_unseen(&self) -> u32 {
        self.restarts.saturating_sub(self.ends)
    }

    /// Whether the first incarnation kept is the container's very first.
    ///
    /// After N restarts there were N + 1 incarnations, the last running or terminated too.
    pub fn begins_with_the_first(&self) -> bool {
        self.cut.is_none()
            && u32::try_from(self.incarnations.len()).is_ok_and(|runs| runs == self.restarts.saturating_add(1))
    }

    /// Whether a probe was ever reported as unable to run.
    pub fn errored(&self, probe: ProbeKind) -> bool {
        self.probe_events.iter().any(|words| words.probe == probe && words.kind == ProbeEventKind::Errored)
    }

    /// Whether anything was ever reported about a probe.
    pub fn heard_of(&self, probe: ProbeKind) -> bool {
        self.probe_events.iter().any(|words| words.probe == probe && words.kind == ProbeEventKind::Failed)
            || self.probe_kills().any(|(by, _)| by == probe)
    }

    /// The kills that an event attributes to a probe, oldest first.
    pub fn probe_kills(&self) -> impl DoubleEndedIterator<Item = (ProbeKind, &Kill)> {
        self.killings.iter().filter_map(|kill| match kill.why {
            KillReason::Probe(probe) => Some((probe, kill)),
            _ => None,
        })
    }

    /// The number of kills by a probe reported by events, including lost ones.
    pub fn told_kills(&self, probe: ProbeKind) -> u32 {
        let known = self.probe_kills().filter(|(by, _)| *by == probe);
        let (events, most) = known.fold((0_u32, 0_u32), |(events, most), (_, kill)| (events + 1, most.max(kill.count)));
        events.max(most)
    }

    /// How often a probe failed in the incarnation at `index`, including lost failures.
    pub fn failed_in(&self, index: usize, probe: ProbeKind) -> u32 {
        self.samples_of(index, probe).fold(0, |failed, sample| failed.saturating_add(sample.count))
    }

    /// After and by which times the kubelet was restarted, if a new event of a probe repeated an older one:
    /// a kubelet that remembers the older one raises its count instead.
    pub fn said_anew(&self) -> Option<(Time, Time)> {
        let older = |words: &ProbeEvent| {
            let same = |other: &&ProbeEvent| {
                other.event != words.event
                    && other.probe == words.probe
                    && other.kind == words.kind
                    && other.mark == words.mark
                    && other.last < words.first
            };
            self.probe_events.iter().filter(same).map(|other| other.last).max()
        };
        self.probe_events.iter().filter_map(|words| Some((older(words)?, words.first))).max()
    }
}

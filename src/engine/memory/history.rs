//! What is remembered of one container of one pod: its incarnations, and what the kubelet said.
//!
//! Raw facts only, in any order and any number of times; [`crate::engine::view::termination`] makes sense of them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::diagnosis::Blocked;
use crate::engine::memory::node_clock::Clock;
use crate::engine::observation::{ContainerId, Terminated, Uid};
use crate::kubelet::{Failure, ProbeKind};
use crate::time::Time;

/// Incarnations kept of a container; what is older is folded into its template's record.
pub const MAX_INCARNATIONS: usize = 10;
/// Kinds of words kept of a container's probes.
const MAX_WORDS: usize = 16;
/// Single failures kept of a container, for attribution to its incarnations.
const MAX_SAMPLES: usize = 48;
/// Killing events kept of a container.
const MAX_KILLINGS: usize = 12;

/// What is remembered of one container.
#[derive(Debug, Default)]
pub struct History {
    /// Its pod's name, for people.
    pub pod: Option<Arc<str>>,
    /// Its incarnations, oldest first; the last one may still run.
    pub incarnations: VecDeque<Incarnation>,
    /// When the last incarnation that is no longer kept ended.
    pub cut: Option<Time>,
    /// What its probes said, by event.
    pub probe_events: Vec<ProbeEvent>,
    /// Single failures, by time.
    pub samples: VecDeque<Sample>,
    /// Killing events, by time.
    pub killings: VecDeque<Kill>,
    /// Ends that stood in the status so far.
    pub ends: u32,
    /// `restartCount` when it was last seen.
    pub restarts: u32,
    /// Why it cannot begin, while it cannot.
    pub blocked: Option<Blocked>,
    /// Since when no sandbox, or no volume, could be made for its pod.
    pub no_sandbox_since: Option<Time>,
    /// When its postStart hook was said to have failed.
    pub hooks: VecDeque<Time>,
    /// When it last showed that changes of it had not been seen.
    pub gap: Option<Time>,
}

/// One incarnation.
#[derive(Debug, Clone)]
pub struct Incarnation {
    /// Its container ID.
    pub id: Option<ContainerId>,
    /// When it began, in whole seconds.
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
    /// How it ended.
    pub end: Option<Termination>,
}

/// An incarnation's end as its pod's status has it.
#[derive(Debug, Clone)]
pub struct Termination {
    /// The status.
    pub ended: Terminated,
    /// When it stood there first.
    pub seen_at: Time,
    /// Whether the container was seen `terminated` before it was replaced; `None` where the watch
    /// was broken in between.
    pub by_itself: Option<bool>,
    /// Whether the pod was being deleted or had been ended as a whole.
    pub with_pod: bool,
    /// Whether the status said that its postStart hook had failed.
    pub hook: bool,
}

/// Something that a probe said, counted on by one event.
#[derive(Debug, Clone)]
pub struct ProbeEvent {
    /// The event.
    pub event: Uid,
    /// Which probe.
    pub probe: ProbeKind,
    /// What kind of news.
    pub kind: ProbeEventKind,
    /// What went wrong.
    pub failure: Failure,
    /// The kubelet's words.
    pub text: Arc<str>,
    /// A mark of what they were, also where they are left out.
    pub mark: u64,
    /// As the event has it.
    pub count: u32,
    /// First time.
    pub first: Time,
    /// Last time.
    pub last: Time,
}

/// What kind of news of a probe.
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
    /// How many it stands for: more than one where some were lost.
    pub count: u32,
}

/// A Killing event.
#[derive(Debug, Clone, PartialEq)]
pub struct Kill {
    /// When, in whole seconds.
    pub at: Time,
    /// What it said.
    pub why: KillReason,
    /// How often it had been said by then.
    pub count: u32,
}

/// What a Killing event said.
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
    /// When it ended, in our time.
    pub fn at(&self, clock: Clock) -> Time {
        self.ended.finished.map_or(self.seen_at, |finished| clock.ours(finished))
    }
}

impl ProbeEvent {
    /// Takes over what the same event says later; says how much it counted on.
    fn count_on(&mut self, later: Self) -> u32 {
        let more = later.count.saturating_sub(self.count);
        self.count = self.count.max(later.count);
        if more > 0 && later.last >= self.last {
            self.last = later.last;
            self.failure = later.failure;
            self.text = later.text;
            self.mark = later.mark;
        }
        more
    }
}

impl Incarnation {
    /// A run of which only the beginning is known.
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

    /// A run of which the end was seen first.
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
    /// The run that has that ID, or that start where one of both has no ID.
    pub fn run_mut(&mut self, id: Option<ContainerId>, started: Option<Time>) -> Option<&mut Incarnation> {
        self.incarnations.iter_mut().rev().find(|run| run.is(id, started))
    }

    /// The run that has not ended, if it is the last one.
    pub fn current(&self) -> Option<&Incarnation> {
        self.incarnations.back().filter(|run| run.end.is_none())
    }

    /// Puts a run in its place by start.
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

    /// Takes in what a probe said; says how often that was not heard before: once for an event that
    /// is new, whatever it counts, and 0 where it is no news.
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

    /// Takes in a Killing event; says whether that was news.
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

    /// Takes in that the postStart hook failed; says whether that was news.
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

    /// When the run at `index` began and when the one after it did.
    pub fn span(&self, index: usize) -> (Option<Time>, Option<Time>) {
        let started = self.incarnations.get(index).and_then(|run| run.started);
        (started, self.incarnations.get(index + 1).and_then(|run| run.started))
    }

    /// When the run at `index` ended, by the node's clock.
    pub fn finished(&self, index: usize) -> Option<Time> {
        self.incarnations.get(index)?.end.as_ref()?.ended.finished
    }

    /// When the run before that at `index` ended, by the node's clock.
    pub fn finished_before(&self, index: usize) -> Option<Time> {
        self.finished(index.checked_sub(1)?)
    }

    /// The failures of a probe that fall into the run at `index`.
    ///
    /// What is said in the second of a restart was said of the one before.
    pub fn samples_of(&self, index: usize, probe: ProbeKind) -> impl Iterator<Item = &Sample> {
        let before = self.finished_before(index).or(self.cut);
        let (from, to) = self.span(index);
        // What is said between two incarnations is said of none.
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

    /// Ends of which only the count of restarts tells.
    pub const fn ends_unseen(&self) -> u32 {
        self.restarts.saturating_sub(self.ends)
    }

    /// Whether the first incarnation that is kept is the first that there was.
    ///
    /// After so many restarts there was one incarnation more, which runs or has ended too.
    pub fn begins_with_the_first(&self) -> bool {
        self.cut.is_none()
            && u32::try_from(self.incarnations.len()).is_ok_and(|runs| runs == self.restarts.saturating_add(1))
    }

    /// Whether a probe was ever heard not to be able to run.
    pub fn errored(&self, probe: ProbeKind) -> bool {
        self.probe_events.iter().any(|words| words.probe == probe && words.kind == ProbeEventKind::Errored)
    }

    /// Whether anything of a probe was ever heard.
    pub fn heard_of(&self, probe: ProbeKind) -> bool {
        self.probe_events.iter().any(|words| words.probe == probe && words.kind == ProbeEventKind::Failed)
            || self.probe_kills().any(|(by, _)| by == probe)
    }

    /// The kills of which an event says that a probe brought them about, oldest first.
    pub fn probe_kills(&self) -> impl DoubleEndedIterator<Item = (ProbeKind, &Kill)> {
        self.killings.iter().filter_map(|kill| match kill.why {
            KillReason::Probe(probe) => Some((probe, kill)),
            _ => None,
        })
    }

    /// How many kills by a probe were told in all, lost ones included.
    pub fn told_kills(&self, probe: ProbeKind) -> u32 {
        let known = self.probe_kills().filter(|(by, _)| *by == probe);
        let (events, most) = known.fold((0_u32, 0_u32), |(events, most), (_, kill)| (events + 1, most.max(kill.count)));
        events.max(most)
    }

    /// How often a probe failed in the run at `index`, lost failures included.
    pub fn failed_in(&self, index: usize, probe: ProbeKind) -> u32 {
        self.samples_of(index, probe).fold(0, |failed, sample| failed.saturating_add(sample.count))
    }

    /// Since when and by when the kubelet had been restarted, where a new event of a probe said
    /// again what an older one had said: it counts on what it remembers.
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

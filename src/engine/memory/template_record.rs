//! What a container has shown under one template, over all pods of a workload.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::diagnosis::{CameUp, FailureGroup, OwnEnd, OwnEnds, OwnKind, Passes, ProbeRecord, ProbeSet, Strength};
use crate::engine::memory::history::ProbeEventKind;
use crate::engine::view::probe_passed::Incarnations;
use crate::engine::view::termination::{TerminationKind, leaves_failures_behind};
use crate::kubelet::{Failure, ProbeKind, ProbeSpec};
use crate::template::{ContainerSpec, PodTemplate};
use crate::time::Time;

/// Maximum number of distinct failures kept of a probe.
const MAX_FAILURES: usize = 8;
/// Maximum number of last failures before kills kept of a probe.
const MAX_DECISIVE: usize = 8;

/// A template of a workload, and what its containers have shown.
#[derive(Debug)]
pub struct TemplateRecord {
    /// The template.
    pub template: Arc<PodTemplate>,
    /// When a pod with it last existed.
    pub last_seen: Time,
    /// One entry for each of its containers.
    pub containers: Box<[ContainerRecord]>,
}

/// What one container has shown.
#[derive(Debug, Default)]
pub struct ContainerRecord {
    /// Probes that were seen to pass.
    pub passed: Passes,
    /// Probes that could not run: it proves nothing that they do not kill.
    pub errored: ProbeSet,
    /// The longest time that one of its containers was seen running without any report about it.
    pub quiet: Duration,
    /// How long incarnations took to come up.
    pub came_up: Option<CameUp>,
    /// Whether one of its containers was ever seen to terminate badly.
    pub looped: bool,
    /// What is known of pods and incarnations that are no longer kept.
    pub folded: Option<Box<Tally>>,
}

impl TemplateRecord {
    /// A record without facts.
    pub fn new(template: Arc<PodTemplate>, now: Time) -> Self {
        let containers = template.containers.iter().map(|_| ContainerRecord::default()).collect();
        Self { template, last_seen: now, containers }
    }

    /// The container of that name, its specification and what it has shown.
    pub fn container(&self, name: &str) -> Option<(&ContainerSpec, &ContainerRecord)> {
        let at = self.template.containers.iter().position(|container| &*container.name == name)?;
        Some((&self.template.containers[at], &self.containers[at]))
    }
}

impl ContainerRecord {
    /// Adds how long an incarnation took to come up.
    pub fn add_came_up(&mut self, came_up: Option<CameUp>) {
        self.came_up = match (self.came_up, came_up) {
            (Some(mine), Some(other)) => Some(mine.with(other)),
            (mine, other) => mine.or(other),
        };
    }

    /// Adds what the same container has shown elsewhere.
    pub fn absorb(&mut self, other: Self) {
        self.passed = self.passed.with(other.passed);
        self.errored = self.errored.with(other.errored);
        self.add_came_up(other.came_up);
        self.quiet = self.quiet.max(other.quiet);
        self.looped |= other.looped;
        if let Some(folded) = other.folded {
            self.folded.get_or_insert_default().absorb(&folded);
        }
    }
}

/// Facts added up over incarnations and pods.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// By probe, in the order of [`ProbeKind::ALL`].
    pub probes: [ProbeRecord; 3],
    /// Kills that are only consistent with the timing, by probe.
    pub fitting: [u32; 3],
    /// Terminations of its own.
    pub own: OwnEnds,
    /// Terminations that are assumed to be its own, since nothing was reported about a probe.
    pub assumed: OwnEnds,
    /// Whether failures left behind by an app's own terminations were seen to count towards the next kill.
    pub leftovers: bool,
    /// Terminations without any explanation.
    pub unexplained: u32,
    /// When the last bad termination was.
    pub last_bad: Option<Time>,
    /// Duration of the longest incarnation that terminated badly.
    pub longest_bad: Duration,
}

impl Tally {
    /// What one container has shown since `horizon`, all of it: to be added to others by [`Self::sum`].
    pub fn part(subject: &Incarnations, ends: &[Option<TerminationKind>], horizon: Time) -> Self {
        let mut part = Self::default();
        part.add_within(subject, ends, horizon, usize::MAX);
        part
    }

    /// Adds what a container has shown since `horizon`, and how its incarnations terminated.
    pub fn add(&mut self, subject: &Incarnations, ends: &[Option<TerminationKind>], horizon: Time) {
        self.add_within(subject, ends, horizon, MAX_FAILURES);
    }

    fn add_within(&mut self, subject: &Incarnations, ends: &[Option<TerminationKind>], horizon: Time, most: usize) {
        let ours = |stamp| subject.clock.ours(stamp);
        for words in subject.history.probe_events.iter().filter(|words| ours(words.last) >= horizon) {
            let record = &mut self.probes[words.probe as usize];
            let heard = FailureGroup {
                failure: words.failure.clone(),
                count: words.count,
                first: ours(words.first),
                last: ours(words.last),
                words: Arc::clone(&words.text),
            };
            match words.kind {
                ProbeEventKind::Failed => {
                    let elsewhere = |to: &&SocketAddr| subject.ip.is_some_and(|ip| ip != to.ip());
                    if let Some(address) = words.dialed.as_deref().filter(elsewhere) {
                        record.dialed_elsewhere = Some(*address);
                    }
                    merge(&mut record.failures, &heard, most);
                }
                ProbeEventKind::Errored => merge(&mut record.errors, &heard, most),
                ProbeEventKind::Warned => merge_one(&mut record.warnings, &heard),
            }
        }
        for (index, end) in ends.iter().enumerate() {
            self.add_run(subject, index, *end, horizon);
        }
        self.leftovers |= leaves_failures_behind(subject);
        self.add_told_before(subject, horizon);
    }

    /// Adds kills that were reported and belong to no incarnation that is remembered: from before the first
    /// look.
    fn add_told_before(&mut self, subject: &Incarnations, horizon: Time) {
        let history = subject.history;
        if history.cut.is_some() || horizon != Time::default() {
            return;
        }
        let first = history.incarnations.front().and_then(|run| run.started);
        for (kind, record) in ProbeKind::ALL.into_iter().zip(&mut self.probes) {
            let known = history.probe_kills().filter(|(by, _)| *by == kind);
            let known = known.filter(|(_, kill)| first.is_some_and(|first| kill.at >= first)).count() as u32;
            let before = history.told_kills(kind).saturating_sub(known).min(history.ends_unseen());
            record.before = record.before.saturating_add(before);
        }
    }

    /// Adds one incarnation, and how it terminated.
    pub fn add_run(&mut self, subject: &Incarnations, index: usize, verdict: Option<TerminationKind>, horizon: Time) {
        // Most containers never time out.
        let is_slow = subject.history.samples.iter().any(|sample| sample.failure == Failure::TimedOut);
        for kind in ProbeKind::ALL.into_iter().filter(|_| is_slow) {
            if let Some(spec) = subject.container.probe(kind) {
                let record = &mut self.probes[kind as usize];
                record.alternated += alternated(subject, index, kind, spec);
                record.sibling_passed_meanwhile += u32::from(subject.twin_began_to_pass(index, kind));
            }
        }
        let Some(verdict) = verdict else { return };
        let run = &subject.history.incarnations[index];
        let Some(end) = run.end.as_ref() else { return };
        let at = end.at(subject.clock);
        if at < horizon || !verdict.is_bad() || verdict == TerminationKind::Pending {
            return;
        }
        self.last_bad = self.last_bad.max(Some(at));
        if let (Some(started), Some(finished)) = (run.started, end.ended.finished) {
            self.longest_bad = self.longest_bad.max(finished.since(started));
        }
        match verdict {
            TerminationKind::Own(kind, strength) => {
                let fell =
                    |node: crate::engine::memory::nodes::Node| end.ended.finished.is_some_and(|at| node.fell_at(at));
                let with_others = kind == OwnKind::Signal && subject.node.is_some_and(fell);
                let kind = if with_others { OwnKind::Node } else { kind };
                let end = OwnEnd { kind, count: 1, exit: end.ended.exit, first: at, last: at, strength };
                if strength == Strength::Assumed { self.assumed.add(end) } else { self.own.add(end) }
            }
            TerminationKind::Unexplained => self.unexplained += 1,
            TerminationKind::Fitting(probe) => {
                self.fitting[probe as usize] += 1;
                self.add_kill(subject, index, probe);
            }
            TerminationKind::Proven(probe) => {
                self.probes[probe as usize].proven += 1;
                self.add_kill(subject, index, probe);
            }
            TerminationKind::Likely(probe) => {
                self.probes[probe as usize].likely += 1;
                self.add_kill(subject, index, probe);
            }
            TerminationKind::Pending | TerminationKind::Fine | TerminationKind::NeverBegan => {}
        }
    }

    fn add_kill(&mut self, subject: &Incarnations, index: usize, probe: ProbeKind) {
        let record = &mut self.probes[probe as usize];
        record.in_a_row += u32::from(subject.timed_out_in_a_row(index, probe));
        if let Some(began) = subject.began_after(index, probe) {
            record.earliest = Some(record.earliest.map_or(began, |earliest| earliest.min(began)));
        }
        let last = subject.history.samples_of(index, probe).last();
        let timed_out = last.is_some_and(|last| last.failure == Failure::TimedOut);
        // Another probe with the same request that waits longer may get the answer for which this one does
        // not wait.
        let patient = timed_out && subject.has_patient_twin(probe);
        let twin_passed = subject.twin_passed_in(index, probe);
        if patient && twin_passed && subject.failed_from_start(index, probe) {
            record.slow_from_start += 1;
        }
        if subject.passed_in(index, probe).is_some() || twin_passed && !patient {
            record.after_pass += 1;
        } else if subject.failed_from_start(index, probe) {
            record.from_start += 1;
            let made = subject.created.filter(|_| index == 0 && subject.history.begins_with_the_first());
            record.first_pod = record.first_pod.into_iter().chain(made).min();
        }
        if let Some(last) = last {
            record.decisive.push(last.failure.clone());
            if record.decisive.len() > MAX_DECISIVE {
                record.decisive.remove(0);
            }
        }
    }

    /// What was folded, and what containers have shown, added up as [`Self::add`] does it one after the other.
    pub fn sum(folded: Option<&Self>, parts: &[&Self]) -> Self {
        let mut sum = folded.cloned().unwrap_or_default();
        for part in parts {
            sum.add_up(part);
        }
        // Of these the last ones count: most parts need not be looked at.
        for (kind, mine) in sum.probes.iter_mut().enumerate() {
            let latest = || parts.iter().rev().map(|part| &part.probes[kind]);
            mine.dialed_elsewhere = latest().find_map(|theirs| theirs.dialed_elsewhere).or(mine.dialed_elsewhere);
            let before = mine.decisive.iter().rev();
            let decisive = latest().flat_map(|theirs| theirs.decisive.iter().rev()).chain(before);
            let mut decisive: Vec<Failure> = decisive.take(MAX_DECISIVE).cloned().collect();
            decisive.reverse();
            mine.decisive = decisive;
        }
        sum
    }

    /// Adds another tally.
    pub fn absorb(&mut self, other: &Self) {
        self.add_up(other);
        for (mine, theirs) in self.probes.iter_mut().zip(&other.probes) {
            mine.decisive.extend(theirs.decisive.iter().cloned());
            let surplus = mine.decisive.len().saturating_sub(MAX_DECISIVE);
            mine.decisive.drain(..surplus);
            mine.dialed_elsewhere = mine.dialed_elsewhere.or(theirs.dialed_elsewhere);
        }
    }

    /// Adds all of another tally in which no order counts.
    fn add_up(&mut self, other: &Self) {
        for (mine, theirs) in self.probes.iter_mut().zip(&other.probes) {
            if theirs.is_empty() {
                continue;
            }
            for heard in &theirs.failures {
                merge(&mut mine.failures, heard, MAX_FAILURES);
            }
            for heard in &theirs.errors {
                merge(&mut mine.errors, heard, MAX_FAILURES);
            }
            if let Some(heard) = &theirs.warnings {
                merge_one(&mut mine.warnings, heard);
            }
            mine.proven += theirs.proven;
            mine.likely += theirs.likely;
            mine.from_start += theirs.from_start;
            mine.after_pass += theirs.after_pass;
            mine.in_a_row += theirs.in_a_row;
            mine.earliest = mine.earliest.into_iter().chain(theirs.earliest).min();
            mine.first_pod = mine.first_pod.into_iter().chain(theirs.first_pod).min();
            mine.before = mine.before.saturating_add(theirs.before);
            mine.sibling_passed_meanwhile += theirs.sibling_passed_meanwhile;
            mine.alternated += theirs.alternated;
            mine.slow_from_start += theirs.slow_from_start;
        }
        for (mine, theirs) in self.fitting.iter_mut().zip(other.fitting) {
            *mine += theirs;
        }
        for end in &other.own.kinds {
            self.own.add(end.clone());
        }
        for end in &other.assumed.kinds {
            self.assumed.add(end.clone());
        }
        self.leftovers |= other.leftovers;
        self.unexplained += other.unexplained;
        self.last_bad = self.last_bad.max(other.last_bad);
        self.longest_bad = self.longest_bad.max(other.longest_bad);
    }

    /// Terminations that only fit count as kills if there are several, or beside a certain or reported one;
    /// otherwise they are unexplained. Assumed terminations of its own count as such if no probe kills; if
    /// one does they may be kills without events, and are unexplained.
    pub fn settle_fitting(&mut self) {
        for (record, fitting) in self.probes.iter_mut().zip(&mut self.fitting) {
            if self.leftovers {
                self.unexplained += *fitting;
            } else if *fitting >= 2 || *fitting > 0 && record.kills() + record.before > 0 {
                record.likely += *fitting;
            } else {
                self.unexplained += *fitting;
                record.decisive.clear();
            }
            *fitting = 0;
        }
        if self.kills() == 0 {
            for end in self.assumed.kinds.drain(..) {
                self.own.add(end);
            }
        } else {
            self.unexplained += self.assumed.total();
            self.assumed = OwnEnds::default();
        }
        for record in &mut self.probes {
            record.failures.sort_by_key(|heard| heard.first);
        }
    }

    /// Whether its containers terminated badly, and not with their node.
    pub fn looped(&self) -> bool {
        let mut own = self.own.kinds.iter().chain(&self.assumed.kinds);
        let killed = self.kills() > 0 || self.fitting.iter().any(|kills| *kills > 0);
        killed || self.unexplained > 0 || own.any(|end| end.kind != OwnKind::Node)
    }

    /// Kills by any probe.
    pub fn kills(&self) -> u32 {
        self.probes.iter().map(ProbeRecord::kills).sum()
    }
}

fn merge(known: &mut Vec<FailureGroup>, heard: &FailureGroup, most: usize) {
    match known.iter().position(|other| other.failure == heard.failure) {
        Some(at) => join(&mut known[at], heard),
        None if known.len() < most => known.push(heard.clone()),
        None => {}
    }
}

fn merge_one(known: &mut Option<FailureGroup>, heard: &FailureGroup) {
    match known {
        Some(other) => join(other, heard),
        None => *known = Some(heard.clone()),
    }
}

fn join(known: &mut FailureGroup, heard: &FailureGroup) {
    known.count = known.count.saturating_add(heard.count);
    known.first = known.first.min(heard.first);
    known.last = known.last.max(heard.last);
}

/// How often a probe passed between two of its time-outs within one incarnation: they are further apart
/// than two runs of it, and none was lost in between.
fn alternated(subject: &Incarnations, index: usize, kind: ProbeKind, spec: &ProbeSpec) -> u32 {
    let history = subject.history;
    // For a running incarnation, the events may be about the next one.
    let started = history.incarnations.get(index).and_then(|run| run.started);
    let Some((started, ended)) = started.zip(history.finished(index)) else { return 0 };
    // A busy node runs its probes late.
    if subject.node.is_some_and(|node| !node.lag_between(started, ended).is_zero()) {
        return 0;
    }
    // An earlier time-out belongs to the previous incarnation, whose termination may not have been seen.
    let earliest = started.plus(spec.initial_delay).plus(spec.timeout);
    let step = spec.step();
    let apart = step
        .saturating_mul(2)
        .saturating_sub(Duration::from_millis(1))
        .max(step.saturating_add(Duration::from_secs(2)));
    let mut before: Option<Time> = None;
    let mut times = 0;
    for sample in history.samples_of(index, kind).filter(|sample| sample.at >= earliest) {
        let slow = sample.failure == Failure::TimedOut;
        if before.is_some_and(|before| slow && sample.count == 1 && sample.at.since(before) >= apart) {
            times += 1;
        }
        before = slow.then_some(sample.at);
    }
    times
}

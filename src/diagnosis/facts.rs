//! The facts that causes are judged by, as data.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::candidate::Strength;
use crate::kubelet::{Failure, Handler, ProbeKind};
use crate::template::{ContainerSpec, PodTemplate};
use crate::time::Time;

/// How long incarnations took to come up.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct CameUp {
    /// The latest uptime at which an incarnation that came up later was still reported to fail.
    pub not_before: Duration,
    /// The upper bound of the longest time that one of them took.
    pub within: Duration,
}

impl CameUp {
    /// The combination of both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self { not_before: self.not_before.max(other.not_before), within: self.within.max(other.within) }
    }
}

/// The pods of a template, by the state of a probe in them.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Population {
    /// Pods in which it fails or that it killed.
    pub failing: u32,
    /// Pods that run well with it, for longer than a kill would have taken.
    pub passing: u32,
    /// Pods that ran long enough for a result, without any report of a failing answer.
    pub spared: u32,
    /// Pods that have run as long as the first in which it fails, without any report.
    pub silent: u32,
    /// The same, with no report of an answer: what was refused at first may pass by now.
    pub unanswered: u32,
    /// Spared pods that have by now run well for twice as long as a kill would have taken.
    pub well: u32,
    /// Number of nodes with a pod in which it fails.
    pub failing_nodes: u32,
    /// Number of nodes with pods that run well, and none in which it fails.
    pub passing_nodes: u32,
}

impl Population {
    /// Whether at least as many pods could have shown the failure, and did not, as did; if it is an answer,
    /// pods with only silent failures did not show it.
    pub fn is_mostly_silent(&self, answered: bool) -> bool {
        let refused = if answered { self.unanswered.saturating_sub(self.silent) } else { 0 };
        self.spared.max(self.silent + refused) >= self.failing.saturating_sub(refused).max(1)
    }
}

/// A node on which several workloads fail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadNode {
    /// Its name.
    pub name: Arc<str>,
    /// Other workloads that fail on it at the same time.
    pub others: Vec<Arc<str>>,
}

/// Probes that were seen to pass, and how certain that is.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Passes {
    all: ProbeSet,
    seen: ProbeSet,
}

impl Passes {
    /// Whether `kind` passed.
    pub const fn has(self, kind: ProbeKind) -> bool {
        self.all.has(kind)
    }

    /// How certain it is that `kind` passed; `None` if it did not.
    pub const fn strength(self, kind: ProbeKind) -> Option<Strength> {
        match (self.all.has(kind), self.seen.has(kind)) {
            (false, _) => None,
            (true, false) => Some(Strength::Inferred),
            (true, true) => Some(Strength::Seen),
        }
    }

    /// Adds `kind`.
    pub fn add(&mut self, kind: ProbeKind, strength: Strength) {
        self.all.add(kind);
        if strength == Strength::Seen {
            self.seen.add(kind);
        }
    }

    /// Removes `kind`.
    pub const fn remove(&mut self, kind: ProbeKind) {
        self.all.remove(kind);
        self.seen.remove(kind);
    }

    /// The union; each with the better certainty.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self { all: self.all.with(other.all), seen: self.seen.with(other.seen) }
    }
}

/// A set of probe kinds.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct ProbeSet(u8);

impl ProbeSet {
    /// Whether `kind` is in it.
    pub const fn has(self, kind: ProbeKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Adds `kind`; returns whether it is new.
    pub const fn add(&mut self, kind: ProbeKind) -> bool {
        let new = !self.has(kind);
        self.0 |= 1 << kind as u8;
        new
    }

    /// Removes `kind`.
    pub const fn remove(&mut self, kind: ProbeKind) {
        self.0 &= !(1 << kind as u8);
    }

    /// The union.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Why a container cannot start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Blocked {
    /// The waiting reason: `ErrImagePull`, or `StartError`.
    pub reason: Arc<str>,
    /// The message.
    pub message: Option<Arc<str>>,
    /// Since when; by the node's clock if it concerns the pod.
    pub since: Time,
    /// Whether the pod as a whole cannot start.
    pub of_pod: bool,
}

/// The results and kills of one probe.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ProbeRecord {
    /// Failures by kind, in the order of their first occurrence.
    pub failures: Vec<FailureGroup>,
    /// Errors: runs that could not take place.
    pub errors: Vec<FailureGroup>,
    /// Successes with a warning: redirects to another host.
    pub warnings: Option<FailureGroup>,
    /// The last failure before each kill, newest last.
    pub decisive: Vec<Failure>,
    /// Kills proven by a Killing event.
    pub proven: u32,
    /// Kills without one, inferred from failures up to the end and the timing.
    pub likely: u32,
    /// Kills of incarnations in which it was reported to fail from its first result on.
    pub from_start: u32,
    /// Kills of incarnations in which it had passed.
    pub after_pass: u32,
    /// Kills after time-outs in a row, without an answer in between.
    pub in_a_row: u32,
    /// The minimum uptime at which an incarnation that it killed was first reported to fail.
    pub earliest: Option<Duration>,
    /// When the first pod was created whose very first incarnation it killed, failing from its first result
    /// on.
    pub first_pod: Option<Time>,
    /// Kills of incarnations in which it timed out from its first result on, while another probe with the
    /// same request and a longer timeout passed.
    pub slow_from_start: u32,
    /// How often it passed between two time-outs of one incarnation.
    pub alternated: u32,
    /// Incarnations in which another probe with the same request was seen to begin to pass after its first
    /// time-out.
    pub sibling_passed_meanwhile: u32,
    /// Kills by it that were reported for incarnations before the first known one.
    pub before: u32,
    /// The address it connected to, if that is not the pod's.
    pub dialed_elsewhere: Option<SocketAddr>,
}

/// Something that the kubelet reported repeatedly.
#[derive(Clone, PartialEq, Debug)]
pub struct FailureGroup {
    /// What went wrong.
    pub failure: Failure,
    /// Number of occurrences, including lost ones.
    pub count: u32,
    /// First occurrence.
    pub first: Time,
    /// Last occurrence.
    pub last: Time,
    /// The kubelet's message.
    pub words: Arc<str>,
}

/// Terminations of its own, by kind.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OwnEnds {
    /// Count, last exit code and time of each kind that occurred.
    pub kinds: Vec<OwnEnd>,
}

/// Terminations of one kind.
#[derive(Clone, PartialEq, Debug)]
pub struct OwnEnd {
    /// The kind.
    pub kind: OwnKind,
    /// The number.
    pub count: u32,
    /// The last one's exit code.
    pub exit: i32,
    /// The time of the first one.
    pub first: Time,
    /// The time of the last one.
    pub last: Time,
    /// How certain it is, for the most certain one, that it terminated by itself.
    pub strength: Strength,
}

/// How a container terminates by itself.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum OwnKind {
    /// With an error.
    Crash,
    /// With exit code 0.
    Exit,
    /// By a signal from outside.
    Signal,
    /// At its memory limit.
    OutOfMemory,
    /// By its postStart hook.
    Hook,
    /// Because of its node.
    Node,
}

impl OwnEnds {
    /// Adds terminations of one kind.
    pub fn add(&mut self, end: OwnEnd) {
        match self.kinds.iter_mut().find(|known| known.kind == end.kind) {
            Some(known) => {
                known.count = known.count.saturating_add(end.count);
                known.first = known.first.min(end.first);
                if end.last >= known.last {
                    known.last = end.last;
                    known.exit = end.exit;
                }
                known.strength = known.strength.max(end.strength);
            }
            None => self.kinds.push(end),
        }
    }

    /// The total number.
    pub fn total(&self) -> u32 {
        self.kinds.iter().map(|end| end.count).sum()
    }

    /// The most frequent kind; of equals the later. An exit code of 0 is also typical of an app that was
    /// asked to stop: beside crashes it means little.
    pub fn main(&self) -> Option<&OwnEnd> {
        let most = self.kinds.iter().max_by_key(|end| (end.count, end.last, end.kind))?;
        let crash = self.kinds.iter().find(|end| end.kind == OwnKind::Crash && end.count * 3 >= most.count);
        Some(crash.filter(|_| most.kind == OwnKind::Exit).unwrap_or(most))
    }
}

impl ProbeRecord {
    /// Whether it has shown nothing at all.
    pub fn is_empty(&self) -> bool {
        let reported = !self.failures.is_empty() || !self.errors.is_empty() || self.warnings.is_some();
        let ends = self.proven | self.likely | self.from_start | self.after_pass | self.in_a_row | self.slow_from_start;
        let others = self.alternated | self.sibling_passed_meanwhile | self.before;
        let noted = self.earliest.is_some() || self.first_pod.is_some() || self.dialed_elsewhere.is_some();
        !(reported || ends | others > 0 || noted || !self.decisive.is_empty())
    }

    /// Total number of failures.
    pub fn samples(&self) -> u32 {
        self.failures.iter().fold(0, |all, heard| all.saturating_add(heard.count))
    }

    /// Total number of kills.
    pub const fn kills(&self) -> u32 {
        self.proven + self.likely
    }

    /// Whether most of the incarnations that it killed failed from their first result on, if it killed any.
    pub const fn is_mostly_from_start(&self) -> bool {
        self.kills() == 0 || self.from_start * 2 >= self.kills()
    }

    /// Whether it was reported to fail in this way from its first result on in every incarnation that it
    /// killed, as far as known, and in several.
    pub fn is_constant(&self, matches: impl Fn(&Failure) -> bool) -> bool {
        self.from_start >= 2 && self.after_pass == 0 && self.decisive.iter().all(matches)
    }

    /// The failures that match, if (nearly) all answers do, and the kills came from them.
    ///
    /// Refusals, resets and time-outs around a start are not answers. One answer in ten may be of another
    /// kind, and if a kill came from silence others must have come from such an answer.
    pub fn answered(&self, matches: impl Fn(&Failure) -> bool) -> Option<&FailureGroup> {
        let answers = self.failures.iter().filter(|heard| !is_silence(&heard.failure));
        let (mut fitting, mut all) = (0_u64, 0_u64);
        for heard in answers {
            all += u64::from(heard.count);
            fitting += if matches(&heard.failure) { u64::from(heard.count) } else { 0 };
        }
        let decided = self.decisive.iter().all(|failure| matches(failure) || is_silence(failure));
        let silent = self.decisive.iter().filter(|failure| is_silence(failure) && !matches(failure)).count();
        let mostly = silent * 2 <= self.decisive.len();
        let most = self.failures.iter().filter(|heard| matches(&heard.failure)).max_by_key(|heard| heard.count)?;
        (decided && mostly && fitting * 10 >= all * 9).then_some(most)
    }

    /// The silent failures that match, if there was never any answer, (nearly) all failures match, and
    /// every kill came from them.
    pub fn silent(&self, matches: impl Fn(&Failure) -> bool) -> Option<&FailureGroup> {
        let unanswered = self.failures.iter().all(|heard| is_silence(&heard.failure));
        let decided = self.decisive.iter().all(&matches);
        let fitting = self.failures.iter().filter(|heard| matches(&heard.failure));
        let count = fitting.clone().fold(0_u64, |count, heard| count + u64::from(heard.count));
        let most = fitting.max_by_key(|heard| heard.count)?;
        (unanswered && decided && count * 10 >= u64::from(self.samples()) * 9).then_some(most)
    }
}

/// Failures that are not an answer of the app, and common when it starts and stops.
pub fn is_silence(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Refused | Failure::Reset | Failure::TimedOut | Failure::Unreachable | Failure::GrpcNoConnection
    )
}

/// Answers by which an app says that it is not well.
pub fn is_unwell(failure: &Failure) -> bool {
    matches!(failure, Failure::Status(500..=599 | 429) | Failure::GrpcNotServing | Failure::CommandFailed)
}

/// The container under an earlier template.
#[derive(Clone, Debug)]
pub struct Earlier<'a> {
    /// The revision's number, if known.
    pub revision: Option<u64>,
    /// The template.
    pub template: &'a Arc<PodTemplate>,
    /// The container in it.
    pub container: &'a ContainerSpec,
    /// The container in its pods, if an injector rewrote it.
    pub actual: &'a ContainerSpec,
    /// Probes that were seen to pass under it.
    pub passed: Passes,
    /// How long incarnations of it took to come up.
    pub came_up: Option<CameUp>,
    /// Whether it was seen to loop.
    pub looped: bool,
}

impl Earlier<'_> {
    /// Whether a probe of it with this request was seen to pass.
    pub fn answered(&self, handler: &Handler) -> bool {
        self.container.asking(handler).any(|kind| self.passed.has(kind))
    }
}

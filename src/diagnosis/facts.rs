//! The facts that a cause is judged by, as data.

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
    /// The latest uptime at which one of them that came up later was still heard to fail.
    pub not_before: Duration,
    /// The longest that one of them took, at most.
    pub within: Duration,
}

impl CameUp {
    /// What both tell, as one.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self { not_before: self.not_before.max(other.not_before), within: self.within.max(other.within) }
    }
}

/// The pods of a template, by how a probe does in them.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Population {
    /// Pods in which it fails or that it ended.
    pub failing: u32,
    /// Pods that run well with it, longer than it would have taken to end them.
    pub passing: u32,
    /// Pods that ran long enough for a result, and of which nothing like an answer that fails was heard.
    pub spared: u32,
    /// Pods that run for as long as the first in which it fails, and of which nothing was heard.
    pub silent: u32,
    /// The same, where no answer was heard: what was refused at first may pass by now.
    pub unanswered: u32,
    /// Spared pods that have by now run well for twice as long as it would have taken to end them.
    pub well: u32,
    /// Nodes with a pod in which it fails.
    pub failing_nodes: u32,
    /// Nodes with pods that run well, and none in which it fails.
    pub passing_nodes: u32,
}

impl Population {
    /// Whether at least as many pods could have shown what fails, and did not, as did; where that is an
    /// answer, pods of which only silence was heard did not.
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

/// Probes that were seen to pass, and how well that is known.
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

    /// How well it is known that `kind` passed; `None` where it is not.
    pub const fn strength(self, kind: ProbeKind) -> Option<Strength> {
        match (self.all.has(kind), self.seen.has(kind)) {
            (false, _) => None,
            (true, false) => Some(Strength::Inferred),
            (true, true) => Some(Strength::Seen),
        }
    }

    /// Puts `kind` in.
    pub fn add(&mut self, kind: ProbeKind, strength: Strength) {
        self.all.add(kind);
        if strength == Strength::Seen {
            self.seen.add(kind);
        }
    }

    /// Takes `kind` out.
    pub const fn remove(&mut self, kind: ProbeKind) {
        self.all.remove(kind);
        self.seen.remove(kind);
    }

    /// All that is in either, as well known as in the better one.
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

    /// Puts `kind` in; says whether it is new.
    pub const fn add(&mut self, kind: ProbeKind) -> bool {
        let new = !self.has(kind);
        self.0 |= 1 << kind as u8;
        new
    }

    /// Takes `kind` out.
    pub const fn remove(&mut self, kind: ProbeKind) {
        self.0 &= !(1 << kind as u8);
    }

    /// All that is in either.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Why a container cannot begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Blocked {
    /// The waiting reason: `ErrImagePull`, or `StartError`.
    pub reason: Arc<str>,
    /// In words.
    pub message: Option<Arc<str>>,
    /// Since when; by the node's clock where it is of the pod.
    pub since: Time,
    /// Whether it is the pod as a whole that cannot begin.
    pub of_pod: bool,
}

/// What one probe said and did.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ProbeRecord {
    /// Failures by kind, in the order in which they first came.
    pub failures: Vec<FailureGroup>,
    /// Runs of it that could not run.
    pub errors: Vec<FailureGroup>,
    /// Successes with a warning: redirects to another host.
    pub warnings: Option<FailureGroup>,
    /// The last failure before each kill, newest last.
    pub decisive: Vec<Failure>,
    /// Kills that a Killing event proves.
    pub proven: u32,
    /// Kills that failures up to the end and the timing prove without one.
    pub likely: u32,
    /// Kills of incarnations in which it was heard to fail from its first result on.
    pub from_start: u32,
    /// Kills of incarnations in which it had passed.
    pub after_pass: u32,
    /// Kills that came of time-outs in a row, without an answer in between.
    pub in_a_row: u32,
    /// The least uptime at which an incarnation that it ended was first heard to fail.
    pub earliest: Option<Duration>,
    /// When the first pod was made whose very first incarnation it ended, failing from its first result on.
    pub first_pod: Option<Time>,
    /// Kills of incarnations in which it timed out from its first result on, while a sibling that asks
    /// the same and waits longer passed.
    pub slow_from_start: u32,
    /// How often it passed between two time-outs of one incarnation.
    pub alternated: u32,
    /// Incarnations in which a sibling that asks the same was seen to begin to pass after its first
    /// time-out.
    pub sibling_passed_meanwhile: u32,
    /// Kills by it that were told of incarnations of before the first that is known.
    pub before: u32,
    /// Where it dialled, if that is not the pod's address.
    pub dialed_elsewhere: Option<SocketAddr>,
}

/// Something that the kubelet said again and again.
#[derive(Clone, PartialEq, Debug)]
pub struct FailureGroup {
    /// What went wrong.
    pub failure: Failure,
    /// How often, lost ones included.
    pub count: u32,
    /// When first.
    pub first: Time,
    /// When last.
    pub last: Time,
    /// In the kubelet's words.
    pub words: Arc<str>,
}

/// Ends of its own, by kind.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OwnEnds {
    /// Count, last exit code and time of each kind that occurred.
    pub kinds: Vec<OwnEnd>,
}

/// Ends of one kind.
#[derive(Clone, PartialEq, Debug)]
pub struct OwnEnd {
    /// Which.
    pub kind: OwnKind,
    /// How many.
    pub count: u32,
    /// The last one's exit code.
    pub exit: i32,
    /// When the first one was.
    pub first: Time,
    /// When the last one was.
    pub last: Time,
    /// How well it is known, of the best known one, that it ended by itself.
    pub strength: Strength,
}

/// How a container ends by itself.
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
    /// With its node.
    Node,
}

impl OwnEnds {
    /// Adds ends of one kind.
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

    /// How many in all.
    pub fn total(&self) -> u32 {
        self.kinds.iter().map(|end| end.count).sum()
    }

    /// The kind that occurred most; of equals the later. An exit code of 0 is also what an app leaves
    /// that was told to go: beside crashes it says little.
    pub fn main(&self) -> Option<&OwnEnd> {
        let most = self.kinds.iter().max_by_key(|end| (end.count, end.last, end.kind))?;
        let crash = self.kinds.iter().find(|end| end.kind == OwnKind::Crash && end.count * 3 >= most.count);
        Some(crash.filter(|_| most.kind == OwnKind::Exit).unwrap_or(most))
    }
}

impl ProbeRecord {
    /// Failures in all.
    pub fn samples(&self) -> u32 {
        self.failures.iter().fold(0, |all, heard| all.saturating_add(heard.count))
    }

    /// Kills in all.
    pub const fn kills(&self) -> u32 {
        self.proven + self.likely
    }

    /// Whether most of the incarnations that it ended failed from their first result on, if it ended any.
    pub const fn is_mostly_from_start(&self) -> bool {
        self.kills() == 0 || self.from_start * 2 >= self.kills()
    }

    /// Whether it was heard to fail in this way from its first result on in every incarnation that it
    /// ended of which that is known, and in several.
    pub fn is_constant(&self, matches: impl Fn(&Failure) -> bool) -> bool {
        self.from_start >= 2 && self.after_pass == 0 && self.decisive.iter().all(matches)
    }

    /// The failures of a kind that decides, where they are (nearly) all that was answered, and what
    /// the kills came from.
    ///
    /// Refusals, resets and time-outs around a start are no answers. One answer in ten may be of
    /// another kind, and where a kill came from silence others came from such an answer.
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

    /// The failures of a kind of silence, where nothing was ever answered, (nearly) all are of that
    /// kind, and every kill came from it.
    pub fn silent(&self, matches: impl Fn(&Failure) -> bool) -> Option<&FailureGroup> {
        let unanswered = self.failures.iter().all(|heard| is_silence(&heard.failure));
        let decided = self.decisive.iter().all(&matches);
        let fitting = self.failures.iter().filter(|heard| matches(&heard.failure));
        let count = fitting.clone().fold(0_u64, |count, heard| count + u64::from(heard.count));
        let most = fitting.max_by_key(|heard| heard.count)?;
        (unanswered && decided && count * 10 >= u64::from(self.samples()) * 9).then_some(most)
    }
}

/// Failures that are no answer of the app, and common around its starts and ends.
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
    /// The revision's number, where it is known.
    pub revision: Option<u64>,
    /// The template.
    pub template: &'a Arc<PodTemplate>,
    /// The container in it.
    pub container: &'a ContainerSpec,
    /// The container in its pods, where an injector rewrote it on the way.
    pub actual: &'a ContainerSpec,
    /// Probes that were seen to pass under it.
    pub passed: Passes,
    /// How long incarnations of it took to come up.
    pub came_up: Option<CameUp>,
    /// Whether it was seen to loop.
    pub looped: bool,
}

impl Earlier<'_> {
    /// Whether a probe of it that asks this was seen to pass.
    pub fn answered(&self, handler: &Handler) -> bool {
        self.container.asking(handler).any(|kind| self.passed.has(kind))
    }
}

//! What a rule gets to see: one container of one template, and one of its probes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::finding::{Effect, Value};
use crate::kubelet::{Failure, ProbeKind, ProbeSpec};
use crate::template::{ContainerSpec, PodTemplate};
use crate::time::Time;

/// The facts about one container under one template, over all pods of the workload.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// What happens to it.
    pub effect: Effect,
    /// What it is told to be.
    pub container: &'a ContainerSpec,
    /// The probe in question; `None` where no probe is.
    pub probe: Option<ProbeKind>,
    /// What that probe said and did.
    pub record: ProbeRecord,
    /// Ends of its own.
    pub own: OwnEnds,
    /// Ends of which nothing says why.
    pub unexplained: u32,
    /// Probes that were seen to pass under this template.
    pub passed: ProbeSet,
    /// How long an incarnation took until it first passed its startup or readiness probe, at most.
    pub came_up_after: Option<Duration>,
    /// The containers of earlier templates, latest first.
    pub earlier: Vec<Earlier<'a>>,
    /// The same container in the revision before this one.
    pub before: Option<&'a ContainerSpec>,
    /// Other workloads whose probes began to fail within 10 s of this one's.
    pub fell_together: Vec<Arc<str>>,
    /// Why it cannot begin.
    pub blocked: Option<Blocked>,
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

/// The container under an earlier template.
#[derive(Clone, Debug)]
pub struct Earlier<'a> {
    /// The revision's number, where it is known.
    pub revision: Option<u64>,
    /// The template.
    pub template: &'a Arc<PodTemplate>,
    /// The container in it.
    pub container: &'a ContainerSpec,
    /// Probes that were seen to pass under it.
    pub passed: ProbeSet,
    /// How long an incarnation of it took to come up, at most.
    pub came_up_after: Option<Duration>,
}

/// Why a container cannot begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Blocked {
    /// The waiting reason: `ErrImagePull`, or `StartError`.
    pub reason: Arc<str>,
    /// In words.
    pub message: Option<Arc<str>>,
    /// Since when.
    pub since: Time,
}

/// What one probe said and did.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ProbeRecord {
    /// Failures by kind, in the order in which they first came.
    pub failures: Vec<Heard>,
    /// Runs of it that could not run.
    pub errors: Vec<Heard>,
    /// Successes with a warning: redirects to another host.
    pub warnings: Option<Heard>,
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
    /// Whether it passed between failures of one incarnation.
    pub alternated: bool,
    /// Where it dialled, if that is not the pod's address.
    pub dialed_elsewhere: Option<SocketAddr>,
}

/// Something that the kubelet said again and again.
#[derive(Clone, PartialEq, Debug)]
pub struct Heard {
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
    /// Whether one of them was seen to end by itself, rather than concluded.
    pub seen: bool,
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
                known.seen |= end.seen;
            }
            None => self.kinds.push(end),
        }
    }

    /// How many in all.
    pub fn total(&self) -> u32 {
        self.kinds.iter().map(|end| end.count).sum()
    }

    /// The kind that occurred most; of equals the later.
    pub fn main(&self) -> Option<&OwnEnd> {
        self.kinds.iter().max_by_key(|end| (end.count, end.last, end.kind))
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

    /// The failures of a kind that decides, where they are (nearly) all that was answered, and what
    /// every kill came from.
    ///
    /// Refusals, resets and time-outs around a start are no answers. One answer in ten may be of
    /// another kind.
    pub fn answered(&self, matches: impl Fn(&Failure) -> bool) -> Option<&Heard> {
        let answers = self.failures.iter().filter(|heard| !is_silence(&heard.failure));
        let (mut fitting, mut all) = (0_u64, 0_u64);
        for heard in answers {
            all += u64::from(heard.count);
            fitting += if matches(&heard.failure) { u64::from(heard.count) } else { 0 };
        }
        let decided = self.decisive.iter().all(&matches);
        let most = self.failures.iter().filter(|heard| matches(&heard.failure)).max_by_key(|heard| heard.count)?;
        (decided && fitting * 10 >= all * 9).then_some(most)
    }

    /// The failures of a kind of silence, where nothing was ever answered and every kill came from
    /// it.
    pub fn silent(&self, matches: impl Fn(&Failure) -> bool) -> Option<&Heard> {
        let unanswered = self.failures.iter().all(|heard| is_silence(&heard.failure));
        let decided = self.decisive.iter().all(&matches);
        let most = self.failures.iter().filter(|heard| matches(&heard.failure)).max_by_key(|heard| heard.count)?;
        (unanswered && decided).then_some(most)
    }
}

/// Failures that are no answer of the app, and common around its starts and ends.
fn is_silence(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Refused | Failure::Reset | Failure::TimedOut | Failure::Unreachable | Failure::GrpcNoConnection
    )
}

impl<'a> Evidence<'a> {
    /// The probe in question.
    pub fn spec(&self) -> Option<&'a ProbeSpec> {
        self.container.probe(self.probe?)
    }

    /// The probe's field, and one below it: `livenessProbe.httpGet.path`.
    pub fn field(&self, below: &str) -> String {
        let probe = self.probe.map_or("", ProbeKind::field);
        format!("{probe}.{below}")
    }

    /// Whether the probe, or another one that asks the very same, was seen to pass.
    pub fn ever_passed(&self) -> bool {
        let Some(kind) = self.probe else { return false };
        self.passed.has(kind)
            || self.siblings().any(|(_, sibling)| Some(&sibling.handler) == self.spec().map(|s| &s.handler))
    }

    /// Other probes of the container that were seen to pass under this template.
    pub fn siblings(&self) -> impl Iterator<Item = (ProbeKind, &'a ProbeSpec)> + '_ {
        ProbeKind::ALL
            .into_iter()
            .filter(|kind| Some(*kind) != self.probe && self.passed.has(*kind))
            .filter_map(|kind| Some((kind, self.container.probe(kind)?)))
    }

    /// Earlier templates under which this probe was seen to pass, latest first.
    pub fn worked(&self) -> impl Iterator<Item = (&Earlier<'a>, &'a ProbeSpec)> + '_ {
        self.earlier.iter().filter_map(|earlier| {
            let kind = self.probe?;
            earlier.passed.has(kind).then_some(())?;
            Some((earlier, earlier.container.probe(kind)?))
        })
    }

    /// Earlier templates of the very same app under which this probe was seen to pass.
    pub fn worked_for_this_app(&self) -> impl Iterator<Item = (&Earlier<'a>, &'a ProbeSpec)> + '_ {
        self.worked().filter(|(earlier, _)| earlier.container.same_app(self.container))
    }

    /// The value that the probe had when it last passed with this image, if it is another one.
    ///
    /// Never a masked value and never the one that fails now.
    pub fn value_that_worked(&self, value: impl Fn(&ProbeSpec) -> Option<Value>) -> Option<Value> {
        let now = value(self.spec()?);
        self.worked()
            .filter(|(earlier, _)| earlier.container.image == self.container.image)
            .find_map(|(_, spec)| value(spec))
            .filter(|worked| Some(worked) != now.as_ref() && !is_masked(worked))
    }

    /// The latest earlier template under which the very same was asked of this app, by any probe,
    /// and answered: then what is asked is not what broke it.
    pub fn answered_this_before(&self) -> Option<&Earlier<'a>> {
        let handler = &self.spec()?.handler;
        let answered = |earlier: &&Earlier| {
            let mut passed = ProbeKind::ALL.into_iter().filter(|kind| earlier.passed.has(*kind));
            passed.any(|kind| earlier.container.probe(kind).is_some_and(|spec| spec.handler == *handler))
        };
        self.earlier.iter().filter(|earlier| earlier.container.same_app(self.container)).find(answered)
    }

    /// Whether this revision left alone what the probe asks, and the app, and gave it less time.
    ///
    /// Whether it worked before may not have been seen; what it asks is not what was changed.
    pub fn only_budget_was_cut(&self) -> bool {
        let (Some(before), Some(spec)) = (self.before, self.spec()) else { return false };
        let Some(earlier) = self.probe.and_then(|kind| before.probe(kind)) else { return false };
        let budget = |spec: &ProbeSpec| spec.shortest_kill().saturating_add(spec.period);
        before.same_app(self.container) && earlier.handler == spec.handler && budget(earlier) > budget(spec)
    }

    /// Whether there is such a template.
    pub fn asked_this_before(&self) -> bool {
        self.answered_this_before().is_some()
    }
}

/// Whether a value was masked on entry, and so must not be suggested.
pub fn is_masked(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.contains("***"))
}

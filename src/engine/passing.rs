//! Whether a probe had passed in an incarnation.
//!
//! The cluster says it only of readiness and startup probes. That a liveness probe passed follows from
//! times: without a pass the container would have been ended earlier. It counts only where what is
//! concluded from cannot be another incarnation's.

use std::net::IpAddr;
use std::time::Duration;

use super::history::{History, KillReason, Run, Sample, WordsKind};
use super::nodes::{Node, Nodes};
use super::pods::{Container, Pod};
use crate::diagnosis::ProbeSet;
use crate::kubelet::{Failure, ProbeKind, ProbeSpec};
use crate::template::{ContainerSpec, PodTemplate};
use crate::time::Time;

/// How much later than it should a busy node may come to its probes.
const LAG: Duration = Duration::from_secs(5);

/// One container of one pod, with all that is reckoned with.
pub(super) struct Subject<'a> {
    /// What is remembered of it.
    pub history: &'a History,
    /// Its template.
    pub template: &'a PodTemplate,
    /// Its specification.
    pub container: &'a ContainerSpec,
    /// Its pod's address.
    pub ip: Option<IpAddr>,
    /// Until when it is known to run, if it does.
    pub runs_until: Option<Time>,
    /// What is remembered of its node.
    pub node: Option<&'a Node>,
}

impl<'a> Subject<'a> {
    /// A container of a pod that runs until then; `None` where nothing is remembered of it.
    pub fn of(
        pod: &'a Pod,
        container: &'a ContainerSpec,
        state: &'a Container,
        nodes: &'a Nodes,
        runs_until: Option<Time>,
    ) -> Option<Self> {
        let history = state.history.as_deref()?;
        let node = nodes.get(pod.node.as_ref());
        Some(Self { history, template: &pod.template, container, ip: pod.ip, runs_until, node })
    }

    /// The probes that had passed in any incarnation that is remembered.
    pub fn passed(&self) -> ProbeSet {
        let mut passed = ProbeSet::default();
        for index in 0..self.history.runs.len() {
            for kind in ProbeKind::ALL.into_iter().filter(|kind| self.passed_in(index, *kind)) {
                passed.add(kind);
            }
        }
        passed
    }

    /// Whether a probe had passed in the run at `index`, from what was seen of it.
    pub fn passed_in(&self, index: usize, probe: ProbeKind) -> bool {
        let Some(run) = self.history.runs.get(index) else {
            return false;
        };
        match probe {
            ProbeKind::Readiness => run.ready.is_some() && self.container.readiness.is_some(),
            ProbeKind::Startup => run.came_up.is_some(),
            ProbeKind::Liveness => Liveness::of(self, index).is_some_and(|liveness| liveness.passed()),
        }
    }

    /// Whether the readiness probe asks the very same and had passed in that run before this one failed.
    pub fn twin_passed_in(&self, index: usize, probe: ProbeKind) -> bool {
        let handler = |kind| self.container.probe(kind).map(|spec| &spec.handler);
        let ready = self.history.runs.get(index).and_then(|run| run.ready);
        let failed = self.history.samples_of(index, probe).next().map(|sample| sample.at);
        handler(probe) == handler(ProbeKind::Readiness)
            && ready.is_some_and(|ready| failed.is_none_or(|failed| ready.whole_second() <= failed))
    }

    /// Whether a probe was heard to fail in that run from its first result on.
    pub fn failed_from_start(&self, index: usize, probe: ProbeKind) -> bool {
        let Some(spec) = self.container.probe(probe) else { return false };
        let started = self.history.runs.get(index).and_then(|run| run.started);
        let failed = self.history.samples_of(index, probe).next().map(|sample| sample.at);
        let by = spec.first_result_by().saturating_add(LAG);
        started.zip(failed).is_some_and(|(started, failed)| failed.since(started) <= by)
    }

    /// When a probe that had passed in that run began to fail there for a reason that may lie outside
    /// of the app.
    pub fn onset_in(&self, index: usize, probe: ProbeKind) -> Option<Time> {
        let run = self.history.runs.get(index)?;
        let mut samples = self.history.samples_of(index, probe);
        let first = match probe {
            // What failed up to the second in which it became ready, failed while it started.
            ProbeKind::Readiness => {
                let ready = run.ready?.whole_second();
                samples.find(|sample| sample.at > ready)
            }
            ProbeKind::Liveness => samples
                .next()
                .filter(|_| Liveness::of(self, index).is_some_and(|liveness| liveness.passed_before_it_failed())),
            ProbeKind::Startup => None,
        }?;
        could_be_a_dependency(&first.failure).then_some(first.at)
    }
}

/// Whether such a failure can come from what an app needs, rather than from a specification.
const fn could_be_a_dependency(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Status(500..=599 | 429) | Failure::TimedOut | Failure::GrpcNotServing | Failure::CommandFailed
    )
}

/// Whether a container that has only ever run well, from one time until another, has run long enough
/// for its liveness probe to have passed, even if its end is decided and not yet told.
pub(super) fn silence_proves(container: &ContainerSpec, grace: Duration, since: Time, until: Time) -> bool {
    let Some(spec) = container.liveness.as_ref() else { return false };
    is_silence(spec, grace, begins(container, None, since), until)
}

fn is_silence(spec: &ProbeSpec, grace: Duration, from: Time, until: Time) -> bool {
    until.since(from) > spec.longest_kill(grace).saturating_add(spec.passed_after())
}

/// When the liveness probe begins: with the container, or when its startup probe has passed.
fn begins(container: &ContainerSpec, came_up: Option<Time>, started: Time) -> Time {
    match (&container.startup, came_up) {
        (None, _) => started,
        (Some(_), Some(came_up)) => came_up,
        (Some(startup), None) => started.plus(startup.passed_after()),
    }
}

/// From one run of a probe to the next.
pub(super) fn step(spec: &ProbeSpec) -> Duration {
    spec.period.max(spec.timeout)
}

/// The liveness probe within one incarnation.
struct Liveness<'a> {
    subject: &'a Subject<'a>,
    index: usize,
    run: &'a Run,
    spec: &'a ProbeSpec,
    started: Time,
    from: Time,
}

impl<'a> Liveness<'a> {
    /// `None` where there is none, or nothing can be concluded: its start is not known, or it could
    /// not always run.
    fn of(subject: &'a Subject<'a>, index: usize) -> Option<Self> {
        let run = subject.history.runs.get(index)?;
        let (spec, started) = (subject.container.liveness.as_ref()?, run.started?);
        let errored =
            |kind| subject.history.words.iter().any(|words| words.probe == kind && words.kind == WordsKind::Errored);
        if errored(ProbeKind::Liveness) || errored(ProbeKind::Startup) {
            return None;
        }
        let from = begins(subject.container, run.came_up, started);
        Some(Self { subject, index, run, spec, started, from })
    }

    /// Whether it had passed: else it would have ended the run earlier.
    fn passed(&self) -> bool {
        match self.ended() {
            Some(ended) if ended.since(self.from) > self.longest_kill().saturating_add(LAG) => self.is_steady(ended),
            Some(_) => self.passed_before_it_failed(),
            None => self.is_well() && self.seen().is_some_and(|seen| self.is_silent(seen) && self.is_steady(seen)),
        }
    }

    /// Whether it first failed so late that it must have passed before.
    fn passed_before_it_failed(&self) -> bool {
        let failed = self.first_failure().into_iter().chain(self.first_of_kill()).min();
        failed.is_some_and(|failed| failed.since(self.from) > self.spec.passed_after() && self.is_steady(failed))
    }

    fn ended(&self) -> Option<Time> {
        self.run.end.as_ref()?.ended.finished
    }

    fn longest_kill(&self) -> Duration {
        self.spec.longest_kill(self.subject.template.grace)
    }

    /// Whether no kill of a run that has not ended is known; it may be decided and not yet told, or
    /// told and lost, and what is heard may be of the next.
    fn is_well(&self) -> bool {
        let failed = self.subject.history.failed_in(self.index, ProbeKind::Liveness);
        failed < self.spec.failure_threshold && !self.subject.history.killings.iter().any(|kill| kill.at > self.started)
    }

    fn is_silent(&self, until: Time) -> bool {
        is_silence(self.spec, self.subject.template.grace, self.from, until)
    }

    /// Until when it was seen to run.
    fn seen(&self) -> Option<Time> {
        let is_last = self.index + 1 == self.subject.history.runs.len();
        self.run.seen_running.max(self.subject.runs_until.filter(|_| is_last))
    }

    /// Whether the kubelet was there all the time: while it is away no probe runs.
    fn is_steady(&self, until: Time) -> bool {
        self.subject.node.and_then(Node::kubelet_since).is_none_or(|since| since < self.started || until < since)
    }

    /// When it first failed; one failure that stands for several was preceded by those that were lost.
    fn first_failure(&self) -> Option<Time> {
        let lost = |sample: &Sample| step(self.spec).saturating_mul(sample.count.saturating_sub(1));
        let first = self.subject.history.samples_of(self.index, ProbeKind::Liveness).next()?;
        Some(first.at.minus(lost(first)))
    }

    /// When the failures began that led to the kill: as many as the threshold, told or not.
    fn first_of_kill(&self) -> Option<Time> {
        let ended = self.ended()?;
        let history = self.subject.history;
        let before = self.index.checked_sub(1).and_then(|before| history.runs[before].end.as_ref());
        let before = before.and_then(|end| end.ended.finished).or(history.cut);
        let mut killings = history.killings.iter();
        let killed = killings.find(|kill| {
            matches!(kill.why, KillReason::Probe(_))
                && (self.started..=ended).contains(&kill.at)
                && before.is_none_or(|before| kill.at > before)
        })?;
        Some(killed.at.minus(step(self.spec).saturating_mul(self.spec.failure_threshold.saturating_sub(1))))
    }
}

//! How an incarnation ended: by a probe, by itself, on purpose, or nobody knows.

use std::time::Duration;

use super::history::{History, KillReason, Run, RunEnd};
use crate::diagnosis::OwnKind;
use crate::kubelet::{ProbeKind, ProbeSpec};
use crate::template::{ContainerSpec, PodTemplate, RestartPolicy, Role};
use crate::time::Time;

/// Status can arrive before its event: so long no end is called unexplained.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How an incarnation ended.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum EndKind {
    /// The event that would tell may still come.
    Pending,
    /// A Killing event proves that this probe ended it.
    Proven(ProbeKind),
    /// Failures up to the end and the timing show that this probe ended it.
    Likely(ProbeKind),
    /// The timing fits this probe and something of it was heard before; again and again it counts.
    Fitting(ProbeKind),
    /// By itself; `true` where that was seen or leaves no other explanation.
    Own(OwnKind, bool),
    /// On purpose, with its pod, or as it should.
    Fine,
    /// It never began.
    NeverBegan,
    /// Nothing tells.
    Unexplained,
}

impl EndKind {
    /// The probe that ended it, if one did.
    pub const fn killed_by(self) -> Option<ProbeKind> {
        match self {
            Self::Proven(probe) | Self::Likely(probe) | Self::Fitting(probe) => Some(probe),
            _ => None,
        }
    }

    /// Whether it is an end that should not have been.
    pub const fn is_bad(self) -> bool {
        !matches!(self, Self::Fine | Self::NeverBegan)
    }
}

/// Judges the end of the run at `index`; `None` while it has not ended.
pub(super) fn judge(
    history: &History,
    index: usize,
    template: &PodTemplate,
    container: &ContainerSpec,
    now: Time,
) -> Option<EndKind> {
    let run = history.runs.get(index)?;
    let end = run.end.as_ref()?;
    let case = Case { history, index, run, end, template, container };
    Some(case.fine().or_else(|| case.proven()).or_else(|| case.own()).unwrap_or_else(|| case.concluded(now)))
}

/// When the run at `index` was ended by a signal that no probe sent: it was seen to go by itself.
pub(super) fn fell(
    history: &History,
    index: usize,
    template: &PodTemplate,
    container: &ContainerSpec,
    now: Time,
) -> Option<Time> {
    let end = history.runs.get(index)?.end.as_ref().filter(|end| end.by_itself == Some(true))?;
    let verdict = judge(history, index, template, container, now);
    end.ended.finished.filter(|_| matches!(verdict, Some(EndKind::Own(OwnKind::Signal, _))))
}

struct Case<'a> {
    history: &'a History,
    index: usize,
    run: &'a Run,
    end: &'a RunEnd,
    template: &'a PodTemplate,
    container: &'a ContainerSpec,
}

impl Case<'_> {
    /// Ends that need no explanation.
    fn fine(&self) -> Option<EndKind> {
        let ended = &self.end.ended;
        if matches!(&*ended.reason, "StartError" | "ContainerCannotRun") {
            return Some(EndKind::NeverBegan);
        }
        if self.end.with_pod || self.killing(|why| why == KillReason::Deliberate).is_some() {
            return Some(EndKind::Fine);
        }
        // What has completed is not run again, but for an init container with its pod.
        let again = self.index + 1 < self.history.runs.len();
        let completes = match self.container.role {
            Role::Init => true,
            _ => self.template.restart != RestartPolicy::Always && !again,
        };
        (completes && self.container.role != Role::Sidecar && ended.exit == 0 && self.killed_by_event().is_none())
            .then_some(EndKind::Fine)
    }

    /// A Killing event of an incarnation that was alive.
    fn proven(&self) -> Option<EndKind> {
        let (probe, at) = self.killed_by_event()?;
        let finished = self.end.ended.finished?;
        let spec = self.container.probe(probe)?;
        let at_the_same_time = at.whole_second() >= finished.whole_second();
        let went_itself = self.end.by_itself == Some(true) && self.is_ordinary() && at_the_same_time;
        let long_enough = self.uptime().is_none_or(|uptime| uptime >= spec.shortest_kill());
        (long_enough && !went_itself && !self.carried_over(probe, spec)).then_some(EndKind::Proven(probe))
    }

    /// The probe that a Killing event names for this incarnation, and when.
    fn killed_by_event(&self) -> Option<(ProbeKind, Time)> {
        let said = self.killing(|why| matches!(why, KillReason::Probe(_)));
        if let Some((KillReason::Probe(probe), at)) = said {
            return Some((probe, at));
        }
        // Under restartPolicy Never the kubelet says no more than "Stopping container".
        let (_, at) = self.killing(|why| why == KillReason::Stopping)?;
        let never = self.template.restart == RestartPolicy::Never && self.container.role != Role::Sidecar;
        let probe = killing_probes(self.container)
            .find(|(probe, spec)| self.failed_to_the_end(*probe, spec) == Proof::Whole)?;
        never.then_some((probe.0, at))
    }

    /// The latest Killing event of that sort within this incarnation's life.
    fn killing(&self, is: impl Fn(KillReason) -> bool) -> Option<(KillReason, Time)> {
        let finished = self.end.ended.finished?;
        let started = self.run.started;
        let before = self.index.checked_sub(1).and_then(|before| self.history.runs.get(before));
        let taken = before.and_then(|run| run.end.as_ref()).and_then(|end| end.ended.finished);
        self.history
            .killings
            .iter()
            .rev()
            .filter(|kill| is(kill.why))
            .find(|kill| {
                let at = kill.at.whole_second();
                at <= finished.whole_second()
                    && started.is_none_or(|started| at >= started.whole_second())
                    // What was said in the second in which the one before ended was said of that one.
                    && taken.is_none_or(|taken| at > taken.whole_second())
            })
            .map(|kill| (kill.why, kill.at))
    }

    /// Whether failures of an earlier incarnation that ended by itself may have made up the count.
    fn carried_over(&self, probe: ProbeKind, spec: &ProbeSpec) -> bool {
        let Some(before) = self.index.checked_sub(1) else {
            return false;
        };
        let Some(end) = self.history.runs.get(before).and_then(|run| run.end.as_ref()) else {
            return false;
        };
        let went_itself =
            end.by_itself == Some(true) || !could_be_kill(end.ended.exit) || &*end.ended.reason == "OOMKilled";
        let failed = self.history.failed_in(self.index, probe);
        went_itself && self.is_ordinary() && !end.with_pod && failed < spec.failure_threshold
    }

    /// Ends that no probe can have brought about.
    fn own(&self) -> Option<EndKind> {
        let ended = &self.end.ended;
        let own = |kind| Some(EndKind::Own(kind, true));
        if &*ended.reason == "ContainerStatusUnknown" || (ended.exit == 255 && &*ended.reason == "Unknown") {
            return own(OwnKind::Node);
        }
        let hook = self.killing(|why| why == KillReason::Hook).is_some() || self.hook_failed();
        if self.container.post_start && hook {
            return own(OwnKind::Hook);
        }
        if &*ended.reason == "OOMKilled" {
            return own(OwnKind::OutOfMemory);
        }
        let kind = kind_of(ended.exit);
        // A hook that fails ends the container like a probe does.
        if self.container.post_start && could_be_kill(ended.exit) && self.end.by_itself != Some(true) {
            return None;
        }
        if !could_be_kill(ended.exit) || killing_probes(self.container).next().is_none() {
            return own(kind);
        }
        if self.end.by_itself == Some(true) && self.is_ordinary() {
            return own(kind);
        }
        let too_short =
            |(_, spec): (ProbeKind, &ProbeSpec)| self.uptime().is_some_and(|uptime| uptime < spec.shortest_kill());
        if killing_probes(self.container).all(too_short) {
            return own(kind);
        }
        None
    }

    fn hook_failed(&self) -> bool {
        let (Some(started), Some(finished)) = (self.run.started, self.end.ended.finished) else { return self.end.hook };
        let within = |at: &Time| *at >= started && at.whole_second() <= finished;
        self.end.hook || self.history.hooks.iter().any(within)
    }

    /// What remains when no event tells, once it is late enough for one.
    fn concluded(&self, now: Time) -> EndKind {
        if now < self.end.seen_at.plus(PATIENCE) {
            return EndKind::Pending;
        }
        let mut fitting = None;
        for (probe, spec) in killing_probes(self.container) {
            match self.failed_to_the_end(probe, spec) {
                Proof::Whole => return EndKind::Likely(probe),
                Proof::Part if self.fits(spec) => fitting = fitting.or(Some(EndKind::Fitting(probe))),
                Proof::Part | Proof::None => {}
            }
            if self.fits(spec) && self.told_of(probe) {
                fitting = fitting.or(Some(EndKind::Fitting(probe)));
            }
        }
        fitting.unwrap_or(EndKind::Unexplained)
    }

    /// How well the failures of a probe explain the end.
    fn failed_to_the_end(&self, probe: ProbeKind, spec: &ProbeSpec) -> Proof {
        let Some(finished) = self.end.ended.finished else {
            return Proof::None;
        };
        let grace = spec.grace.unwrap_or(self.template.grace);
        let within = spec.period.max(spec.timeout).saturating_add(grace).saturating_add(Duration::from_secs(2));
        let (mut count, mut last) = (0_u32, None);
        for sample in self.history.samples_of(self.index, probe) {
            count = count.saturating_add(sample.count);
            last = Some(sample.at);
        }
        match last {
            Some(last) if finished.since(last) <= within && count >= spec.failure_threshold => Proof::Whole,
            Some(last) if finished.since(last) <= within => Proof::Part,
            _ => Proof::None,
        }
    }

    /// Whether the uptime is one after which a probe that never passed kills.
    fn fits(&self, spec: &ProbeSpec) -> bool {
        self.uptime()
            .is_some_and(|uptime| uptime >= spec.shortest_kill() && uptime <= spec.longest_kill(self.template.grace))
    }

    /// Whether a kill by this probe was ever told of this container.
    fn told_of(&self, probe: ProbeKind) -> bool {
        self.history.killings.iter().any(|kill| kill.why == KillReason::Probe(probe))
    }

    fn uptime(&self) -> Option<Duration> {
        Some(self.end.ended.finished?.since(self.run.started.or(self.end.ended.started)?))
    }

    /// Whether a probe kill of such a container is never seen `terminated`.
    fn is_ordinary(&self) -> bool {
        self.container.role == Role::App && self.template.restart == RestartPolicy::Always
    }
}

#[derive(PartialEq, Eq)]
enum Proof {
    /// As many failures as the threshold, up to the end.
    Whole,
    /// Fewer, up to the end.
    Part,
    /// None.
    None,
}

/// The probes of a container that end it when they fail, the one that runs first first.
pub(super) fn killing_probes(container: &ContainerSpec) -> impl Iterator<Item = (ProbeKind, &ProbeSpec)> {
    [ProbeKind::Startup, ProbeKind::Liveness].into_iter().filter_map(|kind| Some((kind, container.probe(kind)?)))
}

/// Whether SIGTERM or SIGKILL can leave such an exit code.
pub(super) const fn could_be_kill(exit: i32) -> bool {
    matches!(exit, 0 | 2 | 137 | 143)
}

const fn kind_of(exit: i32) -> OwnKind {
    match exit {
        0 => OwnKind::Exit,
        137 | 143 => OwnKind::Signal,
        _ => OwnKind::Crash,
    }
}

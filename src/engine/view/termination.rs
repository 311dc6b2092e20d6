//! How an incarnation terminated: by a probe, by itself, on purpose, or for an unknown reason.

use std::time::Duration;

use crate::diagnosis::{OwnKind, Strength};
use crate::engine::memory::history::{History, Incarnation, KillReason, ProbeEventKind, Termination};
use crate::engine::memory::node_clock::Clock;
use crate::engine::view::probe_passed::Incarnations;
use crate::kubelet::{ProbeKind, ProbeSpec};
use crate::template::{ContainerSpec, PodTemplate, RestartAction, RestartPolicy, Role};
use crate::time::Time;

/// Timestamps are truncated to whole seconds.
const ROUNDED: Duration = Duration::from_secs(1);

/// Number of kills of a container whose events certainly arrive (`client-go`'s spam filter: 25 events, four
/// per kill).
const NOT_YET_DRY: u32 = 5;

/// The reason in a container's status if another one had the whole pod restarted.
pub const RESTARTING_ALL: &str = "RestartingAllContainers";

/// A status can arrive before its event: no termination is called unexplained for this long.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How an incarnation terminated.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum TerminationKind {
    /// The event that would explain it may still come.
    Pending,
    /// A Killing event proves that this probe killed it.
    Proven(ProbeKind),
    /// Failures up to the end and the timing show that this probe killed it.
    Likely(ProbeKind),
    /// The timing fits this probe and something was reported about it before; counts if it happens
    /// repeatedly.
    Fitting(ProbeKind),
    /// By itself, and how certain that is.
    Own(OwnKind, Strength),
    /// On purpose, with its pod, or as it should.
    Fine,
    /// It never started.
    NeverBegan,
    /// There is no explanation.
    Unexplained,
}

impl TerminationKind {
    /// The probe that killed it, if one did.
    pub const fn killed_by(self) -> Option<ProbeKind> {
        match self {
            Self::Proven(probe) | Self::Likely(probe) | Self::Fitting(probe) => Some(probe),
            _ => None,
        }
    }

    /// Whether it should not have happened.
    pub const fn is_bad(self) -> bool {
        !matches!(self, Self::Fine | Self::NeverBegan)
    }

    /// Whether such terminations, repeated, are a loop: those caused by the node are not.
    pub const fn is_of_a_loop(self) -> bool {
        self.is_bad() && !matches!(self, Self::Pending | Self::Own(OwnKind::Node, _))
    }
}

/// Judges the termination of the incarnation at `index`; `None` while it is running.
pub fn judge(subject: &Incarnations, index: usize, now: Time) -> Option<TerminationKind> {
    let history = subject.history;
    let run = history.incarnations.get(index)?;
    let end = run.end.as_ref()?;
    let judgement =
        Judgement { subject, history, index, run, end, template: subject.template, container: subject.container };
    Some(
        judgement
            .fine()
            .or_else(|| judgement.proven())
            .or_else(|| judgement.own())
            .unwrap_or_else(|| judgement.concluded(now)),
    )
}

/// Judges the terminations of all remembered incarnations.
pub fn judge_all(subject: &Incarnations, now: Time) -> Vec<Option<TerminationKind>> {
    (0..subject.history.incarnations.len()).map(|index| judge(subject, index, now)).collect()
}

/// When the incarnation at `index` was ended by a signal that no probe sent: it was seen to terminate by
/// itself.
pub fn fell(subject: &Incarnations, index: usize, now: Time) -> Option<Time> {
    let end = subject.history.incarnations.get(index)?.end.as_ref().filter(|end| end.by_itself == Some(true))?;
    let verdict = judge(subject, index, now);
    end.ended.finished.filter(|_| matches!(verdict, Some(TerminationKind::Own(OwnKind::Signal, _))))
}

/// Whether a kill was reported for an incarnation that had not run long enough for it: then the container
/// terminates by itself, and the failures its probes had counted by then contribute to the next kill.
pub fn leaves_failures_behind(subject: &Incarnations) -> bool {
    let history = subject.history;
    history.probe_kills().any(|(probe, kill)| {
        let begun = history.incarnations.iter().rev().filter_map(|run| run.started).find(|started| *started <= kill.at);
        let least = subject.container.probe(probe).map(ProbeSpec::shortest_kill);
        begun.zip(least).is_some_and(|(begun, least)| kill.at.since(begun).saturating_add(ROUNDED) < least)
    })
}

struct Judgement<'a> {
    subject: &'a Incarnations<'a>,
    history: &'a History,
    index: usize,
    run: &'a Incarnation,
    end: &'a Termination,
    template: &'a PodTemplate,
    container: &'a ContainerSpec,
}

impl Judgement<'_> {
    /// Terminations that need no explanation.
    fn fine(&self) -> Option<TerminationKind> {
        let ended = &self.end.ended;
        if matches!(&*ended.reason, "StartError" | "ContainerCannotRun") {
            return Some(TerminationKind::NeverBegan);
        }
        if self.end.with_pod || self.killing(|why| why == KillReason::Deliberate).is_some() {
            return Some(TerminationKind::Fine);
        }
        // A container of its pod had all of them restarted.
        let may_be_its_own = self.container.restart_rules.iter().any(|rule| rule.action == RestartAction::All);
        if &*ended.reason == RESTARTING_ALL && !may_be_its_own {
            return Some(TerminationKind::Fine);
        }
        // A completed container is not restarted, except an init container with its pod.
        let again = self.index + 1 < self.history.incarnations.len();
        let completes = match self.container.role {
            Role::Init => true,
            _ => self.policy() != RestartPolicy::Always && !again,
        };
        (completes && self.container.role != Role::Sidecar && ended.exit == 0 && self.killed_by_event().is_none())
            .then_some(TerminationKind::Fine)
    }

    /// A Killing event for an incarnation that was alive.
    fn proven(&self) -> Option<TerminationKind> {
        let (probe, at) = self.killed_by_event()?;
        let finished = self.finished()?;
        let spec = self.container.probe(probe)?;
        let at_the_same_time = at.whole_second() >= finished.whole_second();
        let went_itself = self.end.by_itself == Some(true) && self.is_ordinary() && at_the_same_time;
        let long_enough = self.uptime().is_none_or(|uptime| uptime >= self.least_uptime(spec));
        (long_enough && !went_itself && !self.carried_over(probe, spec)).then_some(TerminationKind::Proven(probe))
    }

    /// The probe that a Killing event names for this incarnation, and when.
    fn killed_by_event(&self) -> Option<(ProbeKind, Time)> {
        let said = self.killing(|why| matches!(why, KillReason::Probe(_)));
        if let Some((KillReason::Probe(probe), at)) = said {
            return Some((probe, at));
        }
        // With restartPolicy Never the kubelet reports only "Stopping container".
        let (_, at) = self.killing(|why| why == KillReason::Stopping)?;
        // The same applies if a rule restarts the pod as a whole.
        let never = self.policy() == RestartPolicy::Never && self.container.role != Role::Sidecar || self.by_rules();
        let probe = killing_probes(self.container)
            .find(|(probe, spec)| self.failed_to_the_end(*probe, spec) == Proof::Whole)?;
        never.then_some((probe.0, at))
    }

    /// The latest Killing event of that sort within this incarnation's life.
    fn killing(&self, is: impl Fn(KillReason) -> bool) -> Option<(KillReason, Time)> {
        let finished = self.finished()?;
        let started = self.run.started;
        let taken = self.history.finished_before(self.index);
        self.history
            .killings
            .iter()
            .rev()
            .filter(|kill| is(kill.why))
            .find(|kill| {
                let at = kill.at.whole_second();
                at <= finished.whole_second()
                    && started.is_none_or(|started| at >= started.whole_second())
                    // What was reported in the second in which the previous one terminated was about that
                    // one.
                    && taken.is_none_or(|taken| at > taken.whole_second())
            })
            .map(|kill| (kill.why, kill.at))
    }

    /// Whether failures of an earlier incarnation that terminated by itself may have contributed to the
    /// count.
    fn carried_over(&self, probe: ProbeKind, spec: &ProbeSpec) -> bool {
        let Some(before) = self.index.checked_sub(1) else {
            return false;
        };
        let Some(end) = self.history.incarnations.get(before).and_then(|run| run.end.as_ref()) else {
            return false;
        };
        let went_itself = end.by_itself == Some(true) || &*end.ended.reason == "OOMKilled";
        let failed = self.history.failed_in(self.index, probe);
        went_itself && self.is_ordinary() && !end.with_pod && failed < spec.failure_threshold
    }

    /// Terminations that no probe can have caused. The exit code proves nothing.
    fn own(&self) -> Option<TerminationKind> {
        let ended = &self.end.ended;
        let seen = |kind| Some(TerminationKind::Own(kind, Strength::Seen));
        if &*ended.reason == "ContainerStatusUnknown" || (ended.exit == 255 && &*ended.reason == "Unknown") {
            return seen(OwnKind::Node);
        }
        let hook = self.killing(|why| why == KillReason::Hook).is_some() || self.hook_failed();
        if self.container.post_start && hook {
            return seen(OwnKind::Hook);
        }
        // At a first look the event may stand for the hooks of earlier incarnations.
        if self.container.post_start && self.end.by_itself.is_none() && !self.history.hooks.is_empty() {
            return Some(TerminationKind::Own(OwnKind::Hook, Strength::Inferred));
        }
        if &*ended.reason == "OOMKilled" {
            return seen(OwnKind::OutOfMemory);
        }
        let kind = kind_of(ended.exit);
        // A failing hook terminates the container like a probe does.
        if self.container.post_start && self.end.by_itself != Some(true) {
            return None;
        }
        if killing_probes(self.container).next().is_none() {
            return seen(kind);
        }
        if self.end.by_itself == Some(true) && self.is_ordinary() {
            return seen(kind);
        }
        let too_short =
            |(_, spec): (ProbeKind, &ProbeSpec)| self.uptime().is_some_and(|uptime| uptime < spec.shortest_kill());
        killing_probes(self.container).all(too_short).then(|| match self.killed_by_event() {
            // It was stopped for failures of the previous incarnation: the reason is the previous one's.
            Some(_) => self.like_the_one_before(),
            None => TerminationKind::Own(kind, Strength::Inferred),
        })
    }

    fn like_the_one_before(&self) -> TerminationKind {
        let before = self.index.checked_sub(1).and_then(|before| self.history.incarnations.get(before)?.end.as_ref());
        match before.filter(|before| before.by_itself == Some(true)) {
            Some(before) => TerminationKind::Own(kind_of(before.ended.exit), Strength::Inferred),
            None => TerminationKind::Unexplained,
        }
    }

    fn hook_failed(&self) -> bool {
        let (Some(started), Some(finished)) = (self.run.started, self.end.ended.finished) else { return self.end.hook };
        let within = |at: &Time| *at >= started && at.whole_second() <= finished;
        self.end.hook || self.history.hooks.iter().any(within)
    }

    /// The conclusion if no event explains it, once it is too late for one.
    fn concluded(&self, now: Time) -> TerminationKind {
        if now < self.end.seen_at.plus(patience(self.subject.clock)) {
            return TerminationKind::Pending;
        }
        // With restart rules every termination is visible; one that no event explains was its own.
        if self.end.by_itself == Some(true)
            && !self.is_ordinary()
            && self.container.role == Role::App
            && self.by_rules()
        {
            let published = killing_probes(self.container).any(|(probe, _)| self.told_of(probe));
            let whole =
                killing_probes(self.container).any(|(probe, spec)| self.failed_to_the_end(probe, spec) == Proof::Whole);
            if !published && !whole {
                return TerminationKind::Own(kind_of(self.end.ended.exit), Strength::Inferred);
            }
        }
        let mut fitting = None;
        for (probe, spec) in killing_probes(self.container) {
            let fits = self.fits(spec) && !leaves_failures_behind(self.subject);
            match self.failed_to_the_end(probe, spec) {
                Proof::Whole => return TerminationKind::Likely(probe),
                Proof::Part if fits => fitting = fitting.or(Some(TerminationKind::Fitting(probe))),
                Proof::Part | Proof::None => {}
            }
            if fits && (self.told_of(probe) || self.failed_around(probe, spec)) {
                fitting = fitting.or(Some(TerminationKind::Fitting(probe)));
            }
        }
        fitting.unwrap_or_else(|| self.unexplained())
    }

    /// Without reports from the probes it counts as a termination of its own, if its exit code is not one
    /// that a signal usually leaves.
    fn unexplained(&self) -> TerminationKind {
        let ended = &self.end.ended;
        let history = self.subject.history;
        let heard = killing_probes(self.container).any(|(probe, _)| history.heard_of(probe));
        let published = killing_probes(self.container).any(|(probe, _)| self.told_of(probe));
        // At a first look the events of the last hour are available, including those of a kill.
        let silent = if self.end.by_itself.is_none() && heard { !published } else { !heard };
        if !silent || usual_after_a_signal(ended.exit) {
            return TerminationKind::Unexplained;
        }
        TerminationKind::Own(kind_of(ended.exit), Strength::Assumed)
    }

    /// Whether a probe was reported to fail before the end and after it, as often as its threshold:
    /// failures counted by its event in between are not known individually.
    fn failed_around(&self, probe: ProbeKind, spec: &ProbeSpec) -> bool {
        let (Some(started), Some(finished)) = (self.run.started, self.end.ended.finished) else { return false };
        let around = self.history.probe_events.iter().filter(|words| {
            words.probe == probe
                && words.kind == ProbeEventKind::Failed
                && words.first <= finished
                && words.last >= started
                && words.first < words.last
        });
        around.fold(0_u32, |count, words| count.saturating_add(words.count)) >= spec.failure_threshold
    }

    /// How well the failures of a probe explain the termination.
    fn failed_to_the_end(&self, probe: ProbeKind, spec: &ProbeSpec) -> Proof {
        let Some(finished) = self.end.ended.finished else {
            return Proof::None;
        };
        let grace = spec.grace.unwrap_or(self.template.grace);
        let within = spec.step().saturating_add(grace).saturating_add(Duration::from_secs(2));
        let (mut count, mut last) = (0_u32, None);
        for sample in self.history.samples_of(self.index, probe) {
            count = count.saturating_add(sample.count);
            last = Some(sample.at);
        }
        // An event that has been counting since long before is not entirely about this one.
        if let (Some(started), Some(last)) = (self.run.started, last) {
            let possible = last.since(started).as_secs() / spec.period.as_secs().max(1) + 1;
            count = count.min(u32::try_from(possible).unwrap_or(u32::MAX));
        }
        match last {
            Some(last) if finished.since(last) <= within && count >= spec.failure_threshold => Proof::Whole,
            Some(last) if finished.since(last) <= within => Proof::Part,
            _ => Proof::None,
        }
    }

    /// Whether the uptime fits a kill by a probe that never passed.
    fn fits(&self, spec: &ProbeSpec) -> bool {
        self.uptime()
            .is_some_and(|uptime| uptime >= self.least_uptime(spec) && uptime <= spec.longest_kill(self.template.grace))
    }

    /// The minimum uptime after which a probe can have killed it: without the benefit of the doubt if its
    /// termination was not watched, and nobody knows whether an earlier one left failures behind.
    fn least_uptime(&self, spec: &ProbeSpec) -> Duration {
        let published = killing_probes(self.container).any(|(probe, _)| self.told_often_enough(probe));
        let doubtful = self.end.by_itself.is_none() && self.index == 0 && !published;
        spec.shortest_kill().saturating_add(Duration::from_secs(u64::from(doubtful)))
    }

    /// Whether kills by this probe were reported as often as its restarts suggest: unless the kubelet's
    /// events are rate-limited, each kill is reported, and one from failures that an app's own terminations
    /// left behind is not.
    fn told_often_enough(&self, probe: ProbeKind) -> bool {
        let published = self.history.told_kills(probe);
        self.told_of(probe) && published * 2 >= self.history.restarts.min(NOT_YET_DRY)
    }

    /// Whether a kill by this probe was ever reported for this container.
    fn told_of(&self, probe: ProbeKind) -> bool {
        self.history.probe_kills().any(|(by, _)| by == probe)
    }

    /// When it terminated; if the status does not show it, when that was seen, by the node's clock.
    fn finished(&self) -> Option<Time> {
        let replaced = &*self.end.ended.reason == RESTARTING_ALL;
        self.end.ended.finished.or_else(|| replaced.then(|| self.subject.clock.nodes(self.end.seen_at)))
    }

    fn uptime(&self) -> Option<Duration> {
        Some(self.end.ended.finished?.since(self.run.started.or(self.end.ended.started)?))
    }

    /// Whether a container killed by a probe is never seen `terminated`.
    fn is_ordinary(&self) -> bool {
        self.container.role == Role::App && self.policy() == RestartPolicy::Always && !self.by_rules()
    }

    /// Whether restart rules of its pod's containers decide what is restarted.
    fn by_rules(&self) -> bool {
        self.template.containers.iter().any(ContainerSpec::has_restart_rules)
    }

    fn policy(&self) -> RestartPolicy {
        self.template.restart_policy_of(self.container)
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

/// The probes of a container that kill it when they fail, the one that runs first first.
pub fn killing_probes(container: &ContainerSpec) -> impl Iterator<Item = (ProbeKind, &ProbeSpec)> {
    [ProbeKind::Startup, ProbeKind::Liveness].into_iter().filter_map(|kind| Some((kind, container.probe(kind)?)))
}

/// How long after a termination was seen the event that explains it may still come: longer if the node's
/// events were seen to be late.
pub fn patience(clock: Clock) -> Duration {
    PATIENCE.max(clock.lag().saturating_add(PATIENCE / 2))
}

/// Whether an exit code is one that SIGTERM or SIGKILL usually leaves. Others are possible, too.
const fn usual_after_a_signal(exit: i32) -> bool {
    matches!(exit, 0 | 2 | 130 | 137 | 143)
}

const fn kind_of(exit: i32) -> OwnKind {
    match exit {
        0 => OwnKind::Exit,
        137 | 143 => OwnKind::Signal,
        _ => OwnKind::Crash,
    }
}

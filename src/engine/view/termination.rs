//! How an incarnation ended: by a probe, by itself, on purpose, or nobody knows.

use std::time::Duration;

use crate::diagnosis::{OwnKind, Strength};
use crate::engine::memory::history::{History, Incarnation, KillReason, ProbeEventKind, Termination};
use crate::engine::memory::node_clock::Clock;
use crate::engine::view::probe_passed::Incarnations;
use crate::kubelet::{ProbeKind, ProbeSpec};
use crate::template::{ContainerSpec, PodTemplate, RestartAction, RestartPolicy, Role};
use crate::time::Time;

/// Stamps are cut to whole seconds.
const ROUNDED: Duration = Duration::from_secs(1);

/// Kills of a container whose events surely arrive (`client-go`'s spam filter: 25 events, four a kill).
const NOT_YET_DRY: u32 = 5;

/// The reason that a container's status gives where another one had all of its pod restarted.
pub const RESTARTING_ALL: &str = "RestartingAllContainers";

/// Status can arrive before its event: no end is called unexplained for this long.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How an incarnation ended.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum TerminationKind {
    /// The event that would tell may still come.
    Pending,
    /// A Killing event proves that this probe ended it.
    Proven(ProbeKind),
    /// Failures up to the end and the timing show that this probe ended it.
    Likely(ProbeKind),
    /// The timing fits this probe and something of it was heard before; again and again it counts.
    Fitting(ProbeKind),
    /// By itself, and how well that is known.
    Own(OwnKind, Strength),
    /// On purpose, with its pod, or as it should.
    Fine,
    /// It never began.
    NeverBegan,
    /// Nothing tells.
    Unexplained,
}

impl TerminationKind {
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

    /// Whether such ends, again and again, are a loop: what ended with its node did not.
    pub const fn is_of_a_loop(self) -> bool {
        self.is_bad() && !matches!(self, Self::Pending | Self::Own(OwnKind::Node, _))
    }
}

/// Judges the end of the run at `index`; `None` while it has not ended.
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

/// Judges the ends of all runs that are remembered.
pub fn judge_all(subject: &Incarnations, now: Time) -> Vec<Option<TerminationKind>> {
    (0..subject.history.incarnations.len()).map(|index| judge(subject, index, now)).collect()
}

/// When the run at `index` was ended by a signal that no probe sent: it was seen to go by itself.
pub fn fell(subject: &Incarnations, index: usize, now: Time) -> Option<Time> {
    let end = subject.history.incarnations.get(index)?.end.as_ref().filter(|end| end.by_itself == Some(true))?;
    let verdict = judge(subject, index, now);
    end.ended.finished.filter(|_| matches!(verdict, Some(TerminationKind::Own(OwnKind::Signal, _))))
}

/// Whether a kill was told of an incarnation that had not run long enough for it: then the container
/// ends by itself, and what its probes had counted by then makes up the next kill.
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
    /// Ends that need no explanation.
    fn fine(&self) -> Option<TerminationKind> {
        let ended = &self.end.ended;
        if matches!(&*ended.reason, "StartError" | "ContainerCannotRun") {
            return Some(TerminationKind::NeverBegan);
        }
        if self.end.with_pod || self.killing(|why| why == KillReason::Deliberate).is_some() {
            return Some(TerminationKind::Fine);
        }
        // One of its pod's containers had all of them restarted.
        let may_be_its_own = self.container.restart_rules.iter().any(|rule| rule.action == RestartAction::All);
        if &*ended.reason == RESTARTING_ALL && !may_be_its_own {
            return Some(TerminationKind::Fine);
        }
        // What has completed is not run again, but for an init container with its pod.
        let again = self.index + 1 < self.history.incarnations.len();
        let completes = match self.container.role {
            Role::Init => true,
            _ => self.policy() != RestartPolicy::Always && !again,
        };
        (completes && self.container.role != Role::Sidecar && ended.exit == 0 && self.killed_by_event().is_none())
            .then_some(TerminationKind::Fine)
    }

    /// A Killing event of an incarnation that was alive.
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
        // Under restartPolicy Never the kubelet says no more than "Stopping container".
        let (_, at) = self.killing(|why| why == KillReason::Stopping)?;
        // So they do where the pod as a whole is restarted by a rule.
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
        let Some(end) = self.history.incarnations.get(before).and_then(|run| run.end.as_ref()) else {
            return false;
        };
        let went_itself = end.by_itself == Some(true) || &*end.ended.reason == "OOMKilled";
        let failed = self.history.failed_in(self.index, probe);
        went_itself && self.is_ordinary() && !end.with_pod && failed < spec.failure_threshold
    }

    /// Ends that no probe can have brought about. The exit code is none that tells.
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
        // A hook that fails ends the container like a probe does.
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
            // It was told to go for failures of the one before, and did: the reason is the other's.
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

    /// What remains when no event tells, once it is late enough for one.
    fn concluded(&self, now: Time) -> TerminationKind {
        if now < self.end.seen_at.plus(patience(self.subject.clock)) {
            return TerminationKind::Pending;
        }
        // Where rules restart it every end is shown; one of which no event tells was its own.
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

    /// Silence of the probes speaks for an end of its own, where its exit code is none of those that
    /// a signal usually leaves.
    fn unexplained(&self) -> TerminationKind {
        let ended = &self.end.ended;
        let history = self.subject.history;
        let heard = killing_probes(self.container).any(|(probe, _)| history.heard_of(probe));
        let published = killing_probes(self.container).any(|(probe, _)| self.told_of(probe));
        // At a first look the words of an hour are there, and those of a kill among them.
        let silent = if self.end.by_itself.is_none() && heard { !published } else { !heard };
        if !silent || usual_after_a_signal(ended.exit) {
            return TerminationKind::Unexplained;
        }
        TerminationKind::Own(kind_of(ended.exit), Strength::Assumed)
    }

    /// Whether a probe was heard to fail before the end and after it, as often as it kills: what its
    /// event counted in between is not known one by one.
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

    /// How well the failures of a probe explain the end.
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
        // What an event counted since long before is not all of this one.
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

    /// Whether the uptime is one after which a probe that never passed kills.
    fn fits(&self, spec: &ProbeSpec) -> bool {
        self.uptime()
            .is_some_and(|uptime| uptime >= self.least_uptime(spec) && uptime <= spec.longest_kill(self.template.grace))
    }

    /// The least uptime after which a probe can have ended it: of an end that was not watched, and of which
    /// nobody knows whether an earlier one left failures behind, without the benefit of the doubt.
    fn least_uptime(&self, spec: &ProbeSpec) -> Duration {
        let published = killing_probes(self.container).any(|(probe, _)| self.told_often_enough(probe));
        let doubtful = self.end.by_itself.is_none() && self.index == 0 && !published;
        spec.shortest_kill().saturating_add(Duration::from_secs(u64::from(doubtful)))
    }

    /// Whether kills by this probe were told as often as its restarts make likely: while the kubelet's
    /// words do not run dry, a kill is told each time, and one that an app's own ends left behind is not.
    fn told_often_enough(&self, probe: ProbeKind) -> bool {
        let published = self.history.told_kills(probe);
        self.told_of(probe) && published * 2 >= self.history.restarts.min(NOT_YET_DRY)
    }

    /// Whether a kill by this probe was ever told of this container.
    fn told_of(&self, probe: ProbeKind) -> bool {
        self.history.probe_kills().any(|(by, _)| by == probe)
    }

    /// When it ended; where the status does not say, when that was seen, by the node's clock.
    fn finished(&self) -> Option<Time> {
        let replaced = &*self.end.ended.reason == RESTARTING_ALL;
        self.end.ended.finished.or_else(|| replaced.then(|| self.subject.clock.nodes(self.end.seen_at)))
    }

    fn uptime(&self) -> Option<Duration> {
        Some(self.end.ended.finished?.since(self.run.started.or(self.end.ended.started)?))
    }

    /// Whether a probe kill of such a container is never seen `terminated`.
    fn is_ordinary(&self) -> bool {
        self.container.role == Role::App && self.policy() == RestartPolicy::Always && !self.by_rules()
    }

    /// Whether rules of its pod's containers decide what is restarted.
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

/// The probes of a container that end it when they fail, the one that runs first first.
pub fn killing_probes(container: &ContainerSpec) -> impl Iterator<Item = (ProbeKind, &ProbeSpec)> {
    [ProbeKind::Startup, ProbeKind::Liveness].into_iter().filter_map(|kind| Some((kind, container.probe(kind)?)))
}

/// How long after an end was seen the event that explains it may still come: longer where the node's
/// events were seen to be late.
pub fn patience(clock: Clock) -> Duration {
    PATIENCE.max(clock.lag.saturating_add(PATIENCE / 2))
}

/// Whether an exit code is one of those that SIGTERM or SIGKILL usually leaves. Others may be, too.
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

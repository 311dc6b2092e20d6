//! Whether a probe had passed in an incarnation.
//!
//! The cluster reports it only for readiness and startup probes. That a liveness probe passed is inferred
//! from times: without a pass the container would have been killed earlier. The inference counts only if
//! its evidence cannot belong to another incarnation.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::time::Duration;

use crate::diagnosis::{Passes, Strength};
use crate::engine::memory::history::{History, Incarnation, ProbeEvent, Sample};
use crate::engine::memory::node_clock::Clock;
use crate::engine::memory::nodes::Node;
use crate::engine::memory::pods::{Container, Pod};
use crate::kubelet::{Failure, ProbeKind, ProbeSpec};
use crate::template::{ContainerSpec, PodTemplate};
use crate::time::Time;

/// Maximum delay of a probe on a busy node.
pub const LAG: Duration = Duration::from_secs(5);

/// Factor over the longest possible life without a pass, above which a pass is beyond doubt.
const BEYOND_DOUBT: u32 = 3;
const LONG: Duration = Duration::from_mins(5);

/// One container of one pod, with everything needed to interpret it.
pub struct Incarnations<'a> {
    /// Its history.
    pub history: &'a History,
    /// Its template.
    pub template: &'a PodTemplate,
    /// Its specification.
    pub container: &'a ContainerSpec,
    /// When its pod was created.
    pub created: Option<Time>,
    /// Its pod's address.
    pub ip: Option<IpAddr>,
    /// When it was last known to run, if it does.
    pub runs_until: Option<Time>,
    /// The time of the look.
    now: Time,
    /// What is known of its node.
    pub node: Option<Node<'a>>,
    /// The clock of its node.
    pub clock: Clock,
    /// The probes that passed in each of its incarnations, computed on demand.
    passes: OnceCell<Vec<[Option<Strength>; 3]>>,
}

impl<'a> Incarnations<'a> {
    /// A container of a pod, with what is known of its node, last known to run at that time; `None` if it
    /// has no history.
    pub fn new(
        pod: &'a Pod,
        container: &'a ContainerSpec,
        state: &'a Container,
        (node, clock): (Option<Node<'a>>, Clock),
        runs_until: Option<Time>,
        now: Time,
    ) -> Option<Self> {
        let history = state.history.as_deref()?;
        let (created, ip) = (pod.created, pod.ip);
        let (template, passes) = (&*pod.template, OnceCell::new());
        Some(Self { history, template, container, created, ip, runs_until, now, node, clock, passes })
    }

    /// The probes that had passed in any remembered incarnation.
    pub fn passed(&self) -> Passes {
        let mut passed = Passes::default();
        for index in 0..self.history.incarnations.len() {
            for kind in ProbeKind::ALL {
                if let Some(strength) = self.passed_in(index, kind) {
                    passed.add(kind, strength);
                }
            }
        }
        // The liveness probe does not run before the startup probe has passed, except after a restart of
        // the kubelet.
        let back = self.kubelet_since();
        let asked =
            |words: &ProbeEvent| words.probe == ProbeKind::Liveness && back.is_none_or(|back| words.first < back);
        if self.history.probe_events.iter().any(asked)
            && self.container.startup.is_some()
            && !self.history.errored(ProbeKind::Startup)
        {
            passed.add(ProbeKind::Startup, Strength::Inferred);
        }
        passed
    }

    /// The strength of the evidence, from the observations of the incarnation at `index`, that a probe had
    /// passed in it; `None` if there is none.
    pub fn passed_in(&self, index: usize, probe: ProbeKind) -> Option<Strength> {
        let all = || {
            let of_run = |index| ProbeKind::ALL.map(|kind| self.pass_in(index, kind));
            (0..self.history.incarnations.len()).map(of_run).collect()
        };
        self.passes.get_or_init(all).get(index)?[probe as usize]
    }

    fn pass_in(&self, index: usize, probe: ProbeKind) -> Option<Strength> {
        let run = self.history.incarnations.get(index)?;
        let passed = match probe {
            ProbeKind::Readiness => run.ready.is_some() && self.container.readiness.is_some(),
            ProbeKind::Startup => self.came_up_by_its_probe(run),
            ProbeKind::Liveness => {
                return Liveness::new(self, index).filter(Liveness::passed).map(|liveness| liveness.strength());
            }
        };
        passed.then_some(Strength::Seen)
    }

    /// Whether its startup probe passed: a restarted kubelet treats containers as started without having
    /// probed them. A kubelet restart is detected a moment later, so that a probe that has killed is not
    /// believed at once.
    fn came_up_by_its_probe(&self, run: &Incarnation) -> bool {
        let Some(came_up) = run.came_up else { return false };
        let is_sudden = self.history.told_kills(ProbeKind::Startup) > 0 && self.now.since(came_up) < LAG;
        let up = self.clock.nodes(came_up);
        let back = self.kubelet_since();
        let meanwhile = back.is_some_and(|back| run.started.is_some_and(|started| (started..=up).contains(&back)));
        !is_sudden && !meanwhile && !self.history.errored(ProbeKind::Startup)
    }

    /// When, on its node's clock, it was last known to run.
    pub fn seen(&self) -> Option<Time> {
        let seen = self.history.incarnations.back()?.seen_running.max(self.runs_until)?;
        Some(self.clock.known_until(seen, self.now))
    }

    /// How long [`Self::passed`] and [`Self::passed_in`] stay as they are if nothing is observed: until
    /// which time, and until the container was seen to run longer than when, on its node's clock.
    pub fn passes_hold(&self) -> (Option<Time>, Option<Time>) {
        let (mut until, mut seen) = (None, None);
        let last = self.history.incarnations.len().saturating_sub(1);
        for (index, run) in self.history.incarnations.iter().enumerate() {
            let sudden = run.came_up.filter(|_| self.history.told_kills(ProbeKind::Startup) > 0);
            until = until.into_iter().chain(sudden.map(|up| up.plus(LAG)).filter(|at| *at > self.now)).min();
            let Some(changes) = Liveness::new(self, index).and_then(|liveness| liveness.knows_more_after()) else {
                continue;
            };
            if index == last {
                seen = Some(changes);
            } else if run.seen_running.is_some_and(|at| self.clock.written_by(self.now) < self.clock.nodes(at)) {
                // Its end was not seen, and may still be told.
                until = Some(self.now);
            }
        }
        (until, seen)
    }

    /// Whether the readiness probe makes the same request and had passed in that incarnation before this
    /// one failed.
    pub fn twin_passed_in(&self, index: usize, probe: ProbeKind) -> bool {
        let handler = |kind| self.container.probe(kind).map(|spec| &spec.handler);
        let ready = self.ready_by(index);
        let failed = self.history.samples_of(index, probe).next().map(|sample| sample.at);
        handler(probe) == handler(ProbeKind::Readiness)
            && ready.is_some_and(|ready| failed.is_none_or(|failed| ready.whole_second() <= failed))
    }

    /// Whether the readiness probe makes the same request and waits longer for the answer.
    pub fn has_patient_twin(&self, probe: ProbeKind) -> bool {
        let (Some(own), Some(twin)) = (self.container.probe(probe), &self.container.readiness) else { return false };
        own.handler == twin.handler && twin.timeout > own.timeout
    }

    /// Whether a probe with the same request was seen to begin to pass after this one's first time-out in
    /// that incarnation: an answer takes that long, but it comes.
    pub fn twin_began_to_pass(&self, index: usize, probe: ProbeKind) -> bool {
        let handler = |kind| self.container.probe(kind).map(|spec| &spec.handler);
        let run = self.history.incarnations.get(index);
        let mut slow = self.history.samples_of(index, probe).filter(|sample| sample.failure == Failure::TimedOut);
        let (Some(run), Some(first)) = (run, slow.next()) else { return false };
        let began = |kind, at: Option<Time>| {
            kind != probe
                && handler(kind) == handler(probe)
                && at.is_some_and(|at| self.clock.written_by(at).whole_second() > first.at)
        };
        began(ProbeKind::Readiness, run.became_ready) || began(ProbeKind::Startup, run.came_up)
    }

    /// How long the incarnation at `index` had run when the failures began that led to its kill.
    pub fn began_after(&self, index: usize, probe: ProbeKind) -> Option<Duration> {
        let run = self.history.incarnations.get(index)?;
        let came_up = run.came_up.map(|up| self.clock.nodes(up));
        let from = match (probe, &self.container.startup) {
            // It starts when the startup probe has passed.
            (ProbeKind::Liveness, Some(_)) => came_up?,
            _ => run.started?,
        };
        let first = self.history.samples_of(index, probe).next()?;
        Some(first.at.since(from))
    }

    /// Whether a probe never passed again after its first time-out in that incarnation: exactly as many in
    /// a row as the threshold.
    pub fn timed_out_in_a_row(&self, index: usize, probe: ProbeKind) -> bool {
        let Some(spec) = self.container.probe(probe) else { return false };
        let samples = || self.history.samples_of(index, probe);
        // A single one is not a row.
        if spec.failure_threshold <= 1 || samples().any(|sample| sample.failure != Failure::TimedOut) {
            return false;
        }
        let longest = spec.step().saturating_mul(spec.failure_threshold).saturating_add(LAG);
        let ends = samples().next().zip(samples().last());
        ends.is_some_and(|(first, last)| last.at.since(first.at) <= longest)
    }

    /// When the kubelet of its node was last restarted, as far as observed.
    fn kubelet_since(&self) -> Option<Time> {
        self.node.and_then(Node::kubelet_since)
    }

    /// By when, on its node's clock, the incarnation at `index` was ready.
    fn ready_by(&self, index: usize) -> Option<Time> {
        let ready = self.history.incarnations.get(index)?.ready?;
        Some(self.clock.nodes(ready))
    }

    /// Whether a probe was reported to fail in that incarnation from its first result on.
    pub fn failed_from_start(&self, index: usize, probe: ProbeKind) -> bool {
        let Some(spec) = self.container.probe(probe) else { return false };
        let started = self.history.incarnations.get(index).and_then(|run| run.started);
        let failed = self.history.samples_of(index, probe).next().map(|sample| sample.at);
        let by = spec.first_result_by().saturating_add(LAG);
        started.zip(failed).is_some_and(|(started, failed)| failed.since(started) <= by)
            || self.had_no_time_to_pass(index, spec)
    }

    /// Whether the incarnation at `index` terminated before a probe could have passed once and then failed
    /// as often as its threshold.
    fn had_no_time_to_pass(&self, index: usize, spec: &ProbeSpec) -> bool {
        let Some(run) = self.history.incarnations.get(index) else { return false };
        let ended = self.history.finished(index);
        let least = spec.initial_delay.saturating_add(spec.period.saturating_mul(spec.failure_threshold));
        run.started.zip(ended).is_some_and(|(started, ended)| ended.since(started) < least)
    }

    /// When a probe that had passed in that incarnation began to fail there for a reason that may lie
    /// outside of the app.
    pub fn onset_in(&self, index: usize, probe: ProbeKind) -> Option<Time> {
        let samples = self.history.samples_of(index, probe);
        let first = match probe {
            // What failed up to the second in which it became ready, failed during startup.
            ProbeKind::Readiness => {
                let ready = self.ready_by(index)?.whole_second();
                let row =
                    self.container.readiness.as_ref().map(|spec| spec.step().saturating_mul(spec.failure_threshold))?;
                // If it passed again in between it was only a blip.
                let breaks = |before: &Sample, sample: &Sample| sample.at.since(before.at) > row.saturating_add(LAG);
                last_row(samples.filter(|sample| sample.at > ready), breaks)
            }
            ProbeKind::Liveness => {
                let over = Liveness::new(self, index).filter(Liveness::is_over);
                over.filter(Liveness::passed_before_it_failed)?.first_of_the_fall()
            }
            ProbeKind::Startup => None,
        }?;
        could_be_a_dependency(&first.failure).then_some(first.at)
    }
}

/// The first of the last consecutive failures, given the maximum gap between two of them.
fn last_row<'a>(
    samples: impl Iterator<Item = &'a Sample>,
    breaks: impl Fn(&Sample, &Sample) -> bool,
) -> Option<&'a Sample> {
    let row = samples.fold(None, |row, sample| match row {
        Some((first, before)) if !breaks(before, sample) => Some((first, sample)),
        _ => Some((sample, sample)),
    });
    row.map(|(first, _)| first)
}

/// Whether such a failure can come from a dependency of the app, rather than from its own termination.
const fn could_be_a_dependency(failure: &Failure) -> bool {
    !matches!(failure, Failure::Refused | Failure::Reset | Failure::CommandMissing { .. } | Failure::Unrecognised)
}

/// Whether a container without any problem has, between two times, run long enough for its liveness probe
/// to have passed, even if a kill is decided and not yet reported.
pub fn silence_proves(container: &ContainerSpec, grace: Duration, has_started: bool, since: Time, until: Time) -> bool {
    let Some(spec) = container.liveness.as_ref() else { return false };
    begins(container, None, has_started, since).is_some_and(|from| is_silence(spec, grace, from, until))
}

/// Whether a container without any problem has run so long that no busy node explains it.
pub fn is_beyond_doubt(container: &ContainerSpec, grace: Duration, since: Time, until: Time) -> bool {
    let Some(spec) = container.liveness.as_ref() else { return false };
    until.since(since) > beyond_doubt(spec, grace)
}

/// Maximum lifetime of a container whose probe never passes, however busy its node is.
fn beyond_doubt(spec: &ProbeSpec, grace: Duration) -> Duration {
    spec.longest_kill(grace).saturating_mul(BEYOND_DOUBT).max(LONG)
}

fn is_silence(spec: &ProbeSpec, grace: Duration, from: Time, until: Time) -> bool {
    until.since(from) > spec.longest_kill(grace).saturating_add(spec.passed_after())
}

/// When the liveness probe starts: with the container, or when its startup probe has passed; `None` if it
/// is not known to have started.
fn begins(container: &ContainerSpec, came_up: Option<Time>, has_started: bool, started: Time) -> Option<Time> {
    match (&container.startup, came_up) {
        (None, _) => Some(started),
        (Some(_), Some(came_up)) => Some(came_up),
        (Some(startup), None) => has_started.then(|| started.plus(startup.passed_after())),
    }
}

/// The liveness probe within one incarnation.
struct Liveness<'a> {
    subject: &'a Incarnations<'a>,
    index: usize,
    run: &'a Incarnation,
    spec: &'a ProbeSpec,
    started: Time,
    from: Time,
}

impl<'a> Liveness<'a> {
    /// `None` if there is none, or nothing can be concluded: its start is not known, or it could not always
    /// run.
    fn new(subject: &'a Incarnations<'a>, index: usize) -> Option<Self> {
        let run = subject.history.incarnations.get(index)?;
        let (spec, started) = (subject.container.liveness.as_ref()?, run.started?);
        if subject.history.errored(ProbeKind::Liveness) || subject.history.errored(ProbeKind::Startup) {
            return None;
        }
        let from = begins(subject.container, run.came_up.map(|up| subject.clock.nodes(up)), run.has_started, started)?;
        Some(Self { subject, index, run, spec, started, from })
    }

    /// Whether it had passed: otherwise it would have killed the container earlier.
    fn passed(&self) -> bool {
        match self.ended() {
            _ if self.first_of_kill().is_some() => self.passed_before_it_failed(),
            Some(ended) => self.stretch_until(ended) > self.longest_kill().saturating_add(self.slack(ended)),
            None => self.is_well() && self.seen().is_some_and(|seen| self.is_silent(seen)),
        }
    }

    /// Whether its first failure, reported or not, was so late that it must have passed before.
    fn passed_before_it_failed(&self) -> bool {
        let failed = self.first_failure().into_iter().chain(self.first_of_kill()).min();
        let Some(stretch) = failed.map(|failed| self.stretch_until(failed)) else { return false };
        let first = self.spec.first_result_by();
        // How busy the node was later does not delay the first result.
        stretch > first && stretch > first.saturating_add(self.slack(self.from.plus(first)))
    }

    /// How certain it is that it passed: beyond doubt if the incarnation ran so much longer than possible
    /// without a pass that no busy node explains it.
    fn strength(&self) -> Strength {
        let until = self.first_failure().or_else(|| self.ended()).or_else(|| self.seen());
        match until {
            Some(until) if until.since(self.from) > beyond_doubt(self.spec, self.subject.template.grace) => {
                Strength::Seen
            }
            _ => Strength::Inferred,
        }
    }

    /// Whether it is known which failures were its last: below the threshold one is only a blip.
    fn is_over(&self) -> bool {
        self.ended().is_some() || self.is_killed()
    }

    /// Whether it was killed for its failures, or is about to be.
    fn is_killed(&self) -> bool {
        self.first_of_kill().is_some() || self.ended().is_none() && self.is_being_killed()
    }

    fn is_being_killed(&self) -> bool {
        self.subject.history.killings.iter().any(|kill| kill.at > self.started)
    }

    fn ended(&self) -> Option<Time> {
        self.subject.history.finished(self.index)
    }

    /// Maximum delay of a probe on a node that was as busy until then as this one.
    fn slack(&self, until: Time) -> Duration {
        let lag = self.subject.node.map(|node| node.lag_between(self.started, until));
        LAG.saturating_add(lag.unwrap_or_default())
    }

    fn longest_kill(&self) -> Duration {
        self.spec.longest_kill(self.subject.template.grace)
    }

    /// Whether no kill of a running incarnation is known; it may be decided and not yet reported, or
    /// reported and lost, and events may be about the next one.
    fn is_well(&self) -> bool {
        self.failed() < self.spec.failure_threshold && !self.is_being_killed()
    }

    fn is_silent(&self, until: Time) -> bool {
        self.stretch_until(until) > self.longest_kill().saturating_add(self.spec.passed_after())
    }

    /// Until when, on its node's clock, it was certainly running.
    fn seen(&self) -> Option<Time> {
        if self.index + 1 == self.subject.history.incarnations.len() {
            return self.subject.seen();
        }
        Some(self.subject.clock.known_until(self.run.seen_running?, self.subject.now))
    }

    /// Being seen to run until later than this may tell more about it, if anything can.
    fn knows_more_after(&self) -> Option<Time> {
        let seen = self.seen().filter(|_| self.ended().is_none())?;
        let enough = self.longest_kill().saturating_add(self.spec.passed_after());
        let anew = self.subject.kubelet_since().map_or(self.from, |back| back.max(self.from));
        let doubt = beyond_doubt(self.spec, self.subject.template.grace);
        let changes = [self.from.plus(enough), anew.plus(enough), self.from.plus(doubt)];
        changes.into_iter().filter(|at| *at >= seen).min()
    }

    /// How long until then the kubelet was running without interruption: while it is down no probe runs,
    /// and its failure counts are lost.
    fn stretch_until(&self, until: Time) -> Duration {
        let back = self.subject.kubelet_since();
        match back.filter(|back| (self.started..=until).contains(back)) {
            Some(back) => back.since(self.from).max(until.since(back.max(self.from))),
            None => until.since(self.from),
        }
    }

    /// When its last failures began.
    fn first_failure(&self) -> Option<Time> {
        self.first_of_last_row().map(|sample| self.began(sample))
    }

    /// The first of its last consecutive failures: without a pass before them the threshold would have been
    /// reached earlier, and a container that is being stopped is not probed.
    fn first_of_last_row(&self) -> Option<&'a Sample> {
        let row = self.spec.step().saturating_mul(self.spec.failure_threshold).saturating_add(self.spec.timeout);
        let breaks = |before: &Sample, sample: &Sample| {
            let pause = self.began(sample).since(before.at);
            // How busy the node was is looked up only for what is long enough.
            pause > row && pause > row.saturating_add(self.slack(sample.at))
        };
        last_row(self.samples(), breaks)
    }

    /// The same, of no more failures than kill it: one before them was followed by a pass, however busy its node
    /// is, or is of the incarnation before.
    fn first_of_the_fall(&self) -> Option<&'a Sample> {
        let first = self.first_of_last_row()?;
        if !self.is_killed() {
            return Some(first);
        }
        let mut left = self.failed();
        let begins = |sample: &&Sample| {
            left = left.saturating_sub(sample.count);
            left < self.spec.failure_threshold
        };
        Some(self.samples().find(begins).filter(|sample| sample.at > first.at).unwrap_or(first))
    }

    /// How often it failed.
    fn failed(&self) -> u32 {
        self.subject.history.failed_in(self.index, ProbeKind::Liveness)
    }

    fn samples(&self) -> impl Iterator<Item = &'a Sample> {
        self.subject.history.samples_of(self.index, ProbeKind::Liveness)
    }

    /// The time of the first failure that a sample stands for: the lost ones came before it.
    fn began(&self, sample: &Sample) -> Time {
        sample.at.minus(self.spec.step().saturating_mul(sample.count.saturating_sub(1)))
    }

    /// When the failures began that led to the kill: as many as the threshold, reported or not.
    fn first_of_kill(&self) -> Option<Time> {
        let history = self.subject.history;
        // Some statuses do not say how the incarnation before theirs ended: it did before the next one started.
        let ended = self.ended().or(history.span(self.index).1)?;
        let before = history.finished_before(self.index).or(history.cut);
        let is_of_it = |at: &Time| (self.started..=ended).contains(at) && before.is_none_or(|before| *at > before);
        let killed = history.probe_kills().map(|(_, kill)| kill.at).find(is_of_it)?;
        Some(killed.minus(self.spec.step().saturating_mul(self.spec.failure_threshold.saturating_sub(1))))
    }
}

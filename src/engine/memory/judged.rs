//! What was judged of one container of a pod: kept from look to look, until something that it rests on
//! changes.

use crate::diagnosis::{Passes, is_silence};
use crate::engine::memory::node_clock::Clock;
use crate::engine::memory::nodes::NodeState;
use crate::engine::memory::template_record::Tally;
use crate::engine::view::probe_passed::Incarnations;
use crate::engine::view::termination::{TerminationKind, judge_all, patience};
use crate::kubelet::ProbeKind;
use crate::time::Time;

/// The judgements of a container of a workload, by its pods' indices, in that order.
pub type Judgements = Vec<(u32, Box<Judged>)>;

/// What a judgement rests on, apart from the time.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Basis {
    /// The state of its pod.
    pub pod: u64,
    /// The clock of its node.
    pub clock: Clock,
    /// The state of its node.
    pub node: NodeState,
    /// Earlier facts belong to a resolved episode.
    pub horizon: Time,
}

/// What was judged of one container of a pod.
#[derive(Debug)]
pub struct Judged {
    basis: Basis,
    /// From then on something else may follow without any observation.
    until: Option<Time>,
    /// When, on its node's clock, it was last known to run, and from what such time on more may follow.
    seen: (Option<Time>, Option<Time>),
    /// The terminations that should not have happened, as far as no event about them is waited for.
    pub bad: Box<[BadEnd]>,
    /// Whether one of them terminated badly.
    pub looped: bool,
    /// When the last one terminated, by our clock.
    pub last_end: Option<Time>,
    /// The probes that passed in one of them.
    pub passed: Passes,
    /// What was reported about its probes, in the order of [`ProbeKind::ALL`].
    pub reports: [Reported; 3],
    /// Its part of what the template has shown.
    pub part: Tally,
}

/// A termination that should not have happened.
#[derive(Copy, Clone, Debug)]
pub struct BadEnd {
    /// How it came about.
    pub kind: TerminationKind,
    /// When, by our clock.
    pub at: Time,
    /// Whether it happened while the watch was unbroken.
    pub watched: bool,
}

/// What was reported about a probe.
#[derive(Copy, Clone, Debug, Default)]
pub struct Reported {
    /// When it was last reported to fail, in any way, by our clock.
    pub last: Option<Time>,
    /// Whether one of its failures was not just a missing answer.
    pub answers: bool,
    /// How often it failed in the last incarnation.
    pub failed: u32,
    /// When the container was first killed for it, by the node's clock.
    pub killed: Option<Time>,
}

impl Judged {
    /// Judges a container as of a time.
    pub fn new(subject: &Incarnations, basis: Basis, now: Time) -> Self {
        let history = subject.history;
        let ends = judge_all(subject, now);
        let (passes_until, more_after) = subject.passes_hold();
        let judged = history.incarnations.iter().zip(&ends);
        let pending = judged.filter(|(_, kind)| **kind == Some(TerminationKind::Pending));
        let due = pending.filter_map(|(run, _)| Some(run.end.as_ref()?.seen_at.plus(patience(subject.clock))));
        let terminations = history.incarnations.iter().filter_map(|run| run.end.as_ref());
        Self {
            basis,
            until: due.chain(passes_until).min(),
            seen: (subject.seen(), more_after),
            looped: ends.iter().flatten().any(|end| end.is_of_a_loop()),
            last_end: terminations.map(|end| end.at(subject.clock)).max(),
            passed: subject.passed(),
            reports: ProbeKind::ALL.map(|probe| Reported::new(subject, probe)),
            part: Tally::part(subject, &ends, basis.horizon),
            bad: bad_ends(subject, &ends),
        }
    }

    /// Whether the same would follow now.
    pub fn holds(&self, subject: &Incarnations, basis: Basis, now: Time) -> bool {
        let ((known, more_after), seen) = (self.seen, subject.seen());
        self.basis == basis
            && self.until.is_none_or(|until| now < until)
            && known <= seen
            && more_after.is_none_or(|after| seen <= Some(after))
    }

    /// When anything last happened to it, by our clock.
    pub fn last_news(&self) -> Option<Time> {
        self.reports.iter().map(|report| report.last).max().flatten().max(self.last_end)
    }
}

fn bad_ends(subject: &Incarnations, ends: &[Option<TerminationKind>]) -> Box<[BadEnd]> {
    let judged = subject.history.incarnations.iter().zip(ends);
    let bad = judged.filter_map(|(run, kind)| {
        let kind = kind.filter(|kind| kind.is_bad() && *kind != TerminationKind::Pending)?;
        let end = run.end.as_ref()?;
        Some(BadEnd { kind, at: end.at(subject.clock), watched: end.by_itself.is_some() })
    });
    bad.collect()
}

impl Reported {
    fn new(subject: &Incarnations, probe: ProbeKind) -> Self {
        let history = subject.history;
        let events = || history.probe_events.iter().filter(|event| event.probe == probe);
        let last = history.incarnations.len().checked_sub(1);
        Self {
            last: events().map(|event| subject.clock.ours(event.last)).max(),
            answers: events().any(|event| !is_silence(&event.failure)),
            failed: last.map_or(0, |last| history.failed_in(last, probe)),
            killed: history.probe_kills().filter(|(by, _)| *by == probe).map(|(_, kill)| kill.at).min(),
        }
    }
}

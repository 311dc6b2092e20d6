//! What one container of one pod did, from the raw facts that are kept of it.

use std::sync::Arc;

use crate::engine::incident::{Happened, Mark, Phase, PodLane, Span};
use crate::engine::memory::history::{History, ProbeEvent};
use crate::engine::memory::nodes::NodesSeen;
use crate::engine::memory::pods::{self, Pod};
use crate::engine::view::probe_passed::Incarnations;
use crate::engine::view::termination::{TerminationKind, judge_all};
use crate::template::ContainerSpec;
use crate::time::Time;

/// Maximum number of marks of a lane; the oldest are left out.
const MAX_MARKS: usize = 40;

/// The lane of a pod's container; `None` if nothing was ever wrong with it.
pub fn lane(
    pod: &Pod,
    spec: &ContainerSpec,
    state: &pods::Container,
    nodes: NodesSeen,
    (revision, now): (Option<u64>, Time),
) -> Option<PodLane> {
    let subject = Incarnations::new(pod, spec, state, nodes.at(pod.node.as_ref(), now), None, now)?;
    let kinds = judge_all(&subject, now);
    let (spans, marks) = (spans(pod, &subject, state.is_ready(), now), marks(&subject, &kinds, now));
    // One that was only deleted, as pods are in each rollout, was well.
    let waited = spans.iter().any(|span| span.phase == Phase::BackOff);
    if marks.is_empty() && !waited && subject.history.blocked.is_none() {
        return None;
    }
    Some(PodLane {
        pod: subject.history.pod.clone(),
        container: Arc::clone(&spec.name),
        node: pod.node.clone(),
        revision,
        spans,
        marks,
        said: last_words(subject.history),
        restarts: state.restarts,
        gone: None,
    })
}

fn spans(pod: &Pod, subject: &Incarnations, is_ready: bool, now: Time) -> Box<[Span]> {
    let history = subject.history;
    let mut lane = Spans { all: Vec::new(), until: pod.created.unwrap_or(now).min(now), now };
    if let Some(cut) = history.cut {
        lane.extend(subject.clock.ours(cut), Phase::Forgotten);
    }
    let mut between = if history.cut.is_some() { Phase::BackOff } else { Phase::Created };
    let mut is_deleted = false;
    for run in &history.incarnations {
        let end = run.end.as_ref().map(|end| end.at(subject.clock));
        let Some(started) = run.started.map(|started| subject.clock.ours(started)) else { continue };
        lane.extend(started, between);
        let until = end.unwrap_or(now);
        if let Some(ready) = run.ready {
            let lost = end.is_none().then(|| lost(history, is_ready, ready)).flatten();
            lane.extend(ready.min(until), Phase::Running);
            lane.extend(lost.map_or(until, |lost| subject.clock.ours(lost)), Phase::Ready);
        }
        lane.extend(until, Phase::Running);
        between = Phase::BackOff;
        is_deleted = run.end.as_ref().is_some_and(|end| end.with_pod);
    }
    if !is_deleted {
        lane.extend(now, between);
    }
    lane.all.into()
}

/// When a container that runs and was ready began to fail its readiness probe, if it is not ready now.
fn lost(history: &History, is_ready: bool, ready: Time) -> Option<Time> {
    let mut failures = history.samples.iter().filter(|sample| !sample.probe.kills() && sample.at >= ready);
    failures.find(|_| !is_ready).map(|sample| sample.at)
}

/// Spans that follow each other.
struct Spans {
    all: Vec<Span>,
    until: Time,
    now: Time,
}

impl Spans {
    /// The next one, until that time.
    fn extend(&mut self, to: Time, phase: Phase) {
        let to = to.min(self.now);
        if to > self.until {
            self.all.push(Span { from: self.until, to, phase });
            self.until = to;
        }
    }
}

fn marks(subject: &Incarnations, kinds: &[Option<TerminationKind>], now: Time) -> Box<[Mark]> {
    let history = subject.history;
    let failures = history.samples.iter().map(|sample| Mark {
        at: subject.clock.ours(sample.at).min(now),
        what: Happened::ProbeFailed(sample.probe, sample.count),
    });
    let ends = history.incarnations.iter().zip(kinds).filter_map(|(run, kind)| {
        let end = run.end.as_ref().filter(|_| *kind != Some(TerminationKind::Fine))?;
        let what = kind.and_then(TerminationKind::killed_by).map_or(Happened::Ended(end.ended.exit), Happened::Killed);
        Some(Mark { at: end.at(subject.clock).min(now), what })
    });
    let mut marks: Vec<Mark> = failures.chain(ends).collect();
    marks.sort_by_key(|mark| mark.at);
    marks.drain(..marks.len().saturating_sub(MAX_MARKS));
    marks.into()
}

fn last_words(history: &History) -> Option<Arc<str>> {
    let last: Option<&ProbeEvent> = history.probe_events.iter().max_by_key(|event| event.last);
    last.map(|event| Arc::clone(&event.text))
}

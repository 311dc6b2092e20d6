//! `Flapping`: a probe that fails intermittently, below its threshold.

use std::time::Duration;

use super::{Assessment, newest, proposal};
use crate::diagnosis::diagnose;
use crate::engine::memory::history::{History, ProbeEventKind};
use crate::engine::memory::pods::Phase;
use crate::engine::memory::tracked_container::{Problem, TrackedContainer};
use crate::engine::view::container::ContainerView;
use crate::engine::view::member::PodContainer;
use crate::finding::Effect;
use crate::kubelet::{Failure, ProbeKind};
use crate::time::Time;

/// Minimum time between a probe's first and last failure in one incarnation to count as flapping.
const FLAPPING: Duration = Duration::from_mins(10);

/// Assesses a probe that fails again and again, below its threshold.
pub fn assess(view: &ContainerView, probe: ProbeKind, case: &TrackedContainer) -> Assessment {
    let Some(template) = newest(view, |member| flaps(member, probe)) else {
        return Assessment::default();
    };
    let tally = view.tally(template, case);
    if tally.last_bad.is_some_and(|last| last >= view.window()) {
        return Assessment::default();
    }
    let Some(evidence) = view.evidence(template, Effect::Flapping, Some(probe), &tally) else {
        return Assessment::default();
    };
    let affected = view.members(template).filter(|member| flaps(member, probe)).map(|member| member.pod.uid).collect();
    Assessment {
        proposal: Some(proposal(Effect::Flapping, Some(probe), diagnose(&evidence), template, affected, true)),
        again: None,
    }
}

fn flaps(member: &PodContainer, probe: ProbeKind) -> bool {
    let state = member.state;
    let (Some(since), Some(history)) = (state.since, state.history.as_deref()) else {
        return false;
    };
    let runs = state.phase == Phase::Running && member.pod.is_live();
    // A readiness probe that fails all the time is not flapping.
    let now_and_then = probe != ProbeKind::Readiness || state.is_ready();
    runs && now_and_then && flapped(history, probe, since)
}

fn flapped(history: &History, probe: ProbeKind, since: Time) -> bool {
    history
        .probe_events
        .iter()
        .filter(|words| {
            words.probe == probe && words.kind == ProbeEventKind::Failed && words.first >= since && words.count >= 3
        })
        .any(|words| words.failure != Failure::Refused && words.last.since(words.first) >= FLAPPING)
}

/// Whether a flapping probe reported no failure during the window.
pub fn is_quiet(view: &ContainerView, problem: Problem) -> Result<(), Time> {
    let Problem::Flapping(probe) = problem else { return Ok(()) };
    let last = view
        .members
        .iter()
        .filter_map(|member| {
            let words = member.state.history.as_ref()?.probe_events.iter().filter(|words| words.probe == probe);
            Some(member.ours(words.map(|words| words.last).max()?))
        })
        .max();
    match last.map(|last| last.plus(view.settings.window)) {
        Some(due) if due > view.now => Err(due),
        _ => Ok(()),
    }
}

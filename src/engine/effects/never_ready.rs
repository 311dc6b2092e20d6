//! `NeverReady`: a container that runs, but never became ready under its template.

use std::time::Duration;

use super::probe_cannot_run::{is_known_to_hold_back, is_reported_repeatedly, never_runs};
use super::{Assessment, newest, proposal};
use crate::diagnosis::diagnose;
use crate::engine::memory::history::ProbeEvent;
use crate::engine::memory::pods::{Container, Phase};
use crate::engine::memory::tracked_container::TrackedContainer;
use crate::engine::view::container::ContainerView;
use crate::engine::view::member::PodContainer;
use crate::finding::Effect;
use crate::kubelet::ProbeKind;
use crate::template::ContainerSpec;
use crate::time::Time;

/// How long a readiness probe may fail for a deterministic reason.
const UNREADY_SURELY: Duration = Duration::from_mins(1);
/// How long a readiness probe may fail for any other reason.
pub const UNREADY: Duration = Duration::from_mins(5);

/// Assesses a readiness probe that never passed under this template, in a container that keeps running.
pub fn assess(view: &ContainerView, case: &TrackedContainer) -> Assessment {
    if let Some(seen) = held_back(view, case) {
        return seen;
    }
    let probe = ProbeKind::Readiness;
    let Some(template) = newest(view, |member| unready_since(member).is_some()) else {
        return Assessment::default();
    };
    let tally = view.tally(template, case);
    let Some(evidence) = view.evidence(template, Effect::NeverReady, Some(probe), &tally) else {
        return Assessment::default();
    };
    let starting = evidence.container.startup.is_some() && !evidence.passed.has(ProbeKind::Startup);
    if evidence.passed.has(probe) || starting || tally.last_bad.is_some_and(|last| last >= view.window()) {
        return Assessment::default();
    }
    let verdict = diagnose(&evidence);
    // If a liveness or startup probe makes the same request, its kills show the problem, or that the app
    // came up after all.
    let is_told_by_kills = evidence.twins().any(ProbeKind::kills);
    let patience = if verdict.deterministic && !is_told_by_kills { UNREADY_SURELY } else { UNREADY };
    let unready: Vec<_> = view.members(template).filter_map(|member| Some((member, unready_since(member)?))).collect();
    let Some(first) = unready.iter().map(|(_, since)| *since).min() else {
        return Assessment::default();
    };
    let due = first.plus(patience);
    let confirmed = due <= view.now;
    let again = (!confirmed).then_some(due);
    if !confirmed && !verdict.deterministic {
        return Assessment::later(again);
    }
    let affected = unready.iter().map(|(member, _)| member.pod.uid).collect();
    Assessment {
        proposal: Some(proposal(Effect::NeverReady, Some(probe), verdict, template, affected, confirmed)),
        again,
    }
}

/// A startup probe that cannot run never passes: its container never becomes ready.
///
/// A restarted kubelet treats the container as started nevertheless: the probe holds it back again at its
/// next start.
fn held_back(view: &ContainerView, case: &TrackedContainer) -> Option<Assessment> {
    let probe = ProbeKind::Startup;
    let known = is_known_to_hold_back(case);
    let since = |member: &PodContainer| {
        let state = member.state;
        let held = state.phase == Phase::Running && member.pod.is_live();
        let held = held && (!state.started || known && never_runs(member, probe));
        let errs = member.spec.lacks_port_of(probe) || is_reported_repeatedly(member, probe);
        state.since.filter(|_| held && errs).map(|since| member.ours(since))
    };
    let template = newest(view, |member| since(member).is_some())?;
    let tally = view.tally(template, case);
    let evidence = view.evidence(template, Effect::NeverReady, Some(probe), &tally)?;
    let verdict = diagnose(&evidence);
    let held: Vec<_> = view.members(template).filter_map(|member| Some((member, since(member)?))).collect();
    let first = held.iter().map(|(_, since)| *since).min()?;
    let due = first.plus(UNREADY_SURELY);
    let affected = held.iter().map(|(member, _)| member.pod.uid).collect();
    let confirmed = due <= view.now;
    let proposal = proposal(Effect::NeverReady, Some(probe), verdict, template, affected, confirmed);
    Some(Assessment { proposal: Some(proposal), again: (!confirmed).then_some(due) })
}

/// Since when a running container's readiness probe is known to fail.
fn unready_since(member: &PodContainer) -> Option<Time> {
    let state = member.state;
    if state.is_ready() || state.phase != Phase::Running || !member.pod.is_live() {
        return None;
    }
    let since = state.since?;
    member.spec.readiness.as_ref()?;
    let said = |words: &&ProbeEvent| words.probe == ProbeKind::Readiness && words.last >= since;
    let words = state.history.iter().flat_map(|history| history.probe_events.iter());
    let heard = words.filter(said).map(|words| words.first.max(since)).min();
    // Without events only the status is left: the first result is due, and it is not ready.
    let result = || Some(since.plus(member.spec.readiness.as_ref()?.first_result_by()));
    heard.or_else(|| result().filter(|_| state.restarts == 0)).map(|since| member.ours(since))
}

/// Whether it runs and its readiness probe does not pass.
pub fn is_unready(spec: &ContainerSpec, state: &Container) -> bool {
    state.phase == Phase::Running && !state.is_ready() && spec.readiness.is_some()
}

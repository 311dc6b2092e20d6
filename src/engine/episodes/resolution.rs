//! When an episode is resolved.

use std::time::Duration;

use crate::engine::effects::{flapping, probe_cannot_run, recurring};
use crate::engine::memory::pods::Phase;
use crate::engine::memory::tracked_container::{Episode, Problem};
use crate::engine::view::container::ContainerView;
use crate::engine::view::member::PodContainer;
use crate::engine::view::template_change::{is_compared, value_of};
use crate::kubelet::ProbeKind;
use crate::template::{ContainerSpec, PodTemplate};
use crate::time::Time;

/// Time without any pod after which a finding is resolved.
const GONE: Duration = Duration::from_mins(1);

/// Whether an episode is resolved; otherwise when it may be, if nothing happens before.
pub fn is_over(view: &ContainerView, problem: Problem, episode: &Episode) -> Result<(), Option<Time>> {
    // The known state may be outdated.
    if view.listing {
        return Err(None);
    }
    // Its pods may not have been seen yet.
    if let Some(due) = episode.remembered.map(|at| at.plus(GONE)).filter(|due| *due > view.now) {
        return Err(Some(due));
    }
    if view.workload.pods.is_empty() {
        let due = view.workload.empty_since.unwrap_or(view.now).plus(GONE);
        return if due <= view.now { Ok(()) } else { Err(Some(due)) };
    }
    if problem == Problem::Recurring {
        let due = recurring::over_at(episode);
        return if due <= view.now { Ok(()) } else { Err(Some(due)) };
    }
    if is_replaced(view, episode) {
        return Ok(());
    }
    let mut due = view.now;
    let mut any = false;
    for member in view.members.iter().filter(|member| member.pod.is_live()) {
        any = true;
        let healthy = healthy_at(view, member, problem, episode).ok_or(None)?;
        // Contrary evidence may still be on its way.
        due = due.max(healthy.plus(member.clock.lag()));
    }
    match (any, due <= view.now) {
        (false, _) => Err(None),
        (true, true) => flapping::is_quiet(view, problem).map_err(Some),
        (true, false) => Err(Some(due)),
    }
}

/// Whether the field that it blames has another value in the workload's current template, and the pods with
/// the old one are gone. A new template with the same value still has the fault: then its containers have
/// to prove that they are healthy.
fn is_replaced(view: &ContainerView, episode: &Episode) -> bool {
    let finding = &episode.finding;
    view.pod_templates.iter().all(|template| {
        let Some(spec) = spec_of(template, view.container) else { return true };
        let (Some(field), Some(current)) = (&finding.field, &finding.current) else { return false };
        let template = episode.template.as_ref();
        let blamed = template.and_then(|template| value_of(spec_of(template, view.container)?, field));
        let wrong = blamed.unwrap_or_else(|| current.to_string());
        let is_known = template.is_none() || is_compared(field);
        is_known && value_of(spec, field).is_none_or(|value| value != wrong)
    })
}

fn spec_of<'a>(template: &'a PodTemplate, name: &str) -> Option<&'a ContainerSpec> {
    template.containers.iter().find(|spec| &*spec.name == name)
}

/// When a container has been healthy for long enough, if it stays so; `None` while it is not.
fn healthy_at(view: &ContainerView, member: &PodContainer, problem: Problem, episode: &Episode) -> Option<Time> {
    if member.state.phase != Phase::Running {
        return None;
    }
    let since = member.state.since.map_or(view.now, |since| member.ours(since));
    match problem {
        Problem::Loop => {
            let gap = member.state.history.as_ref().and_then(|history| history.gap);
            // Its next termination, or that it is waiting for its next start, may be missed too.
            let unsure = gap.is_some_and(|gap| gap >= episode.finding.opened_at.minus(GONE));
            let longest_bad = if unsure { Duration::MAX } else { episode.longest_bad };
            let needed = ContainerView::proof_of_health(member.spec, longest_bad);
            let failed = last_failure(member, since, ProbeKind::kills).max(last_kill(member, since));
            Some(failed.map_or(since, |failed| failed.max(since)).plus(needed))
        }
        // It may be ready without its startup probe, which still cannot run.
        Problem::NeverReady if probe_cannot_run::is_held_back(member, episode) => None,
        Problem::NeverReady => {
            let failed = last_failure(member, since, |probe| probe == ProbeKind::Readiness);
            member
                .state
                .is_ready()
                .then(|| failed.map_or(since, |failed| failed.max(since)).plus(Duration::from_mins(1)))
        }
        Problem::Blocked => {
            let blocked = member.state.history.as_ref().is_some_and(|history| history.blocked.is_some());
            (!blocked).then(|| since.plus(Duration::from_mins(1)))
        }
        // Silence of the kubelet proves nothing: its events are rate-limited.
        Problem::Ineffective(_) => None,
        Problem::Flapping(_) | Problem::Recurring => Some(view.now),
    }
}

/// When the kubelet last reported that it kills the container for a probe: its termination may not be
/// reported yet.
fn last_kill(member: &PodContainer, since: Time) -> Option<Time> {
    let kills = member.state.history.as_ref()?.probe_kills().rev();
    kills.map(|(_, kill)| member.ours(kill.at)).find(|at| *at >= since)
}

fn last_failure(member: &PodContainer, since: Time, is: impl Fn(ProbeKind) -> bool) -> Option<Time> {
    let history = member.state.history.as_ref()?;
    let said = history.probe_events.iter().filter(|words| is(words.probe));
    said.map(|words| member.ours(words.last)).filter(|last| *last >= since).max()
}

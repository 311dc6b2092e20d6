//! The `minReadySeconds` that would have stopped the rollout, where that is true of the workload.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::memory::tracked_container::Episode;
use crate::engine::view::container::ContainerView;
use crate::finding::{Effect, Fault, Finding, MinReady};
use crate::kubelet::ProbeKind;
use crate::template::{PodTemplate, Role};
use crate::time::Time;

/// A kill that is seen this long after it is seen when it happens.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Whether a rollout began it whose pods a liveness probe ends: another fault is not stopped by waiting for it.
pub fn is_of_a_rollout(finding: &Finding) -> bool {
    finding.effect == Effect::RestartLoop
        && finding.probe == Some(ProbeKind::Liveness)
        && finding.fault == Some(Fault::Probe)
        && finding.change.is_some()
}

/// What would have stopped the rollout of the failing pods' template, once one of them was ended.
///
/// `None` where its pods were not ready before they were ended, the probe has passed in one, no old pod is gone, or
/// the strategy is not known.
pub fn min_ready(view: &ContainerView, episode: &Episode) -> Option<MinReady> {
    let template = episode.template.as_ref()?;
    let facts = view.workload.facts.as_ref()?;
    let (spec, known) = view.workload.record(template)?.container(view.container)?;
    let never_passed = !known.passed.with(view.passed_in_runs(template)).has(ProbeKind::Liveness);
    let first = first_end(view, template).filter(|_| never_passed && became_ready(view, template))?;
    let pods = facts.desired?;
    let gone = pods.saturating_sub(old_pods(view, template));
    let timing = spec.liveness.as_ref()?.timing();
    let advice = MinReady::new(facts.rolling?, pods, timing, spec.startup.is_some()).filter(|_| gone > 0)?;
    let once = view.members(template).all(|member| member.state.restarts <= 1);
    let is_first = once && view.now.since(first) <= AT_ONCE;
    Some(MinReady { gone: is_first.then_some(gone), ..advice })
}

/// When a container of the template first ended.
fn first_end(view: &ContainerView, template: &Arc<PodTemplate>) -> Option<Time> {
    let members = view.members(template);
    let ends = members.filter_map(|member| {
        let runs = &member.state.history.as_deref()?.incarnations;
        runs.iter().filter_map(|run| run.end.as_ref()).filter(|end| !end.with_pod).map(|end| end.at(member.clock)).min()
    });
    ends.min()
}

/// Whether its pods were seen to be ready, so that the rollout went on.
fn became_ready(view: &ContainerView, template: &Arc<PodTemplate>) -> bool {
    view.workload.record(template).is_some_and(|record| {
        let mut containers = record.template.containers.iter().zip(&record.containers);
        containers.all(|(spec, known)| {
            let held = [ProbeKind::Readiness, ProbeKind::Startup];
            spec.role == Role::Init || held.iter().all(|kind| spec.probe(*kind).is_none() || known.passed.has(*kind))
        })
    })
}

/// The number of pods of other revisions that serve.
fn old_pods(view: &ContainerView, template: &PodTemplate) -> u32 {
    let pods = view.workload.pods.iter().filter_map(|place| view.pods.get(place));
    pods.filter(|pod| pod.is_live() && pod.template.revision_hash != template.revision_hash).count() as u32
}

//! The revisions of a workload: what the failing one changed, and which one to roll back to.

use std::sync::Arc;

use crate::diagnosis::Earlier;
use crate::engine::memory::history::{Kill, KillReason};
use crate::engine::memory::tracked_container::Episode;
use crate::engine::observation::Revision;
use crate::engine::view::container::ContainerView;
use crate::engine::view::member::PodContainer;
use crate::engine::view::template_change;
use crate::finding::{Fault, Health, RevisionChange, Rollout};
use crate::kubelet::ProbeKind;
use crate::template::PodTemplate;
use crate::time::Time;

/// The revision of the failing pods' template, and its changes.
pub fn rollout(view: &ContainerView, episode: &Episode) -> (Option<u64>, Option<RevisionChange>) {
    let Some(template) = &episode.template else {
        return (None, None);
    };
    let Some(revision) = view.workload.revision(template) else {
        return (None, None);
    };
    let number = revision.number;
    let after = revision.template.containers.iter().find(|container| container.name == *view.container);
    let change = view.before(template).zip(after).map(|(before, after)| {
        let difference = template_change::between(before, after, episode.finding.field.as_ref());
        let (from, to) = difference.map_or((None, None), |difference| (difference.from, difference.to));
        RevisionChange { revision: number, at: revision.at, by: revision.by.clone(), from, to }
    });
    (Some(number), change)
}

/// The rollout that began with the failing pods' template, and how the revision before it fared.
///
/// `earlier`, here and below: the container under earlier templates ([`ContainerView::earlier`]).
pub fn observed_rollout(view: &ContainerView, episode: &Episode, earlier: &[Earlier]) -> Option<Rollout> {
    let template = episode.template.as_ref()?;
    let revision = view.workload.revision(template)?;
    let all = &view.workload.facts.as_ref()?.revisions;
    let before = all.iter().filter(|other| other.number < revision.number).max_by_key(|other| other.number)?;
    let hash = before.hash.as_ref()?;
    let of_it = |template: &PodTemplate| template.revision_hash.as_ref() == Some(hash);
    let records = view.workload.templates.iter().filter(|record| of_it(&record.template));
    let one_looped = records.flat_map(|record| &record.containers).any(|container| container.looped);
    let mut runs = earlier.iter().filter(|earlier| of_it(earlier.template)).peekable();
    let health = if one_looped || runs.clone().any(|earlier| earlier.looped) {
        Health::Looped
    } else if runs.peek().is_some() && runs.all(|earlier| was_well(earlier, episode.finding.probe)) {
        Health::Healthy
    } else {
        Health::Unseen
    };
    let (at, before, killing_since) = (revision.at, Arc::clone(hash), killing_since(view, template, episode));
    Some(Rollout { template: revision.hash.clone()?, at, before, health, killing_since })
}

/// When a Killing event first said that the probe ends a container that runs, and did for long enough.
fn killing_since(view: &ContainerView, template: &Arc<PodTemplate>, episode: &Episode) -> Option<Time> {
    let probe = episode.finding.probe?;
    let by_it = |kill: &Kill| matches!(kill.why, KillReason::Probe(by) if by == probe);
    let of_one = |member: &PodContainer| {
        let history = member.state.history.as_deref()?;
        let run = history.incarnations.back().filter(|run| run.end.is_none())?;
        let alive = run.started?.plus(member.spec.probe(probe)?.shortest_kill());
        let kill = history.killings.iter().find(|kill| by_it(kill) && kill.at >= alive)?;
        Some(member.ours(kill.at))
    };
    view.members(template).filter_map(of_one).min()
}

/// Whether the probe passed under an earlier template, or any did where that one was not there yet.
fn was_well(earlier: &Earlier, probe: Option<ProbeKind>) -> bool {
    match probe {
        Some(probe) if earlier.container.probe(probe).is_some() => earlier.passed.has(probe),
        _ => ProbeKind::ALL.into_iter().any(|kind| earlier.passed.has(kind)),
    }
}

/// The previous revision, if this field had another value there with the same app, and it was never
/// observed.
pub fn untried_revision(view: &ContainerView, episode: &Episode, earlier: &[Earlier]) -> Option<u64> {
    let template = episode.template.as_ref()?;
    let field = episode.finding.field.as_ref().filter(|_| episode.finding.fault == Some(Fault::Probe))?;
    let (number, before) = view.revisions_before(template).into_iter().next()?;
    let now = &view.workload.revision(template)?.template;
    let now = now.containers.iter().find(|container| container.name == *view.container)?;
    let looped = earlier.iter().any(|it| it.revision == Some(number) && it.looped);
    if looped || !before.same_app(now) {
        return None;
    }
    let was = template_change::value_of(before, field)?;
    (template_change::value_of(now, field) != Some(was)).then_some(number)
}

/// Whether the newest revision is another one than that of the failing pods, and right as far as is known: it asks
/// something else, or was observed to work, and did not loop.
pub fn is_mended(view: &ContainerView, episode: &Episode, earlier: &[Earlier]) -> bool {
    is_mended_by_the_newest(view, episode, earlier).unwrap_or_default()
}

fn is_mended_by_the_newest(view: &ContainerView, episode: &Episode, earlier: &[Earlier]) -> Option<bool> {
    let template = episode.template.as_ref()?;
    let failing = view.workload.revision(template)?;
    let newest = view.workload.facts.as_ref()?.revisions.iter().max_by_key(|revision| revision.number)?;
    let hash = newest.hash.as_ref().filter(|hash| failing.hash.as_ref() != Some(*hash))?;
    let of_it = |template: &PodTemplate| template.revision_hash.as_ref() == Some(hash);
    let mut records = view.workload.templates.iter().filter(|record| of_it(&record.template));
    if records.any(|record| record.container(view.container).is_some_and(|(_, known)| known.looped)) {
        return Some(false);
    }
    let worked = earlier.iter().any(|run| of_it(run.template) && !run.looped && was_well(run, episode.finding.probe));
    let field = episode.finding.field.as_ref().filter(|_| episode.finding.fault == Some(Fault::Probe));
    let value = |revision: &Revision, field| {
        let container = revision.template.containers.iter().find(|container| container.name == *view.container)?;
        Some(template_change::value_of(container, field))
    };
    let asks_another = field.is_some_and(|field| value(newest, field) != value(failing, field));
    Some(worked || asks_another)
}

/// The latest earlier revision in which this probe, or the container as a whole, was observed to work.
pub fn good_revision(view: &ContainerView, episode: &Episode, earlier: &[Earlier]) -> Option<u64> {
    let template = episode.template.as_ref()?;
    let well = |earlier: &Earlier| ProbeKind::ALL.into_iter().any(|kind| earlier.passed.has(kind));
    let worked = |earlier: &Earlier| match episode.finding.probe {
        // If it had no such probe yet, no failure of it was possible either.
        Some(probe) => {
            earlier.passed.has(probe) || earlier.container.probe(probe).is_none() && (well(earlier) || !earlier.looped)
        }
        None => well(earlier),
    };
    let revision = view.workload.revision(template)?.number;
    earlier
        .iter()
        .filter(|earlier| worked(earlier) && !earlier.looped)
        .filter_map(|earlier| earlier.revision)
        .find(|number| *number < revision)
}

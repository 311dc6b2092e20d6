//! The revisions of a workload: what the failing one changed, and which one to go back to.

use super::case::Episode;
use super::change;
use super::scene::Scene;
use crate::diagnosis::Earlier;
use crate::finding::{Fault, RevisionChange};
use crate::kubelet::ProbeKind;

/// The revision of the failing pods' template, and what it changed.
pub(super) fn rollout(scene: &Scene, episode: &Episode) -> (Option<u64>, Option<RevisionChange>) {
    let Some(template) = &episode.template else {
        return (None, None);
    };
    let Some(revision) = scene.workload.revision(template) else {
        return (None, None);
    };
    let number = revision.number;
    let after = revision.template.containers.iter().find(|container| container.name == *scene.container);
    let change = scene.before(template).zip(after).map(|(before, after)| {
        let difference = change::between(before, after, episode.finding.field.as_ref());
        let (from, to) = difference.map_or((None, None), |difference| (difference.from, difference.to));
        RevisionChange { revision: number, at: revision.at, by: revision.by.clone(), from, to }
    });
    (Some(number), change)
}

/// The revision before, where this field of the same app had another value then, and nothing was seen
/// of how that did.
pub(super) fn untried_revision(scene: &Scene, episode: &Episode) -> Option<u64> {
    let template = episode.template.as_ref()?;
    let field = episode.finding.field.as_ref().filter(|_| episode.finding.fault == Some(Fault::Probe))?;
    let (number, before) = scene.revisions_before(template).into_iter().next()?;
    let now = &scene.workload.revision(template)?.template;
    let now = now.containers.iter().find(|container| container.name == *scene.container)?;
    let was = change::value_of(before, field)?;
    let looped = scene.earlier(template).iter().any(|it| it.revision == Some(number) && it.looped);
    (before.same_app(now) && change::value_of(now, field) != Some(was) && !looped).then_some(number)
}

/// The latest earlier revision in which this probe, or the container as a whole, was seen to work.
pub(super) fn good_revision(scene: &Scene, episode: &Episode) -> Option<u64> {
    let template = episode.template.as_ref()?;
    let well = |earlier: &Earlier| ProbeKind::ALL.into_iter().any(|kind| earlier.passed.has(kind));
    let worked = |earlier: &Earlier| match episode.finding.probe {
        // Where it had no such probe yet, nothing of it failed either.
        Some(probe) => {
            earlier.passed.has(probe) || earlier.container.probe(probe).is_none() && (well(earlier) || !earlier.looped)
        }
        None => well(earlier),
    };
    let revision = scene.workload.revision(template)?.number;
    let earlier = scene.earlier(template);
    earlier
        .iter()
        .filter(|earlier| worked(earlier) && !earlier.looped)
        .filter_map(|earlier| earlier.revision)
        .find(|number| *number < revision)
}

//! The revisions of a workload: what the failing one changed, and which one to roll back to.

use crate::diagnosis::Earlier;
use crate::engine::memory::tracked_container::Episode;
use crate::engine::view::container::ContainerView;
use crate::engine::view::template_change;
use crate::finding::{Fault, RevisionChange};
use crate::kubelet::ProbeKind;

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

/// The previous revision, if this field had another value there with the same app, and it was never
/// observed.
pub fn untried_revision(view: &ContainerView, episode: &Episode) -> Option<u64> {
    let template = episode.template.as_ref()?;
    let field = episode.finding.field.as_ref().filter(|_| episode.finding.fault == Some(Fault::Probe))?;
    let (number, before) = view.revisions_before(template).into_iter().next()?;
    let now = &view.workload.revision(template)?.template;
    let now = now.containers.iter().find(|container| container.name == *view.container)?;
    let was = template_change::value_of(before, field)?;
    let looped = view.earlier(template).iter().any(|it| it.revision == Some(number) && it.looped);
    (before.same_app(now) && template_change::value_of(now, field) != Some(was) && !looped).then_some(number)
}

/// The latest earlier revision in which this probe, or the container as a whole, was observed to work.
pub fn good_revision(view: &ContainerView, episode: &Episode) -> Option<u64> {
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
    let earlier = view.earlier(template);
    earlier
        .iter()
        .filter(|earlier| worked(earlier) && !earlier.looped)
        .filter_map(|earlier| earlier.revision)
        .find(|number| *number < revision)
}

//! `StartBlocked`: a container that never starts.

use std::time::Duration;

use super::{Assessment, newest, proposal};
use crate::diagnosis::diagnose;
use crate::engine::memory::tracked_container::TrackedContainer;
use crate::engine::view::container::ContainerView;
use crate::engine::view::member::PodContainer;
use crate::finding::Effect;

/// How long a container may take to start.
const BLOCKED: Duration = Duration::from_mins(2);

/// Assesses a container that never started.
pub fn assess(view: &ContainerView, case: &TrackedContainer) -> Assessment {
    let waits = |member: &PodContainer| {
        let history = member.state.history.as_ref().filter(|_| member.pod.is_live());
        let blocked = history.and_then(|history| history.blocked.as_ref())?;
        Some(if blocked.of_pod { member.ours(blocked.since) } else { blocked.since })
    };
    let Some(template) = newest(view, |member| waits(member).is_some()) else {
        return Assessment::default();
    };
    let waiting: Vec<_> = view.members(template).filter_map(|member| Some((member, waits(member)?))).collect();
    let Some(first) = waiting.iter().map(|(_, since)| *since).min() else {
        return Assessment::default();
    };
    let due = first.plus(BLOCKED);
    let confirmed = due <= view.now;
    let tally = view.tally(template, case);
    let Some(evidence) = view.evidence(template, Effect::StartBlocked, None, &tally) else {
        return Assessment::default();
    };
    let affected = waiting.iter().map(|(member, _)| member.pod.uid).collect();
    Assessment {
        proposal: Some(proposal(Effect::StartBlocked, None, diagnose(&evidence), template, affected, confirmed)),
        again: (!confirmed).then_some(due),
    }
}

//! Probes that cannot run: what they refer to does not exist, or every run ends in an error.

use crate::diagnosis::cannot_be_run;
use crate::engine::memory::history::{ProbeEvent, ProbeEventKind};
use crate::engine::memory::tracked_container::{Episode, Problem, TrackedContainer};
use crate::engine::view::member::PodContainer;
use crate::kubelet::ProbeKind;

/// Number of errors or warnings in a row that make a probe ineffective.
const INEFFECTIVE: u32 = 3;

/// Whether a startup probe that cannot run is known to hold it back.
pub fn is_known_to_hold_back(case: &TrackedContainer) -> bool {
    let episode = case.episodes.get(&Problem::NeverReady).filter(|episode| episode.is_active());
    episode.is_some_and(|episode| episode.finding.probe == Some(ProbeKind::Startup))
}

/// Whether an episode is about a startup probe that can never run in this container.
pub fn is_held_back(member: &PodContainer, episode: &Episode) -> bool {
    episode.finding.probe == Some(ProbeKind::Startup) && never_runs(member, ProbeKind::Startup)
}

/// Whether the probe can never run in this container: it refers to a port or a command that does not exist.
pub fn never_runs(member: &PodContainer, probe: ProbeKind) -> bool {
    let words = member.state.history.iter().flat_map(|history| &history.probe_events);
    let published = words.filter(|words| words.probe == probe && words.kind == ProbeEventKind::Errored);
    let mut since = published.filter(|words| member.state.since.is_some_and(|since| words.last >= since));
    member.spec.lacks_port_of(probe) || since.any(|words| cannot_be_run(&words.failure))
}

/// Whether it errored or warned at least three times over three periods of one incarnation since it last
/// failed.
pub fn is_reported_repeatedly(member: &PodContainer, probe: ProbeKind) -> bool {
    let (Some(history), Some(spec), Some(since)) =
        (member.state.history.as_deref(), member.spec.probe(probe), member.state.since)
    else {
        return false;
    };
    let is_odd = |words: &ProbeEvent| words.probe == probe && words.kind != ProbeEventKind::Failed;
    if !history.probe_events.iter().any(is_odd) {
        return false;
    }
    let span = spec.period.saturating_mul(INEFFECTIVE - 1);
    let of = |kind: ProbeEventKind| {
        history
            .probe_events
            .iter()
            .filter(move |words| words.probe == probe && words.kind == kind && words.last >= since)
    };
    // A failure ends the row: an app that was not up yet, a node that was busy.
    let failed = of(ProbeEventKind::Failed).map(|words| words.last).max();
    [ProbeEventKind::Errored, ProbeEventKind::Warned].into_iter().any(|kind| {
        let count = of(kind).fold(0_u32, |count, words| count.saturating_add(words.count));
        let first = of(kind).map(|words| words.first.max(since)).min().max(failed);
        let last = of(kind).map(|words| words.last).max();
        count >= INEFFECTIVE && first.zip(last).is_some_and(|(first, last)| last.since(first) >= span)
    })
}

//! `Recurring`: containers that terminate again and again, too far apart for a loop.

use std::time::Duration;

use super::{Assessment, proposal};
use crate::diagnosis::diagnose;
use crate::engine::memory::terminations::{Kind, PastTermination, PastTerminations};
use crate::engine::memory::tracked_container::{Episode, Proposal, TrackedContainer};
use crate::engine::observation::Uid;
use crate::engine::view::container::ContainerView;
use crate::engine::view::termination::TerminationKind;
use crate::finding::{Cause, Effect};
use crate::template::is_same;
use crate::time::Time;

/// Number of terminations of one kind, over all pods of a workload, that make a finding.
const ENOUGH: usize = 5;
/// Terminations further apart than this are unrelated.
const REMEMBERED: Duration = Duration::from_hours(24);
/// Minimum time without a termination until it is resolved.
const QUIET: Duration = Duration::from_hours(6);

/// Takes in the terminations known by now.
pub fn note(view: &ContainerView, ends: &mut PastTerminations) {
    for member in &view.members {
        for end in member.bad_ends() {
            let kind = match (end.kind, end.kind.killed_by()) {
                (TerminationKind::Own(kind, _), _) => Kind::Own(kind),
                (_, Some(probe)) => Kind::Probe(probe),
                (_, None) => continue,
            };
            ends.add(PastTermination { pod: member.pod.uid, at: end.at, kind });
        }
    }
    ends.forget(view.now.minus(REMEMBERED));
}

/// Assesses the terminations of the last day, if they are no loop.
pub fn assess(view: &ContainerView, case: &TrackedContainer) -> Assessment {
    let ends = case.ends.alike();
    let (Some(first), Some(last)) = (ends.first().copied(), ends.last().copied()) else { return Assessment::default() };
    if case.is_looping() || ends.len() < ENOUGH {
        return Assessment::default();
    }
    let spread = last.at.since(first.at) > view.settings.window;
    if !spread || is_loop(&ends, view) {
        return Assessment::default();
    }
    let probe = match last.kind {
        Kind::Probe(probe) => Some(probe),
        Kind::Own(_) => None,
    };
    let pod = view.workload.pods.iter().filter_map(|place| view.pods.get(place)).find(|pod| pod.uid == last.pod);
    let Some(template) = pod.map(|pod| &pod.template) else { return Assessment::default() };
    let Some(template) = view.templates.iter().copied().find(|known| is_same(known, template)) else {
        return Assessment::default();
    };
    let tally = view.tally(template, case);
    let Some(evidence) = view.evidence(template, Effect::Recurring, probe, &tally) else {
        return Assessment::default();
    };
    let verdict = diagnose(&evidence);
    if verdict.cause == Cause::Unknown {
        return Assessment::default();
    }
    let gaps = ends.windows(2).map(|pair| pair[1].at.since(pair[0].at));
    let mut affected: Vec<Uid> = ends.iter().map(|end| end.pod).collect();
    affected.sort_unstable();
    affected.dedup();
    let what = format!("it ended {} times in {}", ends.len(), hours(last.at.since(first.at)));
    Assessment {
        proposal: Some(Proposal {
            facts: vec![crate::finding::Fact { at: last.at, what }],
            longest_bad: gaps.max().unwrap_or_default(),
            last_bad: Some(last.at),
            ..proposal(Effect::Recurring, probe, verdict, template, affected, true)
        }),
        again: None,
    }
}

/// Whether terminations of one pod are as close together as those of a loop.
fn is_loop(ends: &[PastTermination], view: &ContainerView) -> bool {
    let enough = match ends.last().map(|end| end.kind) {
        Some(Kind::Probe(_)) => view.settings.probe_kills,
        _ => view.settings.own_ends,
    } as usize;
    ends.iter().enumerate().any(|(place, end)| {
        let mut of_pod = ends[place..].iter().filter(|other| other.pod == end.pod);
        of_pod.nth(enough - 1).is_some_and(|last| last.at.since(end.at) <= view.settings.window)
    })
}

/// "8 h", "40 min"
fn hours(span: Duration) -> String {
    let minutes = span.as_secs().div_ceil(60);
    if minutes >= 120 { format!("{} h", minutes / 60) } else { format!("{minutes} min") }
}

/// When it is resolved, if nothing terminates before: after three times the longest pause, at least six
/// hours.
pub fn over_at(episode: &Episode) -> Time {
    let last = episode.last_bad.unwrap_or(episode.finding.opened_at);
    last.plus(episode.longest_bad.saturating_mul(3).max(QUIET))
}

//! `ProbeIneffective`: a liveness or startup probe that cannot run, or is redirected away, protects
//! nothing.

use super::probe_cannot_run::{is_known_to_hold_back, is_reported_repeatedly};
use super::{Assessment, newest, proposal};
use crate::diagnosis::diagnose;
use crate::engine::memory::pods::Phase;
use crate::engine::memory::tracked_container::TrackedContainer;
use crate::engine::view::container::ContainerView;
use crate::engine::view::member::PodContainer;
use crate::finding::Effect;
use crate::kubelet::ProbeKind;

/// Assesses a liveness or startup probe that cannot run or is redirected away: it protects nothing.
pub fn assess(view: &ContainerView, probe: ProbeKind, case: &TrackedContainer) -> Assessment {
    if probe == ProbeKind::Startup && is_known_to_hold_back(case) {
        return Assessment::default();
    }
    let Some(template) = newest(view, |member| is_ineffective(member, probe)) else {
        return Assessment::default();
    };
    let tally = view.tally(template, case);
    let Some(mut evidence) = view.evidence(template, Effect::ProbeIneffective, Some(probe), &tally) else {
        return Assessment::default();
    };
    // This is about what the probe cannot do, not about its earlier results.
    evidence.record.failures.clear();
    let verdict = diagnose(&evidence);
    let affected =
        view.members(template).filter(|member| is_ineffective(member, probe)).map(|member| member.pod.uid).collect();
    Assessment {
        proposal: Some(proposal(Effect::ProbeIneffective, Some(probe), verdict, template, affected, true)),
        again: None,
    }
}

fn is_ineffective(member: &PodContainer, probe: ProbeKind) -> bool {
    let has_it = member.spec.probe(probe).is_some();
    if !has_it || !member.pod.is_live() || member.state.phase != Phase::Running {
        return false;
    }
    // It holds the container back, which is worse than protecting nothing.
    if probe == ProbeKind::Startup && !member.state.started {
        return false;
    }
    member.spec.lacks_port_of(probe) || is_reported_repeatedly(member, probe)
}

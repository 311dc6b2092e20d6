//! `RestartLoop` and `Killed`: containers that end again and again.

use std::sync::Arc;

use super::Settings;
use super::case::{Case, Proposal, Slot};
use super::history::{History, KillReason};
use super::judge::{EndKind, judge};
use super::scene::{Member, Scene};
use super::trial::Tally;
use super::workload::is_same;
use crate::diagnosis::diagnose;
use crate::finding::{Effect, Fact};
use crate::kubelet::ProbeKind;
use crate::template::{ContainerSpec, PodTemplate, RestartPolicy, Role};

/// Ends of its own that make a container suspect.
const SUSPECT_ENDS: u32 = 2;
/// Failures in one incarnation that make a probe suspect.
const SUSPECT: u32 = 2;

/// What a container's ends, under its newest template that has any, come to.
pub(super) fn look(scene: &Scene, name: &str, case: &Case) -> Option<Proposal> {
    let mut best: Option<Proposal> = None;
    for template in scene.templates(name) {
        let Some(proposal) = under(scene, name, template, case) else {
            continue;
        };
        // The newest that is sure; where none is, the newest.
        if best.as_ref().is_none_or(|best| proposal.confirmed || !best.confirmed) {
            best = Some(proposal);
        }
    }
    best
}

fn under<'a>(scene: &Scene<'a>, name: &'a str, template: &'a Arc<PodTemplate>, case: &Case) -> Option<Proposal> {
    let tally = scene.tally(name, template, case);
    let (container, _) = scene.workload.trial(template)?.container(name)?;
    let members: Vec<_> = scene.members(name).filter(|member| is_same(&member.pod.template, template)).collect();
    let probe = which_probe(&tally).or_else(|| suspect(scene, &members, &tally));
    let active = case.episodes.get(&Slot::Loop).is_some_and(|episode| episode.is_active());
    let ended = tally.last_bad.is_some_and(|last| active || last >= scene.window());
    if !ended && probe.is_none() {
        return None;
    }
    let effect = effect_of(template, container);
    if effect == Effect::Killed && probe.is_none() {
        return None;
    }
    let evidence = scene.evidence(name, template, effect, probe, &tally)?;
    let verdict = diagnose(&evidence);
    let counts: Vec<_> = members.iter().map(|member| Counts::of(scene, member, probe, case)).collect();
    let at_once = verdict.deterministic && probe.is_some_and(|probe| !evidence.passed.has(probe));
    let confirmed = counts.iter().any(|counts| counts.confirm(scene.settings, effect, probe, at_once));
    // One end that no probe brought about is nothing yet.
    let suspect = SUSPECT_ENDS.min(scene.settings.own_ends);
    if probe.is_none() && !active && counts.iter().all(|counts| counts.all < suspect) {
        return None;
    }
    let told = !ended && members.iter().any(|member| being_killed(member).is_some());
    if !confirmed && !ended && !told && !verdict.deterministic {
        return None;
    }
    let affected = affected(&members, &counts, probe);
    let facts = facts(&members, &tally, probe, container);
    Some(Proposal {
        effect,
        probe,
        verdict,
        template: Arc::clone(template),
        affected,
        confirmed,
        facts,
        longest_bad: tally.longest_bad,
    })
}

const fn effect_of(template: &PodTemplate, container: &ContainerSpec) -> Effect {
    match (template.restart, container.role) {
        (RestartPolicy::Never, Role::App | Role::Init) => Effect::Killed,
        _ => Effect::RestartLoop,
    }
}

/// The probe that ends it; none where a third or more of its ends are its own: what crashes beside
/// being killed crashes.
fn which_probe(tally: &Tally) -> Option<ProbeKind> {
    let (kills, own) = (tally.kills(), tally.own.total());
    if own > 0 && own * 3 >= own + kills {
        return None;
    }
    let most = ProbeKind::ALL.into_iter().max_by_key(|kind| tally.probes[*kind as usize].kills())?;
    (tally.probes[most as usize].kills() > 0).then_some(most)
}

/// The probe that is about to end it: two failures in the incarnation that runs, or a kill that is
/// told and not yet seen.
fn suspect(scene: &Scene, members: &[Member], tally: &Tally) -> Option<ProbeKind> {
    if tally.own.total() > 0 || tally.unexplained > 0 {
        return None;
    }
    members.iter().filter(|member| member.pod.is_live()).find_map(|member| {
        being_killed(member).or_else(|| {
            let history = member.state.history.as_ref()?;
            let index = history.runs.len().checked_sub(1).filter(|_| history.current().is_some())?;
            [ProbeKind::Startup, ProbeKind::Liveness].into_iter().find(|kind| {
                let recent = history.samples_of(index, *kind).filter(|sample| sample.at >= scene.window());
                recent.fold(0_u32, |failed, sample| failed.saturating_add(sample.count)) >= SUSPECT
            })
        })
    })
}

/// The probe of which a Killing event tells that it is ending the incarnation that runs.
fn being_killed(member: &Member) -> Option<ProbeKind> {
    let history = member.state.history.as_ref()?;
    let run = history.current()?;
    let started = run.started?;
    let before = history
        .runs
        .len()
        .checked_sub(2)
        .and_then(|at| history.runs[at].end.as_ref())
        .and_then(|end| end.ended.finished);
    history.killings.iter().rev().find_map(|kill| match kill.why {
        KillReason::Probe(probe) if kill.at >= started && before.is_none_or(|before| kill.at > before) => Some(probe),
        _ => None,
    })
}

/// The ends of one container within the window, by what they count for.
#[derive(Default)]
struct Counts {
    /// Kills by the probe in question.
    kills: u32,
    /// Those of them that are sure one by one.
    sure_kills: u32,
    /// All bad ends.
    all: u32,
}

impl Counts {
    fn of(scene: &Scene, member: &Member, probe: Option<ProbeKind>, case: &Case) -> Self {
        let mut counts = Self::default();
        let Some(history) = member.state.history.as_deref() else {
            return counts;
        };
        let from = scene.window().max(case.horizon);
        let mut latest = None;
        for (index, run) in history.runs.iter().enumerate() {
            let Some(kind) = judge(history, index, &member.pod.template, member.spec, scene.now) else {
                continue;
            };
            let at = run.end.as_ref().map(|end| end.ended.finished.unwrap_or(end.seen_at));
            if !kind.is_bad() || kind == EndKind::Pending || at.is_none_or(|at| at < from) {
                continue;
            }
            counts.add(kind, probe, 1);
            latest = Some(kind);
        }
        if let Some(kind) = latest {
            counts.add(kind, probe, unseen(history, member.state.restarts, case));
        }
        counts
    }

    fn add(&mut self, kind: EndKind, probe: Option<ProbeKind>, ends: u32) {
        self.all = self.all.saturating_add(ends);
        if probe.is_some() && kind.killed_by() == probe {
            self.kills = self.kills.saturating_add(ends);
            if !matches!(kind, EndKind::Fitting(_)) {
                self.sure_kills = self.sure_kills.saturating_add(ends);
            }
        }
    }

    fn confirm(&self, settings: &Settings, effect: Effect, probe: Option<ProbeKind>, at_once: bool) -> bool {
        let killed = self.sure_kills > 0 && (at_once || effect == Effect::Killed);
        // Beside a probe's kills ends of other sorts count too, but never for more than those.
        let ends = probe.map_or(settings.own_ends, |_| settings.own_ends.max(settings.probe_kills));
        let again = self.kills >= settings.probe_kills || self.all >= ends;
        killed || effect != Effect::Killed && again
    }
}

/// Restarts of before the first list of which only the count is known. They belong to the loop only
/// while no episode of it has ended.
fn unseen(history: &History, restarts: u32, case: &Case) -> u32 {
    if case.horizon == crate::time::Time::default() { restarts.saturating_sub(history.ends) } else { 0 }
}

/// The pods whose container ended badly, or is about to: its probe has failed as often as it may.
fn affected(members: &[Member], counts: &[Counts], probe: Option<ProbeKind>) -> Vec<super::Uid> {
    members
        .iter()
        .zip(counts)
        .filter(|(member, counts)| counts.all > 0 || is_failing(member, probe))
        .map(|(member, _)| member.pod.uid)
        .collect()
}

fn is_failing(member: &Member, probe: Option<ProbeKind>) -> bool {
    let (Some(history), Some(spec)) =
        (member.state.history.as_deref(), probe.and_then(|probe| member.spec.probe(probe)))
    else {
        return false;
    };
    let Some(index) = history.runs.len().checked_sub(1).filter(|_| history.current().is_some()) else { return false };
    let failed = probe.map_or(0, |probe| history.failed_in(index, probe));
    failed >= spec.failure_threshold.min(SUSPECT)
}

/// The kills, in words.
fn facts(members: &[Member], tally: &Tally, probe: Option<ProbeKind>, container: &ContainerSpec) -> Vec<Fact> {
    let Some(probe) = probe else { return Vec::new() };
    let record = &tally.probes[probe as usize];
    let killed = members
        .iter()
        .filter_map(|member| member.state.history.as_ref())
        .flat_map(|history| history.killings.iter())
        .filter(|kill| kill.why == KillReason::Probe(probe));
    let first = killed.map(|kill| kill.at).min();
    let mut facts = Vec::new();
    if let Some(at) = first {
        facts.push(Fact {
            at,
            what: format!("the kubelet killed container {} because its {probe} probe failed", container.name),
        });
    }
    if let Some(at) = tally.last_bad
        && record.kills() > 1
    {
        let passed = if record.after_pass == 0 { ", never a success" } else { "" };
        facts.push(Fact { at, what: format!("{} such kills so far{passed}", record.kills()) });
    }
    facts
}

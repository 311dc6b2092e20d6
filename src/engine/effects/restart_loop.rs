//! `RestartLoop` and `Killed`: containers that terminate again and again.

use std::sync::Arc;

use super::{Assessment, proposal};
use crate::diagnosis::{Evidence, diagnose};
use crate::engine::memory::history::{History, Kill};
use crate::engine::memory::judged::BadEnd;
use crate::engine::memory::template_record::Tally;
use crate::engine::memory::tracked_container::{Problem, Proposal, TrackedContainer};
use crate::engine::view::container::ContainerView;
use crate::engine::view::member::PodContainer;
use crate::engine::view::termination::TerminationKind;
use crate::engine::{Settings, Uid};
use crate::finding::{Cause, Effect, Fact};
use crate::kubelet::ProbeKind;
use crate::template::{ContainerSpec, PodTemplate, RestartPolicy, Role};
use crate::time::Time;

/// Time within which a terminated container that a restart rule may apply to is restarted, if it does.
pub const UNTIL_SETTLED: std::time::Duration = std::time::Duration::from_secs(30);
/// Number of terminations of its own that make a container suspect.
const SUSPECT_ENDS: u32 = 2;
/// Number of proven kills per termination of its own above which the loop is attributed to the probe.
const OUTWEIGHS: u32 = 5;
/// Number of failures in one incarnation that make a probe suspect.
const SUSPECT: u32 = 2;

/// Assesses a container's terminations, under the newest template that has any.
pub fn assess(view: &ContainerView, case: &TrackedContainer) -> Assessment {
    let mut best: Option<Proposal> = None;
    for template in &view.templates {
        let Some(proposal) = under(view, template, case) else {
            continue;
        };
        // The newest confirmed one; if there is none, the newest.
        if best.as_ref().is_none_or(|best| proposal.confirmed || !best.confirmed) {
            best = Some(proposal);
        }
    }
    Assessment { proposal: best, again: None }
}

fn under<'a>(view: &ContainerView<'a>, template: &'a Arc<PodTemplate>, case: &TrackedContainer) -> Option<Proposal> {
    let tally = view.tally(template, case);
    let (container, _) = view.workload.record(template)?.container(view.container)?;
    let members: Vec<_> = view.members(template).collect();
    let probe = which_probe(&tally).or_else(|| suspect(view, &members, &tally));
    let active = case.episodes.get(&Problem::Loop).is_some_and(|episode| episode.is_active());
    let ended = tally.last_bad.is_some_and(|last| active || last >= view.window());
    if !ended && probe.is_none() {
        return None;
    }
    let effect = effect_of(template, container, &members);
    if effect == Effect::Killed && probe.is_none() {
        return None;
    }
    let evidence = view.evidence(template, effect, probe, &tally)?;
    let verdict = diagnose(&evidence);
    let from = view.window().max(case.horizon);
    let mut counts = members.iter().map(|member| Counts::new(member, probe, case, from));
    let passed = probe.is_some_and(|probe| evidence.passed.has(probe));
    let at_once = verdict.deterministic && probe.is_some() && !passed;
    let sees_enough = verdict.cause != Cause::Unknown || counts.clone().any(|counts| counts.is_watched(view.settings));
    let settled = !container.has_restart_rules() || members.iter().any(|member| is_settled(view, member));
    let confirmed =
        sees_enough && settled && counts.clone().any(|counts| counts.confirm(view.settings, effect, probe, at_once));
    // One termination that no probe caused is not enough.
    let suspect = SUSPECT_ENDS.min(view.settings.own_ends);
    if probe.is_none() && !active && counts.all(|counts| counts.all < suspect) {
        return None;
    }
    let published = !ended && members.iter().any(|member| being_killed(member).is_some());
    if !confirmed && !ended && !published && !verdict.deterministic {
        return None;
    }
    let affected = affected(&members, probe, from);
    let facts = facts(&members, &tally, &evidence);
    Some(Proposal {
        mostly_kills: probe.is_some_and(|probe| tally.probes[probe as usize].proven > OUTWEIGHS * tally.own.total()),
        facts,
        longest_bad: tally.longest_bad,
        last_bad: tally.last_bad,
        ..proposal(effect, probe, verdict, template, affected, confirmed)
    })
}

/// Whether it is known if a container with restart rules is restarted.
fn is_settled(view: &ContainerView, member: &PodContainer) -> bool {
    let last = member.state.history.as_ref().and_then(|history| history.last_seen_end());
    member.state.restarts > 0
        || last.is_some_and(|last| last.plus(UNTIL_SETTLED) <= view.now)
        || last.is_some() && !may_be_restarted(member)
}

/// Whether a rule matches its last exit code, and there is still a sandbox to restart it in: if the only
/// container of a pod is not restarted, the kubelet stops the sandbox too.
fn may_be_restarted(member: &PodContainer) -> bool {
    let template = &member.pod.template;
    if template.containers.len() == 1 && template.restart == RestartPolicy::Never {
        return false;
    }
    let mut ends =
        member.state.history.iter().flat_map(|history| history.incarnations.iter()).filter_map(|run| run.end.as_ref());
    let Some(exit) = ends.next_back().map(|end| end.ended.exit) else { return true };
    member.spec.restart_rules.iter().any(|rule| rule.fits(exit))
}

/// The effect of its terminations; with restart rules, the observations show whether it is restarted.
fn effect_of(template: &PodTemplate, container: &ContainerSpec, members: &[&PodContainer]) -> Effect {
    let restarted = container.has_restart_rules() && members.iter().any(|member| member.state.restarts > 0);
    match (template.restart_policy_of(container), container.role) {
        (RestartPolicy::Never, Role::App | Role::Init) if !restarted => Effect::Killed,
        _ => Effect::RestartLoop,
    }
}

/// The probe that kills it; none if at least a third of its terminations are its own: a container that also
/// crashes between kills is crashing.
fn which_probe(tally: &Tally) -> Option<ProbeKind> {
    let (kills, own) = (tally.kills(), tally.own.total());
    if own > 0 && own * 3 >= own + kills {
        return None;
    }
    let of = |kind: ProbeKind| tally.probes[kind as usize].kills();
    let most = ProbeKind::ALL.into_iter().max_by_key(|kind| of(*kind))?;
    (of(most) > 0).then_some(most)
}

/// The probe that is about to kill it: two failures in the current incarnation, or a kill that was reported
/// and is not yet visible in the status.
fn suspect(view: &ContainerView, members: &[&PodContainer], tally: &Tally) -> Option<ProbeKind> {
    if tally.own.total() > 0 || tally.unexplained > 0 {
        return None;
    }
    members.iter().filter(|member| member.pod.is_live()).find_map(|member| {
        being_killed(member).or_else(|| {
            let history = member.state.history.as_ref()?;
            let index = history.incarnations.len().checked_sub(1).filter(|_| history.current().is_some())?;
            [ProbeKind::Startup, ProbeKind::Liveness].into_iter().find(|kind| {
                let recent = history.samples_of(index, *kind).filter(|sample| member.ours(sample.at) >= view.window());
                recent.fold(0_u32, |failed, sample| failed.saturating_add(sample.count)) >= SUSPECT
            })
        })
    })
}

/// The probe that is killing the current incarnation, according to a Killing event.
fn being_killed(member: &PodContainer) -> Option<ProbeKind> {
    let history = member.state.history.as_ref()?;
    let run = history.current()?;
    let started = run.started?;
    let before = history.finished_before(history.incarnations.len() - 1);
    let is_of_it = |kill: &Kill| kill.at >= started && before.is_none_or(|before| kill.at > before);
    history.probe_kills().rev().find(|(_, kill)| is_of_it(kill)).map(|(probe, _)| probe)
}

/// The terminations of one container since a time, classified.
#[derive(Default)]
struct Counts {
    /// Kills by the probe in question.
    kills: u32,
    /// Those of them that are individually certain.
    sure_kills: u32,
    /// Terminations that no probe caused, as far as is known.
    others: u32,
    /// All bad terminations.
    all: u32,
    /// Those of them that happened while the watch was unbroken.
    watched: u32,
    /// Kills that are individually certain, and happened while the watch was unbroken.
    watched_kills: u32,
}

impl Counts {
    fn new(member: &PodContainer, probe: Option<ProbeKind>, case: &TrackedContainer, from: Time) -> Self {
        let mut counts = Self::default();
        let Some(history) = member.state.history.as_deref() else {
            return counts;
        };
        let mut latest = None;
        for BadEnd { kind, watched, .. } in member.bad_ends().iter().copied().filter(|end| end.at >= from) {
            counts.add(kind, probe, 1);
            let sure = kind.killed_by() == probe && probe.is_some() && !matches!(kind, TerminationKind::Fitting(_));
            counts.watched += u32::from(watched);
            counts.watched_kills += u32::from(watched && sure);
            latest = Some(kind);
        }
        if let Some(kind) = latest {
            counts.add(kind, probe, unseen(history, member.state.restarts, case));
        }
        counts
    }

    fn add(&mut self, kind: TerminationKind, probe: Option<ProbeKind>, ends: u32) {
        self.all = self.all.saturating_add(ends);
        if kind.killed_by().is_none() {
            self.others = self.others.saturating_add(ends);
        }
        if probe.is_some() && kind.killed_by() == probe {
            self.kills = self.kills.saturating_add(ends);
            if !matches!(kind, TerminationKind::Fitting(_)) {
                self.sure_kills = self.sure_kills.saturating_add(ends);
            }
        }
    }

    /// Whether enough was watched to conclude that the reason is unknown.
    const fn is_watched(&self, settings: &Settings) -> bool {
        self.watched >= settings.own_ends || self.watched_kills >= settings.probe_kills
    }

    fn confirm(&self, settings: &Settings, effect: Effect, probe: Option<ProbeKind>, at_once: bool) -> bool {
        let killed = self.sure_kills > 0 && (at_once || effect == Effect::Killed);
        let again = match probe {
            // Besides a probe's kills, other terminations count too, but never for more than those.
            Some(_) => self.kills >= settings.probe_kills || self.all >= settings.own_ends.max(settings.probe_kills),
            None => self.others >= settings.own_ends,
        };
        killed || effect != Effect::Killed && again
    }
}

/// Restarts before the first list of which only the count is known. They belong to the loop only while no
/// episode of it has ended.
fn unseen(history: &History, restarts: u32, case: &TrackedContainer) -> u32 {
    if case.horizon == Time::default() { restarts.saturating_sub(history.ends) } else { 0 }
}

/// The pods whose container terminated badly, or is about to: its probe has reached its failure threshold.
fn affected(members: &[&PodContainer], probe: Option<ProbeKind>, from: Time) -> Vec<Uid> {
    let ended = |member: &PodContainer| member.bad_ends().iter().any(|end| end.at >= from);
    members.iter().filter(|member| ended(member) || is_failing(member, probe)).map(|member| member.pod.uid).collect()
}

fn is_failing(member: &PodContainer, probe: Option<ProbeKind>) -> bool {
    let (Some(history), Some(spec)) =
        (member.state.history.as_deref(), probe.and_then(|probe| member.spec.probe(probe)))
    else {
        return false;
    };
    let failed = probe.map_or(0, |probe| member.reported(probe).failed);
    history.current().is_some() && failed >= spec.failure_threshold.min(SUSPECT)
}

/// The kills as facts.
fn facts(members: &[&PodContainer], tally: &Tally, evidence: &Evidence) -> Vec<Fact> {
    let Some(probe) = evidence.probe else { return Vec::new() };
    let record = &tally.probes[probe as usize];
    let passed = evidence.passed.has(probe);
    let first = members.iter().filter_map(|member| Some(member.ours(member.reported(probe).killed?))).min();
    let mut facts = Vec::new();
    if let Some(at) = first {
        facts.push(Fact {
            at,
            what: format!("the kubelet killed container {} because its {probe} probe failed", evidence.container.name),
        });
    }
    if let Some(at) = tally.last_bad
        && record.kills() > 1
    {
        let never = match passed {
            _ if record.after_pass > 0 || evidence.always_failed_later() => "",
            true => "; the probe succeeded in none of these runs",
            false => "; the probe has never succeeded",
        };
        let times = if record.kills() == 2 { "twice".to_owned() } else { format!("{} times", record.kills()) };
        facts.push(Fact { at, what: format!("killed {times}{never}") });
    }
    facts
}

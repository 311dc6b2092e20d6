//! What is wrong without a restart: never ready, a probe that cannot run, a start that is blocked,
//! a probe that flaps.

use std::sync::Arc;
use std::time::Duration;

use super::case::{Case, Episode, Proposal, Slot};
use super::history::{History, WordsKind};
use super::pods::Phase;
use super::scene::{Member, Scene};
use crate::diagnosis::{cannot_be_run, diagnose};
use crate::finding::Effect;
use crate::kubelet::{Failure, Port, ProbeKind};
use crate::template::{ContainerSpec, PodTemplate};
use crate::time::Time;

/// So long a readiness probe may fail for a deterministic reason.
const UNREADY_SURELY: Duration = Duration::from_mins(1);
/// So long a readiness probe may fail for any other.
pub(super) const UNREADY: Duration = Duration::from_mins(5);
/// So long a container may not begin.
const BLOCKED: Duration = Duration::from_mins(2);
/// So long between first and last failure makes it flap.
const FLAPPING: Duration = Duration::from_mins(10);
/// So many errors or warnings in a row make a probe ineffective.
const INEFFECTIVE: u32 = 3;

/// A proposal, and when to look again at what is not yet one.
#[derive(Default)]
pub(super) struct Seen {
    /// What is wrong.
    pub proposal: Option<Proposal>,
    /// When it may become so.
    pub again: Option<Time>,
}

impl Seen {
    fn later(again: Option<Time>) -> Self {
        Self { proposal: None, again }
    }
}

/// A readiness probe that never passed in this template, of a container that runs on.
pub(super) fn never_ready(scene: &Scene, case: &Case) -> Seen {
    if let Some(seen) = held_back(scene, case) {
        return seen;
    }
    let probe = ProbeKind::Readiness;
    let Some(template) = newest(scene, |member| unready_since(member).is_some()) else {
        return Seen::default();
    };
    let tally = scene.tally(template, case);
    let Some(evidence) = scene.evidence(template, Effect::NeverReady, Some(probe), &tally) else {
        return Seen::default();
    };
    let starting = evidence.container.startup.is_some() && !evidence.passed.has(ProbeKind::Startup);
    if evidence.passed.has(probe) || starting || tally.last_bad.is_some_and(|last| last >= scene.window()) {
        return Seen::default();
    }
    let verdict = diagnose(&evidence);
    // Where a probe that kills asks the same, its kills tell it, or that the app came up after all.
    let is_told_by_kills = evidence.twins().any(ProbeKind::kills);
    let patience = if verdict.deterministic && !is_told_by_kills { UNREADY_SURELY } else { UNREADY };
    let unready: Vec<_> = scene.members(template).filter_map(|member| Some((member, unready_since(member)?))).collect();
    let Some(first) = unready.iter().map(|(_, since)| *since).min() else {
        return Seen::default();
    };
    let due = first.plus(patience);
    let confirmed = due <= scene.now;
    let again = (!confirmed).then_some(due);
    if !confirmed && !verdict.deterministic {
        return Seen::later(again);
    }
    let affected = unready.iter().map(|(member, _)| member.pod.uid).collect();
    Seen { proposal: Some(proposal(Effect::NeverReady, Some(probe), verdict, template, affected, confirmed)), again }
}

/// A startup probe that cannot run never passes: what it guards never becomes ready.
///
/// A kubelet that was restarted takes it for started all the same: what held it back does so again at its
/// next start.
fn held_back(scene: &Scene, case: &Case) -> Option<Seen> {
    let probe = ProbeKind::Startup;
    let known = holds_back(case);
    let since = |member: &Member| {
        let state = member.state;
        let held = state.phase == Phase::Running && member.pod.is_live();
        let held = held && (!state.started || known && never_runs(member, probe));
        let errs = names_no_port(member.spec, probe) || told_again_and_again(member, probe);
        state.since.filter(|_| held && errs).map(|since| member.ours(since))
    };
    let template = newest(scene, |member| since(member).is_some())?;
    let tally = scene.tally(template, case);
    let evidence = scene.evidence(template, Effect::NeverReady, Some(probe), &tally)?;
    let verdict = diagnose(&evidence);
    let held: Vec<_> = scene.members(template).filter_map(|member| Some((member, since(member)?))).collect();
    let first = held.iter().map(|(_, since)| *since).min()?;
    let due = first.plus(UNREADY_SURELY);
    let affected = held.iter().map(|(member, _)| member.pod.uid).collect();
    let confirmed = due <= scene.now;
    let proposal = proposal(Effect::NeverReady, Some(probe), verdict, template, affected, confirmed);
    Some(Seen { proposal: Some(proposal), again: (!confirmed).then_some(due) })
}

/// Whether a startup probe that cannot run is known to hold it back.
fn holds_back(case: &Case) -> bool {
    let episode = case.episodes.get(&Slot::NeverReady).filter(|episode| episode.is_active());
    episode.is_some_and(|episode| episode.finding.probe == Some(ProbeKind::Startup))
}

/// Since when a running container's readiness probe is known to fail.
fn unready_since(member: &Member) -> Option<Time> {
    let state = member.state;
    if state.ready || state.phase != Phase::Running || !member.pod.is_live() {
        return None;
    }
    let since = state.since?;
    member.spec.readiness.as_ref()?;
    let said = |words: &&super::history::Words| words.probe == ProbeKind::Readiness && words.last >= since;
    let words = state.history.iter().flat_map(|history| history.words.iter());
    let heard = words.filter(said).map(|words| words.first.max(since)).min();
    // Without events the status alone tells: its first result is there, and it is not ready.
    let result = || Some(since.plus(member.spec.readiness.as_ref()?.first_result_by()));
    heard.or_else(|| result().filter(|_| state.restarts == 0)).map(|since| member.ours(since))
}

/// A liveness or startup probe that cannot run, or that is redirected away: it protects nothing.
pub(super) fn ineffective(scene: &Scene, probe: ProbeKind, case: &Case) -> Seen {
    if probe == ProbeKind::Startup && holds_back(case) {
        return Seen::default();
    }
    let Some(template) = newest(scene, |member| is_ineffective(member, probe)) else {
        return Seen::default();
    };
    let tally = scene.tally(template, case);
    let Some(mut evidence) = scene.evidence(template, Effect::ProbeIneffective, Some(probe), &tally) else {
        return Seen::default();
    };
    // It is about what the probe cannot do, not about what it did before.
    evidence.record.failures.clear();
    let verdict = diagnose(&evidence);
    let affected =
        scene.members(template).filter(|member| is_ineffective(member, probe)).map(|member| member.pod.uid).collect();
    Seen {
        proposal: Some(proposal(Effect::ProbeIneffective, Some(probe), verdict, template, affected, true)),
        again: None,
    }
}

fn is_ineffective(member: &Member, probe: ProbeKind) -> bool {
    if !member.pod.is_live() || member.state.phase != Phase::Running {
        return false;
    }
    // It holds the container back, which is more than protecting nothing.
    if probe == ProbeKind::Startup && !member.state.started {
        return false;
    }
    names_no_port(member.spec, probe) || told_again_and_again(member, probe)
}

/// Whether an episode is about a startup probe that can never run in this container.
pub(super) fn is_held_back(member: &Member, episode: &Episode) -> bool {
    episode.finding.probe == Some(ProbeKind::Startup) && never_runs(member, ProbeKind::Startup)
}

/// Whether the probe can never run in this container: it names a port that there is not, or a command.
fn never_runs(member: &Member, probe: ProbeKind) -> bool {
    let words = member.state.history.iter().flat_map(|history| &history.words);
    let told = words.filter(|words| words.probe == probe && words.kind == WordsKind::Errored);
    let mut since = told.filter(|words| member.state.since.is_some_and(|since| words.last >= since));
    names_no_port(member.spec, probe) || since.any(|words| cannot_be_run(&words.failure))
}

/// Whether the probe names a port that its container does not have: the specification proves it.
pub(super) fn names_no_port(spec: &ContainerSpec, probe: ProbeKind) -> bool {
    match spec.probe(probe).and_then(|probe| probe.handler.port()) {
        Some(Port::Name(name)) => spec.ports.iter().all(|(declared, _)| declared.as_ref() != Some(name)),
        _ => false,
    }
}

/// Whether it errored, or warned, three times over three periods of one incarnation since it last failed.
fn told_again_and_again(member: &Member, probe: ProbeKind) -> bool {
    let (Some(history), Some(spec), Some(since)) =
        (member.state.history.as_deref(), member.spec.probe(probe), member.state.since)
    else {
        return false;
    };
    let span = spec.period.saturating_mul(INEFFECTIVE - 1);
    let of = |kind: WordsKind| {
        history.words.iter().filter(move |words| words.probe == probe && words.kind == kind && words.last >= since)
    };
    // What failed ends a row: an app that was not up yet, a node that was busy.
    let failed = of(WordsKind::Failed).map(|words| words.last).max();
    [WordsKind::Errored, WordsKind::Warned].into_iter().any(|kind| {
        let count = of(kind).fold(0_u32, |count, words| count.saturating_add(words.count));
        let first = of(kind).map(|words| words.first.max(since)).min().max(failed);
        let last = of(kind).map(|words| words.last).max();
        count >= INEFFECTIVE && first.zip(last).is_some_and(|(first, last)| last.since(first) >= span)
    })
}

/// A container that never began.
pub(super) fn blocked(scene: &Scene, case: &Case) -> Seen {
    let waits = |member: &Member| {
        let history = member.state.history.as_ref().filter(|_| member.pod.is_live());
        let blocked = history.and_then(|history| history.blocked.as_ref())?;
        Some(if blocked.of_pod { member.ours(blocked.since) } else { blocked.since })
    };
    let Some(template) = newest(scene, |member| waits(member).is_some()) else {
        return Seen::default();
    };
    let waiting: Vec<_> = scene.members(template).filter_map(|member| Some((member, waits(member)?))).collect();
    let Some(first) = waiting.iter().map(|(_, since)| *since).min() else {
        return Seen::default();
    };
    let due = first.plus(BLOCKED);
    let confirmed = due <= scene.now;
    let tally = scene.tally(template, case);
    let Some(evidence) = scene.evidence(template, Effect::StartBlocked, None, &tally) else {
        return Seen::default();
    };
    let affected = waiting.iter().map(|(member, _)| member.pod.uid).collect();
    Seen {
        proposal: Some(proposal(Effect::StartBlocked, None, diagnose(&evidence), template, affected, confirmed)),
        again: (!confirmed).then_some(due),
    }
}

/// A probe that fails again and again, below its threshold.
pub(super) fn flapping(scene: &Scene, probe: ProbeKind, case: &Case) -> Seen {
    let Some(template) = newest(scene, |member| flaps(member, probe)) else {
        return Seen::default();
    };
    let tally = scene.tally(template, case);
    if tally.last_bad.is_some_and(|last| last >= scene.window()) {
        return Seen::default();
    }
    let Some(evidence) = scene.evidence(template, Effect::Flapping, Some(probe), &tally) else {
        return Seen::default();
    };
    let affected = scene.members(template).filter(|member| flaps(member, probe)).map(|member| member.pod.uid).collect();
    Seen {
        proposal: Some(proposal(Effect::Flapping, Some(probe), diagnose(&evidence), template, affected, true)),
        again: None,
    }
}

fn flaps(member: &Member, probe: ProbeKind) -> bool {
    let state = member.state;
    let (Some(since), Some(history)) = (state.since, state.history.as_deref()) else {
        return false;
    };
    let runs = state.phase == Phase::Running && member.pod.is_live();
    // A readiness probe that fails all the time is not flapping.
    let now_and_then = probe != ProbeKind::Readiness || state.ready;
    runs && now_and_then && flapped(history, probe, since)
}

fn flapped(history: &History, probe: ProbeKind, since: Time) -> bool {
    history
        .words
        .iter()
        .filter(|words| {
            words.probe == probe && words.kind == WordsKind::Failed && words.first >= since && words.count >= 3
        })
        .any(|words| words.failure != Failure::Refused && words.last.since(words.first) >= FLAPPING)
}

/// Whether nothing new was heard of a flapping probe for the window.
pub(super) fn is_quiet(scene: &Scene, slot: Slot) -> Result<(), Time> {
    let Slot::Flapping(probe) = slot else { return Ok(()) };
    let last = scene
        .members
        .iter()
        .filter_map(|member| {
            let words = member.state.history.as_ref()?.words.iter().filter(|words| words.probe == probe);
            Some(member.ours(words.map(|words| words.last).max()?))
        })
        .max();
    match last.map(|last| last.plus(scene.settings.window)) {
        Some(due) if due > scene.now => Err(due),
        _ => Ok(()),
    }
}

/// The newest template of which a pod is in that state.
fn newest<'a>(scene: &Scene<'a>, is: impl Fn(&Member) -> bool) -> Option<&'a Arc<PodTemplate>> {
    let templates = scene.templates();
    templates.into_iter().rev().find(|template| scene.members(template).any(&is))
}

fn proposal(
    effect: Effect,
    probe: Option<ProbeKind>,
    verdict: crate::diagnosis::Verdict,
    template: &Arc<PodTemplate>,
    affected: Vec<super::Uid>,
    confirmed: bool,
) -> Proposal {
    Proposal {
        effect,
        probe,
        verdict,
        template: Arc::clone(template),
        affected,
        confirmed,
        mostly_kills: false,
        facts: Vec::new(),
        longest_bad: Duration::ZERO,
        last_bad: None,
    }
}

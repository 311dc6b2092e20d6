//! From what is seen to what is said: episodes open, are confirmed, change and end.

use std::sync::Arc;
use std::time::Duration;

use super::case::{Case, Episode, MOST_AFFECTED, Proposal, Slot};
use super::looping;
use super::over::is_over;
use super::quiet::{self, Seen};
use super::recurring;
use super::remedy::{Position, Situation};
use super::revisions::{good_revision, rollout, untried_revision};
use super::scene::Scene;
use crate::diagnosis::{Candidate, Point, Strength, Verdict};
use crate::finding::remedy::Remedy;
use crate::finding::{Cause, Change, ChangeKind, Confidence, Considered, Fact, Fault, Finding, Standing};
use crate::kubelet::{ProbeKind, start_error};
use crate::time::Time;

/// The first word waits so long for what would complete it.
const COMPLETE: Duration = Duration::from_secs(2);
/// Counts alone are told no more often.
const COUNTS: Duration = Duration::from_mins(1);
/// Facts told of a finding.
const MOST_FACTS: usize = 12;

/// What came of looking at a case.
#[derive(Default)]
pub(super) struct Outcome {
    /// What is said.
    pub changes: Vec<Change>,
    /// When to look again.
    pub again: Option<Time>,
    /// Whether something is going on of which more should be known.
    pub curious: bool,
}

impl Outcome {
    /// Looks again at that time; what is due already is seen with the next news.
    fn look_again(&mut self, now: Time, at: Option<Time>) {
        self.again = self.again.into_iter().chain(at.filter(|at| *at > now)).min();
    }
}

/// Looks at one container of a workload.
pub(super) fn look(scene: &Scene, case: &mut Case) -> Outcome {
    let mut outcome = Outcome::default();
    forget_what_is_long_past(scene, case);
    let slots = [
        Slot::Loop,
        Slot::NeverReady,
        Slot::Blocked,
        Slot::Ineffective(ProbeKind::Liveness),
        Slot::Ineffective(ProbeKind::Startup),
        Slot::Flapping(ProbeKind::Liveness),
        Slot::Flapping(ProbeKind::Readiness),
        Slot::Recurring,
    ];
    if !is_looping(case) {
        let mut ends = std::mem::take(&mut case.ends);
        recurring::note(scene, &mut ends);
        case.ends = ends;
    }
    for slot in slots {
        if end_if_over(scene, slot, case, &mut outcome) {
            continue;
        }
        let seen = see(scene, slot, case);
        outcome.look_again(scene.now, seen.again);
        if let Some(proposal) = seen.proposal {
            take_up(scene, slot, case, &proposal, &mut outcome);
        } else {
            refresh(scene, slot, case, &mut outcome);
        }
    }
    outcome
}

fn see(scene: &Scene, slot: Slot, case: &Case) -> Seen {
    let looping = is_looping(case);
    match slot {
        Slot::Loop => Seen { proposal: looping::look(scene, case), again: None },
        Slot::Blocked => quiet::blocked(scene, case),
        Slot::Ineffective(probe) => quiet::ineffective(scene, probe, case),
        Slot::NeverReady | Slot::Flapping(_) if looping => Seen::default(),
        Slot::NeverReady => quiet::never_ready(scene, case),
        Slot::Flapping(probe) => quiet::flapping(scene, probe, case),
        Slot::Recurring => recurring::look(scene, case),
    }
}

/// Whether a loop of it is confirmed and goes on.
fn is_looping(case: &Case) -> bool {
    let episode = case.episodes.get(&Slot::Loop);
    episode.is_some_and(|episode| episode.is_active() && episode.finding.confirmed_at.is_some())
}

/// Restarts and ends of before the window belong to nothing, unless an episode goes on.
fn forget_what_is_long_past(scene: &Scene, case: &mut Case) {
    let active = case.episodes.values().any(|episode| episode.is_active());
    if !active && case.last_restart.is_some_and(|last| last < scene.window()) {
        case.base = case.restarts;
        case.last_restart = None;
    }
}

fn end_if_over(scene: &Scene, slot: Slot, case: &mut Case, outcome: &mut Outcome) -> bool {
    let Some(episode) = case.episodes.get_mut(&slot).filter(|episode| episode.is_active()) else {
        return false;
    };
    if let Err(again) = is_over(scene, slot, episode) {
        outcome.look_again(scene.now, again);
        return false;
    }
    let was_confirmed = episode.finding.confirmed_at.is_some();
    episode.change().resolved_at = Some(scene.now);
    let finding = Arc::clone(&episode.finding);
    let told = episode.told.replace(Arc::clone(&finding)).is_some();
    if told || was_confirmed {
        let kind = if was_confirmed { ChangeKind::Resolved } else { ChangeKind::Withdrawn };
        outcome.changes.push(Change { kind, at: scene.now, finding });
    }
    if !was_confirmed {
        case.episodes.remove(&slot);
    }
    if slot == Slot::Loop {
        case.horizon = scene.now;
        case.base = case.restarts;
    }
    true
}

/// Opens, confirms or changes an episode by what is seen.
fn take_up(scene: &Scene, slot: Slot, case: &mut Case, proposal: &Proposal, outcome: &mut Outcome) {
    outcome.curious = true;
    let previous = case.episodes.get(&slot).map(|episode| (episode.is_active(), episode.finding.episodes));
    if previous.is_none_or(|(active, _)| !active) {
        let number = previous.map_or(0, |(_, number)| number) + 1;
        let label = Arc::from(scene.workload.label());
        let episode = Episode::open(&scene.workload.namespace, label, scene.container, proposal, number, scene.now);
        case.episodes.insert(slot, Box::new(episode));
    }
    let Some(episode) = case.episodes.get_mut(&slot) else { return };
    let accepted = accepts(episode, proposal);
    let superseded = if accepted { supersede(episode, proposal) } else { None };
    for uid in proposal.affected.iter().take(MOST_AFFECTED.saturating_sub(episode.affected.len())) {
        episode.affected.insert(*uid);
    }
    episode.longest_bad = episode.longest_bad.max(proposal.longest_bad);
    episode.last_bad = episode.last_bad.max(proposal.last_bad);
    episode.change().labels = Arc::clone(&proposal.template.labels);
    name_a_pod(scene, episode);
    let newly = proposal.confirmed && episode.finding.confirmed_at.is_none();
    if accepted {
        describe(scene, episode, proposal);
    } else {
        episode.template.get_or_insert_with(|| Arc::clone(&proposal.template));
    }
    if newly {
        episode.change().confirmed_at = Some(scene.now);
    }
    let finding = episode.change();
    finding.restarts = finding.restarts.max(case.restarts.saturating_sub(case.base));
    episode.reach(scene.workload.wanted(), scene.workload.service_states().as_deref());
    finish(scene, episode);
    if let Some(old) = superseded {
        outcome.changes.push(Change { kind: ChangeKind::Withdrawn, at: scene.now, finding: old });
        episode.told = None;
    }
    say(scene, episode, outcome);
}

/// Counts on what is going on although nothing of it is seen now: after a restart of the operator,
/// or between two ends.
fn refresh(scene: &Scene, slot: Slot, case: &mut Case, outcome: &mut Outcome) {
    let restarts = case.restarts.saturating_sub(case.base);
    let Some(episode) = case.episodes.get_mut(&slot).filter(|episode| episode.is_active()) else {
        return;
    };
    outcome.curious = true;
    if slot == Slot::Loop && restarts > episode.finding.restarts {
        episode.change().restarts = restarts;
    }
    episode.reach(scene.workload.wanted(), scene.workload.service_states().as_deref());
    say(scene, episode, outcome);
}

/// A loop whose probe turns out to be another one is told under its new name, and the old forgotten.
fn supersede(episode: &mut Episode, proposal: &Proposal) -> Option<Arc<Finding>> {
    if episode.finding.effect == proposal.effect && episode.finding.probe == proposal.probe {
        return None;
    }
    let finding = episode.change();
    finding.effect = proposal.effect;
    finding.probe = proposal.probe;
    episode.told.take()
}

/// Whether what is seen now takes the place of what was said: nothing is unlearnt by events that are
/// gone, and nothing is taken back but by facts that contradict it.
fn accepts(episode: &Episode, proposal: &Proposal) -> bool {
    let (finding, verdict) = (&episode.finding, &proposal.verdict);
    let same_probe = finding.probe == proposal.probe;
    if episode.told.is_none() || (verdict.cause == finding.cause && same_probe) {
        return true;
    }
    // What was only suspected may turn out to be anything.
    if finding.confirmed_at.is_none() && episode.remembered.is_none() && same_probe && verdict.cause != Cause::Unknown {
        return true;
    }
    // Its own ends, which it was told for, are the lesser part of them by now.
    if finding.probe.is_none() && proposal.confirmed && proposal.mostly_kills {
        return true;
    }
    match (finding.cause, verdict.cause) {
        (Cause::Unknown, Cause::Unknown) => return proposal.probe.is_some(),
        // Of another template no more is said than is sure.
        (Cause::Unknown, _) => return proposal.confirmed || !episode.is_of_another(&proposal.template),
        // Not even that is known where a fact that was seen contradicts what was told.
        (told, Cause::Unknown) => {
            let is_first = finding.confirmed_at.is_none() && proposal.confirmed && episode.remembered.is_none();
            // Nor is confirmed what was suspected of all pods and may be true of one alone.
            let fails = |it: &Candidate| it.is_ruled_out() || is_first && it.deterministic && !it.is_carried();
            return same_probe && verdict.candidates.iter().any(|it| it.cause == told && fails(it));
        }
        _ => {}
    }
    if finding.probe.is_none() && same_probe {
        return verdict.proof >= episode.proof;
    }
    // What it rested on was seen by another process, and may not be seen again.
    if episode.remembered.is_some() && (verdict.confidence < finding.confidence || verdict.proof < Strength::Seen) {
        return false;
    }
    if episode.is_of_another(&proposal.template) {
        return proposal.confirmed && verdict.proof >= Strength::Reckoned;
    }
    if !same_probe {
        return verdict.proof > episode.proof || verdict.proof == Strength::Seen;
    }
    let told = verdict.candidates.iter().find(|candidate| candidate.cause == finding.cause);
    let cleared = finding.fault == Some(Fault::App) && verdict.cause.fault() == Some(Fault::Probe);
    match told {
        // What this process saw does not outweigh what another one saw, it can only contradict it.
        Some(told) if episode.remembered.is_some() => told.is_contradicted(),
        // It is weighed with the others, and others outweigh it.
        // What cleared the probe is gone by now, and not refuted.
        Some(told) if cleared && told.proof < episode.proof => false,
        Some(told) => told.is_contradicted() || verdict.proof > episode.proof.max(told.proof),
        // What it rested on is forgotten by now.
        None => verdict.proof > episode.proof && episode.remembered.is_none(),
    }
}

/// Puts what the verdict says into the finding.
fn describe(scene: &Scene, episode: &mut Episode, proposal: &Proposal) {
    let verdict = &proposal.verdict;
    let same_cause = verdict.cause == episode.finding.cause;
    let moved = episode.is_of_another(&proposal.template);
    // The same fault in another template is the same fault going on.
    let moved =
        moved && !(same_cause && verdict.field == episode.finding.field && verdict.current == episode.finding.current);
    // A value that was known to work does so still, whatever has become of the proof.
    let lost_value = same_cause && !moved && verdict.suggested.is_none() && verdict.current == episode.finding.current;
    let finding = Arc::make_mut(&mut episode.finding);
    finding.cause = verdict.cause;
    finding.fault = verdict.cause.fault();
    episode.proof = if same_cause { episode.proof.max(verdict.proof) } else { verdict.proof };
    finding.field.clone_from(&verdict.field);
    finding.current.clone_from(&verdict.current);
    if !lost_value {
        finding.suggested.clone_from(&verdict.suggested);
    }
    finding.confidence = if episode.remembered.is_some() && same_cause {
        finding.confidence.max(verdict.confidence)
    } else {
        verdict.confidence
    };
    finding.considered = considered(verdict);
    finding.hypotheses = if finding.confidence == Confidence::High { Vec::new() } else { verdict.hypotheses.clone() };
    let mut facts = verdict.because.clone();
    facts.extend(proposal.facts.iter().cloned());
    if episode.remembered.is_some() && same_cause {
        facts.extend(finding.evidence.iter().cloned());
    }
    if moved {
        finding.revision = None;
        finding.change = None;
    }
    episode.template = Some(Arc::clone(&proposal.template));
    let (revision, change) = rollout(scene, episode);
    if revision.is_some() || moved {
        episode.rolled_out(revision, change);
    }
    let change = episode.finding.change.as_ref();
    facts.extend(change.and_then(|change| Some(Fact { at: change.at?, what: change.words() })));
    keep_first_times(&mut facts, &episode.finding.evidence);
    facts.sort();
    facts.dedup_by(|one, other| one.what == other.what);
    facts.truncate(MOST_FACTS);
    facts.shrink_to_fit();
    episode.change().evidence = facts;
}

/// What was considered, in plain words.
fn considered(verdict: &Verdict) -> Arc<[Considered]> {
    let words = |points: &[Point]| points.iter().map(|point| point.what.clone()).collect();
    let candidates = verdict.candidates.iter().enumerate();
    candidates
        .map(|(place, candidate)| Considered {
            cause: candidate.cause,
            standing: match candidate.is_contradicted() {
                true => Standing::Contradicted,
                false if place == 0 && candidate.cause == verdict.cause => Standing::Named,
                false => Standing::Possible,
            },
            explains: words(&candidate.explains),
            lacks: candidate.lacks.clone(),
            against: words(&candidate.contradictions),
        })
        .collect()
}

/// A fact that was told before keeps its time: what showed it first may be forgotten by now.
fn keep_first_times(facts: &mut [Fact], told: &[Fact]) {
    for fact in facts {
        let before = told.iter().filter(|known| known.what == fact.what).map(|known| known.at).min();
        fact.at = before.map_or(fact.at, |before| before.min(fact.at));
    }
}

/// Names one pod of it, the worst one, and keeps to that while it is there.
fn name_a_pod(scene: &Scene, episode: &mut Episode) {
    let named = scene.named(&episode.affected);
    let example = episode.change().example.take();
    let is_there = |pod: &Arc<str>| named.iter().any(|known| known.name == *pod);
    let worst = || named.first().map(|known| Arc::clone(&known.name));
    episode.change().example = example.clone().filter(is_there).or_else(worst).or(example);
}

/// What to type, with all the rest known.
fn finish(scene: &Scene, episode: &mut Episode) {
    // What a person edits is the workload's own template.
    let pods = episode.template.as_deref();
    let written = pods.map(|pods| scene.workload.revision(pods).map_or(pods, |revision| &*revision.template));
    let mut named = scene.named(&episode.affected);
    named.sort_by_key(|pod| Some(&pod.name) != episode.finding.example.as_ref());
    let remedies = Situation {
        finding: &episode.finding,
        top: &scene.workload.top,
        facts: scene.workload.facts.as_deref(),
        good_revision: good_revision(scene, episode),
        untried_revision: untried_revision(scene, episode),
        position: written.map(|template| Position::of(scene.container, template)).unwrap_or_default(),
        pods: named,
        file: scene.file(),
        fell_together: scene.onsets.fell_together(&scene.workload.who(scene.container)),
    }
    .remedies();
    let blocked = episode.template.as_ref().and_then(|template| scene.blocked(template));
    let words = blocked.and_then(|blocked| blocked.message);
    episode.change().start_failure = words.and_then(|words| start_error(&words));
    // What was known to work may no longer be seen, or have another number by now.
    let told = episode
        .told
        .as_ref()
        .filter(|told| told.cause == episode.finding.cause && told.current == episode.finding.current);
    let rolls_back = |remedies: &[Remedy]| remedies.iter().any(|remedy| matches!(remedy, Remedy::RollBack { .. }));
    let mut remedy = match told {
        Some(told) if !rolls_back(&remedies) && rolls_back(&told.remedy) => told.remedy.clone(),
        _ => remedies,
    };
    remedy.shrink_to_fit();
    episode.change().remedy = remedy;
}

/// Says what is new of an episode, if it may speak by now.
fn say(scene: &Scene, episode: &mut Episode, outcome: &mut Outcome) {
    if episode.told.is_none() && scene.workload.facts.is_none() && scene.workload.owner.is_some() {
        let hold = *episode.hold.get_or_insert_with(|| scene.now.plus(COMPLETE));
        if scene.now < hold && !scene.settled {
            outcome.look_again(scene.now, Some(hold));
            return;
        }
    }
    let Some(kind) = news(episode, scene.now) else {
        if !episode.is_as_told() {
            outcome.look_again(scene.now, episode.told_at.map(|at| at.plus(COUNTS)));
        }
        return;
    };
    let finding = Arc::clone(&episode.finding);
    episode.told = Some(Arc::clone(&finding));
    episode.told_at = Some(scene.now);
    episode.hold = None;
    outcome.changes.push(Change { kind, at: scene.now, finding });
}

fn news(episode: &Episode, now: Time) -> Option<ChangeKind> {
    let finding = &episode.finding;
    let Some(told) = episode.told.as_deref() else {
        return Some(if finding.confirmed_at.is_some() { ChangeKind::Confirmed } else { ChangeKind::Suspected });
    };
    if finding.confirmed_at.is_some() && told.confirmed_at.is_none() {
        return Some(ChangeKind::Confirmed);
    }
    let said = |finding: &Finding| {
        (
            finding.cause,
            finding.field.clone(),
            finding.current.clone(),
            finding.suggested.clone(),
            finding.confidence,
            finding.severity,
            finding.revision,
        )
    };
    let reach = |finding: &Finding| {
        let all = finding.pods.total > 0 && finding.pods.affected >= finding.pods.total;
        let out: Vec<_> = finding.services.iter().map(|service| service.total > 0 && service.ready == 0).collect();
        (all, out.into_iter().any(|out| out))
    };
    if finding.confirmed_at.is_none() {
        let what = |finding: &Finding| (finding.cause, finding.field.clone(), finding.current.clone());
        return (what(finding) != what(told)).then_some(ChangeKind::Suspected);
    }
    if said(finding) != said(told) || reach(finding) != reach(told) {
        return Some(ChangeKind::Updated);
    }
    let due = episode.told_at.is_none_or(|at| at.plus(COUNTS) <= now);
    let counted = finding.restarts != told.restarts || finding.pods != told.pods || finding.services != told.services;
    (due && counted).then_some(ChangeKind::Counted)
}

//! From proposals to published changes: episodes open, are confirmed, change and end.

mod remedy;
mod resolution;

use std::sync::Arc;
use std::time::Duration;

use crate::diagnosis::{Candidate, Point, Strength, Verdict};
use crate::engine::effects::{
    Assessment, flapping, never_ready, probe_ineffective, recurring, restart_loop, start_blocked,
};
use crate::engine::memory::tracked_container::{Episode, MAX_AFFECTED, Problem, Proposal, TrackedContainer};
use crate::engine::view::container::{ContainerView, KnownPod};
use crate::engine::view::min_ready::{is_of_a_rollout, min_ready};
use crate::engine::view::revisions::{good_revision, is_mended, observed_rollout, rollout, untried_revision};
use crate::finding::remedy::Remedy;
use crate::finding::{Cause, Change, ChangeKind, Confidence, Considered, Fact, Fault, Finding, ServiceState, Standing};
use crate::kubelet::{ProbeKind, start_error};
use crate::time::Time;
use remedy::{Position, Situation};
use resolution::is_over;

/// How long the first publication waits for facts that would complete it.
const FIRST_NOTICE_HOLD: Duration = Duration::from_secs(2);
/// Minimum interval between changes of nothing but counts.
const COUNTS_INTERVAL: Duration = Duration::from_mins(1);
/// Maximum number of facts of a finding.
const MAX_FACTS: usize = 12;

/// The outcome of a look at a container.
#[derive(Default)]
pub(super) struct Outcome {
    /// The changes to publish.
    pub changes: Vec<Change>,
    /// When to look again.
    pub again: Option<Time>,
    /// Whether an episode is open for which look-ups are needed.
    pub wants_facts: bool,
}

impl Outcome {
    /// Schedules another look at that time; what is due already is seen with the next observation.
    fn look_again(&mut self, now: Time, at: Option<Time>) {
        self.again = self.again.into_iter().chain(at.filter(|at| *at > now)).min();
    }
}

/// Looks at one container of a workload.
pub(super) fn look(view: &ContainerView, case: &mut TrackedContainer) -> Outcome {
    let mut outcome = Outcome::default();
    forget_what_is_long_past(view, case);
    let problems = [
        Problem::Loop,
        Problem::NeverReady,
        Problem::Blocked,
        Problem::Ineffective(ProbeKind::Liveness),
        Problem::Ineffective(ProbeKind::Startup),
        Problem::Flapping(ProbeKind::Liveness),
        Problem::Flapping(ProbeKind::Readiness),
        Problem::Recurring,
    ];
    if !case.is_looping() {
        let mut ends = std::mem::take(&mut case.ends);
        recurring::note(view, &mut ends);
        case.ends = ends;
    }
    for problem in problems {
        if end_if_over(view, problem, case, &mut outcome) {
            continue;
        }
        let seen = see(view, problem, case);
        outcome.look_again(view.now, seen.again);
        if let Some(proposal) = seen.proposal {
            take_up(view, problem, case, &proposal, &mut outcome);
        } else {
            refresh(view, problem, case, &mut outcome);
        }
    }
    outcome
}

fn see(view: &ContainerView, problem: Problem, case: &TrackedContainer) -> Assessment {
    let looping = case.is_looping();
    match problem {
        Problem::Loop => restart_loop::assess(view, case),
        Problem::Blocked => start_blocked::assess(view, case),
        Problem::Ineffective(probe) => probe_ineffective::assess(view, probe, case),
        Problem::NeverReady | Problem::Flapping(_) if looping => Assessment::default(),
        Problem::NeverReady => never_ready::assess(view, case),
        Problem::Flapping(probe) => flapping::assess(view, probe, case),
        Problem::Recurring => recurring::assess(view, case),
    }
}

/// Restarts and terminations from before the window count for nothing, unless an episode is open.
fn forget_what_is_long_past(view: &ContainerView, case: &mut TrackedContainer) {
    if !case.is_active() && case.last_restart.is_some_and(|last| last < view.window()) {
        case.base = case.restarts;
        case.last_restart = None;
    }
}

fn end_if_over(view: &ContainerView, problem: Problem, case: &mut TrackedContainer, outcome: &mut Outcome) -> bool {
    let Some(episode) = case.episodes.get_mut(&problem).filter(|episode| episode.is_active()) else {
        return false;
    };
    if let Err(again) = is_over(view, problem, episode) {
        outcome.look_again(view.now, again);
        return false;
    }
    let was_confirmed = episode.finding.confirmed_at.is_some();
    episode.change().resolved_at = Some(view.now);
    let finding = Arc::clone(&episode.finding);
    let published = episode.published.replace(Arc::clone(&finding)).is_some();
    if published || was_confirmed {
        let kind = if was_confirmed { ChangeKind::Resolved } else { ChangeKind::Withdrawn };
        outcome.changes.push(Change { kind, at: view.now, finding });
    }
    if !was_confirmed {
        case.episodes.remove(&problem);
    }
    if problem == Problem::Loop {
        case.horizon = view.now;
        case.base = case.restarts;
    }
    true
}

/// Opens, confirms or updates an episode from a proposal.
fn take_up(
    view: &ContainerView,
    problem: Problem,
    case: &mut TrackedContainer,
    proposal: &Proposal,
    outcome: &mut Outcome,
) {
    outcome.wants_facts = true;
    let previous = case.episodes.get(&problem).map(|episode| (episode.is_active(), episode.finding.episodes));
    if previous.is_none_or(|(active, _)| !active) {
        let past = || view.past.get(view.workload, view.container, problem).map(|past| past.episodes);
        let number = previous.map(|(_, number)| number).or_else(past).unwrap_or_default() + 1;
        let label = Arc::from(view.workload.label());
        let episode = Episode::open(&view.workload.namespace, label, view.container, proposal, number, view.now);
        case.episodes.insert(problem, Box::new(episode));
    }
    let Some(episode) = case.episodes.get_mut(&problem) else { return };
    let accepted = accepts(episode, proposal);
    let superseded = if accepted { supersede(episode, proposal) } else { None };
    for uid in proposal.affected.iter().take(MAX_AFFECTED.saturating_sub(episode.affected.len())) {
        episode.affected.insert(*uid);
    }
    episode.longest_bad = episode.longest_bad.max(proposal.longest_bad);
    episode.last_bad = episode.last_bad.max(proposal.last_bad);
    episode.change().labels = Arc::clone(&proposal.template.labels);
    let all_are_in = episode.affected.len() < MAX_AFFECTED;
    let named = view.named(&episode.affected, if all_are_in { &proposal.affected } else { &[] });
    name_a_pod(&named, episode);
    let newly = proposal.confirmed && episode.finding.confirmed_at.is_none();
    if accepted {
        describe(view, episode, proposal);
    } else {
        episode.template.get_or_insert_with(|| Arc::clone(&proposal.template));
    }
    if newly {
        episode.change().confirmed_at = Some(view.now);
    }
    let finding = episode.change();
    finding.restarts = finding.restarts.max(case.restarts.saturating_sub(case.base));
    episode.reach(view.workload.wanted(), view.workload.service_states().as_deref());
    finish(view, episode, named);
    if let Some(old) = superseded {
        outcome.changes.push(Change { kind: ChangeKind::Withdrawn, at: view.now, finding: old });
        episode.published = None;
    }
    say(view, episode, outcome);
}

/// Keeps counting for an open episode although nothing of it is visible now: after a restart of the
/// operator, or between two terminations.
fn refresh(view: &ContainerView, problem: Problem, case: &mut TrackedContainer, outcome: &mut Outcome) {
    let restarts = case.restarts.saturating_sub(case.base);
    let Some(episode) = case.episodes.get_mut(&problem).filter(|episode| episode.is_active()) else {
        return;
    };
    outcome.wants_facts = true;
    if problem == Problem::Loop && restarts > episode.finding.restarts {
        episode.change().restarts = restarts;
    }
    episode.reach(view.workload.wanted(), view.workload.service_states().as_deref());
    say(view, episode, outcome);
}

/// If a loop turns out to be caused by another probe, it is published under its new identity, and the old
/// one is withdrawn.
fn supersede(episode: &mut Episode, proposal: &Proposal) -> Option<Arc<Finding>> {
    if episode.finding.effect == proposal.effect && episode.finding.probe == proposal.probe {
        return None;
    }
    let finding = episode.change();
    finding.effect = proposal.effect;
    finding.probe = proposal.probe;
    episode.published.take()
}

/// Whether a proposal replaces what was published: nothing is unlearnt because events have expired, and
/// nothing is taken back except for facts that contradict it.
fn accepts(episode: &Episode, proposal: &Proposal) -> bool {
    let (finding, verdict) = (&episode.finding, &proposal.verdict);
    let same_probe = finding.probe == proposal.probe;
    if episode.published.is_none() || (verdict.cause == finding.cause && same_probe) {
        return true;
    }
    // A finding that was only suspected may change into anything.
    if finding.confirmed_at.is_none() && episode.remembered.is_none() && same_probe && verdict.cause != Cause::Unknown {
        return true;
    }
    // The terminations of its own that it was published for are a minority by now.
    if finding.probe.is_none() && proposal.confirmed && proposal.mostly_kills {
        return true;
    }
    match (finding.cause, verdict.cause) {
        (Cause::Unknown, Cause::Unknown) => return proposal.probe.is_some(),
        // For another template only what is confirmed is published.
        (Cause::Unknown, _) => return proposal.confirmed || !episode.is_of_another(&proposal.template),
        // An unknown cause replaces a known one only if an observed fact contradicts it.
        (published, Cause::Unknown) => {
            let is_first = finding.confirmed_at.is_none() && proposal.confirmed && episode.remembered.is_none();
            // A cause that was suspected for all pods and may apply to only one is not confirmed either.
            let fails = |it: &Candidate| it.is_ruled_out() || is_first && it.deterministic && !it.is_carried();
            return same_probe && verdict.candidates.iter().any(|it| it.cause == published && fails(it));
        }
        _ => {}
    }
    if finding.probe.is_none() && same_probe {
        return verdict.proof >= episode.proof;
    }
    // The evidence was observed by another process, and may not be observed again.
    if episode.remembered.is_some() && (verdict.confidence < finding.confidence || verdict.proof < Strength::Seen) {
        return false;
    }
    if episode.is_of_another(&proposal.template) {
        return proposal.confirmed && verdict.proof >= Strength::Inferred;
    }
    if !same_probe {
        return verdict.proof > episode.proof || verdict.proof == Strength::Seen;
    }
    let published = verdict.candidates.iter().find(|candidate| candidate.cause == finding.cause);
    let cleared = finding.fault == Some(Fault::App) && verdict.cause.fault() == Some(Fault::Probe);
    match published {
        // Observations of this process do not outweigh those of another one, they can only contradict them.
        Some(published) if episode.remembered.is_some() => published.is_contradicted(),
        // It is weighed against the others, and others outweigh it.
        // The evidence that cleared the probe has expired, but was not refuted.
        Some(published) if cleared && published.proof < episode.proof => false,
        Some(published) => published.is_contradicted() || verdict.proof > episode.proof.max(published.proof),
        // Its evidence has been forgotten.
        None => verdict.proof > episode.proof && episode.remembered.is_none(),
    }
}

/// Writes the verdict into the finding.
fn describe(view: &ContainerView, episode: &mut Episode, proposal: &Proposal) {
    let verdict = &proposal.verdict;
    let same_cause = verdict.cause == episode.finding.cause;
    let moved = episode.is_of_another(&proposal.template);
    // The same fault in another template is the same fault, still present.
    let moved =
        moved && !(same_cause && verdict.field == episode.finding.field && verdict.current == episode.finding.current);
    // A value that was known to work still does, even if the proof is gone.
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
        finding.min_ready = None;
    }
    episode.template = Some(Arc::clone(&proposal.template));
    if episode.may_be_rolled_out() {
        let (revision, change) = rollout(view, episode);
        if revision.is_some() || moved {
            episode.rolled_out(revision, change);
        }
    }
    let change = episode.finding.change.as_ref();
    facts.extend(change.and_then(|change| Some(Fact { at: change.at?, what: change.words() })));
    keep_first_times(&mut facts, &episode.finding.evidence);
    facts.sort();
    facts.dedup_by(|one, other| one.what == other.what);
    facts.truncate(MAX_FACTS);
    facts.shrink_to_fit();
    episode.change().evidence = facts;
}

/// The candidates that were considered, in plain words.
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

/// A fact that was published before keeps its time: its first evidence may be forgotten by now.
fn keep_first_times(facts: &mut [Fact], published: &[Fact]) {
    for fact in facts {
        let before = published.iter().filter(|known| known.what == fact.what).map(|known| known.at).min();
        fact.at = before.map_or(fact.at, |before| before.min(fact.at));
    }
}

/// Names one of its pods, the worst one, and keeps it while it exists.
fn name_a_pod(named: &[KnownPod], episode: &mut Episode) {
    let example = episode.change().example.take();
    let is_there = |pod: &Arc<str>| named.iter().any(|known| known.name == *pod);
    let worst = || named.iter().min_by(|one, other| one.worst_first(other)).map(|known| Arc::clone(&known.name));
    episode.change().example = example.clone().filter(is_there).or_else(worst).or(example);
}

/// Computes the remedies, with everything else known.
fn finish(view: &ContainerView, episode: &mut Episode, mut pods: Vec<KnownPod>) {
    let is_other = |pod: &KnownPod| Some(&pod.name) != episode.finding.example.as_ref();
    let by_rank = |(_, one): &(usize, &KnownPod), (_, other): &(usize, &KnownPod)| {
        is_other(one).cmp(&is_other(other)).then_with(|| one.worst_first(other))
    };
    if let Some((worst, _)) = pods.iter().enumerate().min_by(by_rank) {
        pods.swap(0, worst);
    }
    // People edit the workload's own template.
    let theirs = episode.template.as_deref();
    let written = theirs.map(|theirs| view.workload.revision(theirs).map_or(theirs, |revision| &*revision.template));
    let earlier = episode.template.as_ref().map(|template| view.earlier(template)).unwrap_or_default();
    let remedies = Situation {
        finding: &episode.finding,
        top: &view.workload.top,
        facts: view.workload.facts.as_deref(),
        good_revision: good_revision(view, episode, &earlier),
        untried_revision: untried_revision(view, episode, &earlier),
        is_mended: is_mended(view, episode, &earlier),
        position: written.map(|template| Position::find(view.container, template)).unwrap_or_default(),
        pods,
        file: view.file(),
        fell_together: view.onsets.fell_together(&view.workload.who(view.container)),
    }
    .remedies();
    let observed = observed_rollout(view, episode, &earlier);
    if episode.finding.rollout.as_deref() != observed.as_ref() {
        episode.change().rollout = observed.map(Arc::new);
    }
    note_min_ready(view, episode);
    let blocked = episode.template.as_ref().and_then(|template| view.blocked(template));
    let words = blocked.and_then(|blocked| blocked.message);
    episode.change().start_failure = words.and_then(|words| start_error(&words));
    // What was known to work may no longer be visible, or have another number by now.
    let published = episode
        .published
        .as_ref()
        .filter(|published| published.cause == episode.finding.cause && published.current == episode.finding.current);
    let rolls_back = |remedies: &[Remedy]| remedies.iter().any(|remedy| matches!(remedy, Remedy::RollBack { .. }));
    let only_deletes = matches!(remedies.first(), Some(Remedy::DeletePod { .. }));
    let mut remedy = match published {
        Some(published) if !only_deletes && !rolls_back(&remedies) && rolls_back(&published.remedy) => {
            published.remedy.clone()
        }
        _ => remedies,
    };
    remedy.shrink_to_fit();
    episode.change().remedy = remedy;
}

/// What would have stopped the rollout: what was seen at the first kill stays.
fn note_min_ready(view: &ContainerView, episode: &mut Episode) {
    let known = episode.finding.min_ready.clone();
    let told =
        is_of_a_rollout(&episode.finding).then(|| known.or_else(|| min_ready(view, episode).map(Arc::new))).flatten();
    if told != episode.finding.min_ready {
        episode.change().min_ready = told;
    }
}

/// Publishes the changes of an episode, if they are due.
fn say(view: &ContainerView, episode: &mut Episode, outcome: &mut Outcome) {
    if episode.published.is_none() && view.workload.facts.is_none() && view.workload.owner.is_some() {
        let hold = *episode.hold.get_or_insert_with(|| view.now.plus(FIRST_NOTICE_HOLD));
        if view.now < hold && !view.settled {
            outcome.look_again(view.now, Some(hold));
            return;
        }
    }
    if episode.finding.confirmed_at.is_none() {
        // The end takes long then: what is only suspected is published again, for the guard.
        outcome.look_again(view.now, episode.finding.status_due());
    }
    let Some(kind) = news(episode, view.now) else {
        if !episode.is_as_published() {
            outcome.look_again(view.now, episode.published_at.map(|at| at.plus(COUNTS_INTERVAL)));
        }
        return;
    };
    let finding = Arc::clone(&episode.finding);
    episode.published = Some(Arc::clone(&finding));
    episode.published_at = Some(view.now);
    episode.hold = None;
    outcome.changes.push(Change { kind, at: view.now, finding });
}

fn news(episode: &Episode, now: Time) -> Option<ChangeKind> {
    let finding = &episode.finding;
    let Some(published) = episode.published.as_deref() else {
        return Some(if finding.confirmed_at.is_some() { ChangeKind::Confirmed } else { ChangeKind::Suspected });
    };
    if finding.confirmed_at.is_some() && published.confirmed_at.is_none() {
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
    let reach = |finding: &Finding| (finding.pods.is_all(), finding.services.iter().any(ServiceState::is_down));
    if finding.confirmed_at.is_none() {
        let what = |finding: &Finding| (finding.cause, finding.field.clone(), finding.current.clone());
        if what(finding) != what(published) {
            return Some(ChangeKind::Suspected);
        }
        let takes_long = finding.status_due().is_some_and(|due| due <= now);
        return (takes_long && published.status_due().is_none()).then_some(ChangeKind::Counted);
    }
    if said(finding) != said(published) || reach(finding) != reach(published) {
        return Some(ChangeKind::Updated);
    }
    let due = episode.published_at.is_none_or(|at| at.plus(COUNTS_INTERVAL) <= now);
    let counted = finding.restarts != published.restarts
        || finding.pods != published.pods
        || finding.min_ready != published.min_ready
        || finding.services != published.services;
    (due && counted).then_some(ChangeKind::Counted)
}

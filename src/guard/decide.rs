//! The decision.

use std::time::Duration;

use serde_json::Value;

use super::cluster::{Deployment, ReplicaSet};
use super::past::{Act, Past, Step};
use super::patch::patch;
use super::template::{only_probes_differ, place_of};
use super::{MAX_PER_HOUR, Mode, Settings};
use crate::finding::guard::Refusal;
use crate::finding::{Cause, Confidence, Effect, Finding, Health};
use crate::kubelet::ProbeKind;
use crate::time::Time;

/// What began later after a rollout than this did not begin with it; images may have to be pulled first.
const BEGINS_WITHIN: Duration = Duration::from_mins(30);
/// What a probe asks by.
const HANDLERS: [&str; 4] = ["httpGet", "tcpSocket", "grpc", "exec"];

/// What a decision rests on.
#[derive(Copy, Clone, Debug)]
pub struct Case<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The name of its object.
    pub name: &'a str,
    /// The Deployment as it is.
    pub deployment: &'a Deployment,
    /// The ReplicaSets that belong to it.
    pub replica_sets: &'a [ReplicaSet],
    /// What was done before.
    pub past: &'a Past,
    /// Whether the Deployment may be patched.
    pub may_patch: bool,
    /// Whether only kubelets can write the events of kubelets, as far as is known.
    pub trusts_events: bool,
}

/// What is decided.
#[derive(Clone, PartialEq, Debug)]
pub enum Decision {
    /// The rollout is to be undone.
    Undo(Undo),
    /// A status may still show what an event says: to be decided then.
    Wait(Time),
    /// It is not to be undone.
    Refuse(Refusal),
}

/// How a rollout is undone.
#[derive(Clone, PartialEq, Debug)]
pub struct Undo {
    /// What is recorded before it is done.
    pub act: Act,
    /// The JSON patch.
    pub patch: Value,
}

/// Whether the guard has anything to say about a finding: it is open, a probe kills, and that is confirmed, or
/// an event says it where events may be trusted.
pub fn concerns(finding: &Finding, settings: &Settings) -> bool {
    let killed = matches!(finding.effect, Effect::RestartLoop | Effect::Killed);
    let by_a_probe = matches!(finding.probe, Some(ProbeKind::Liveness | ProbeKind::Startup));
    let is_told = finding.confirmed_at.is_some() || settings.trust_events && finding.status_due().is_some();
    killed && by_a_probe && is_told && finding.resolved_at.is_none()
}

/// What the finding itself rules out, before anything is read.
pub fn refused_early(finding: &Finding, settings: &Settings) -> Option<Refusal> {
    let is_named = |glob: &crate::text::glob::Glob| glob.matches(&finding.namespace);
    if !finding.workload.starts_with("Deployment/") {
        return Some(Refusal::NotDeployment);
    }
    if !settings.namespaces.is_empty() && !settings.namespaces.iter().any(is_named) {
        return Some(Refusal::NotInNamespace);
    }
    if !is_deterministic(finding.cause) {
        return Some(Refusal::NotDeterministic);
    }
    (finding.confidence < Confidence::High).then_some(Refusal::LowConfidence)
}

/// Decides about a finding that [`concerns`] the guard.
pub fn decide(case: &Case, settings: &Settings, now: Time) -> Decision {
    undo(case, settings, now).unwrap_or_else(Decision::Refuse)
}

/// Causes that every probe of every pod shows alike, from the first one on, and that the probe alone has.
const fn is_deterministic(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::WrongPath
            | Cause::WrongPort
            | Cause::WrongScheme
            | Cause::WrongHost
            | Cause::AuthRequired
            | Cause::WrongHandler
            | Cause::WrongGrpcService
            | Cause::WrongCommand
            | Cause::RedirectLoop
    )
}

fn undo(case: &Case, settings: &Settings, now: Time) -> Result<Decision, Refusal> {
    let Case { finding, deployment, .. } = *case;
    if settings.mode == Mode::Off || !concerns(finding, settings) {
        return Err(Refusal::Over);
    }
    refused_early(finding, settings).map_or(Ok(()), Err)?;
    if let Some(due) = due(case, now)? {
        return Ok(Decision::Wait(due));
    }
    of_the_deployment(deployment)?;
    let newest = newest(case).ok_or(Refusal::NotNewestRevision)?;
    done_before(case, newest)?;
    let before = before(case, newest)?;
    of_the_rollout(case, newest, before)?;
    let faulty = faulty_place(case, before)?;
    of_the_hour(case, newest, settings, now)?;
    if settings.mode == Mode::Undo && !case.may_patch {
        return Err(Refusal::NoRight);
    }
    let act = Act {
        deployment: deployment.uid.clone(),
        template: newest.hash.clone(),
        revision: newest.revision,
        to_revision: before.revision,
        generation: deployment.generation,
        at: now,
        step: Step::Intended,
    };
    let patch = patch(deployment, &faulty, &before.template, case.name, &newest.hash);
    Ok(Decision::Undo(Undo { act, patch }))
}

/// When it may be decided, if a status may still show what an event says.
///
/// # Errors
/// Events prove nothing in this cluster.
fn due(case: &Case, now: Time) -> Result<Option<Time>, Refusal> {
    if case.finding.confirmed_at.is_some() {
        return Ok(None);
    }
    if !case.trusts_events {
        return Err(Refusal::EventsNotTrusted);
    }
    let due = case.finding.status_due().ok_or(Refusal::Over)?;
    Ok(Some(due).filter(|due| *due > now))
}

fn of_the_deployment(deployment: &Deployment) -> Result<(), Refusal> {
    let checks = [
        (deployment.is_off, Refusal::Annotated),
        (deployment.is_leaving, Refusal::Leaving),
        (deployment.is_managed, Refusal::GitOps),
        (deployment.is_paused, Refusal::Paused),
    ];
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, refusal)| Err(refusal))
}

/// The ReplicaSet of what the Deployment wants now, if it is that of the failing pods; an undone one too.
fn newest<'a>(case: &Case<'a>) -> Option<&'a ReplicaSet> {
    let wanted = |set: &&ReplicaSet| set.template == case.deployment.template;
    let newest = case.replica_sets.iter().filter(wanted).max_by_key(|set| set.revision)?;
    let is_last = case.replica_sets.iter().all(|set| set.revision <= newest.revision);
    let is_failing = case.finding.rollout.as_ref().is_none_or(|rollout| *rollout.template == *newest.hash);
    (is_last && is_failing).then_some(newest)
}

/// The ReplicaSet of the revision before; two that claim to be it are none.
fn before<'a>(case: &Case<'a>, newest: &ReplicaSet) -> Result<&'a ReplicaSet, Refusal> {
    let earlier = || case.replica_sets.iter().filter(|set| set.revision < newest.revision);
    let last = earlier().map(|set| set.revision).max().ok_or(Refusal::FirstRevision)?;
    let mut claims = earlier().filter(|set| set.revision == last);
    match (claims.next(), claims.next()) {
        (Some(set), None) => Ok(set),
        _ => Err(Refusal::NotSeenHealthy),
    }
}

/// Checks that nothing was done about this template, or certainly not to its end: it wants it still, so that
/// it was not undone, or somebody has put it back.
fn done_before(case: &Case, newest: &ReplicaSet) -> Result<(), Refusal> {
    let (deployment, hash) = (case.deployment, &newest.hash);
    let annotated = deployment.undone.as_ref().is_some_and(|(_, template)| template == hash);
    match case.past.of(&deployment.uid, hash) {
        Some(act) if act.step == Step::Done || annotated => Err(Refusal::UndoneBefore),
        Some(act) if act.generation != deployment.generation => Err(Refusal::Unclear),
        None if annotated => Err(Refusal::UndoneBefore),
        _ => Ok(()),
    }
}

/// An undo that was intended when its process ended, as done, if the Deployment shows that it was.
pub fn settled(act: &Act, deployment: &Deployment) -> Option<Act> {
    let shows = deployment.undone.as_ref().is_some_and(|(_, template)| *template == act.template);
    (shows && deployment.uid == act.deployment).then(|| Act { step: Step::Done, ..act.clone() })
}

fn of_the_rollout(case: &Case, newest: &ReplicaSet, before: &ReplicaSet) -> Result<(), Refusal> {
    let rollout = case.finding.rollout.as_deref();
    let began = rollout.and_then(|rollout| rollout.at).or(newest.created).ok_or(Refusal::NotSeenHealthy)?;
    if case.finding.opened_at.since(began) > BEGINS_WITHIN {
        return Err(Refusal::OldRollout);
    }
    only_probes_differ(&newest.template, &before.template)?;
    let seen = rollout.filter(|rollout| *rollout.before == *before.hash).map_or(Health::Unseen, |seen| seen.health);
    match seen {
        Health::Healthy => Ok(()),
        Health::Looped => Err(Refusal::WouldNotHelp),
        Health::Unseen if was_intended(case, newest, before) => Ok(()),
        Health::Unseen => Err(Refusal::NotSeenHealthy),
    }
}

/// Whether a process that ended meanwhile was about to do the same: it had seen the revision before healthy.
fn was_intended(case: &Case, newest: &ReplicaSet, before: &ReplicaSet) -> bool {
    let act = case.past.of(&case.deployment.uid, &newest.hash);
    act.is_some_and(|act| act.step == Step::Intended && act.to_revision == before.revision)
}

/// Where the faulty value stands, or what is there of the way to it: at least the probe.
///
/// # Errors
/// The revision before asks the same, or the finding names no field of a probe.
fn faulty_place(case: &Case, before: &ReplicaSet) -> Result<String, Refusal> {
    let (template, finding) = (&case.deployment.template, case.finding);
    let container = place_of(template, &finding.container).ok_or(Refusal::NotNewestRevision)?;
    let field = finding.field.as_ref().filter(|field| field.is_of_a_probe()).ok_or(Refusal::WouldNotHelp)?;
    let probe = format!("{container}/{}", finding.probe.ok_or(Refusal::WouldNotHelp)?.field());
    let asks = |template: &Value| HANDLERS.map(|handler| template.pointer(&format!("{probe}/{handler}")).cloned());
    let field = format!("{container}/{}", field.to_string().replace('.', "/"));
    if asks(template) == asks(&before.template) || !field.starts_with(&probe) {
        return Err(Refusal::WouldNotHelp);
    }
    let mut there = field.as_str();
    while there.len() > probe.len() && template.pointer(there).is_none() {
        there = there.rsplit_once('/').map_or("", |(above, _)| above);
    }
    Ok(there.to_owned())
}

/// One Deployment is undone once within an hour, so that one that flips by itself has no use of it.
fn of_the_hour(case: &Case, newest: &ReplicaSet, settings: &Settings, now: Time) -> Result<(), Refusal> {
    let (count, own) = case.past.within_the_hour(&case.deployment.uid, &newest.hash, now);
    if own || count >= settings.max_per_hour.min(MAX_PER_HOUR) { Err(Refusal::Limit) } else { Ok(()) }
}

//! The probe does not give the app the time that it needs to start.

use std::time::Duration;

use super::candidate::{Candidate, Point, Strength};
use super::evidence::{Evidence, of_revision};
use super::facts::{CameUp, is_unwell};
use super::path::answering_sibling;
use super::verdict::number;
use super::{FailureGroup, said};
use crate::finding::field::{Field, ProbeField};
use crate::finding::{Cause, Confidence};
use crate::kubelet::{Failure, ProbeKind, ProbeSpec};

/// How much longer than its budget a probe may let an app live.
const SLACK: Duration = Duration::from_secs(2);

/// It fails from start to kill like an app that is not up yet, and an incarnation or an earlier revision of
/// the same app needed longer than the probe allows, or was given longer.
pub fn killed_while_starting(evidence: &Evidence) -> Option<Candidate> {
    let kind = evidence.probe.filter(|kind| kind.kills())?;
    let spec = evidence.spec()?;
    let heard = not_up_yet(evidence)?;
    let record = &evidence.record;
    let budget = spec.shortest_kill();
    let cut = longer_before(evidence, spec);
    let slow = needed_longer(evidence, budget);
    // A startup probe waits for a start; that it comes up elsewhere shows that it can.
    let started_elsewhere = kind == ProbeKind::Startup && evidence.passed_here().is_some();
    let mut earlier = evidence.earlier.iter().filter(|earlier| evidence.is_same_app(earlier));
    let came_up = evidence.came_up.or_else(|| earlier.find_map(|earlier| earlier.came_up));
    let up = came_up.map(|came_up| came_up.within);
    // If only the time was cut, an app that was up within a period of the kill is not slow.
    let enough = if cut.is_some() { budget.saturating_add(spec.period) } else { budget.saturating_sub(SLACK) };
    let candidate =
        Candidate::new(Cause::KilledWhileStarting, "the app may need longer to start than the probe allows")
            .explains(Strength::Seen, heard.first, said(evidence, heard))
            .needs(record.is_mostly_from_start(), "that it fails from its start on")
            .needs(cut.is_some() || slow.is_some() || started_elsewhere, "that it was seen to need longer")
            .against_if(record.after_pass > record.from_start, Strength::Seen, "it had passed before it failed")
            .against_if(
                record.after_pass > 0 && !evidence.fell_together.is_empty(),
                Strength::Seen,
                "it had passed before it failed, and others began to fail with it",
            )
            .against_if(
                slow.is_none() && up.is_some_and(|within| within < enough),
                Strength::Seen,
                format!(
                    "it came up within {} s when it did; the probe may kill after {} s",
                    up.unwrap_or_default().as_secs().max(1),
                    budget.as_secs()
                ),
            )
            .against_if(
                is_answering(evidence, &heard.failure),
                Strength::Seen,
                "the app is up: another probe passes on this port",
            )
            .proven_if(cut.as_ref().map(|(what, _)| Point::seen(what.clone())), heard.first)
            .proven_if(slow.as_ref().map(|(what, _)| Point::seen(what.clone())), heard.first)
            .at_most(Confidence::Medium);
    let needed = slow.map(|(_, came_up)| came_up);
    Some(budget_field(evidence, kind, spec, cut.map(|(_, before)| before), needed, candidate))
}

/// Failures of an app that is not up yet: no answer, or that it is not available or unhealthy.
fn not_up_yet<'a>(evidence: &'a Evidence) -> Option<&'a FailureGroup> {
    let starting = |failure: &Failure| {
        let not_there = matches!(
            failure,
            Failure::Refused
                | Failure::Reset
                | Failure::GrpcNoConnection
                | Failure::Status(404)
                | Failure::GrpcUnknownService
        );
        not_there || is_unwell(failure)
    };
    evidence.record.silent(starting).or_else(|| evidence.record.answered(starting))
}

/// The app answers elsewhere on the port, so it is not still starting.
fn is_answering(evidence: &Evidence, failure: &Failure) -> bool {
    matches!(failure, Failure::Status(404) | Failure::GrpcUnknownService) && answering_sibling(evidence).is_some()
}

/// The revision with the same request to the same app that gave it longer, in words and as its probe.
fn longer_before<'a>(evidence: &Evidence<'a>, spec: &ProbeSpec) -> Option<(String, &'a ProbeSpec)> {
    let kind = evidence.probe?;
    let budget = |spec: &ProbeSpec| spec.shortest_kill().saturating_add(spec.period);
    let words = |name: String, before: &ProbeSpec| {
        format!(
            "{name} gave the same app at least {} s to answer the same; now it is {} s",
            before.shortest_kill().as_secs(),
            spec.shortest_kill().as_secs()
        )
    };
    let longer = |before: &ProbeSpec| before.handler == spec.handler && budget(before) > budget(spec);
    let earlier = evidence.answered_this_before()?;
    let before = earlier.container.probe(kind).filter(|before| longer(before))?;
    Some((words(of_revision(earlier), before), before))
}

/// That an incarnation, or an earlier revision of the same app, was still not up when this probe may kill,
/// and came up later; in words.
fn needed_longer(evidence: &Evidence, budget: Duration) -> Option<(String, CameUp)> {
    let slow = |came_up: CameUp| came_up.not_before > budget;
    let words = |who: String, came_up: CameUp| {
        format!(
            "{who} was not up after {} s and came up later; the probe may kill after {} s",
            came_up.not_before.as_secs(),
            budget.as_secs()
        )
    };
    if let Some(came_up) = evidence.came_up.filter(|came_up| slow(*came_up)) {
        return Some((words("an incarnation".into(), came_up), came_up));
    }
    let mut earlier = evidence.earlier.iter().filter(|earlier| evidence.is_same_app(earlier));
    earlier.find_map(|earlier| {
        let came_up = earlier.came_up.filter(|came_up| slow(*came_up))?;
        Some((words(format!("the same app in {}", of_revision(earlier)), came_up), came_up))
    })
}

/// Which field of the budget to change: the one that was cut, otherwise the one intended for it.
fn budget_field(
    evidence: &Evidence,
    kind: ProbeKind,
    spec: &ProbeSpec,
    before: Option<&ProbeSpec>,
    needed: Option<CameUp>,
    candidate: Candidate,
) -> Candidate {
    if let Some(before) = before {
        let cuts = [
            (ProbeField::FailureThreshold, i64::from(spec.failure_threshold), i64::from(before.failure_threshold)),
            (ProbeField::InitialDelay, spec.initial_delay.as_secs() as i64, before.initial_delay.as_secs() as i64),
            (ProbeField::Period, spec.period.as_secs() as i64, before.period.as_secs() as i64),
            (ProbeField::Timeout, spec.timeout.as_secs() as i64, before.timeout.as_secs() as i64),
        ];
        if let Some((field, now, then)) = cuts.into_iter().find(|(_, now, then)| now < then) {
            return candidate.field(evidence.field(field)).current(number(now)).suggest(number(then));
        }
    }
    if kind == ProbeKind::Startup {
        let enough = needed.map(|needed| needed.within.as_secs().div_ceil(spec.period.as_secs().max(1)) * 2);
        let suggested = enough.filter(|enough| *enough > u64::from(spec.failure_threshold));
        return candidate
            .field(evidence.field(ProbeField::FailureThreshold))
            .current(number(i64::from(spec.failure_threshold)))
            .suggest(suggested.map(|enough| number(enough as i64)));
    }
    match evidence.container.startup {
        None => candidate.field(Field::Probe(ProbeKind::Startup)),
        Some(_) => candidate
            .field(evidence.field(ProbeField::FailureThreshold))
            .current(number(i64::from(spec.failure_threshold))),
    }
}

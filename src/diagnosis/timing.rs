//! Probes that do not wait long enough, and apps that stop answering.

use std::time::Duration;

use super::evidence::{Earlier, Evidence};
use super::path::number_of;
use super::verdict::number;
use super::{Heard, Verdict, said, sure};
use crate::finding::{Cause, Confidence, Value};
use crate::kubelet::{Failure, ProbeKind, ProbeSpec};

/// Time-outs while answers do come.
///
/// Passes and time-outs alternate within one incarnation, or a probe of the same endpoint with a
/// longer timeout passes meanwhile, or the timeout was cut.
pub fn timeout_too_short(evidence: &Evidence) -> Option<Verdict> {
    let spec = evidence.spec()?;
    let heard = timed_out(evidence)?;
    let patient =
        evidence.siblings().find(|(_, sibling)| asks_the_same(sibling, spec) && sibling.timeout > spec.timeout);
    let cut = evidence
        .worked_for_this_app()
        .find(|(_, earlier)| earlier.handler == spec.handler)
        .filter(|(_, earlier)| earlier.timeout > spec.timeout);
    if patient.is_none() && cut.is_none() && !evidence.record.alternated {
        return None;
    }
    let mut verdict = Verdict::new(Cause::TimeoutTooShort, sure(evidence))
        .field(evidence.field("timeoutSeconds"))
        .current(seconds(spec.timeout))
        .because(heard.first, said(evidence, heard));
    if let Some((_, earlier)) = cut {
        verdict = verdict.suggest(seconds(earlier.timeout));
    } else if let Some((kind, sibling)) = patient {
        let waits = sibling.timeout.as_secs();
        verdict = verdict
            .suggest(seconds(sibling.timeout))
            .because(heard.first, format!("its {kind} probe asks the same, waits {waits} s, and passes"));
    } else {
        verdict = verdict.because(heard.last, "answers in time and time-outs alternate").at_most(Confidence::Medium);
    }
    Some(verdict.or_else(format!("{}: the app may be overloaded", Cause::Hung)))
}

/// Refused, or 404 before the routes are up, from start to kill, while another incarnation came up,
/// or an earlier revision needed longer than the budget.
pub fn killed_while_starting(evidence: &Evidence) -> Option<Verdict> {
    let kind = evidence.probe.filter(|kind| kind.kills())?;
    let spec = evidence.spec()?;
    let starting = |failure: &Failure| {
        matches!(
            failure,
            Failure::Refused
                | Failure::Reset
                | Failure::GrpcNoConnection
                | Failure::Status(404)
                | Failure::GrpcUnknownService
        )
    };
    let heard = evidence.record.silent(starting).or_else(|| evidence.record.answered(starting))?;
    // Before a kill it has to be heard to fail from the start.
    let kills = evidence.record.kills() > 0;
    if kills && (evidence.record.from_start == 0 || evidence.record.after_pass > evidence.record.from_start) {
        return None;
    }
    let refused = matches!(heard.failure, Failure::Refused | Failure::Reset | Failure::GrpcNoConnection);
    // That it runs on in silence does not prove it: its end may only not have been told.
    let came_up = evidence.record.after_pass > 0
        || evidence.siblings().any(|(_, sibling)| asks_the_same(sibling, spec))
        || (kind == ProbeKind::Startup && evidence.passed.has(kind))
        || (refused && listened(evidence, spec));
    let before = evidence.answered_this_before().or_else(|| needed_longer(evidence, spec).filter(|_| refused));
    if !came_up && before.is_none() {
        return None;
    }
    let mut verdict = Verdict::new(Cause::KilledWhileStarting, sure(evidence).min(Confidence::Medium))
        .because(heard.first, said(evidence, heard))
        .or_else(format!("{}: the app may hang in its start now and then", Cause::Hung));
    let needed = evidence.came_up_after.or(before.and_then(|earlier| earlier.came_up_after));
    if let Some(needed) = needed {
        let (needs, allows) = (needed.as_secs().max(1), spec.shortest_kill().as_secs());
        verdict = verdict.because(
            heard.first,
            format!("it came up within {needs} s when it did; the probe may kill after {allows} s"),
        );
    }
    let before = before.and_then(|earlier| earlier.container.probe(kind));
    Some(budget_field(evidence, kind, spec, before, needed, verdict))
}

/// It had passed, and after its first time-out an incarnation never passes again.
pub fn hung(evidence: &Evidence) -> Option<Verdict> {
    let heard = timed_out(evidence)?;
    if !evidence.ever_passed() || evidence.record.alternated {
        return None;
    }
    if evidence.record.kills() > 0 && evidence.record.after_pass == 0 {
        return None;
    }
    Some(
        Verdict::new(Cause::Hung, sure(evidence))
            .because(heard.first, said(evidence, heard))
            .because(heard.first, "it had answered in time before")
            .or_else(format!("{}: answers may only have become slow", Cause::TimeoutTooShort))
            .or_else(format!("{}: the app may wait for something else", Cause::DependencyDown)),
    )
}

/// Time-outs only, and never an answer: too short a timeout, a hang from the start, or packets that
/// are dropped.
pub fn never_answered_in_time(evidence: &Evidence) -> Option<Verdict> {
    let spec = evidence.spec()?;
    let heard = timed_out(evidence)?;
    let waits = spec.timeout.as_secs();
    Some(
        Verdict::new(Cause::Unknown, Confidence::Low)
            .because(heard.first, said(evidence, heard))
            .or_else(format!("{}: an answer may need more than {waits} s", Cause::TimeoutTooShort))
            .or_else(format!("{}: the app may hang from its start on", Cause::Hung))
            .or_else("a network policy or firewall may drop the kubelet's packets"),
    )
}

/// Whether another probe of the container was seen to pass on the same port.
fn listened(evidence: &Evidence, spec: &ProbeSpec) -> bool {
    let port = |spec: &ProbeSpec| number_of(spec.handler.port()?, evidence.container);
    port(spec).is_some() && evidence.siblings().any(|(_, sibling)| port(sibling) == port(spec))
}

/// The latest earlier template of this app that opened the port only after more time than this
/// probe gives: a probe of it on the same port had failed before it passed.
fn needed_longer<'a, 'b>(evidence: &'b Evidence<'a>, spec: &ProbeSpec) -> Option<&'b Earlier<'a>> {
    let port = number_of(spec.handler.port()?, evidence.container)?;
    let opened_late = |earlier: &&Earlier| {
        let passed = ProbeKind::ALL.into_iter().filter(|kind| earlier.passed.has(*kind));
        let mut specs = passed.filter_map(|kind| earlier.container.probe(kind));
        let asked = |spec: &ProbeSpec| number_of(spec.handler.port()?, earlier.container);
        earlier.came_up_after.is_some_and(|needed| {
            needed > spec.shortest_kill()
                && specs.any(|spec| asked(spec) == Some(port) && needed > spec.first_result_by())
        })
    };
    evidence.earlier.iter().filter(|earlier| earlier.container.same_app(evidence.container)).find(opened_late)
}

fn timed_out<'a>(evidence: &'a Evidence) -> Option<&'a Heard> {
    let slow = |failure: &Failure| matches!(failure, Failure::TimedOut);
    // Refusals while it starts are common beside time-outs; another answer is not.
    evidence.record.answered(slow).or_else(|| evidence.record.silent(slow))
}

/// Whether two probes ask the same of the app.
fn asks_the_same(one: &ProbeSpec, other: &ProbeSpec) -> bool {
    one.handler == other.handler
}

fn seconds(span: Duration) -> Value {
    number(i64::try_from(span.as_secs()).unwrap_or(i64::MAX))
}

/// Which field of the budget to change: the one that was cut, else the one that was made for it.
fn budget_field(
    evidence: &Evidence,
    kind: ProbeKind,
    spec: &ProbeSpec,
    before: Option<&ProbeSpec>,
    needed: Option<Duration>,
    verdict: Verdict,
) -> Verdict {
    if let Some(before) = before {
        let cuts = [
            ("failureThreshold", i64::from(spec.failure_threshold), i64::from(before.failure_threshold)),
            ("initialDelaySeconds", spec.initial_delay.as_secs() as i64, before.initial_delay.as_secs() as i64),
            ("periodSeconds", spec.period.as_secs() as i64, before.period.as_secs() as i64),
        ];
        if let Some((field, now, then)) = cuts.into_iter().find(|(_, now, then)| now < then) {
            return verdict.field(evidence.field(field)).current(number(now)).suggest(number(then));
        }
    }
    if kind == ProbeKind::Startup {
        let enough = needed.map(|needed| needed.as_secs().div_ceil(spec.period.as_secs().max(1)) * 2);
        let suggested = enough.filter(|enough| *enough > u64::from(spec.failure_threshold));
        return verdict
            .field(evidence.field("failureThreshold"))
            .current(number(i64::from(spec.failure_threshold)))
            .suggest(suggested.map(|enough| number(enough as i64)));
    }
    match evidence.container.startup {
        None => verdict.field("startupProbe"),
        Some(_) => verdict.field(evidence.field("failureThreshold")).current(number(i64::from(spec.failure_threshold))),
    }
}

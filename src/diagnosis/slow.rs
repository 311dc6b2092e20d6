//! Answers that come too late, or stop coming.

use std::time::Duration;

use super::candidate::{Candidate, Strength};
use super::evidence::{Evidence, of_revision};
use super::verdict::number;
use super::{FailureGroup, said};
use crate::finding::field::ProbeField;
use crate::finding::{Cause, Confidence, Value};
use crate::kubelet::{Failure, ProbeKind};

/// Time-outs although answers do come.
///
/// Passes and time-outs alternate within one incarnation, or a probe of the same endpoint with a
/// longer timeout began to pass meanwhile, or this revision cut the timeout and it never passed since.
pub fn timeout_too_short(evidence: &Evidence) -> Option<Candidate> {
    let spec = evidence.spec()?;
    let heard = timed_out(evidence)?;
    let record = &evidence.record;
    let alternates = alternates(evidence);
    let patient = evidence
        .siblings()
        .find(|(_, sibling)| sibling.handler == spec.handler && sibling.timeout > spec.timeout)
        .filter(|_| (record.sibling_passed_meanwhile + record.slow_from_start) * 2 > record.kills());
    let cut = evidence
        .worked_for_this_app()
        .filter(|(earlier, _)| evidence.probe.is_some_and(|kind| earlier.passed.has(kind)))
        .find(|(_, earlier)| earlier.handler == spec.handler)
        .filter(|(_, earlier)| earlier.timeout > spec.timeout)
        .filter(|_| alternates || evidence.passed_here().is_none());
    let hung = hung_times(evidence);
    let hangs = hung > record.alternated && hung * 2 >= record.kills();
    let waits = spec.timeout.as_secs();
    let mut candidate =
        Candidate::new(Cause::TimeoutTooShort, format!("an answer may need more than the {waits} s that it waits"))
            .field(evidence.field(ProbeField::Timeout))
            .current(seconds(spec.timeout))
            .explains(Strength::Seen, heard.first, said(evidence, heard))
            .needs(patient.is_some() || cut.is_some() || alternates, "that answers come later than it waits")
            .against_if(hangs, Strength::Inferred, "after its first time-out it never answers again");
    if let Some((earlier, then)) = cut {
        let what = format!("{} passed with timeoutSeconds {}", of_revision(earlier), then.timeout.as_secs());
        return Some(candidate.suggest(seconds(then.timeout)).proven(Strength::Seen, heard.first, what));
    }
    if let Some((kind, sibling)) = patient {
        let what = format!("its {kind} probe asks the same, waits {} s, and passes", sibling.timeout.as_secs());
        return Some(candidate.suggest(seconds(sibling.timeout)).proven(Strength::Seen, heard.first, what));
    }
    if alternates {
        candidate = candidate.proven(Strength::Inferred, heard.last, "answers in time and time-outs alternate");
    }
    Some(candidate.at_most(Confidence::Medium))
}

/// It had passed, but after its first time-out an incarnation never passes again.
pub fn hung(evidence: &Evidence) -> Option<Candidate> {
    let heard = timed_out(evidence)?;
    let record = &evidence.record;
    let passed = passed_in_time(evidence);
    let hung = hung_times(evidence);
    let hangs = hung > 0 || (record.kills() == 0 && passed.is_some());
    let candidate = Candidate::new(Cause::Hung, "the app may hang")
        .explains(Strength::Seen, heard.first, said(evidence, heard))
        .needs(hangs && passed.is_some(), "that it had answered in time before, and then no longer")
        .against_if(
            record.alternated >= hung && alternates(evidence),
            Strength::Inferred,
            "it answers again after a time-out",
        );
    Some(match passed {
        Some(_) => candidate.proven(Strength::Inferred, heard.first, "it had answered in time before"),
        None => candidate,
    })
}

/// Whether it answers repeatedly after a time-out: once may be a node that was late.
fn alternates(evidence: &Evidence) -> bool {
    let record = &evidence.record;
    record.alternated > 0 && record.alternated * 3 >= record.kills()
}

/// Number of kills of incarnations in which it had passed, and never did again after its first time-out.
fn hung_times(evidence: &Evidence) -> u32 {
    let record = &evidence.record;
    if evidence.always_failed_later() { record.in_a_row } else { record.in_a_row.min(record.after_pass) }
}

/// How certain it is that it, or a probe with the same request and no longer timeout, passed under this
/// template.
fn passed_in_time(evidence: &Evidence) -> Option<Strength> {
    let probe = evidence.probe?;
    let own = evidence.spec()?;
    let quick = |kind: &ProbeKind| evidence.container.probe(*kind).is_some_and(|twin| twin.timeout <= own.timeout);
    let twins = evidence.twins().filter(quick).filter_map(|kind| evidence.passed.strength(kind));
    let later = evidence.always_failed_later().then_some(Strength::Inferred);
    twins.chain(evidence.passed.strength(probe)).chain(later).max()
}

/// Time-outs, where nearly all failures are of that kind.
pub fn timed_out<'a>(evidence: &'a Evidence) -> Option<&'a FailureGroup> {
    let slow = |failure: &Failure| matches!(failure, Failure::TimedOut);
    let record = &evidence.record;
    record.silent(slow).or_else(|| {
        // Refusals during startup are common beside time-outs; kills come from the latter.
        let all = record.decisive.iter().all(slow) && !record.decisive.is_empty();
        let silence = record.failures.iter().all(|heard| super::facts::is_silence(&heard.failure));
        let heard = record.failures.iter().find(|heard| slow(&heard.failure))?;
        (all && silence && heard.count * 2 >= record.samples()).then_some(heard)
    })
}

fn seconds(span: Duration) -> Value {
    number(i64::try_from(span.as_secs()).unwrap_or(i64::MAX))
}

//! The app, or what it needs, is not well; the probe does its work.

use super::evidence::Evidence;
use super::{Heard, Verdict, said, sure};
use crate::finding::{Cause, Confidence};
use crate::kubelet::Failure;

/// Probes that had passed, of two or more workloads, began to fail at once, and not by a
/// specification.
pub fn dependency_down(evidence: &Evidence) -> Option<Verdict> {
    let heard = unwell(evidence)?;
    if evidence.fell_together.is_empty() || !evidence.ever_passed() {
        return None;
    }
    let others = evidence.fell_together.iter().take(5).map(|name| &**name).collect::<Vec<_>>().join(", ");
    Some(
        Verdict::new(Cause::DependencyDown, Confidence::Medium)
            .because(heard.first, said(evidence, heard))
            .because(heard.first, format!("{others} began to fail within 10 s of it"))
            .or_else(format!("{}: the app may be unwell for a reason of its own", Cause::ReportsUnhealthy)),
    )
}

/// The app says that it is unhealthy: 5xx, 429, `NOT_SERVING`, a failing command; or a path that
/// had passed is no longer there.
pub fn reports_unhealthy(evidence: &Evidence) -> Option<Verdict> {
    let heard = unwell(evidence)?;
    let passed = evidence.ever_passed() || evidence.asked_this_before();
    let says_so =
        matches!(heard.failure, Failure::Status(500..=599 | 429) | Failure::GrpcNotServing | Failure::CommandFailed);
    // Another answer than before needs proof of the one before; silence is none.
    let twin =
        || evidence.siblings().any(|(_, sibling)| evidence.spec().is_some_and(|spec| spec.handler == sibling.handler));
    let proven = evidence.record.after_pass > 0 || evidence.asked_this_before() || twin();
    if !says_so && !proven {
        return None;
    }
    let mut verdict = Verdict::new(Cause::ReportsUnhealthy, sure(evidence)).because(heard.first, said(evidence, heard));
    if passed {
        verdict = verdict.because(heard.first, "it had passed before");
    } else {
        verdict = verdict
            .at_most(Confidence::Medium)
            .or_else(format!("{}: the app may say so only while it starts", Cause::KilledWhileStarting));
        if heard.failure == Failure::CommandFailed {
            verdict = verdict.or_else(format!("{}: the command may ask for the wrong thing", Cause::WrongCommand));
        }
    }
    Some(verdict.or_else(format!("{}: something that the app needs may be down", Cause::DependencyDown)))
}

/// Failures that an app causes on purpose, or by no longer being what it was.
fn unwell<'a>(evidence: &'a Evidence) -> Option<&'a Heard> {
    let own_words = |failure: &Failure| {
        matches!(failure, Failure::Status(500..=599 | 429) | Failure::GrpcNotServing | Failure::CommandFailed)
    };
    let gone = |failure: &Failure| {
        matches!(
            failure,
            Failure::Status(_)
                | Failure::GrpcNotServing
                | Failure::GrpcStatus
                | Failure::GrpcUnauthorized
                | Failure::GrpcHttp(_)
                | Failure::GrpcUnknownService
                | Failure::GrpcNoHealth
                | Failure::CommandFailed
                | Failure::CommandMissing { .. }
                | Failure::NotExecutable { .. }
                | Failure::TooManyRedirects
        )
    };
    evidence.record.answered(own_words).or_else(|| evidence.record.answered(gone))
}

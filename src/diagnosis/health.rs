//! The app, or a dependency of it, is unhealthy; the probe works as intended.

use super::candidate::{Candidate, Point, Strength};
use super::evidence::Evidence;
use super::facts::{is_silence, is_unwell};
use super::{FailureGroup, said};
use crate::finding::{Cause, Confidence};
use crate::kubelet::Failure;

/// The app reports that it is unhealthy: 5xx, 429, `NOT_SERVING`, a failing command; or what had passed no
/// longer exists.
pub fn reports_unhealthy(evidence: &Evidence) -> Option<Candidate> {
    let heard = unwell(evidence)?;
    let says_so = is_unwell(&heard.failure);
    let silent = is_silence(&heard.failure);
    // Silence from the start of a new image or environment may be a slower start.
    let closed_later = evidence.passed_here().is_some() && evidence.record.after_pass > 0;
    let right = evidence.request_is_right().filter(|_| !silent || closed_later);
    let mut candidate = Candidate::new(Cause::ReportsUnhealthy, "the app may be unwell")
        .explains(Strength::Seen, heard.first, said(evidence, heard))
        .needs(says_so || right.is_some(), "that the request had been answered before")
        .against(evidence.request_is_new().or_else(|| evidence.never_answered()).filter(|_| !says_so))
        .against(only_got_less_time(evidence))
        .against(super::path::moved_sibling(evidence).map(Point::seen));
    let well_once = right.as_ref().is_some_and(|right| right.strength > Strength::Assumed);
    if let Some(right) = right {
        candidate = candidate.proven(right.strength, heard.first, right.what);
    }
    let is_sure = says_so && well_once && !may_be_a_proxys(evidence, &heard.failure);
    Some(if is_sure { candidate } else { candidate.at_most(Confidence::Medium) })
}

/// A revision that changed neither the app nor the request but gave it less time: what fails from its start
/// on is not yet up.
fn only_got_less_time(evidence: &Evidence) -> Option<Point> {
    let record = &evidence.record;
    let from_start = record.from_start > 0 && record.after_pass == 0;
    (from_start && evidence.only_budget_was_cut())
        .then(|| Point::seen("this revision only gave the app less time, and it fails from its start on"))
}

/// Whether the answer may come from something between the kubelet and the app.
fn may_be_a_proxys(evidence: &Evidence, failure: &Failure) -> bool {
    let neighbours = evidence.template.containers.len() > 1;
    matches!(failure, Failure::Status(502..=504)) && (neighbours || evidence.is_rewritten())
}

/// Failures that an app causes on purpose, or because it has changed.
fn unwell<'a>(evidence: &'a Evidence) -> Option<&'a FailureGroup> {
    let gone = |failure: &Failure| {
        matches!(
            failure,
            Failure::Status(_)
                | Failure::GrpcNotServing
                | Failure::GrpcStatus
                | Failure::GrpcHttp(_)
                | Failure::GrpcUnauthorized
                | Failure::GrpcUnknownService
                | Failure::GrpcNoHealth
                | Failure::CommandFailed
                | Failure::CommandMissing { .. }
                | Failure::NotExecutable { .. }
                | Failure::TooManyRedirects
                | Failure::AfterRedirect(_)
                | Failure::PlainHttp
                | Failure::NotTls
                | Failure::TlsAnswered
                | Failure::Tls
                | Failure::CertificateWanted
                | Failure::Malformed
        )
    };
    let closed = |failure: &Failure| is_silence(failure) && *failure != Failure::TimedOut;
    let record = &evidence.record;
    record.answered(is_unwell).or_else(|| record.answered(gone)).or_else(|| record.silent(closed))
}

//! The path redirects: endlessly, to another host, or to where nothing answers the kubelet.

use super::candidate::{Candidate, Strength};
use super::evidence::Evidence;
use super::path::{path_of, path_that_works};
use super::said;
use super::verdict::text;
use crate::finding::Cause;
use crate::finding::field::ProbeField;
use crate::kubelet::{Failure, Redirect};

/// The app redirects the probe, and the probe fails at the redirect's target.
pub fn redirects(evidence: &Evidence) -> Option<Candidate> {
    let get = evidence.spec()?.handler.http()?;
    let heard = evidence.record.answered(|failure| matches!(failure, Failure::AfterRedirect(_)))?;
    let Failure::AfterRedirect(redirect) = &heard.failure else { return None };
    Some(
        Candidate::new(Cause::RedirectsElsewhere, "the app may redirect the probe to where it cannot follow")
            .field(evidence.field(ProbeField::HttpPath))
            .current(text(&*get.path))
            .suggest(evidence.value_that_worked(path_of))
            .explains(Strength::Seen, heard.first, said(evidence, heard))
            .proven(Strength::Seen, heard.first, format!("the app redirected the probe to {}", target(redirect)))
            .against(evidence.this_app_answered())
            .at_most(crate::finding::Confidence::Medium)
            .deterministic(),
    )
}

/// "HTTPS, port 8443, path /health"
fn target(redirect: &Redirect) -> String {
    let host = if redirect.elsewhere { ", another host" } else { "" };
    format!("{}, port {}, path {}{host}", redirect.scheme.word(), redirect.port, redirect.path)
}

/// The path redirects endlessly.
pub fn without_end(evidence: &Evidence) -> Option<Candidate> {
    let get = evidence.spec()?.handler.http()?;
    let looped = evidence.record.answered(|failure| *failure == Failure::TooManyRedirects)?;
    Some(
        Candidate::new(Cause::RedirectLoop, "the path may redirect to itself")
            .field(evidence.field(ProbeField::HttpPath))
            .current(text(&*get.path))
            .suggest(path_that_works(evidence))
            .proven(Strength::Seen, looped.first, said(evidence, looped))
            .deterministic(),
    )
}

/// The path redirects to another host, which the kubelet counts as success: the probe checks nothing.
///
/// Any redirect that is not followed gives the same warning (`pkg/probe/http/http.go`), so another host is
/// only likely.
pub fn to_another_host(evidence: &Evidence) -> Option<Candidate> {
    let get = evidence.spec()?.handler.http()?;
    let warned = evidence.record.warnings.as_ref()?;
    let what = format!("the probe was redirected and stopped there {} times, which counts as success", warned.count);
    Some(
        Candidate::new(Cause::RedirectsElsewhere, "the path may redirect to another host")
            .field(evidence.field(ProbeField::HttpPath))
            .current(text(&*get.path))
            .suggest(path_that_works(evidence))
            .proven(Strength::Seen, warned.first, what)
            .against_if(!evidence.record.failures.is_empty(), Strength::Seen, "the probe fails, too")
            .at_most(crate::finding::Confidence::Medium),
    )
}

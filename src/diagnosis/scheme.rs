//! HTTP spoken to HTTPS, or the other way round.

use super::evidence::Evidence;
use super::path::number_of;
use super::verdict::text;
use super::{Verdict, said, sure};
use crate::finding::{Cause, Confidence, Value};
use crate::kubelet::{Failure, HttpGet, ProbeSpec, Scheme};

/// The kubelet's TLS client met plain HTTP, or no TLS at all.
pub fn http_answered_to_https(evidence: &Evidence) -> Option<Verdict> {
    let get = evidence.spec()?.handler.http().filter(|get| get.scheme == Scheme::Https)?;
    let heard = evidence.record.answered(|failure| matches!(failure, Failure::PlainHttp | Failure::NotTls))?;
    if evidence.ever_passed() {
        return None;
    }
    let proven = (heard.failure == Failure::PlainHttp).then(|| Value::Text(Scheme::Http.word().into()));
    Some(
        verdict(evidence, get)
            .suggest(proven.or_else(|| evidence.value_that_worked(scheme_of)))
            .because(heard.first, said(evidence, heard))
            .deterministic(),
    )
}

/// The kubelet's HTTP client met TLS: its bytes, or a constant 400 on a port that is known for it.
pub fn https_wants_https(evidence: &Evidence) -> Option<Verdict> {
    let get = evidence.spec()?.handler.http().filter(|get| get.scheme == Scheme::Http)?;
    if evidence.ever_passed() || evidence.asked_this_before() {
        return None;
    }
    if let Some(heard) = evidence.record.answered(|failure| *failure == Failure::TlsAnswered) {
        return Some(
            verdict(evidence, get)
                .suggest(text(Scheme::Https.word()))
                .because(heard.first, said(evidence, heard))
                .deterministic(),
        );
    }
    let heard = evidence.record.answered(|failure| *failure == Failure::Status(400))?;
    let worked = evidence.value_that_worked(scheme_of);
    let known = known_for_tls(evidence, get);
    (worked.is_some() || known).then_some(())?;
    let guess = known.then(|| Value::Text(Scheme::Https.word().into()));
    let mut verdict =
        verdict(evidence, get).suggest(worked.clone().or(guess)).because(heard.first, said(evidence, heard));
    if worked.is_some() {
        verdict = verdict.deterministic();
    } else {
        verdict = verdict.at_most(Confidence::Medium);
    }
    Some(verdict.or_else("the Host header: the app may answer 400 to the pod's address"))
}

/// A constant 400 with nothing beside it: it could be the scheme, it could be the Host header.
pub fn bad_request(evidence: &Evidence) -> Option<Verdict> {
    evidence.spec()?.handler.http()?;
    let heard = evidence.record.answered(|failure| *failure == Failure::Status(400))?;
    Some(
        Verdict::new(Cause::Unknown, Confidence::Low)
            .because(heard.first, said(evidence, heard))
            .or_else(format!("{}: the port may speak HTTPS", Cause::WrongScheme))
            .or_else("the Host header: the app may answer 400 to the pod's address")
            .or_else(format!("{}: the app may say 400 when it is unwell", Cause::ReportsUnhealthy)),
    )
}

fn verdict(evidence: &Evidence, get: &HttpGet) -> Verdict {
    Verdict::new(Cause::WrongScheme, sure(evidence))
        .field(evidence.field("httpGet.scheme"))
        .current(text(get.scheme.word()))
        .or_else(format!("{}: another port may speak the probe's scheme", Cause::WrongPort))
}

fn scheme_of(spec: &ProbeSpec) -> Option<Value> {
    text(spec.handler.http()?.scheme.word())
}

/// A port named https, or one of the numbers that TLS servers use.
fn known_for_tls(evidence: &Evidence, get: &HttpGet) -> bool {
    let number = number_of(&get.port, evidence.container);
    let named = evidence
        .container
        .ports
        .iter()
        .filter(|(_, declared)| Some(*declared) == number)
        .filter_map(|(name, _)| name.as_deref())
        .any(|name| name.starts_with("https"));
    named || matches!(number, Some(443 | 8443 | 6443 | 9443))
}

//! HTTP spoken to HTTPS, or the other way round.

use super::candidate::{Candidate, Strength};
use super::evidence::Evidence;
use super::said;
use super::verdict::text;
use crate::finding::field::ProbeField;
use crate::finding::{Cause, Confidence, Value};
use crate::kubelet::{Failure, HttpGet, ProbeSpec, Scheme};

/// The kubelet's TLS client received plain HTTP, or no TLS at all.
pub fn http_answered_to_https(evidence: &Evidence) -> Option<Candidate> {
    let get = evidence.spec()?.handler.http().filter(|get| get.scheme == Scheme::Https)?;
    let heard = evidence.record.answered(|failure| matches!(failure, Failure::PlainHttp | Failure::NotTls))?;
    let candidate = candidate(evidence, get).deterministic();
    // An answer that is not TLS may be HTTP, gRPC, or anything else.
    if heard.failure != Failure::PlainHttp {
        let worked = evidence.value_that_worked(scheme_of);
        let candidate = candidate.suggest(worked).at_most(Confidence::Medium);
        return Some(candidate.proven(Strength::Inferred, heard.first, said(evidence, heard)));
    }
    Some(candidate.suggest(text(Scheme::Http.word())).proven(Strength::Seen, heard.first, said(evidence, heard)))
}

/// The kubelet's HTTP client received TLS bytes, or a constant 400 on a port that is known for TLS.
pub fn https_wants_https(evidence: &Evidence) -> Option<Candidate> {
    let get = evidence.spec()?.handler.http().filter(|get| get.scheme == Scheme::Http)?;
    if let Some(heard) = evidence.record.answered(|failure| *failure == Failure::TlsAnswered) {
        return Some(
            candidate(evidence, get)
                .suggest(text(Scheme::Https.word()))
                .proven(Strength::Seen, heard.first, said(evidence, heard))
                .deterministic(),
        );
    }
    let heard = evidence.record.answered(|failure| *failure == Failure::Status(400))?;
    let worked = evidence.value_that_worked(scheme_of);
    let known = known_for_tls(evidence, get);
    let candidate = candidate(evidence, get)
        .explains(Strength::Seen, heard.first, said(evidence, heard))
        .needs(worked.is_some() || known, "that the port speaks TLS");
    let guess = known.then(|| Value::Text(Scheme::Https.word().into()));
    Some(if let Some(worked) = worked {
        candidate
            .proven(Strength::Seen, heard.first, format!("the probe passed with scheme {worked}"))
            .suggest(worked)
            .deterministic()
    } else {
        candidate.suggest(guess).at_most(Confidence::Medium)
    })
}

fn candidate(evidence: &Evidence, get: &HttpGet) -> Candidate {
    Candidate::new(Cause::WrongScheme, format!("the port may not speak {}", get.scheme.word()))
        .field(evidence.field(ProbeField::HttpScheme))
        .current(text(get.scheme.word()))
}

fn scheme_of(spec: &ProbeSpec) -> Option<Value> {
    Some(text(spec.handler.http()?.scheme.word()))
}

/// A port named https, or one of the numbers that TLS servers use.
fn known_for_tls(evidence: &Evidence, get: &HttpGet) -> bool {
    let number = evidence.container.port_number(&get.port);
    let named = evidence
        .container
        .ports
        .iter()
        .filter(|(_, declared)| Some(*declared) == number)
        .filter_map(|(name, _)| name.as_deref())
        .any(|name| name.starts_with("https"));
    named || matches!(number, Some(443 | 8443 | 6443 | 9443))
}

//! The endpoint wants credentials, or the probe goes to another host.

use super::evidence::Evidence;
use super::verdict::text;
use super::{Verdict, said, sure};
use crate::finding::{Cause, Confidence, Value};
use crate::kubelet::{Failure, Handler, ProbeSpec};

/// 401 or 403 from the first probe on, or a client certificate that the kubelet does not have.
pub fn auth_required(evidence: &Evidence) -> Option<Verdict> {
    evidence.spec()?.handler.http()?;
    let denied = evidence
        .record
        .answered(|failure| matches!(failure, Failure::Status(401 | 403 | 407) | Failure::CertificateWanted))?;
    if evidence.ever_passed() || evidence.asked_this_before() {
        return None;
    }
    Some(
        Verdict::new(Cause::AuthRequired, sure(evidence))
            .field(evidence.field("httpGet.httpHeaders"))
            .because(denied.first, said(evidence, denied))
            .or_else(format!("{}: another path may be open to all", Cause::WrongPath))
            .deterministic(),
    )
}

/// The host does not resolve, or the probe dials an address that is not the pod's.
pub fn wrong_host(evidence: &Evidence) -> Option<Verdict> {
    let spec = evidence.spec()?;
    let host = host_of(spec)?;
    if evidence.ever_passed() || evidence.asked_this_before() {
        return None;
    }
    let unresolved = evidence.record.answered(|failure| *failure == Failure::NoSuchHost);
    let elsewhere = evidence.record.dialed_elsewhere.filter(|_| evidence.record.decisive.iter().all(never_answered));
    let (heard, confidence) = match (unresolved, elsewhere) {
        (Some(heard), _) => (heard, sure(evidence)),
        (None, Some(_)) => {
            (evidence.record.failures.iter().find(|heard| never_answered(&heard.failure))?, Confidence::Medium)
        }
        (None, None) => return None,
    };
    let worked = evidence.value_that_worked(|spec| host_of(spec).map(|host| Value::Text(host.to_owned())));
    let verdict = Verdict::new(Cause::WrongHost, confidence)
        .field(evidence.field(&format!("{}.host", spec.handler.field())))
        .current(text(host))
        .suggest(worked)
        .because(heard.first, said(evidence, heard))
        .or_else(format!("{}: the host may be right and down", Cause::DependencyDown));
    Some(if unresolved.is_some() { verdict.deterministic() } else { verdict })
}

const fn never_answered(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused | Failure::TimedOut | Failure::Unreachable | Failure::NoSuchHost)
}

/// The host that the probe names itself.
fn host_of(spec: &ProbeSpec) -> Option<&str> {
    match &spec.handler {
        Handler::Http(get) => get.host.as_deref(),
        Handler::Tcp { host, .. } => host.as_deref(),
        Handler::Grpc { .. } | Handler::Exec(_) => None,
    }
}

//! The endpoint requires credentials, or the probe goes to another host.

use std::net::SocketAddr;

use super::candidate::{Candidate, Point, Strength};
use super::evidence::Evidence;
use super::said;
use super::verdict::text;
use crate::finding::field::ProbeField;
use crate::finding::{Cause, Confidence, Value};
use crate::kubelet::{Failure, Handler, ProbeSpec};

/// 401 or 403 from the first probe on, or a client certificate that the kubelet does not have.
pub fn auth_required(evidence: &Evidence) -> Option<Candidate> {
    let handler = &evidence.spec()?.handler;
    let denied = evidence.record.answered(|failure| {
        matches!(failure, Failure::Status(401 | 403 | 407) | Failure::CertificateWanted | Failure::GrpcUnauthorized)
    })?;
    let candidate = Candidate::new(Cause::AuthRequired, "the endpoint may want credentials")
        .proven(Strength::Seen, denied.first, said(evidence, denied))
        .deterministic();
    match handler {
        Handler::Http(_) => Some(candidate.field(evidence.field(ProbeField::HttpHeaders))),
        Handler::Grpc { .. } => Some(candidate),
        Handler::Tcp { .. } | Handler::Exec(_) => None,
    }
}

/// The host does not resolve, or the probe dials an address that is not the pod's.
pub fn wrong_host(evidence: &Evidence) -> Option<Candidate> {
    let spec = evidence.spec()?;
    let host = host_of(spec)?;
    let unresolved = evidence.record.answered(|failure| matches!(failure, Failure::NoSuchHost | Failure::BadHost));
    let elsewhere = evidence.record.dialed_elsewhere.filter(|_| evidence.record.decisive.iter().all(never_answered));
    let worked = evidence.value_that_worked(|spec| host_of(spec).map(|host| Value::Text(host.to_owned())));
    let candidate = Candidate::new(Cause::WrongHost, format!("{host} may not be the pod"))
        .field(evidence.host_field())
        .current(text(host))
        .suggest(worked)
        .against(on_its_own_node(evidence, elsewhere));
    if let Some(heard) = unresolved {
        return Some(candidate.proven(Strength::Seen, heard.first, said(evidence, heard)).deterministic());
    }
    let heard = elsewhere.and(evidence.record.failures.iter().find(|heard| never_answered(&heard.failure)))?;
    Some(candidate.explains(Strength::Seen, heard.first, said(evidence, heard)).at_most(Confidence::Medium))
}

/// A pod in the host network is reached at the node's loopback address, too.
fn on_its_own_node(evidence: &Evidence, dialed: Option<SocketAddr>) -> Option<Point> {
    let loopback = dialed.is_some_and(|address| address.ip().is_loopback());
    (evidence.template.host_network && loopback).then(|| Point::seen("the pod shares its node's network"))
}

/// A header that cannot be sent: no request is made.
pub fn header_cannot_be_sent(evidence: &Evidence) -> Option<Candidate> {
    evidence.spec()?.handler.http()?;
    let heard = evidence.record.answered(|failure| matches!(failure, Failure::BadHeader { .. }))?;
    let Failure::BadHeader { name } = &heard.failure else { return None };
    Some(
        Candidate::new(Cause::ProbeCannotRun, "a header of the probe may not be sendable")
            .field(evidence.field(ProbeField::HttpHeaders))
            .current(text(&**name))
            .explains(Strength::Seen, heard.first, said(evidence, heard))
            .proven(
                Strength::Seen,
                heard.first,
                format!("the value of header {name} cannot be sent: it may end with a line break"),
            )
            .deterministic(),
    )
}

const fn never_answered(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused | Failure::TimedOut | Failure::Unreachable | Failure::NoSuchHost)
}

/// The host configured in the probe.
fn host_of(spec: &ProbeSpec) -> Option<&str> {
    match &spec.handler {
        Handler::Http(get) => get.host.as_deref(),
        Handler::Tcp { host, .. } => host.as_deref(),
        Handler::Grpc { .. } | Handler::Exec(_) => None,
    }
}

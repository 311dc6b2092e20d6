//! gRPC probes, and gRPC met by others.

use super::evidence::Evidence;
use super::path::number_of;
use super::verdict::{number, text};
use super::{Verdict, said, sure};
use crate::finding::{Cause, Confidence, Value};
use crate::kubelet::{Failure, Handler, Port};

/// HTTP/2 bytes answered to an HTTP/1 probe: the port speaks gRPC or HTTP/2 only.
pub fn http2_answered_to_http(evidence: &Evidence) -> Option<Verdict> {
    let get = evidence.spec()?.handler.http()?;
    let heard = evidence.record.answered(|failure| *failure == Failure::Http2)?;
    if evidence.ever_passed() || evidence.asked_this_before() {
        return None;
    }
    Some(
        Verdict::new(Cause::WrongHandler, sure(evidence))
            .field(evidence.field("httpGet"))
            .current(text(format!("{}:{}", get.path, get.port)))
            .because(heard.first, said(evidence, heard))
            .or_else(format!("{}: another port may speak HTTP/1", Cause::WrongPort))
            .deterministic(),
    )
}

/// The health service does not know the name, or the server has no health service.
pub fn unknown_service(evidence: &Evidence) -> Option<Verdict> {
    let Handler::Grpc { service, .. } = &evidence.spec()?.handler else {
        return None;
    };
    let heard = evidence.record.answered(|failure| {
        matches!(failure, Failure::GrpcUnknownService | Failure::GrpcNoHealth | Failure::GrpcHttp(_))
    })?;
    if evidence.ever_passed() || evidence.asked_this_before() {
        return None;
    }
    let worked = evidence.value_that_worked(|spec| match &spec.handler {
        Handler::Grpc { service, .. } => Some(Value::Text(service.to_string())),
        _ => None,
    });
    Some(
        Verdict::new(Cause::WrongGrpcService, sure(evidence))
            .field(evidence.field("grpc.service"))
            .current(text(&**service))
            .suggest(worked)
            .because(heard.first, said(evidence, heard))
            .or_else(format!("{}: the app may register its services late", Cause::KilledWhileStarting))
            .deterministic(),
    )
}

/// A gRPC probe that cannot connect to a port that is named after HTTP.
pub fn no_grpc_on_the_port(evidence: &Evidence) -> Option<Verdict> {
    let Handler::Grpc { port, .. } = &evidence.spec()?.handler else {
        return None;
    };
    let heard = evidence.record.silent(|failure| matches!(failure, Failure::GrpcNoConnection | Failure::TimedOut))?;
    if evidence.ever_passed() || evidence.asked_this_before() || !speaks_http(evidence, port) {
        return None;
    }
    Some(
        Verdict::new(Cause::WrongHandler, Confidence::Medium)
            .field(evidence.field("grpc"))
            .current(number_of(port, evidence.container).map(number))
            .because(heard.first, said(evidence, heard))
            .or_else(format!("{}: another port may speak gRPC", Cause::WrongPort))
            .or_else(format!("{}: the server may come up later", Cause::KilledWhileStarting)),
    )
}

/// Whether the port is named after HTTP, or an HTTP probe on it was seen to pass.
fn speaks_http(evidence: &Evidence, port: &Port) -> bool {
    let asked = number_of(port, evidence.container);
    let named = evidence
        .container
        .ports
        .iter()
        .filter(|(_, number)| Some(*number) == asked)
        .filter_map(|(name, _)| name.as_deref())
        .any(|name| name.starts_with("http") || name.starts_with("web"));
    let answered = evidence
        .siblings()
        .filter_map(|(_, spec)| spec.handler.http())
        .any(|get| number_of(&get.port, evidence.container) == asked);
    named || answered
}

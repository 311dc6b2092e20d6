//! gRPC probes, and gRPC servers behind other probes.

use super::candidate::{Candidate, Point, Strength};
use super::evidence::Evidence;
use super::said;
use super::verdict::{number, text};
use crate::finding::field::ProbeField;
use crate::finding::{Cause, Confidence, Value};
use crate::kubelet::{Failure, Handler, Port};

/// HTTP/2 bytes answered to an HTTP/1 probe, or HTTP answered to a gRPC probe: the port speaks another
/// protocol.
pub fn http2_answered_to_http(evidence: &Evidence) -> Option<Candidate> {
    let handler = &evidence.spec()?.handler;
    let other = |failure: &Failure| match handler {
        Handler::Http(_) => matches!(failure, Failure::Http2 | Failure::Malformed),
        Handler::Grpc { .. } => matches!(failure, Failure::GrpcHttp(_)),
        Handler::Tcp { .. } | Handler::Exec(_) => false,
    };
    let heard = evidence.record.answered(other)?;
    let current = match handler {
        Handler::Http(get) => Some(text(format!("{}:{}", get.path, get.port))),
        Handler::Grpc { port, .. } => evidence.container.port_number(port).map(number),
        Handler::Tcp { .. } | Handler::Exec(_) => None,
    };
    Some(
        Candidate::new(Cause::WrongHandler, "the port may speak another protocol")
            .field(evidence.field(ProbeField::from_handler(handler)))
            .current(current)
            .proven(Strength::Seen, heard.first, said(evidence, heard))
            .deterministic(),
    )
}

/// The health service does not know the name, or the server has no health service.
pub fn unknown_service(evidence: &Evidence) -> Option<Candidate> {
    let Handler::Grpc { service, .. } = &evidence.spec()?.handler else {
        return None;
    };
    let unknown = |failure: &Failure| matches!(failure, Failure::GrpcUnknownService | Failure::GrpcNoHealth);
    let heard = evidence.record.answered(unknown)?;
    let worked = evidence.value_that_worked(|spec| match &spec.handler {
        Handler::Grpc { service, .. } => Some(Value::Text(service.to_string())),
        _ => None,
    });
    Some(
        Candidate::new(Cause::WrongGrpcService, "the server may not know the health service's name")
            .field(evidence.field(ProbeField::GrpcService))
            .current(text(&**service))
            .suggest(worked)
            .explains(Strength::Seen, heard.first, said(evidence, heard))
            .deterministic(),
    )
}

/// A gRPC probe that cannot connect to a port whose name indicates HTTP.
pub fn no_grpc_on_the_port(evidence: &Evidence) -> Option<Candidate> {
    let Handler::Grpc { port, .. } = &evidence.spec()?.handler else {
        return None;
    };
    // A call that was accepted but not answered in time was accepted by a gRPC server.
    let heard = evidence.record.silent(|failure| *failure == Failure::GrpcNoConnection)?;
    let asked = evidence.container.port_number(port);
    let answers = answers_otherwise(evidence, asked);
    Some(
        Candidate::new(Cause::WrongHandler, "the port may not speak gRPC, or only over TLS")
            .field(evidence.field(ProbeField::Grpc))
            .current(asked.map(number))
            .needs(evidence.record.is_mostly_from_start(), "that it fails from its start on")
            .needs(answers.is_some() || is_named_after_http(evidence, asked), "that the port speaks something else")
            .proven_if(answers, heard.first)
            .explains(Strength::Seen, heard.first, said(evidence, heard))
            .at_most(Confidence::Medium),
    )
}

/// Another probe that passes on the same port: it is open, and there was no gRPC connection. If that probe
/// only connects, nothing more is known.
fn answers_otherwise(evidence: &Evidence, asked: Option<i32>) -> Option<Point> {
    let mut siblings = evidence.siblings().filter(|(_, spec)| !matches!(spec.handler, Handler::Grpc { .. }));
    let on_it = |port: &Port| evidence.container.port_number(port) == asked;
    let (kind, spec) = siblings.find(|(_, spec)| spec.handler.port().is_some_and(on_it))?;
    let strength = if matches!(spec.handler, Handler::Tcp { .. }) { Strength::Inferred } else { Strength::Seen };
    Some(Point::new(strength, format!("its {kind} probe passes on the same port by {}", spec.handler.field())))
}

fn is_named_after_http(evidence: &Evidence, asked: Option<i32>) -> bool {
    let ports = evidence.container.ports.iter().filter(|(_, number)| Some(*number) == asked);
    ports.filter_map(|(name, _)| name.as_deref()).any(|name| name.starts_with("http") || name.starts_with("web"))
}

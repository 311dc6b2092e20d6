//! Nothing listens on the probe's port.

use super::candidate::{Candidate, Point, Strength};
use super::evidence::Evidence;
use super::{FailureGroup, said};
use crate::finding::{Cause, Confidence, Value};
use crate::kubelet::{Failure, Port, ProbeSpec};
use crate::template::ContainerSpec;

/// Connections are refused, and the port is not declared by the container, or the app was seen on another
/// one.
///
/// That another probe passes on another port proves that the app is up, not that this port is wrong: a
/// declared port may open later.
pub fn wrong_port(evidence: &Evidence) -> Option<Candidate> {
    let spec = evidence.spec()?;
    let port = spec.handler.port()?;
    let heard = refused(evidence)?;
    let asked = evidence.asked_port();
    let declared = evidence.container.ports.iter().any(|(_, number)| Some(*number) == asked);
    let moved = moved_from(evidence, asked);
    let sibling = sibling_port(evidence, asked).filter(|_| !declared);
    let suspect = !declared && !evidence.container.ports.is_empty();
    let neighbour = asked.and_then(|asked| evidence.neighbour_at(asked));
    let mut candidate = Candidate::new(Cause::WrongPort, "the app may listen on another port")
        .field(evidence.port_field())
        .current(Some(value_of(port)))
        .explains(Strength::Seen, heard.first, said(evidence, heard))
        .needs(moved.is_some() || sibling.is_some() || suspect, "that the app listens on another port")
        .against_if(declared && moved.is_none(), Strength::Seen, "the container declares this port")
        .against_if(evidence.is_rewritten(), Strength::Seen, "an injector rewrote the probe's port")
        .against(neighbour.map(|other| Point::seen(format!("container {} declares this port", other.name))));
    if !declared {
        candidate.because.push(crate::finding::Fact {
            at: heard.first,
            what: format!("{port} is no port that the container declares"),
        });
    }
    if let Some((from, _)) = &moved {
        candidate = candidate
            .proven(Strength::Seen, heard.first, format!("the same app passed this probe on port {from}"))
            .deterministic();
    } else if let Some((kind, works)) = &sibling {
        candidate = candidate
            .proven(Strength::Seen, heard.first, format!("its {kind} probe passes on port {works}"))
            .deterministic();
    } else {
        candidate = candidate.at_most(Confidence::Medium);
    }
    let suggested = moved.map(|(from, _)| from).or(sibling.map(|(_, port)| port));
    Some(candidate.suggest(suggested.or_else(|| declared_port(evidence, port, asked))))
}

/// Refused on a declared port, in every incarnation of the template: a wrong port, a slow start, or an app
/// that is bound to loopback.
pub fn nothing_listening(evidence: &Evidence) -> Option<Candidate> {
    let spec = evidence.spec()?;
    let port = spec.handler.port()?;
    let heard = refused(evidence)?;
    let candidate =
        Candidate::new(Cause::NothingListening, "the app may not open the port at all, or on 127.0.0.1 only")
            .explains(Strength::Seen, heard.first, said(evidence, heard))
            // A gRPC probe reports the same for TLS, for HTTP/1 and for a server that hangs.
            .needs(heard.failure == Failure::Refused, "that the connection was refused")
            .at_most(Confidence::Medium)
            .against(evidence.passed_here().map(|strength| Point::new(strength, "something answered on this port")));
    // A request that was right should not be changed.
    Some(if evidence.request_is_right().is_none() && !evidence.is_rewritten() {
        candidate.field(evidence.port_field()).current(Some(value_of(port)))
    } else {
        candidate
    })
}

fn refused<'a>(evidence: &'a Evidence) -> Option<&'a FailureGroup> {
    evidence.record.silent(|failure| matches!(failure, Failure::Refused | Failure::GrpcNoConnection))
}

fn value_of(port: &Port) -> Value {
    match port {
        Port::Number(number) => Value::Number(i64::from(*number)),
        Port::Name(name) => Value::Text(name.to_string()),
    }
}

/// The port at which the same app passed this probe before, if that is another number.
fn moved_from(evidence: &Evidence, asked: Option<i32>) -> Option<(Value, i32)> {
    evidence
        .worked()
        .filter(|(earlier, _)| {
            earlier.container.image == evidence.container.image
                && earlier.container.invocation_mark == evidence.container.invocation_mark
                && earlier.container.env_mark == evidence.container.env_mark
        })
        .find_map(|(earlier, spec)| {
            let number = port_number(spec, earlier.container).filter(|number| Some(*number) != asked)?;
            Some((spec.handler.port().map(value_of)?, number))
        })
}

/// The port of another probe of the container that was seen to pass.
fn sibling_port(evidence: &Evidence, asked: Option<i32>) -> Option<(crate::kubelet::ProbeKind, Value)> {
    evidence.siblings().find_map(|(kind, spec)| {
        port_number(spec, evidence.container).filter(|number| Some(*number) != asked)?;
        Some((kind, spec.handler.port().map(value_of)?))
    })
}

/// The container's only declared port, by name if the probe's is.
fn declared_port(evidence: &Evidence, port: &Port, asked: Option<i32>) -> Option<Value> {
    match (&*evidence.container.ports, port) {
        ([(Some(name), number)], Port::Name(_)) if Some(*number) != asked => Some(Value::Text(name.to_string())),
        ([(_, number)], _) if Some(*number) != asked => Some(Value::Number(i64::from(*number))),
        _ => None,
    }
}

fn port_number(spec: &ProbeSpec, container: &ContainerSpec) -> Option<i32> {
    container.port_number(spec.handler.port()?)
}

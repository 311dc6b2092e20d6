//! Nothing listens where the probe knocks.

use super::evidence::Evidence;
use super::path::number_of;
use super::{Verdict, said, sure};
use crate::finding::{Cause, Confidence, Value};
use crate::kubelet::{Failure, Port, ProbeSpec};

/// Refused, and the port is none that the container declares, or the app listens on another one.
///
/// That the app is alive elsewhere (an earlier revision's port of the same app, a sibling probe) is
/// proof; that the port is not declared alone is no more than likely.
pub fn wrong_port(evidence: &Evidence) -> Option<Verdict> {
    let spec = evidence.spec()?;
    let port = spec.handler.port()?;
    let heard = evidence.record.silent(|failure| matches!(failure, Failure::Refused | Failure::GrpcNoConnection))?;
    if evidence.ever_passed() || evidence.asked_this_before() {
        return None;
    }
    let asked = number_of(port, evidence.container);
    let declared = evidence.container.ports.iter().any(|(_, number)| Some(*number) == asked);
    let moved = moved_from(evidence, asked);
    let sibling = sibling_port(evidence, asked);
    let proven = moved.is_some() || sibling.is_some();
    if !proven && (declared || evidence.container.ports.is_empty()) {
        return None;
    }
    let suggested = moved.or(sibling).or_else(|| declared_port(evidence, port, asked));
    let mut verdict = Verdict::new(Cause::WrongPort, sure(evidence))
        .field(evidence.field(&format!("{}.port", spec.handler.field())))
        .current(Some(value_of(port)))
        .suggest(suggested)
        .because(heard.first, said(evidence, heard))
        .or_else(format!("{}: the app may open the port later", Cause::KilledWhileStarting))
        .or_else(format!("{}: the app may not open the port at all", Cause::NothingListening));
    if !declared {
        verdict = verdict.because(heard.first, format!("{port} is no port that the container declares"));
    }
    Some(if proven { verdict.deterministic() } else { verdict.at_most(Confidence::Medium) })
}

/// Refused on a declared port, in every incarnation of the template: a wrong port, a slow start, or
/// an app that is bound to loopback.
pub fn nothing_listening(evidence: &Evidence) -> Option<Verdict> {
    let spec = evidence.spec()?;
    let port = spec.handler.port()?;
    let heard = evidence.record.silent(|failure| matches!(failure, Failure::Refused | Failure::GrpcNoConnection))?;
    if evidence.passed.has(evidence.probe?) {
        return None;
    }
    Some(
        Verdict::new(Cause::NothingListening, Confidence::Medium)
            .field(evidence.field(&format!("{}.port", spec.handler.field())))
            .current(Some(value_of(port)))
            .because(heard.first, said(evidence, heard))
            .or_else(format!("{}: the app may need longer to start than the probe allows", Cause::KilledWhileStarting))
            .or_else(format!("{}: the app may listen on another port", Cause::WrongPort))
            .or_else("the app may listen on 127.0.0.1 only"),
    )
}

fn value_of(port: &Port) -> Value {
    match port {
        Port::Number(number) => Value::Number(i64::from(*number)),
        Port::Name(name) => Value::Text(name.to_string()),
    }
}

/// The port at which the same app passed this probe before, if that is another number.
fn moved_from(evidence: &Evidence, asked: Option<i32>) -> Option<Value> {
    evidence
        .worked()
        .filter(|(earlier, _)| {
            earlier.container.image == evidence.container.image
                && earlier.container.invocation_mark == evidence.container.invocation_mark
                && earlier.container.env_mark == evidence.container.env_mark
        })
        .find(|(earlier, spec)| port_number(spec, earlier.container) != asked)
        .and_then(|(_, spec)| spec.handler.port().map(value_of))
}

/// The port of another probe of the container that was seen to pass.
fn sibling_port(evidence: &Evidence, asked: Option<i32>) -> Option<Value> {
    evidence
        .siblings()
        .find(|(_, spec)| {
            let number = port_number(spec, evidence.container);
            number.is_some() && number != asked
        })
        .and_then(|(_, spec)| spec.handler.port().map(value_of))
}

/// The container's only declared port, named where the probe's is.
fn declared_port(evidence: &Evidence, port: &Port, asked: Option<i32>) -> Option<Value> {
    match (&*evidence.container.ports, port) {
        ([(Some(name), number)], Port::Name(_)) if Some(*number) != asked => Some(Value::Text(name.to_string())),
        ([(_, number)], _) if Some(*number) != asked => Some(Value::Number(i64::from(*number))),
        _ => None,
    }
}

fn port_number(spec: &ProbeSpec, container: &crate::template::ContainerSpec) -> Option<i32> {
    number_of(spec.handler.port()?, container)
}

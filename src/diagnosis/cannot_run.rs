//! Probes that cannot run: they are never counted, so they protect nothing.

use super::FailureGroup;
use super::candidate::{Candidate, Strength};
use super::command::{cannot_be_run, command_of};
use super::evidence::Evidence;
use super::verdict::text;
use crate::finding::field::ProbeField;
use crate::finding::{Cause, Confidence, Value};
use crate::kubelet::{Failure, Handler, Port};

const POSSIBILITY: &str = "the probe may not be able to run at all";

/// The probe refers to a named port that its container does not have; the specification alone proves it.
pub fn named_port(evidence: &Evidence) -> Option<Candidate> {
    let spec = evidence.spec()?;
    let Port::Name(name) = spec.handler.port()? else {
        return None;
    };
    if evidence.container.port_number(spec.handler.port()?).is_some() {
        return None;
    }
    let worked = evidence.value_that_worked(|spec| match spec.handler.port()? {
        Port::Name(name) => Some(text(&**name)),
        Port::Number(number) => Some(Value::Number(i64::from(*number))),
    });
    let mut candidate = Candidate::new(Cause::ProbeCannotRun, POSSIBILITY)
        .field(evidence.port_field())
        .current(text(&**name))
        .suggest(worked.or_else(|| only_port(evidence)))
        .deterministic();
    candidate.proof = Strength::Seen;
    if let Some(heard) = evidence.record.errors.first() {
        candidate = candidate.explains(Strength::Seen, heard.first, errored(heard));
    }
    Some(candidate)
}

/// The exec probe's binary does not exist: the runtime cannot even start it.
pub fn missing_command(evidence: &Evidence) -> Option<Candidate> {
    let spec = evidence.spec()?;
    let Handler::Exec(_) = &spec.handler else { return None };
    let heard = evidence.record.errors.iter().find(|heard| cannot_be_run(&heard.failure))?;
    Some(
        Candidate::new(Cause::ProbeCannotRun, POSSIBILITY)
            .field(evidence.field(ProbeField::ExecCommand))
            .current(command_of(spec))
            .suggest(evidence.value_that_worked(command_of))
            .proven(Strength::Seen, heard.first, errored(heard))
            .against_if(!evidence.record.failures.is_empty(), Strength::Seen, "the command ran and failed, too")
            .deterministic(),
    )
}

/// It was never reported to run, only to be unable to.
pub fn never_runs(evidence: &Evidence) -> Option<Candidate> {
    evidence.spec()?;
    let heard = evidence.record.errors.iter().max_by_key(|heard| heard.count)?;
    let candidate = Candidate::new(Cause::ProbeCannotRun, POSSIBILITY)
        .explains(Strength::Seen, heard.first, errored(heard))
        .against_if(!evidence.record.failures.is_empty(), Strength::Seen, "it ran and failed, too")
        .against(evidence.passed_here().map(|strength| super::Point::new(strength, "it ran and passed, too")))
        .at_most(Confidence::Medium);
    Some(match heard.failure {
        Failure::BadHost => candidate.field(evidence.host_field()),
        _ => candidate,
    })
}

fn errored(heard: &FailureGroup) -> String {
    format!("the probe could not run {} times: {}", heard.count, super::shortened(heard.words.trim()))
}

/// The container's port, if it declares just one: by name if it has one.
fn only_port(evidence: &Evidence) -> Option<Value> {
    match &*evidence.container.ports {
        [(Some(name), _)] => Some(text(&**name)),
        [(None, number)] => Some(Value::Number(i64::from(*number))),
        _ => None,
    }
}

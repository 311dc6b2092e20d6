//! Probes that cannot run: they are never counted, so they protect nothing.

use super::command::command_of;
use super::evidence::Evidence;
use super::verdict::text;
use super::{Heard, Verdict};
use crate::finding::{Cause, Confidence, Value};
use crate::kubelet::{Failure, Handler, Port};

/// The probe names a port that no port of its container has; the specification alone proves it.
pub fn named_port(evidence: &Evidence) -> Option<Verdict> {
    let spec = evidence.spec()?;
    let Port::Name(name) = spec.handler.port()? else {
        return None;
    };
    let mut declared = evidence.container.ports.iter().filter_map(|(name, _)| name.as_deref());
    if declared.any(|declared| declared == &**name) {
        return None;
    }
    let worked = evidence.value_that_worked(|spec| match spec.handler.port()? {
        Port::Name(name) => Some(text(&**name)),
        Port::Number(number) => Some(Value::Number(i64::from(*number))),
    });
    let mut verdict = Verdict::new(Cause::ProbeCannotRun, Confidence::High)
        .field(evidence.field(&format!("{}.port", spec.handler.field())))
        .current(text(&**name))
        .suggest(worked.or_else(|| only_port(evidence)))
        .deterministic();
    if let Some(heard) = evidence.record.errors.first() {
        verdict = verdict.because(heard.first, errored(heard));
    }
    Some(verdict)
}

/// The exec probe's binary does not exist: the runtime cannot even start it.
pub fn missing_command(evidence: &Evidence) -> Option<Verdict> {
    let spec = evidence.spec()?;
    let Handler::Exec(_) = &spec.handler else { return None };
    let mut errors = evidence.record.errors.iter();
    let heard =
        errors.find(|heard| matches!(heard.failure, Failure::CommandMissing { .. } | Failure::NotExecutable { .. }))?;
    if !evidence.record.failures.is_empty() || evidence.ever_passed() {
        return None;
    }
    Some(
        Verdict::new(Cause::ProbeCannotRun, Confidence::High)
            .field(evidence.field("exec.command"))
            .current(command_of(spec))
            .suggest(evidence.value_that_worked(command_of))
            .because(heard.first, errored(heard))
            .deterministic(),
    )
}

fn errored(heard: &Heard) -> String {
    let words: String = heard.words.trim().chars().take(200).collect();
    format!("the probe could not run {} times: {words}", heard.count)
}

/// The container's port, where it declares just one: by name if it has one.
fn only_port(evidence: &Evidence) -> Option<Value> {
    match &*evidence.container.ports {
        [(Some(name), _)] => Some(text(&**name)),
        [(None, number)] => Some(Value::Number(i64::from(*number))),
        _ => None,
    }
}

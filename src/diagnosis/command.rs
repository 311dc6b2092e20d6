//! An exec probe whose shell does not find what it calls.

use super::evidence::Evidence;
use super::verdict::text;
use super::{Verdict, said, sure};
use crate::finding::{Cause, Value};
use crate::kubelet::{Failure, Handler, ProbeSpec};

/// The probe's shell says that the command or script does not exist in the image.
pub fn missing_in_shell(evidence: &Evidence) -> Option<Verdict> {
    evidence.spec().filter(|spec| matches!(spec.handler, Handler::Exec(_)))?;
    let heard = evidence.record.answered(|failure| {
        matches!(failure, Failure::CommandMissing { .. } | Failure::NotExecutable { name: Some(_), .. })
    })?;
    if evidence.ever_passed() || evidence.asked_this_before() {
        return None;
    }
    let image = &evidence.container.image;
    let why = match &heard.failure {
        Failure::CommandMissing { name } => format!("{name} does not exist in the image {image}"),
        Failure::NotExecutable { name: Some(name), .. } => format!("{name} cannot be executed in the image {image}"),
        _ => return None,
    };
    Some(
        Verdict::new(Cause::WrongCommand, sure(evidence))
            .field(evidence.field("exec.command"))
            .current(evidence.spec().and_then(command_of))
            .suggest(evidence.value_that_worked(command_of))
            .because(heard.first, said(evidence, heard))
            .because(heard.first, why)
            .or_else(format!("{}: the script may report on something else that it misses", Cause::ReportsUnhealthy))
            .deterministic(),
    )
}

/// The command's words in one line.
pub fn command_of(spec: &ProbeSpec) -> Option<Value> {
    match &spec.handler {
        Handler::Exec(words) => Some(text(words.join(" "))),
        _ => None,
    }
}

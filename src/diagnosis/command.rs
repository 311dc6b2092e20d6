//! An exec probe whose command is not in the image, or cannot be run there.

use super::candidate::{Candidate, Strength};
use super::evidence::Evidence;
use super::said;
use super::verdict::text;
use crate::finding::field::ProbeField;
use crate::finding::{Cause, Value};
use crate::kubelet::{Failure, Handler, Obstacle, ProbeSpec};

/// The probe's shell, or the kernel, reports that its command or script does not exist in the image or
/// cannot be run there.
pub fn missing(evidence: &Evidence) -> Option<Candidate> {
    evidence.spec().filter(|spec| matches!(spec.handler, Handler::Exec(_)))?;
    let heard = evidence.record.answered(cannot_be_run)?;
    let what = match &heard.failure {
        Failure::CommandMissing { name } => format!("{name} does not exist in the image {}", evidence.container.image),
        Failure::NotExecutable { name, why } => {
            let name = name.as_deref().unwrap_or("the probe's command");
            format!("{name} cannot be run in the image {}: {}", evidence.container.image, obstacle(*why))
        }
        _ => return None,
    };
    Some(
        Candidate::new(Cause::WrongCommand, "the probe's command may not be in the image")
            .field(evidence.field(ProbeField::ExecCommand))
            .current(evidence.spec().and_then(command_of))
            .suggest(evidence.value_that_worked(command_of))
            .explains(Strength::Seen, heard.first, said(evidence, heard))
            .proven(Strength::Seen, heard.first, what)
            .deterministic(),
    )
}

/// Whether the command does not exist in the image or cannot be run there.
pub const fn cannot_be_run(failure: &Failure) -> bool {
    matches!(failure, Failure::CommandMissing { .. } | Failure::NotExecutable { .. })
}

/// Why an existing file cannot be run, in words.
pub const fn obstacle(why: Obstacle) -> &'static str {
    match why {
        Obstacle::Interpreter => {
            "the interpreter that its first line names is not there (or its lines end as on Windows)"
        }
        Obstacle::Format => "it is no program of this machine, and its first line names no interpreter (#!)",
        Obstacle::Permission => "it may not be executed (chmod +x)",
        Obstacle::Directory => "it is a directory",
        Obstacle::WorkingDir => "the working directory is missing, or is none",
    }
}

/// The command's words in one line.
pub fn command_of(spec: &ProbeSpec) -> Option<Value> {
    match &spec.handler {
        Handler::Exec(words) => Some(text(words.join(" "))),
        _ => None,
    }
}

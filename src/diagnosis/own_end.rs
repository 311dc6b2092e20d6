//! Containers that terminate by themselves.

use super::candidate::{Candidate, Strength};
use super::evidence::Evidence;
use super::facts::{OwnEnd, OwnKind};
use super::verdict::text;
use crate::finding::field::{ContainerField, Field};
use crate::finding::{Cause, Confidence};

/// The most frequent way in which it terminated by itself.
pub fn ended_by_itself(evidence: &Evidence) -> Option<Candidate> {
    let end = evidence.own.main()?;
    let candidate = match end.kind {
        OwnKind::Crash => Candidate::new(Cause::Crash, "the app may crash"),
        OwnKind::Exit => Candidate::new(Cause::Exits, "the app may exit as if it were done"),
        OwnKind::Signal => {
            Candidate::new(Cause::KilledExternally, "something from outside may end it").at_most(Confidence::Medium)
        }
        OwnKind::OutOfMemory => out_of_memory(evidence),
        OwnKind::Hook => {
            Candidate::new(Cause::HookFailed, "its hook may fail").field(Field::from(ContainerField::PostStart))
        }
        OwnKind::Node => Candidate::new(Cause::NodeTrouble, "its node may have ended it").at_most(Confidence::Medium),
    };
    let candidate = candidate.needs(evidence.unexplained <= end.count, "how most of its ends came about").proven(
        end.strength,
        end.last,
        fact(end),
    );
    Some(if end.strength == Strength::Seen { candidate } else { candidate.at_most(Confidence::Medium) })
}

fn out_of_memory(evidence: &Evidence) -> Candidate {
    let candidate = Candidate::new(Cause::OutOfMemory, "its memory limit may be too low");
    match &evidence.container.memory_limit {
        Some(limit) => candidate.field(Field::from(ContainerField::MemoryLimit)).current(text(&**limit)),
        None => candidate,
    }
}

fn fact(end: &OwnEnd) -> String {
    let times = if end.count == 1 { "once".to_owned() } else { format!("{} times", end.count) };
    let exit = end.exit;
    match end.kind {
        OwnKind::OutOfMemory => format!("killed at its memory limit {times}"),
        OwnKind::Hook => format!("its postStart hook failed {times}"),
        OwnKind::Node => format!("ended with its node {times}, with code {exit}"),
        OwnKind::Crash | OwnKind::Exit | OwnKind::Signal => match signal(exit) {
            Some(signal) => format!("exited {times} with code {exit} ({signal}; no probe involved)"),
            None => format!("exited {times} with code {exit} (no probe involved)"),
        },
    }
}

/// The signal that an exit code above 128 stands for.
fn signal(exit: i32) -> Option<&'static str> {
    Some(match exit {
        130 => "SIGINT",
        132 => "SIGILL",
        134 => "SIGABRT",
        135 => "SIGBUS",
        136 => "SIGFPE",
        137 => "SIGKILL",
        139 => "SIGSEGV",
        143 => "SIGTERM",
        _ => return None,
    })
}

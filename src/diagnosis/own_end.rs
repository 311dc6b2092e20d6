//! Containers that end by themselves.

use super::Verdict;
use super::evidence::{Evidence, OwnEnd, OwnKind};
use super::verdict::text;
use crate::finding::{Cause, Confidence};

/// The most frequent way in which it ended by itself.
pub fn ended_by_itself(evidence: &Evidence) -> Option<Verdict> {
    let end = evidence.own.main()?;
    if end.count < evidence.unexplained {
        return None;
    }
    let verdict = match end.kind {
        OwnKind::Crash => crash(end),
        OwnKind::Exit => Verdict::new(Cause::Exits, confidence(end))
            .or_else("a probe kill of an app that obeys SIGTERM, if events are missing"),
        OwnKind::Signal => Verdict::new(Cause::KilledExternally, Confidence::Medium)
            .or_else(format!("{}: a child of the app may have been at the limit", Cause::OutOfMemory))
            .or_else(format!("{}: the app may end itself with this code", Cause::Crash)),
        OwnKind::OutOfMemory => out_of_memory(evidence),
        OwnKind::Hook => Verdict::new(Cause::HookFailed, Confidence::High).field("lifecycle.postStart"),
        OwnKind::Node => Verdict::new(Cause::NodeTrouble, Confidence::Medium)
            .or_else(format!("{}: the runtime lost the container's exit code", Cause::Unknown)),
    };
    Some(verdict.because(end.last, fact(end)))
}

fn crash(end: &OwnEnd) -> Verdict {
    Verdict::new(Cause::Crash, confidence(end))
        .or_else("a probe kill of an app that exits with this code on SIGTERM, if events are missing")
}

/// Sure where the end was seen, or the exit code is none that SIGTERM or SIGKILL leaves.
fn confidence(end: &OwnEnd) -> Confidence {
    if end.seen { Confidence::High } else { Confidence::Medium }
}

fn out_of_memory(evidence: &Evidence) -> Verdict {
    let verdict = Verdict::new(Cause::OutOfMemory, Confidence::High);
    match &evidence.container.memory_limit {
        Some(limit) => verdict.field("resources.limits.memory").current(text(&**limit)),
        None => verdict,
    }
}

fn fact(end: &OwnEnd) -> String {
    let times = if end.count == 1 { "once".to_owned() } else { format!("{} times", end.count) };
    let exit = end.exit;
    match end.kind {
        OwnKind::OutOfMemory => format!("killed at its memory limit {times}"),
        OwnKind::Hook => format!("its postStart hook failed {times}"),
        OwnKind::Node => format!("ended with its node {times}, exit code {exit}"),
        OwnKind::Crash | OwnKind::Exit | OwnKind::Signal => match signal(exit) {
            Some(signal) => format!("ended by itself {times}, exit code {exit} ({signal})"),
            None => format!("ended by itself {times}, exit code {exit}"),
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

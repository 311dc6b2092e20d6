//! The progress of a recording, on standard error.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use crate::report::when::span;
use crate::source::cluster::Trouble;
use crate::source::recorder::Resource;
use crate::text::escape::terminal;
use crate::time::Time;

/// How often a line is written if it cannot be redrawn.
const SELDOM: Duration = Duration::from_mins(1);

/// Maximum length of a file name, in columns.
const NAME: usize = 200;

/// One line: redrawn every second on a terminal, written once a minute elsewhere.
pub struct Progress {
    start: Time,
    last: Cell<Option<Time>>,
    drawn: bool,
}

impl Progress {
    /// For a recording that begins now.
    pub fn new(now: Time) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self { start: now, last: Cell::new(None), drawn: !dumb && io::stderr().is_terminal() }
    }

    /// Prints the progress.
    pub fn say(&self, now: Time, lines: impl Fn(Resource) -> u64, bytes: u64, failing: &[(Resource, Trouble)]) {
        let is_due = self.last.get().is_none_or(|last| now.since(last) >= SELDOM);
        if !self.drawn && !is_due {
            return;
        }
        self.last.set(Some(now));
        let text =
            format!("recording {}: {}{}{}", span(now.since(self.start)), counts(lines), size(bytes), notified(failing));
        if self.drawn {
            write(&format!("\r\u{1b}[K{text}"));
        } else {
            write(&format!("{text}\n"));
        }
    }

    /// Prints the result.
    pub fn end(self, now: Time, lines: impl Fn(Resource) -> u64, file: &Path, failing: &[(Resource, Trouble)]) {
        let over = if self.drawn { "\r\u{1b}[K" } else { "" };
        let file = terminal(&file.display().to_string(), NAME);
        let to = if file == "-" { "stdout" } else { &file };
        let length = span(now.since(self.start));
        write(&format!("{over}recorded {length} to {to}: {}{}\n", counts(lines), notified(failing)));
        if file != "-" {
            write(&format!("hint: probehound replay {file} shows what it holds; look into it before you share it\n"));
        }
    }
}

fn counts(lines: impl Fn(Resource) -> u64) -> String {
    let (pods, events) = (lines(Resource::Pods), lines(Resource::Events));
    let all: u64 = Resource::ALL.into_iter().map(lines).sum();
    format!("{pods} pods, {events} events, {} related objects", all - pods - events)
}

/// `, 1.2 MiB`
fn size(bytes: u64) -> String {
    let kib = bytes as f64 / 1024.0;
    if kib < 1024.0 { format!(", {kib:.0} KiB") } else { format!(", {:.1} MiB", kib / 1024.0) }
}

/// `; not recorded: controllerrevisions (forbidden)`
fn notified(failing: &[(Resource, Trouble)]) -> String {
    let each: Vec<String> =
        failing.iter().map(|(resource, trouble)| format!("{} ({})", resource.plural(), trouble.word())).collect();
    if each.is_empty() { String::new() } else { format!("; not recorded now: {}", each.join(", ")) }
}

fn write(text: &str) {
    let mut err = io::stderr().lock();
    // Failing to print is no reason to stop.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_counted_in_three_kinds() {
        let lines = |resource| match resource {
            Resource::Pods => 7,
            Resource::Events => 5,
            Resource::Services | Resource::Jobs => 1,
            _ => 0,
        };
        assert_eq!(counts(lines), "7 pods, 5 events, 2 related objects");
        assert_eq!(size(2048), ", 2 KiB");
        assert_eq!(size(3 << 20), ", 3.0 MiB");
    }

    #[test]
    fn what_cannot_be_recorded_is_named() {
        assert_eq!(notified(&[]), "");
        let failing = [(Resource::ControllerRevisions, Trouble::Forbidden)];
        assert_eq!(notified(&failing), "; not recorded now: controllerrevisions (forbidden)");
    }
}

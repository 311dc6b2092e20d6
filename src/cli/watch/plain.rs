//! Lines for output that is not a terminal: one for each change that matters to people.

use std::io::{self, Write};
use std::sync::mpsc::Receiver;

use super::news::{News, Sight, Unusable};
use crate::cli::error::Error;
use crate::cli::quiet_when_closed;
use crate::cli::replay::Skipped;
use crate::engine::{Change, ChangeKind};
use crate::report::plain::line;
use crate::report::update::{FindingUpdate, Kind};
use crate::report::when::{clock, day};
use crate::text::escape::terminal;

/// Maximum length of a trouble, in columns.
const TROUBLE: usize = 300;

/// Prints until there is no more, or the reader stops.
///
/// # Errors
/// The source could not be read, or standard output could not be written.
pub fn show(source: &str, news: Receiver<News>, out: impl Write) -> Result<(), Error> {
    let mut lines = Lines { out, skipped: Skipped::new(source), sight: Sight::default() };
    for item in news {
        match item {
            News::Change(change) => match lines.change(&change) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                written => quiet_when_closed(written)?,
            },
            News::Unusable(Unusable { line, what, is_whole: true }) => lines.skipped.report(line, &what),
            News::Unusable(Unusable { line, what, is_whole: false }) => lines.skipped.odd(line, &what),
            News::Source(sight) => lines.sight(sight),
            News::Over(outcome) => {
                lines.skipped.finish();
                return outcome;
            }
            News::ToldToEnd => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}

struct Lines<'a, W> {
    out: W,
    skipped: Skipped<'a>,
    sight: Sight,
}

impl<W: Write> Lines<'_, W> {
    /// `2026-11-22 14:00:24 CONFIRMED critical auth-service (Deployment, namespace prod): …`
    fn change(&mut self, change: &Change) -> io::Result<()> {
        let (finding, at) = (&change.finding, change.at);
        let (word, kind) = match change.kind {
            ChangeKind::Suspected => ("SUSPECTED", Kind::Opened),
            ChangeKind::Confirmed => ("CONFIRMED", Kind::Opened),
            // A suspected finding changes with each further pod.
            ChangeKind::Updated if finding.confirmed_at.is_some() => ("UPDATED", Kind::Changed),
            ChangeKind::Resolved => ("RESOLVED", Kind::Resolved),
            ChangeKind::Withdrawn => ("WITHDRAWN", Kind::Withdrawn),
            ChangeKind::Updated | ChangeKind::Counted => return Ok(()),
        };
        let told = line(&FindingUpdate { kind, finding: finding.clone(), before: None }, at);
        let severity = finding.severity;
        writeln!(self.out, "{} {} {word} {severity} {told}", day(at), clock(at))?;
        // Flushed so that a reader sees it at once.
        self.out.flush()
    }

    /// What cannot be observed is reported once, and again when it can.
    fn sight(&mut self, sight: Sight) {
        let say = |text: &str| {
            // A closed standard error must not end the watch.
            let _ = writeln!(io::stderr().lock(), "{}", terminal(text, TROUBLE));
        };
        for trouble in sight.troubles.iter().filter(|trouble| !self.sight.troubles.contains(trouble)) {
            say(trouble);
        }
        if sight.troubles.is_empty() && !self.sight.troubles.is_empty() {
            say("all is seen again");
        }
        self.sight = sight;
    }
}

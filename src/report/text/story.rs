//! The story as it unfolds: a line or a block for each change.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;

use super::Look;
use super::layout::{pad_right, wrap};
use crate::engine::{Cause, Change, ChangeKind, Effect, Fact, Finding};
use crate::kubelet::ProbeKind;
use crate::report::headline::{headline, subject};
use crate::report::message::Message;
use crate::report::remedies::Line;
use crate::report::when::{clock, lasted, offset, span};
use crate::report::wording::{field_is, restarts};
use crate::text::escape::terminal;
use crate::time::Time;

/// Indentation of a block's text, in columns: the time since the start is printed there.
const INDENT: usize = 10;
/// Maximum number of facts shown per finding.
const FACTS: usize = 5;
/// Maximum length of a sentence, in columns.
const SENTENCE: usize = 600;
/// Maximum length of a fact or remedy, in columns.
const FACT: usize = 300;

type Key = (Arc<str>, Arc<str>, Arc<str>, Effect, Option<ProbeKind>);

/// Writes changes in the order in which they arrive, and remembers what was written, to show what is new in
/// an update.
#[derive(Debug)]
pub struct Story {
    look: Look,
    start: Time,
    notified: BTreeMap<Key, Arc<Finding>>,
    previous: Option<Shape>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Shape {
    Line,
    Block,
}

impl Story {
    /// A story that began at `start`.
    pub fn new(start: Time, look: Look) -> Self {
        Self { look, start, notified: BTreeMap::new(), previous: None }
    }

    /// Writes a change: nothing if only counts changed.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn tell(&mut self, change: &Change, out: &mut impl Write) -> fmt::Result {
        let finding = &change.finding;
        let before = match change.kind {
            ChangeKind::Counted => return Ok(()),
            ChangeKind::Resolved | ChangeKind::Withdrawn => self.notified.remove(&key(finding)),
            _ => self.notified.insert(key(finding), Arc::clone(finding)),
        };
        match change.kind {
            ChangeKind::Suspected | ChangeKind::Withdrawn => self.line(change, out),
            ChangeKind::Resolved => self.resolved(change, out),
            ChangeKind::Confirmed | ChangeKind::Updated => match Message::from_change(change, before.as_deref()) {
                Some(message) => self.whole(change, &message, out),
                None => Ok(()),
            },
            ChangeKind::Counted => Ok(()),
        }
    }

    /// `+1m40s    suspected: web (Deployment, namespace prod): WrongPath?`
    fn line(&mut self, change: &Change, out: &mut impl Write) -> fmt::Result {
        self.separate(Shape::Line, out)?;
        let finding = &change.finding;
        let who = subject(finding);
        let what = match (change.kind, finding.cause) {
            (ChangeKind::Withdrawn, _) => format!("withdrawn: {who}: {}", finding.effect),
            (_, Cause::Unknown) => format!("suspected: {who}: {}", finding.effect),
            (_, cause) => format!("suspected: {who}: {cause}?"),
        };
        let faint = self.look.palette.faint;
        let room = self.look.width.saturating_sub(INDENT);
        writeln!(out, "{}{faint}{}{faint:#}", self.time(change), terminal(&what, room))?;
        match field_is(finding).filter(|_| change.kind == ChangeKind::Suspected) {
            Some(field) => self.sentence(&field.to_string(), out),
            None => Ok(()),
        }
    }

    /// A block with the full message.
    fn whole(&mut self, change: &Change, message: &Message, out: &mut impl Write) -> fmt::Result {
        self.head(change, message, out)?;
        for sentence in message.sentences() {
            self.sentence(&sentence.to_string(), out)?;
        }
        self.facts(&message.facts, out)?;
        if let Some(sentence) = &message.doubt {
            self.sentence(sentence, out)?;
        }
        self.remedies(&message.remedies, out)
    }

    fn resolved(&mut self, change: &Change, out: &mut impl Write) -> fmt::Result {
        self.separate(Shape::Block, out)?;
        let finding = &change.finding;
        let good = self.look.palette.good;
        writeln!(
            out,
            "{}{good}RESOLVED{good:#} after {}, {}",
            self.time(change),
            span(lasted(finding, change.at)),
            restarts(finding.restarts)
        )?;
        self.sentence(&headline(finding), out)
    }

    /// The block's first line, and the headline below it.
    fn head(&mut self, change: &Change, message: &Message, out: &mut impl Write) -> fmt::Result {
        self.separate(Shape::Block, out)?;
        let style = self.look.palette.severity(message.severity);
        let episode = match change.finding.episodes {
            0 | 1 => String::new(),
            episode => format!(", episode {episode}"),
        };
        writeln!(out, "{}{style}{}, {}{style:#}{episode}", self.time(change), message.word, message.severity)?;
        let bold = self.look.palette.headline;
        for line in wrap(&terminal(&message.headline, SENTENCE), self.room()) {
            writeln!(out, "{:INDENT$}{bold}{line}{bold:#}", "")?;
        }
        Ok(())
    }

    /// A blank line around blocks, none between lines.
    fn separate(&mut self, shape: Shape, out: &mut impl Write) -> fmt::Result {
        let previous = self.previous.replace(shape);
        match previous {
            Some(previous) if previous == Shape::Block || shape == Shape::Block => writeln!(out),
            _ => Ok(()),
        }
    }

    fn time(&self, change: &Change) -> String {
        let faint = self.look.palette.faint;
        let offset = pad_right(&offset(change.at, self.start), INDENT);
        format!("{faint}{offset}{faint:#}")
    }

    fn sentence(&self, sentence: &str, out: &mut impl Write) -> fmt::Result {
        for line in wrap(&terminal(sentence, SENTENCE), self.room()) {
            writeln!(out, "{:INDENT$}{line}", "")?;
        }
        Ok(())
    }

    /// Each with its time of day; if there are many, the first ones and the last.
    fn facts(&self, facts: &[Fact], out: &mut impl Write) -> fmt::Result {
        let (first, last) = match facts.len() {
            0..=FACTS => (facts, &[][..]),
            all => (&facts[..FACTS / 2], &facts[all - FACTS / 2..]),
        };
        self.fact_lines(first, out)?;
        if !last.is_empty() {
            self.hanging("…", &format!("{} more", facts.len() - first.len() - last.len()), out)?;
        }
        self.fact_lines(last, out)
    }

    fn fact_lines(&self, facts: &[Fact], out: &mut impl Write) -> fmt::Result {
        facts.iter().try_for_each(|fact| self.hanging(&clock(fact.at), &terminal(&fact.what, FACT), out))
    }

    fn remedies(&self, remedies: &[Line], out: &mut impl Write) -> fmt::Result {
        for Line { label, text, is_command } in remedies {
            let label = format!("{}:", label.word());
            if *is_command {
                let style = self.look.palette.remedy;
                writeln!(out, "{:INDENT$}  {}{style}{text}{style:#}", "", pad_right(&label, 10))?;
            } else {
                self.hanging(&label, &terminal(text, FACT), out)?;
            }
        }
        Ok(())
    }

    /// A label and a text beside it; both already escaped.
    fn hanging(&self, label: &str, text: &str, out: &mut impl Write) -> fmt::Result {
        let faint = self.look.palette.faint;
        for (index, line) in wrap(text, self.room().saturating_sub(12)).iter().enumerate() {
            let label = pad_right(if index == 0 { label } else { "" }, 10);
            writeln!(out, "{:INDENT$}  {faint}{label}{faint:#}{line}", "")?;
        }
        Ok(())
    }

    fn room(&self) -> usize {
        self.look.width.saturating_sub(INDENT)
    }
}

fn key(finding: &Finding) -> Key {
    (
        Arc::clone(&finding.namespace),
        Arc::clone(&finding.workload),
        Arc::clone(&finding.container),
        finding.effect,
        finding.probe,
    )
}

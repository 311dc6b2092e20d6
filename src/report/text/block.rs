//! A finding as a block: who, what, since when, why, and what to type.

use std::fmt::{self, Write};
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::Look;
use super::layout::{fold, pad_right, wrap};
use crate::engine::{Fact, Finding, Severity, Standing};
use crate::report::headline::headline;
use crate::report::min_ready;
use crate::report::remedies::{self, Line};
use crate::report::when::{clock, day, day_if_another, span};
use crate::report::wording::{changed_by, doubt, extent, field_is, guarded, telling};
use crate::text::escape::terminal;
use crate::time::Time;

/// Maximum length of a sentence, in columns.
const SENTENCE: usize = 600;
/// Width of a label, in columns.
const LABEL: usize = 10;
/// Durations shorter than this are not mentioned.
const A_WHILE: Duration = Duration::from_secs(10);

/// The level of detail.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Depth {
    /// What to know and to do.
    Short,
    /// What happened, if the remedies are printed elsewhere.
    Story,
    /// All evidence, and the candidates considered.
    Full,
}

/// The output of blocks.
pub struct Page<'o, W> {
    /// The layout.
    pub look: Look,
    /// Where to.
    pub out: &'o mut W,
    /// The time of the scan, or of the end of the recording.
    pub at: Time,
}

impl<W: Write> Page<'_, W> {
    /// Writes the block of a finding.
    ///
    /// # Errors
    /// Those of the output.
    pub fn block(&mut self, finding: &Finding, depth: Depth) -> fmt::Result {
        self.title(finding)?;
        self.hanging("reach", &extent(finding).to_string())?;
        if let Some(since) = since(finding, self.at, depth) {
            self.hanging("since", &since)?;
        }
        if let Some(field) = field_is(finding) {
            self.hanging("field", &field.to_string())?;
        }
        if let Some(change) = changed_by(finding) {
            self.hanging("change", &change.to_string())?;
        }
        if let Some(guard) = guarded(finding) {
            self.hanging("guard", &guard.to_string())?;
        }
        if let Some(advice) = &finding.min_ready {
            self.hanging("prevent", &min_ready::sentence(advice))?;
        }
        self.evidence(finding, depth)?;
        if let Some(doubt) = doubt(finding) {
            self.hanging("sure", &doubt)?;
        }
        if depth == Depth::Full {
            self.considered(finding)?;
        }
        if depth == Depth::Story {
            return Ok(());
        }
        self.remedies(finding, depth)?;
        match &finding.example {
            Some(pod) => self.hanging("example", &format!("pod {pod}")),
            None => Ok(()),
        }
    }

    fn title(&mut self, finding: &Finding) -> fmt::Result {
        let (style, bold) = (self.look.palette.severity(finding.severity), self.look.palette.headline);
        let room = self.look.width.saturating_sub(LABEL).max(LABEL);
        let text = terminal(&headline(finding), SENTENCE);
        for (place, line) in wrap(&text, room).iter().flat_map(|line| fold(line, room)).enumerate() {
            let label = pad_right(if place == 0 { word(finding) } else { "" }, LABEL);
            writeln!(self.out, "{style}{label}{style:#}{bold}{line}{bold:#}")?;
        }
        Ok(())
    }

    /// The most informative fact, or all of them.
    fn evidence(&mut self, finding: &Finding, depth: Depth) -> fmt::Result {
        let facts: Vec<&Fact> = match depth {
            Depth::Short | Depth::Story => {
                telling(&finding.evidence, finding.change.as_ref()).into_iter().take(1).collect()
            }
            Depth::Full => finding.evidence.iter().collect(),
        };
        for (place, fact) in facts.into_iter().enumerate() {
            self.hanging(if place == 0 { "seen" } else { "" }, &format!("{} {}", clock(fact.at), fact.what))?;
        }
        Ok(())
    }

    /// The best remedy, or all of them.
    fn remedies(&mut self, finding: &Finding, depth: Depth) -> fmt::Result {
        let most = if depth == Depth::Full { usize::MAX } else { 1 };
        for line in remedies::lines(finding).iter().take(most) {
            self.remedy(line)?;
        }
        Ok(())
    }

    fn considered(&mut self, finding: &Finding) -> fmt::Result {
        for (place, one) in finding.considered.iter().enumerate() {
            let standing = match one.standing {
                Standing::Named => "named",
                Standing::Possible => "possible",
                Standing::Contradicted => "ruled out",
            };
            self.hanging(if place == 0 { "causes" } else { "" }, &format!("{} ({standing})", one.cause))?;
            for (sign, facts) in [("+", &one.explains), ("?", &one.lacks), ("-", &one.against)] {
                for fact in facts {
                    self.hanging("", &format!("  {sign} {fact}"))?;
                }
            }
        }
        Ok(())
    }

    /// A label and a text beside it.
    fn hanging(&mut self, label: &str, text: &str) -> fmt::Result {
        let faint = self.look.palette.faint;
        let room = self.look.width.saturating_sub(LABEL).max(LABEL);
        let lines = wrap(&terminal(text, SENTENCE), room);
        for (place, line) in lines.iter().flat_map(|line| fold(line, room)).enumerate() {
            let label = pad_right(if place == 0 { label } else { "" }, LABEL - 2);
            writeln!(self.out, "  {faint}{label}{faint:#}{line}")?;
        }
        Ok(())
    }

    /// Writes a text with that indentation.
    ///
    /// # Errors
    /// Those of the output.
    pub fn indented(&mut self, columns: usize, text: &str) -> fmt::Result {
        let room = self.look.width.saturating_sub(columns + 2);
        for (place, line) in wrap(&terminal(text, SENTENCE), room).iter().flat_map(|line| fold(line, room)).enumerate()
        {
            let more = if place == 0 { columns } else { columns + 2 };
            writeln!(self.out, "{:more$}{line}", "")?;
        }
        Ok(())
    }

    /// A command is on one line, however long, so that it can be copied.
    fn remedy(&mut self, line: &Line) -> fmt::Result {
        let (label, remedy) = (line.label.word().to_lowercase(), &*line.text);
        if !line.is_command {
            return self.hanging(&label, remedy);
        }
        let (faint, style) = (self.look.palette.faint, self.look.palette.remedy);
        if LABEL + remedy.width() <= self.look.width {
            let label = pad_right(&label, LABEL - 2);
            return writeln!(self.out, "  {faint}{label}{faint:#}{style}{remedy}{style:#}");
        }
        writeln!(self.out, "  {faint}{label}{faint:#}")?;
        writeln!(self.out, "{style}{remedy}{style:#}")
    }
}

/// The severity, or that it is resolved, or only suspected.
pub const fn word(finding: &Finding) -> &'static str {
    match (finding.resolved_at, finding.confirmed_at, finding.severity) {
        (Some(_), _, _) => "RESOLVED",
        (_, None, _) => "SUSPECTED",
        (_, _, Severity::Critical) => "CRITICAL",
        (_, _, Severity::Warning) => "WARNING",
        (_, _, Severity::Info) => "INFO",
    }
}

/// `first sign 14:00:12 UTC, 4m10s before the look`; `None` if it was first seen now. For a story, when it
/// began and ended.
fn since(finding: &Finding, now: Time, depth: Depth) -> Option<String> {
    if depth == Depth::Story {
        return Some(lasted(finding, now));
    }
    let first = finding.evidence.iter().map(|fact| fact.at).chain([finding.opened_at]).min()?;
    let (day, time, long) = (day_if_another(first, now), clock(first), now.since(first));
    (long >= A_WHILE).then(|| format!("first sign {day}{time} UTC, {} before the look", span(long)))
}

/// `2026-11-22 14:00:12 to 14:04:22 UTC (4m10s)`
fn lasted(finding: &Finding, end: Time) -> String {
    let (from, to) = (finding.opened_at, finding.resolved_at.unwrap_or(end));
    let (day, long) = (day(from), span(to.since(from)));
    match finding.resolved_at {
        Some(_) => format!("{day} {} to {}{} UTC ({long})", clock(from), day_if_another(to, from), clock(to)),
        None => format!("{day} {} UTC, it goes on at the end ({long})", clock(from)),
    }
}

/// Writes the findings of a recording: all of them, including resolved ones.
///
/// # Errors
/// Those of `out`.
pub fn story<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    end: Time,
    look: Look,
    out: &mut impl Write,
) -> fmt::Result {
    for (place, finding) in findings.enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        Page { look, out, at: end }.block(finding, Depth::Story)?;
    }
    Ok(())
}

//! A message as text, between bars: a preview of the chat message.

use std::fmt::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::Look;
use super::layout::{fold, pad_right, wrap};
use crate::report::message::{Message, Word};
use crate::report::remedies::Line;
use crate::report::when::clock;
use crate::text::escape::terminal;

/// Maximum length of a sentence, in columns.
const SENTENCE: usize = 600;
/// Width of a label, in columns: a time of day or `Fix:`.
const LABEL: usize = 10;

/// Writes the message, each line after `| `, none wider than the layout allows: a longer command continues
/// in the next line.
///
/// # Errors
/// Those of `out`.
pub fn write(message: &Message, look: Look, out: &mut impl Write) -> fmt::Result {
    let mut page = Page { look, out };
    let (style, bold, good) = (look.palette.severity(message.severity), look.palette.headline, look.palette.good);
    match message.word {
        Word::Resolved => page.line(&format!("{good}{}{good:#}", message.word))?,
        word => page.line(&format!("{style}{word}, {}{style:#}", message.severity))?,
    }
    for line in wrap(&terminal(&message.headline, SENTENCE), page.room()) {
        page.line(&format!("{bold}{line}{bold:#}"))?;
    }
    for sentence in message.sentences() {
        page.hanging("", &sentence.to_string())?;
    }
    for fact in &message.facts {
        page.hanging(&clock(fact.at), &fact.what)?;
    }
    if let Some(doubt) = &message.doubt {
        page.hanging("", doubt)?;
    }
    for remedy in &message.remedies {
        page.remedy(remedy)?;
    }
    Ok(())
}

struct Page<'o, W> {
    look: Look,
    out: &'o mut W,
}

impl<W: Write> Page<'_, W> {
    fn line(&mut self, text: &str) -> fmt::Result {
        let faint = self.look.palette.faint;
        writeln!(self.out, "  {faint}|{faint:#} {text}")
    }

    /// A label and a text beside it; without a label the text has the whole width.
    fn hanging(&mut self, label: &str, text: &str) -> fmt::Result {
        let faint = self.look.palette.faint;
        let indent = if label.is_empty() { 0 } else { LABEL };
        let room = self.room() - indent;
        let lines = wrap(&terminal(text, SENTENCE), room);
        for (index, line) in lines.iter().flat_map(|line| fold(line, room)).enumerate() {
            let label = pad_right(if index == 0 { label } else { "" }, indent);
            self.line(&format!("{faint}{label}{faint:#}{line}"))?;
        }
        Ok(())
    }

    /// A command that does not fit beside its label is placed below it.
    fn remedy(&mut self, remedy: &Line) -> fmt::Result {
        let label = format!("{}:", remedy.label.word());
        let text = terminal(&remedy.text, SENTENCE);
        if !remedy.is_command || LABEL + text.width() <= self.room() {
            return self.hanging(&label, &remedy.text);
        }
        let (faint, style) = (self.look.palette.faint, self.look.palette.remedy);
        self.line(&format!("{faint}{label}{faint:#}"))?;
        fold(&text, self.room()).iter().try_for_each(|line| self.line(&format!("{style}{line}{style:#}")))
    }

    fn room(&self) -> usize {
        self.look.width.saturating_sub(4).max(2 * LABEL)
    }
}

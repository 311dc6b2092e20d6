//! A message for Slack as text, between bars: the same words in the same order, without the markup for bold
//! and code.

use std::fmt::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::Look;
use super::layout::{fold, wrap};
use crate::report::slack::{Block, Payload};
use crate::text::escape::terminal;

/// Delimits a block of code.
const FENCE: &str = "```";
/// Indentation of a block of code, and additional indentation of its continuation lines.
const INDENT: usize = 2;
/// Maximum length of a line, in columns: no part of a message is longer.
const LONGEST: usize = 3000;

/// Writes the phone notification and the channel's content, each line after `| `, none wider than the
/// layout allows.
///
/// # Errors
/// Those of `out`.
pub fn write(payload: &Payload, look: Look, out: &mut impl Write) -> fmt::Result {
    let mut page = Page { look, out };
    page.prose(&format!("phone: {}", payload.text), Tone::Faint)?;
    for block in &payload.blocks {
        match block {
            Block::Section { text } => page.section(&text.text)?,
            Block::Context { elements } => {
                elements.iter().try_for_each(|element| page.prose(&element.text, Tone::Faint))?;
            }
            Block::Divider {} => page.line("---", Tone::Faint)?,
        }
    }
    Ok(())
}

/// The style of a line.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Tone {
    Plain,
    Bold,
    Code,
    Faint,
}

struct Page<'o, W> {
    look: Look,
    out: &'o mut W,
}

impl<W: Write> Page<'_, W> {
    /// Every other piece between fences is code.
    fn section(&mut self, text: &str) -> fmt::Result {
        for (index, piece) in text.split(FENCE).enumerate() {
            for line in piece.lines().filter(|line| !line.is_empty()) {
                if index % 2 == 1 { self.code(line)? } else { self.prose(line, Tone::Plain)? }
            }
        }
        Ok(())
    }

    fn prose(&mut self, line: &str, tone: Tone) -> fmt::Result {
        let (text, emphasised) = without_stars(line);
        let tone = if emphasised { Tone::Bold } else { tone };
        self.wrapped(&text, [0, 0], tone)
    }

    fn code(&mut self, line: &str) -> fmt::Result {
        self.wrapped(line, [INDENT, 2 * INDENT], Tone::Code)
    }

    /// The wrapped text, the first and the other lines indented by `indents`.
    fn wrapped(&mut self, text: &str, indents: [usize; 2], tone: Tone) -> fmt::Result {
        let [first, others] = indents;
        let room = |indent: usize| self.look.width.saturating_sub(4 + indent).max(20);
        let text = terminal(&plain(text), LONGEST);
        // A command that fits into one line is not broken for the indentation of continuation lines.
        let room = if text.width() <= room(first) { room(first) } else { room(others) };
        let lines = wrap(&text, room).into_iter().flat_map(|line| fold(&line, room));
        for (index, line) in lines.enumerate() {
            let indent = if index == 0 { first } else { others };
            self.line(&format!("{}{line}", " ".repeat(indent)), tone)?;
        }
        Ok(())
    }

    fn line(&mut self, text: &str, tone: Tone) -> fmt::Result {
        let palette = self.look.palette;
        let faint = palette.faint;
        let style = match tone {
            Tone::Plain => anstyle::Style::new(),
            Tone::Bold => palette.headline,
            Tone::Code => palette.remedy,
            Tone::Faint => faint,
        };
        writeln!(self.out, "  {faint}|{faint:#} {style}{text}{style:#}")
    }
}

/// The line without the stars that make words bold, and whether there were any. A star within a word or
/// within code is kept.
fn without_stars(line: &str) -> (String, bool) {
    let characters: Vec<char> = line.chars().collect();
    let mut in_code = false;
    let (mut text, mut emphasised) = (String::with_capacity(line.len()), false);
    for (at, &character) in characters.iter().enumerate() {
        in_code ^= character == '`';
        let is_word = |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(|c| c.is_alphanumeric());
        if character == '*' && !in_code && !(is_word(at.checked_sub(1)) && is_word(Some(at + 1))) {
            emphasised = true;
        } else {
            text.push(character);
        }
    }
    (text, emphasised)
}

/// The text with Slack's three entities decoded.
fn plain(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_make_bold_and_others_are_stars() {
        assert_eq!(without_stars(":red_circle: *web: it ends*"), (":red_circle: web: it ends".to_owned(), true));
        assert_eq!(without_stars("a*b and `/*` there"), ("a*b and `/*` there".to_owned(), false));
    }

    #[test]
    fn entities_are_read_once() {
        assert_eq!(plain("a &lt;b&gt; &amp;lt;"), "a <b> &lt;");
    }
}

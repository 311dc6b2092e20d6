//! Prints the result of a recording: the story while it is replayed, the rest at its end.

use std::io::{self, Write};
use std::rc::Rc;

use super::Outcome;
use super::progress::Progress;
use super::skipped::Skipped;
use crate::cli::args::Output;
use crate::cli::pace::{Pace, Speed};
use crate::engine::Change;
use crate::replay::Replayed;
use crate::report::json::{Document, Line};
use crate::report::postmortem;
use crate::report::text::story::Story;
use crate::report::text::{Look, advice, block};
use crate::report::when::span;
use crate::text::escape::visible;
use crate::time::Time;

/// The output options, the same for all files.
#[derive(Copy, Clone, Debug)]
pub struct Setting {
    /// The format.
    pub output: Output,
    /// Whether a document lists the candidates considered.
    pub explain: bool,
    /// The speed of the story.
    pub speed: Speed,
    /// The layout.
    pub look: Look,
    /// Whether someone is watching it unfold.
    pub flush: bool,
    /// Whether each file has a heading.
    pub headings: bool,
}

/// Prints one recording.
pub struct Narrator<'a, W> {
    setting: Setting,
    story: Option<Story>,
    spans: Option<(Time, Time)>,
    pace: Pace,
    skipped: Skipped<'a>,
    progress: Rc<Progress>,
    out: &'a mut W,
    written: io::Result<()>,
}

impl<'a, W: Write> Narrator<'a, W> {
    /// For the recording of that name.
    pub fn new(name: &'a str, setting: Setting, progress: Rc<Progress>, out: &'a mut W) -> Self {
        let mut narrator = Self {
            setting,
            story: None,
            spans: None,
            pace: Pace::new(setting.speed),
            skipped: Skipped::new(name),
            progress,
            out,
            written: Ok(()),
        };
        if setting.headings && setting.output == Output::Text {
            narrator.write(&format!("==> {} <==\n\n", visible(name)));
        }
        narrator
    }

    /// Prints the rest.
    ///
    /// # Errors
    /// The first write error since the start.
    pub fn finish(mut self, outcome: &Outcome) -> io::Result<()> {
        self.progress.clear();
        self.skipped.finish();
        let text = match self.setting.output {
            Output::Json => {
                let document = Document {
                    findings: &outcome.findings,
                    observations: outcome.replayed.observations,
                    skipped: outcome.replayed.skipped,
                };
                if self.setting.explain { document.explain()? } else { document.render()? }
            }
            Output::Changes => String::new(),
            Output::Markdown => postmortem::write(&outcome.cases, outcome.replayed.last.unwrap_or_default()),
            Output::Text => self.summary(outcome).map_err(io::Error::other)?,
        };
        self.write(&text);
        if self.setting.flush && self.written.is_ok() {
            self.out.flush()?;
        }
        self.written
    }

    fn summary(&self, outcome: &Outcome) -> Result<String, std::fmt::Error> {
        use std::fmt::Write;

        let look = self.setting.look;
        let bold = look.palette.headline;
        let mut text = String::new();
        let (start, end) = self.spans.unwrap_or_default();
        if outcome.findings.is_empty() {
            writeln!(text, "{}", no_findings(outcome))?;
        } else {
            if self.story.is_some() {
                text.push('\n');
            }
            writeln!(text, "{bold}Findings{bold:#}")?;
            block::story(outcome.findings.iter().map(AsRef::as_ref), end, look, &mut text)?;
            let mut advice = String::new();
            advice::write(outcome.findings.iter().map(AsRef::as_ref), look, &mut advice)?;
            if !advice.is_empty() {
                write!(text, "\n{bold}What to type{bold:#}\n{advice}")?;
            }
        }
        let Replayed { observations, skipped, odd, .. } = outcome.replayed;
        let spanned = span(end.since(start));
        write!(text, "\n{observations} observations in {spanned}, {skipped} lines skipped")?;
        match odd {
            0 => text.push_str(".\n"),
            1 => text.push_str(", 1 odd field passed over.\n"),
            _ => writeln!(text, ", {odd} odd fields passed over.")?,
        }
        if self.setting.headings {
            text.push('\n');
        }
        Ok(text)
    }

    /// After the first failure nothing more is written.
    fn write(&mut self, text: &str) {
        if self.written.is_ok() {
            self.progress.clear();
            self.written = self.out.write_all(text.as_bytes());
        }
    }
}

/// Claims no more than what was read supports.
const fn no_findings(outcome: &Outcome) -> &'static str {
    match outcome.replayed {
        Replayed { observations: 0, .. } => "Not a recording: no line of it could be used.",
        Replayed { error: Some(_), .. } => "No findings in what could be read.",
        _ => "No findings: nothing here restarts in a loop or is held up by a probe.",
    }
}

impl<W: Write> Narrator<'_, W> {
    /// Time has reached `at`: called once per line, before its effects.
    pub fn reached(&mut self, at: Time) {
        let (start, end) = self.spans.unwrap_or((at, at));
        self.spans = Some((start, end.max(at)));
        if self.written.is_ok() {
            self.pace.wait_for(at);
        }
    }

    /// The engine has published a change.
    pub fn changed(&mut self, change: &Change) {
        match self.setting.output {
            Output::Json | Output::Markdown => return,
            Output::Changes => return self.line(change),
            Output::Text => {}
        }
        let (start, _) = *self.spans.get_or_insert((change.at, change.at));
        let look = self.setting.look;
        let mut text = String::new();
        let notified = self.story.get_or_insert_with(|| Story::new(start, look)).tell(change, &mut text);
        if notified.is_err() {
            self.written = Err(io::Error::other("a change could not be put into words"));
        }
        self.write(&text);
        if self.setting.flush && self.written.is_ok() {
            self.written = self.out.flush();
        }
    }

    fn line(&mut self, change: &Change) {
        match Line::render(change) {
            Ok(Some(line)) => self.write(&line),
            Ok(None) => {}
            Err(error) => self.written = Err(error.into()),
        }
        if self.setting.flush && self.written.is_ok() {
            self.written = self.out.flush();
        }
    }

    /// A line, counted from 1, is used without a field, and why.
    pub fn odd(&mut self, line: u64, why: &str) {
        self.progress.clear();
        self.skipped.odd(line, why);
    }

    /// A line, counted from 1, cannot be used, and why.
    pub fn skipped(&mut self, line: u64, why: &str) {
        self.progress.clear();
        self.skipped.report(line, why);
    }
}

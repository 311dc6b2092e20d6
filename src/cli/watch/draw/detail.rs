//! One finding in detail: its message, what to type, and what its pods did.

use std::ops::Range;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Room, Styles, timeline};
use crate::cli::watch::screen::Screen;
use crate::engine::Finding;
use crate::report::headline::headline;
use crate::report::remedies;
use crate::report::text::block::word;
use crate::report::text::wrapped;
use crate::report::when::{clock, day_if_another, lasted, span};
use crate::report::wording::{changed_by, doubt, extent, field_is, over, worst};
use crate::text::escape::{terminal, visible};

/// Width of a label, in columns.
const LABEL: usize = 10;
/// Maximum length of a sentence, in columns.
const SENTENCE: usize = 600;

/// All lines, to be scrolled.
pub(super) fn lines(screen: &Screen, styles: &Styles, room: Room) -> Vec<Line<'static>> {
    let Some(finding) = screen.chosen() else {
        return vec![Line::raw("It is no longer known.")];
    };
    let mut page = Page { styles, width: room.width, lines: Vec::new() };
    page.title(finding);
    page.sentences(finding, screen);
    page.remedies(finding, 0..1);
    page.lines.push(Line::default());
    let left = room.height.saturating_sub(page.lines.len());
    page.lines.extend(timeline::lines(finding, screen, styles, Room { height: left, ..room }));
    page.lines.push(Line::default());
    page.remedies(finding, 1..usize::MAX);
    page.evidence(finding);
    page.lines
}

struct Page<'a> {
    styles: &'a Styles,
    width: usize,
    lines: Vec<Line<'static>>,
}

impl Page<'_> {
    fn title(&mut self, finding: &Finding) {
        let text = headline(finding);
        self.beside(word(finding), self.styles.state(finding), &text, self.styles.headline);
    }

    fn sentences(&mut self, finding: &Finding, screen: &Screen) {
        let now = screen.now.unwrap_or(finding.opened_at);
        if let Some(at) = finding.resolved_at {
            self.label("over", &over(finding, at).to_string());
            self.label("reach", &worst(finding).to_string());
        } else {
            self.label("reach", &extent(finding).to_string());
            let (day, long) = (day_if_another(finding.opened_at, now), span(lasted(finding, now)));
            self.label("since", &format!("{day}{} UTC ({long})", clock(finding.opened_at)));
        }
        if let Some(field) = field_is(finding) {
            self.label("field", &field.to_string());
        }
        if let Some(change) = changed_by(finding) {
            self.label("change", &change.to_string());
        }
    }

    /// The remedies in this range of the order, best first; a command is shown in full.
    fn remedies(&mut self, finding: &Finding, places: Range<usize>) {
        if finding.resolved_at.is_some() {
            return;
        }
        for line in remedies::lines(finding).into_iter().skip(places.start).take(places.len()) {
            let style = if line.is_command { self.styles.remedy } else { Style::new() };
            let text = if line.is_command { visible(&line.text) } else { terminal(&line.text, SENTENCE) };
            self.beside(&line.label.word().to_lowercase(), self.styles.faint, &text, style);
        }
    }

    fn evidence(&mut self, finding: &Finding) {
        for (place, fact) in finding.evidence.iter().enumerate() {
            let label = if place == 0 { "seen" } else { "" };
            self.label(label, &format!("{} {}", clock(fact.at), fact.what));
        }
        if let Some(doubt) = doubt(finding) {
            self.label("sure", &doubt);
        }
        if let Some(pod) = &finding.example {
            self.label("example", &format!("pod {pod}"));
        }
    }

    fn label(&mut self, label: &str, text: &str) {
        self.beside(label, self.styles.faint, &terminal(text, SENTENCE), Style::new());
    }

    /// A label, and a text beside it.
    fn beside(&mut self, label: &str, of_label: Style, text: &str, of_text: Style) {
        let room = self.width.saturating_sub(LABEL).max(LABEL);
        for (place, line) in wrapped(&visible(text), room).into_iter().enumerate() {
            let label = format!("{:LABEL$}", if place == 0 { label } else { "" });
            self.lines.push(Line::from(vec![Span::styled(label, of_label), Span::styled(line, of_text)]));
        }
    }
}

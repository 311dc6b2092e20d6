//! The list of findings, a row each.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::columns::{Column, GAP, widths};
use super::{Reach, Room, Styles};
use crate::cli::watch::screen::{Origin, Screen};
use crate::engine::{Finding, Pods};
use crate::report::text::block::word;
use crate::report::text::wrapped;
use crate::report::when::span;
use crate::text::escape::{cut, terminal};

/// Maximum length of a cell, in columns.
const CELL: usize = 300;
/// Columns before a row: the mark of the selected one.
const MARK: usize = 2;

/// The columns, from left to right; whether they can be left out, and the order in which they give way:
/// names last.
const COLUMNS: [(&str, bool, u8); 8] = [
    ("STATE", false, 5),
    ("AGE", true, 3),
    ("NAMESPACE", false, 6),
    ("WORKLOAD", false, 7),
    ("CONTAINER", true, 0),
    ("CAUSE", true, 4),
    ("PODS", true, 2),
    ("WORKS", true, 1),
];

/// The header and the page of rows with the selected one, or a message if there are none.
pub(super) fn lines(screen: &Screen, styles: &Styles, room: Room) -> (Vec<Line<'static>>, Reach) {
    let rows = screen.findings.rows();
    let page = room.height.saturating_sub(1).max(1);
    let reach = Reach { scroll: 0, page: page as u16 };
    if rows.is_empty() {
        let lines = wrapped(&nothing(screen), room.width).into_iter().map(Line::raw);
        return (std::iter::once(Line::default()).chain(lines).collect(), reach);
    }
    let chosen = screen.findings.place(&rows);
    let first = chosen / page * page;
    let shown = &rows[first..rows.len().min(first + page)];
    let cells: Vec<[String; 8]> = shown.iter().map(|finding| cells(finding, screen)).collect();
    let columns: [Column; 8] = std::array::from_fn(|place| {
        let (name, may_go, gives_way) = COLUMNS[place];
        let widest = cells.iter().map(|cells| cells[place].width()).max().unwrap_or(0);
        let wants = if widest == 0 { 0 } else { widest.max(name.width()) };
        Column { wants, least: name.width(), may_go, gives_way }
    });
    let widths = widths(&columns, room.width.saturating_sub(MARK));
    let header = COLUMNS.map(|(name, ..)| name.to_owned());
    let mut lines = vec![line("  ", &header, &widths, |_| styles.faint)];
    for (place, (finding, cells)) in shown.iter().zip(&cells).enumerate() {
        let is_chosen = first + place == chosen;
        let style = |column| match column {
            0 => styles.state(finding),
            7 => styles.remedy,
            _ if finding.resolved_at.is_some() => styles.faint,
            _ => Style::new(),
        };
        let line = line(if is_chosen { "> " } else { "  " }, cells, &widths, style);
        lines.push(if is_chosen { filled(line, room.width).patch_style(styles.chosen) } else { line });
    }
    (lines, reach)
}

fn line(mark: &'static str, cells: &[String; 8], widths: &[usize], style: impl Fn(usize) -> Style) -> Line<'static> {
    let mut spans = vec![Span::raw(mark)];
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate().filter(|(_, (_, width))| **width > 0) {
        let cell = cut(cell, *width);
        let gap = " ".repeat(width.saturating_sub(cell.width()) + GAP);
        spans.push(Span::styled(cell, style(column)));
        spans.push(Span::raw(gap));
    }
    Line::from(spans)
}

/// Fills the line up to the right edge, so that a row is highlighted completely.
fn filled(mut line: Line<'static>, width: usize) -> Line<'static> {
    line.push_span(Span::raw(" ".repeat(width.saturating_sub(line.width()))));
    line
}

/// Escaped texts.
fn cells(finding: &Finding, screen: &Screen) -> [String; 8] {
    let age = screen.now.map(|now| span(now.since(finding.opened_at))).unwrap_or_default();
    let works = finding.suggested.as_ref().map(ToString::to_string).unwrap_or_default();
    [
        word(finding).to_owned(),
        age,
        terminal(&finding.namespace, CELL),
        terminal(&finding.workload, CELL),
        terminal(&finding.container, CELL),
        finding.cause.word().to_owned(),
        pods(finding.pods),
        terminal(&works, CELL),
    ]
}

/// `50/50`
fn pods(pods: Pods) -> String {
    match pods {
        Pods { affected, total: 0 } => affected.to_string(),
        Pods { affected, total } => format!("{affected}/{total}"),
    }
}

/// Why the list is empty: no more than is known.
fn nothing(screen: &Screen) -> String {
    let (open, over) = screen.findings.count();
    if open + over > 0 {
        return "No finding fits the filter.".to_owned();
    }
    match screen.origin {
        Origin::Recording if screen.ended.is_none() => "No findings yet.",
        Origin::Recording => "No findings: nothing here restarts in a loop or is held up by a probe.",
        Origin::Cluster if !screen.sight.is_listed => "Waiting for the first list of pods and events.",
        Origin::Cluster if !screen.sight.troubles.is_empty() => {
            "No findings in what can be seen. What cannot be seen is said below."
        }
        Origin::Cluster => "No findings: nothing restarts in a loop or is held up by a probe now.",
    }
    .to_owned()
}

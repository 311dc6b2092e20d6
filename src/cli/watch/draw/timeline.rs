//! The timeline of a finding's pods: one lane each, the worst first.

use std::time::Duration;

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::{Room, Styles};
use crate::cli::watch::lane::{Cell, Turn, Window};
use crate::cli::watch::pods::PodLane;
use crate::cli::watch::screen::Screen;
use crate::engine::Finding;
use crate::report::headline::kind_and_name;
use crate::report::when::{clock, day_if_another};
use crate::text::escape::terminal;
use crate::time::Time;

/// Maximum number of slices of a lane, however wide the terminal.
const MAX_SLICES: usize = 120;
/// Minimum number of lanes shown, with scrolling if necessary.
const LEAST: usize = 3;
/// Maximum number of lanes shown.
const MAX_LANES: usize = 200;
/// Lines besides the lanes: the times, what is left out, the legend, and a blank one.
const BESIDE: usize = 4;
/// Width of the restarts after a lane, in columns.
const RESTARTS: usize = 5;
/// How much time before the finding is shown.
const BEFORE: Duration = Duration::from_secs(30);
/// A rollout up to this long before is taken for the beginning.
const ROLLOUT: Duration = Duration::from_mins(10);
/// Minimum time shown.
const SHORTEST: Duration = Duration::from_mins(1);

/// The times, the lanes, the number of further ones, and the legend.
pub(super) fn lines(finding: &Finding, screen: &Screen, styles: &Styles, room: Room) -> Vec<Line<'static>> {
    let window = window(finding, screen.now.unwrap_or(finding.opened_at));
    let lanes = screen.pods.lanes(finding, window);
    if lanes.is_empty() {
        return vec![Line::styled("pods      none of them was seen in this time", styles.faint)];
    }
    let shown = room.height.saturating_sub(BESIDE).clamp(LEAST, MAX_LANES).min(lanes.len());
    let prefix = format!("{}-", kind_and_name(&finding.workload).1);
    let names: Vec<String> = lanes[..shown].iter().map(|lane| name(lane, &prefix, room.width / 3)).collect();
    let label = names.iter().map(|name| name.width()).max().unwrap_or(0).max(8) + 2;
    let slices = room.width.saturating_sub(label + RESTARTS).min(MAX_SLICES);
    let mut drawn = vec![axis(window, label, slices, styles)];
    let mut seen = Vec::new();
    for (lane, name) in lanes[..shown].iter().zip(names) {
        let cells = lane.lane.cells(window, slices);
        seen.extend_from_slice(&cells);
        let mut spans = vec![Span::raw(padded(&name, label))];
        spans.extend(runs(&cells, styles));
        let restarts = lane.lane.count(Turn::Restarted, window);
        let restarts = if restarts == 0 { String::new() } else { format!(" {restarts}R") };
        spans.push(Span::styled(restarts, styles.faint));
        drawn.push(Line::from(spans));
    }
    if lanes.len() > shown {
        drawn.push(Line::styled(format!("and {} more", lanes.len() - shown), styles.faint));
    }
    drawn.push(Line::styled(legend(&seen), styles.faint));
    drawn
}

/// From the rollout that caused it, or a little before it began, until now or its resolution.
fn window(finding: &Finding, now: Time) -> Window {
    let began = finding.opened_at.minus(BEFORE);
    let rollout = finding.change.as_ref().and_then(|change| change.at);
    let rollout = rollout.filter(|at| finding.opened_at.since(*at) <= ROLLOUT).map(|at| at.minus(BEFORE));
    let from = rollout.map_or(began, |rollout| rollout.min(began));
    let to = finding.resolved_at.map_or(now, |over| over.plus(BEFORE).min(now)).max(finding.opened_at);
    Window { from: from.min(to.minus(SHORTEST)), to }
}

/// The pod's name without that of its workload, cut at the front if necessary.
fn name(lane: &PodLane<'_>, prefix: &str, room: usize) -> String {
    let name = lane.pod.strip_prefix(prefix).filter(|rest| !rest.is_empty()).unwrap_or(lane.pod);
    let name = terminal(name, 300);
    let count = name.chars().count();
    // The end of a name distinguishes pods.
    if count <= room { name } else { format!("…{}", name.chars().skip(count + 1 - room).collect::<String>()) }
}

/// `14:00:12            14:04:22 UTC`
fn axis(window: Window, label: usize, slices: usize, styles: &Styles) -> Line<'static> {
    let from = format!("{}{}", day_if_another(window.from, window.to), clock(window.from));
    let to = format!("{} UTC", clock(window.to));
    let gap = " ".repeat(slices.saturating_sub(from.width() + to.width()).max(1));
    Line::styled(format!("{}{from}{gap}{to}", padded("pods", label)), styles.faint)
}

/// Adjacent cells of one kind become one span.
fn runs(cells: &[Cell], styles: &Styles) -> Vec<Span<'static>> {
    let of_one_kind = cells.chunk_by(|one, other| one == other);
    of_one_kind
        .map(|run| {
            let marks: String = run.iter().map(|cell| cell.mark()).collect();
            Span::styled(marks, style(run[0], styles))
        })
        .collect()
}

fn style(cell: Cell, styles: &Styles) -> Style {
    match cell {
        Cell::Absent | Cell::Unready => Style::new(),
        Cell::Ready => styles.good,
        Cell::Ended | Cell::Waiting => styles.faint,
        Cell::ProbeFailed => styles.warning,
        Cell::Restarted => styles.critical(),
    }
}

/// The legend of the marks in use.
fn legend(seen: &[Cell]) -> String {
    let shown = Cell::SHOWN.into_iter().filter(|cell| seen.contains(cell));
    shown.map(|cell| format!("{} {}", cell.mark(), cell.word())).collect::<Vec<_>>().join("  ")
}

fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

//! Draws the screen: a function of its state and the available space.

mod columns;
mod detail;
mod help;
mod list;
mod style;
mod timeline;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

pub use style::Styles;

use super::screen::{Mode, Origin, Reach, Screen};
use crate::report::when::clock;
use crate::text::escape::cut;

/// Minimum size; it is designed for 80 columns and 24 rows.
const LEAST: (u16, u16) = (60, 10);

/// Draws everything; returns how much there was room for.
pub fn draw(screen: &Screen, styles: &Styles, frame: &mut Frame<'_>) -> Reach {
    let area = frame.area();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        too_small(frame);
        return Reach::default();
    }
    let width = usize::from(area.width);
    let [title, body, status, keys] = parts(area);
    put(frame, title, &[title_line(screen, styles, width)]);
    let room = Room { width, height: usize::from(body.height) };
    let (lines, reach) = body_lines(screen, styles, room);
    put(frame, body, &lines);
    put(frame, status, &[status_line(screen, styles, width)]);
    put(frame, keys, &[Line::styled(cut(&keys_of(screen), width), styles.faint)]);
    reach
}

/// The size of a part of the screen.
#[derive(Copy, Clone, Debug)]
struct Room {
    width: usize,
    height: usize,
}

fn body_lines(screen: &Screen, styles: &Styles, room: Room) -> (Vec<Line<'static>>, Reach) {
    let text = match &screen.mode {
        Mode::List | Mode::Filter => return list::lines(screen, styles, room),
        Mode::Help(_) => help::lines(styles),
        Mode::Detail(_) => detail::lines(screen, styles, room),
    };
    let height = room.height as u16;
    let reach = Reach { scroll: (text.len() as u16).saturating_sub(height), page: height };
    let from = usize::from(screen.scroll.min(reach.scroll));
    (text.into_iter().skip(from).take(room.height).collect(), reach)
}

/// A title, the body, a status line, and a line for the keys.
fn parts(area: Rect) -> [Rect; 4] {
    let row = |y, height| Rect { y, height, ..area };
    let bottom = area.height;
    [row(0, 1), row(1, bottom - 3), row(bottom - 2, 1), row(bottom - 1, 1)]
}

fn put(frame: &mut Frame<'_>, area: Rect, lines: &[Line<'_>]) {
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        frame.buffer_mut().set_line(area.x, y, line, area.width);
    }
}

fn too_small(frame: &mut Frame<'_>) {
    let Rect { width, height, .. } = frame.area();
    let (least_width, least_height) = LEAST;
    let text =
        [format!("too small: {width}×{height}"), format!("needs {least_width}×{least_height}"), "q quits".to_owned()];
    let area = frame.area();
    put(frame, area, &text.map(Line::raw));
}

/// The source on the left, the counts on the right.
fn title_line(screen: &Screen, styles: &Styles, width: usize) -> Line<'static> {
    let time = screen.now.map(|now| format!(", {} UTC", clock(now))).unwrap_or_default();
    let right = format!("{}{time}", count(screen));
    let room = width.saturating_sub(right.width() + 2);
    let left = cut(&format!("probehound watch: {}", screen.source), room);
    let gap = " ".repeat(width.saturating_sub(left.width() + right.width()));
    Line::from(vec![Span::styled(left, styles.headline), Span::raw(gap), Span::raw(right)])
}

/// `3 findings, 1 over`
fn count(screen: &Screen) -> String {
    let (open, over) = screen.findings.count();
    let findings = if open == 1 { "1 finding".to_owned() } else { format!("{open} findings") };
    let over = if over == 0 { String::new() } else { format!(", {over} over") };
    let more = match screen.findings.left_out() {
        0 => String::new(),
        more => format!(", {more} more left out"),
    };
    format!("{findings}{over}{more}")
}

/// The last message, what cannot be observed, or that it has ended.
fn status_line(screen: &Screen, styles: &Styles, width: usize) -> Line<'static> {
    if screen.mode == Mode::Filter {
        return Line::styled(cut(&format!("filter: {}_", screen.findings.filter), width), styles.headline);
    }
    if let Some(note) = &screen.note {
        return Line::styled(cut(note, width), styles.headline);
    }
    if let [first, rest @ ..] = &screen.sight.troubles[..] {
        let more = if rest.is_empty() { String::new() } else { format!("; {}", rest.join("; ")) };
        return Line::styled(cut(&format!("{first}{more}"), width), styles.warning);
    }
    if let Some(ended) = &screen.ended {
        return Line::styled(cut(ended, width), styles.headline);
    }
    let filter = &screen.findings.filter;
    if !filter.is_empty() {
        return Line::styled(cut(&format!("filter: {filter} (Esc shows all)"), width), styles.headline);
    }
    let watched = match (screen.origin, screen.unusable()) {
        (Origin::Recording, 0) => String::new(),
        (Origin::Recording, lines) => format!("{lines} lines could not be used as they are"),
        (Origin::Cluster, _) => format!("{} pods are watched", screen.pods.len()),
    };
    Line::styled(cut(&watched, width), styles.faint)
}

fn keys_of(screen: &Screen) -> String {
    let keys = match screen.mode {
        Mode::List => {
            let sort = screen.findings.sort.word();
            return format!("↑↓ choose  Enter show  / filter  s sort ({sort})  c copy  ? help  q quit");
        }
        Mode::Filter => "Enter keeps the filter  Esc shows all",
        Mode::Detail(_) => "↑↓ scroll  Esc back  c copy the command  ? help  q quit",
        Mode::Help(_) => "↑↓ scroll  Esc back",
    };
    keys.to_owned()
}

#[cfg(test)]
mod tests;

//! The keys and the marks.

use ratatui::text::{Line, Span};

use super::Styles;
use crate::cli::watch::lane::Cell;

/// Columns of a key.
const KEY: usize = 24;

const KEYS: [(&str, &str); 12] = [
    ("↑ ↓, k j", "choose, or scroll"),
    ("PgUp PgDn, Space", "a page up or down"),
    ("Home End, g G", "first or last; the first one stays the worst"),
    ("Enter, →, l", "show the finding: what to type, and a lane for each pod"),
    ("Esc, ←, h", "back to the list; there: show all again"),
    ("/", "filter: words of namespace, workload, container, effect, cause, state"),
    ("s", "sort: worst, newest, most pods, name"),
    ("c, y", "copy the command (OSC 52; in tmux with set-clipboard on)"),
    ("?", "this help"),
    ("q, Ctrl-C", "quit"),
    ("", ""),
    ("", "Nothing is written, neither in the cluster nor anywhere else."),
];

/// All of it.
pub(super) fn lines(styles: &Styles) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("Keys", styles.headline)];
    lines.extend(KEYS.iter().map(|(key, what)| Line::from(format!("  {key:KEY$}{what}"))));
    lines.push(Line::default());
    lines.push(Line::styled("A lane: the worst of each slice of time", styles.headline));
    lines.extend(
        Cell::SHOWN
            .iter()
            .map(|cell| Line::from(vec![Span::raw(format!("  {:KEY$}", cell.mark())), Span::raw(cell.word())])),
    );
    lines
}

//! The keys and the marks.

use ratatui::text::{Line, Span};

use super::Styles;
use crate::cli::watch::lane::Cell;

/// Width of a key, in columns.
const KEY: usize = 19;

const KEYS: [(&str, &str); 12] = [
    ("↑ ↓, k j", "choose, or scroll"),
    ("PgUp PgDn, Space", "a page up or down"),
    ("Home End, g G", "the first or the last; the first one stays the worst"),
    ("Enter, →, l", "show the finding: what to type, and a lane for each pod"),
    ("Esc, ←, h", "back to the list; there: show all again"),
    ("/", "filter by words of namespace, workload, container, cause"),
    ("s", "sort: worst, newest, most pods, name"),
    ("c, y", "copy the command (OSC 52; tmux: set-clipboard on)"),
    ("?", "this help"),
    ("q, Ctrl-C", "quit"),
    ("", ""),
    ("", "Nothing is changed, in the cluster or elsewhere."),
];

/// All lines.
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

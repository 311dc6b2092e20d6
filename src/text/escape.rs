//! Makes text from a cluster harmless and visible on a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text with every character that a terminal would interpret, or a person could not see, as a visible
/// escape: `\n`, `\u{1b}`, `\u{202e}`.
///
/// Covers control and format characters (ANSI sequences, bidirectional overrides, zero widths),
/// line and paragraph separators, unusual spaces, combining marks, private and unassigned ones.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if is_visible(character) => out.push(character),
            _ if looks_empty(character) => out.extend(character.escape_unicode()),
            _ => out.extend(character.escape_debug()),
        }
    }
    out
}

/// Whether a terminal draws the character on its own and interprets it in no other way.
pub fn is_visible(character: char) -> bool {
    match character {
        ' '..='~' => true,
        _ => !looks_empty(character) && character.escape_debug().len() == 1,
    }
}

/// The text cut to that many terminal columns; an ellipsis marks the cut.
pub fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used >= columns {
            break;
        }
        out.push(character);
    }
    if columns > 0 {
        out.push('…');
    }
    out
}

/// [`visible`], then [`cut`].
pub fn terminal(text: &str, columns: usize) -> String {
    // Anything beyond a few bytes per column is cut anyway: no need to escape a megabyte first.
    let head: String = text.chars().take(columns.saturating_mul(4).saturating_add(1)).collect();
    cut(&visible(&head), columns)
}

/// Letters that are drawn as nothing, although Unicode classifies them as printable.
const fn looks_empty(character: char) -> bool {
    matches!(character, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_upon_becomes_visible() {
        assert_eq!(visible("\u{1b}[2Jweb"), "\\u{1b}[2Jweb");
        assert_eq!(visible("a\r\nb\tc\0"), "a\\r\\nb\\tc\\0");
        assert_eq!(visible("\u{9b}31m"), "\\u{9b}31m");
    }

    #[test]
    fn what_a_person_could_not_see_becomes_visible() {
        assert_eq!(visible("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(visible("a\u{200b}b\u{feff}"), "a\\u{200b}b\\u{feff}");
        assert_eq!(visible("\u{2028}\u{a0}\u{3164}"), "\\u{2028}\\u{a0}\\u{3164}");
        assert_eq!(visible("e\u{301}"), "e\\u{301}");
        assert_eq!(visible("\u{e0041}"), "\\u{e0041}");
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        let text = r#"sh -c 'cat "/tmp/ok"' \ größer 健康"#;
        assert_eq!(visible(text), text);
    }

    #[test]
    fn a_cut_counts_columns_not_characters() {
        assert_eq!(cut("健康診断", 8), "健康診断");
        assert_eq!(cut("健康診断", 6), "健康…");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcdef", 1), "…");
        assert_eq!(cut("abcdef", 0), "");
    }

    #[test]
    fn a_megabyte_is_cut_like_anything_else() {
        assert_eq!(terminal(&"\u{1b}".repeat(1 << 20), 9), "\\u{1b}\\u…");
    }
}

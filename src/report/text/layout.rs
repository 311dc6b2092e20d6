//! Wrapping and padding of lines.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text broken at spaces into lines of at most that many columns. A longer word gets a line of its own.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= columns {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// The text broken anywhere into lines of at most that many columns.
pub fn fold(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for character in text.chars() {
        let width = character.width().unwrap_or(0);
        if used > 0 && used + width > columns {
            lines.push(String::new());
            used = 0;
        }
        used += width;
        lines.last_mut().expect("there is always a line").push(character);
    }
    lines
}

/// The text, padded on the right.
pub fn pad_right(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

/// The text, padded on the left.
pub fn pad_left(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_stay_whole() {
        assert_eq!(wrap("a path that is", 6), ["a path", "that", "is"]);
        assert_eq!(wrap("go /a/very/long/path", 6), ["go", "/a/very/long/path"]);
        assert_eq!(wrap("", 6), [""]);
    }

    #[test]
    fn a_folded_line_loses_nothing() {
        assert_eq!(fold("/a/very/long/path", 6), ["/a/ver", "y/long", "/path"]);
        assert_eq!(fold("健康診断", 5), ["健康", "診断"]);
        assert_eq!(fold("", 6), [""]);
        assert_eq!(fold("ab", 0), ["a", "b"]);
    }
}

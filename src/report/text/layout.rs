//! Lines within a width.

use unicode_width::UnicodeWidthStr;

/// The text in lines of at most that many columns, broken at spaces. A word that is longer stands
/// on a line of its own.
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

/// The text, filled up with spaces.
pub fn pad_right(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

/// The text behind spaces.
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
}

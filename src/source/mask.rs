//! Secrets masked and texts cut where they come in.

use std::borrow::Cow;

/// Longest name of an object, a container, a port, a header, in bytes.
pub const MAX_NAME: usize = 253;

/// Longest path, message and command line, in bytes.
pub const MAX_TEXT: usize = 1024;

/// Longest word of a command, in bytes.
pub const MAX_WORD: usize = 256;

/// Most words of a command.
pub const MAX_WORDS: usize = 64;

/// The beginning of `text`, of at most `max` bytes.
pub fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// A probe's path: the values of its query are masked.
pub fn path(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(cut(text, MAX_TEXT))
}

/// A message.
pub fn message(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(cut(text, MAX_TEXT))
}

/// The words of a command.
pub fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    words.into_iter().take(MAX_WORDS).map(|word| cut(word, MAX_WORD).to_owned()).collect()
}

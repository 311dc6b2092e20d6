//! Masks secrets and cuts texts where they enter.
//!
//! Anything that may be a secret becomes `***`: losing a word of a message is better than carrying a
//! password into a chat. Masked are the values of query parameters, the user part of URLs, the values of
//! headers, the arguments of options such as `-p`, `-u`, `--token`, assignments and JSON members with a
//! telling name, and JSON web tokens; in the words of a command, in a script that is one of its words, and
//! in messages that repeat either, however deeply quoted. Secrets recognisable by their shape are masked
//! anywhere, as `***(40)`, which states their length.

mod command;
mod keys;
mod quotes;
mod shapes;
mod url;

use std::borrow::Cow;

use crate::text::{MASK, cut};

pub use command::command;

/// Maximum length of the name of an object, a container, a port or a header, in bytes.
pub const MAX_NAME: usize = 253;

/// Maximum length of a path, message or command line, in bytes.
pub const MAX_TEXT: usize = 1024;

/// Maximum length of a word of a command, in bytes.
pub const MAX_WORD: usize = 256;

/// Maximum number of words of a command.
pub const MAX_WORDS: usize = 64;

/// Maximum number of bytes read of a message, so that a forged one costs little.
const MAX_READ: usize = 2 * MAX_TEXT;

/// A probe's path or host, masked and cut: the values of its query parameters are removed.
pub fn path(text: &str) -> Cow<'_, str> {
    let text = shapes::mask(cut(text, MAX_READ));
    if text.contains(['=', '@', '#']) || text.contains("eyJ") {
        Cow::Owned(cut(&url::mask_whole(&text), MAX_TEXT).to_owned())
    } else {
        shortened(text)
    }
}

/// A message, masked and cut.
pub fn message(text: &str) -> Cow<'_, str> {
    let text = shapes::mask(cut(text, MAX_READ));
    if keys::may_hold_secrets(&text) {
        Cow::Owned(cut(&command::text(&text), MAX_TEXT).to_owned())
    } else {
        shortened(text)
    }
}

fn shortened(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(cut(text, MAX_TEXT)),
        Cow::Owned(text) => Cow::Owned(cut(&text, MAX_TEXT).to_owned()),
    }
}

#[cfg(test)]
mod tests;

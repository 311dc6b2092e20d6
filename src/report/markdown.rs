//! Text for Markdown: nothing in it is interpreted.

use super::sentence::{Part, Sentence};
use crate::text::escape::{cut, visible};

/// Maximum length of a value, in columns.
const VALUE: usize = 200;

/// A sentence with what came from the cluster as code.
pub fn in_markdown(sentence: &Sentence) -> String {
    let part = |part: &Part| match part {
        Part::Words(words) => plain(words),
        Part::Name(text) | Part::Value(text) => code(text),
    };
    sentence.parts().iter().map(part).collect()
}

/// Text from a cluster as code, which it cannot terminate.
pub fn code(text: &str) -> String {
    format!("`{}`", cut(&visible(text), VALUE).replace('`', "'"))
}

/// Text without anything that Markdown or HTML would interpret.
pub fn plain(text: &str) -> String {
    let mut out = String::new();
    for character in cut(&visible(text), VALUE * 3).chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '!' | '~' | '@' => {
                out.push('\\');
                out.push(character);
            }
            _ => out.push(character),
        }
    }
    out
}

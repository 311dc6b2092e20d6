//! What is said of a text that is no value of what it is to be.

use super::escape::terminal;

/// Longest value that is repeated in a refusal, in columns.
const SHOWN: usize = 60;

/// Why a text is no value of its setting.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what}")]
pub struct Refusal {
    /// What is wrong with it.
    pub what: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Refusal {
    /// The text is not what it should be: `"15" is no duration`.
    pub fn of(text: &str, is_no: &str, hint: &str) -> Self {
        Self { what: format!("{} {is_no}", quoted(text)), hint: Some(hint.to_owned()) }
    }
}

/// A text as it is repeated to the person who wrote it.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", terminal(text, SHOWN))
}

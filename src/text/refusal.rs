//! Errors for invalid values.

use super::escape::terminal;

/// Maximum length of a value repeated in an error, in columns.
const SHOWN: usize = 60;

/// Why a text is not a valid value of its setting.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what}")]
pub struct Refusal {
    /// What is wrong with it.
    pub what: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Refusal {
    /// The text is not of the expected kind: `"15" is no duration`.
    pub fn new(text: &str, is_no: &str, hint: &str) -> Self {
        Self { what: format!("{} {is_no}", quoted(text)), hint: Some(hint.to_owned()) }
    }
}

/// A text quoted for the person who wrote it.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", terminal(text, SHOWN))
}

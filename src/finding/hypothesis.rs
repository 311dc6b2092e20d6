//! What else a finding could be.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Cause;

/// What else it could be; in documents `CAUSE: WORDS`, or the words alone where it is no cause of its own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Hypothesis {
    /// The cause, where it is one.
    pub cause: Option<Cause>,
    /// What it would mean: "the app may hang".
    pub what: String,
}

impl Hypothesis {
    /// One that is no cause of its own.
    pub fn without_cause(what: impl Into<String>) -> Self {
        Self { cause: None, what: what.into() }
    }
}

impl From<String> for Hypothesis {
    fn from(text: String) -> Self {
        let parts = text.split_once(": ").and_then(|(word, what)| Some((Cause::named(word)?, what)));
        match parts {
            Some((cause, what)) => Self { cause: Some(cause), what: what.to_owned() },
            None => Self::without_cause(text),
        }
    }
}

impl From<&str> for Hypothesis {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<Hypothesis> for String {
    fn from(hypothesis: Hypothesis) -> Self {
        hypothesis.to_string()
    }
}

impl fmt::Display for Hypothesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause {
            Some(cause) => write!(f, "{cause}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

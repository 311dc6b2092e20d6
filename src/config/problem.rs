//! What is wrong with a settings file, and where.

use std::fmt;

use serde_saphyr::Location;

use super::value::Refusal;
use crate::text::escape::terminal;

/// Maximum length of a problem, in columns.
const LINE: usize = 400;

/// A problem.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Line and column, both from 1; `None` if no position is to blame.
    pub at: Option<(u64, u64)>,
    /// What is wrong there, in one line.
    pub what: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// All problems of a file, in the order of its lines; never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problems {
    /// The file, as given by the user.
    pub file: String,
    /// The problems.
    pub all: Vec<Problem>,
}

impl Problem {
    /// A problem of the file as a whole.
    pub fn of_file(what: impl Into<String>) -> Self {
        Self { at: None, what: what.into(), hint: None }
    }

    /// A problem at a position.
    pub fn at(place: Location, what: impl Into<String>) -> Self {
        let at = (place.line() > 0).then(|| (place.line(), place.column()));
        Self { at, what: what.into(), hint: None }
    }

    /// An invalid value, with its key: `detection.window`.
    pub fn refused(place: Location, key: &str, refusal: Refusal) -> Self {
        Self { hint: refusal.hint, ..Self::at(place, format!("{key}: {}", refusal.what)) }
    }

    /// Adds a hint to the problem.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Problems {
    /// `probehound.yaml:12:5: unknown key …`: a problem in one line, safe for a terminal.
    pub fn line(&self, problem: &Problem) -> String {
        let place = problem.at.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
        terminal(&format!("{}{place}: {}", self.file, problem.what), LINE)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.all.first() else { return f.write_str(&self.file) };
        f.write_str(&self.line(first))?;
        match self.all.len() - 1 {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

impl std::error::Error for Problems {}

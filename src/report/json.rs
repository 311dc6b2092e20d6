//! The document that `replay -o json` prints.

use std::fmt::Write;
use std::sync::Arc;

use serde::Serialize;

use super::written::Written;
use crate::engine::{Change, ChangeKind, Considered, Finding};
use crate::text::escape::is_visible;
use crate::time::Time;

/// The result of a recording. What is absent in a finding is `null`.
#[derive(Debug)]
pub struct Document<'a> {
    /// One entry per finding, its last episode.
    pub findings: &'a [Arc<Finding>],
    /// Number of lines that were used.
    pub observations: u64,
    /// Number of lines that were skipped.
    pub skipped: u64,
}

/// The document, generic over the form of its findings.
#[derive(Serialize, Debug)]
struct Of<F> {
    findings: Vec<F>,
    observations: u64,
    skipped: u64,
}

#[derive(Serialize, Debug)]
struct WithCandidates<'a> {
    #[serde(flatten)]
    finding: Written<'a>,
    candidates: &'a [Considered],
}

impl<'a> WithCandidates<'a> {
    fn new(finding: &'a Arc<Finding>) -> Self {
        Self { finding: Written::new(finding), candidates: &finding.considered }
    }
}

/// One line of `replay -o changes`.
#[derive(Serialize, Debug)]
pub struct Line<'a> {
    /// When.
    pub at: Time,
    /// The kind of change: a word in lower case.
    pub kind: &'static str,
    /// The finding after it.
    pub finding: Written<'a>,
}

impl Line<'_> {
    /// The line for a change, including the line break; `None` if only counts changed.
    ///
    /// # Errors
    /// Does not fail for plain data.
    pub fn render(change: &Change) -> serde_json::Result<Option<String>> {
        let again = change.finding.episodes > 1;
        let kind = match change.kind {
            ChangeKind::Suspected => "suspected",
            ChangeKind::Confirmed if again => "reopened",
            ChangeKind::Confirmed => "confirmed",
            ChangeKind::Updated => "updated",
            ChangeKind::Withdrawn => "withdrawn",
            ChangeKind::Resolved => "resolved",
            ChangeKind::Counted => return Ok(None),
        };
        let mut text = serde_json::to_string(&Line { at: change.at, kind, finding: Written::new(&change.finding) })?;
        text.push('\n');
        Ok(Some(safe(text)))
    }
}

impl Document<'_> {
    /// The document, indented by two spaces, with a final line break.
    ///
    /// Characters of a finding that a terminal would interpret are written as JSON escapes, so that the
    /// document is safe to display and parses to the same values.
    ///
    /// # Errors
    /// Does not fail for plain data.
    pub fn render(&self) -> serde_json::Result<String> {
        pretty(&self.of(|finding| Written::new(finding)))
    }

    /// The document with the candidates of each finding, the chosen one first.
    ///
    /// # Errors
    /// Does not fail for plain data.
    pub fn explain(&self) -> serde_json::Result<String> {
        pretty(&self.of(WithCandidates::new))
    }

    fn of<'f, F>(&'f self, form: impl Fn(&'f Arc<Finding>) -> F) -> Of<F> {
        let findings = self.findings.iter().map(form).collect();
        Of { findings, observations: self.observations, skipped: self.skipped }
    }
}

/// An indented document, with a final line break.
///
/// # Errors
/// The value cannot be written as JSON.
pub fn pretty(document: &impl Serialize) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    Ok(safe(text))
}

/// A JSON document with invisible characters as JSON escapes; it parses to the same values.
pub(super) fn safe(text: String) -> String {
    if text.chars().all(is_safe) { text } else { escaped(&text) }
}

pub(super) fn is_safe(character: char) -> bool {
    character == '\n' || is_visible(character)
}

/// Outside of its strings a JSON document is plain ASCII: what is replaced here is inside a string.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_safe(character) {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

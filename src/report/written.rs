//! Findings in documents.

use schemars::JsonSchema;
use serde::Serialize;

use super::remedies;
use crate::finding::Finding;

/// A finding with its remedies in words: one JSON object of `replay -o json`.
#[derive(Serialize, JsonSchema, Debug)]
#[schemars(rename = "Finding")]
pub struct Written<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    /// What to type or do, best first.
    remedy: Vec<String>,
}

impl<'a> Written<'a> {
    /// A finding, to be written.
    pub fn new(finding: &'a Finding) -> Self {
        Self { finding, remedy: remedies::texts(finding) }
    }
}

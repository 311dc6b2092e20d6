//! How far a finding has come, as Kubernetes says such things: what `kubectl wait` waits for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FindingState;
use crate::engine::Finding;
use crate::report::headline::what_is_wrong;
use crate::report::limits::TEXT;
use crate::text::cut;
use crate::time::Time;

/// Whether a finding has come so far.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// How far.
    #[serde(rename = "type")]
    pub stage: Stage,
    /// Whether it has.
    pub status: Holds,
    /// In one word: the effect, the cause, `GoesOn`, `Resolved`, `Withdrawn`.
    #[schemars(length(max = TEXT))]
    pub reason: String,
    /// In one sentence.
    #[schemars(length(max = TEXT))]
    pub message: String,
    /// Since when.
    pub last_transition_time: Time,
}

/// How far a finding can come.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub enum Stage {
    /// Something speaks for it.
    Suspected,
    /// The evidence carries it.
    Confirmed,
    /// It is over.
    Resolved,
}

/// Whether a condition holds.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub enum Holds {
    /// It does.
    True,
    /// It does not.
    False,
}

impl Condition {
    /// The conditions of a finding, in the order in which they come to hold.
    pub fn from_finding(finding: &Finding, state: FindingState) -> Vec<Self> {
        let opened = finding.opened_at;
        let confirmed = finding.confirmed_at.unwrap_or(opened);
        let ended = finding.resolved_at.unwrap_or(confirmed);
        let suspected = (Holds::True, finding.effect.word(), "Something spoke for it first then.", opened);
        let wrong = what_is_wrong(finding) + ".";
        let (confirmed, resolved) = match state {
            FindingState::Confirmed => (
                (Holds::True, finding.cause.word(), &*wrong, confirmed),
                (Holds::False, "GoesOn", "It goes on.", opened),
            ),
            FindingState::Resolved => (
                (Holds::True, finding.cause.word(), &*wrong, confirmed),
                (Holds::True, "Resolved", "It is over.", ended),
            ),
            FindingState::Withdrawn => (
                (
                    Holds::False,
                    "Withdrawn",
                    "It never was one, another finding took its place, or its namespace is watched no more.",
                    ended,
                ),
                (Holds::True, "Withdrawn", "It was taken back.", ended),
            ),
        };
        let stages = [(Stage::Suspected, suspected), (Stage::Confirmed, confirmed), (Stage::Resolved, resolved)];
        stages
            .into_iter()
            .map(|(stage, (status, reason, message, since))| Self {
                stage,
                status,
                reason: reason.to_owned(),
                message: cut(message, TEXT).to_owned(),
                last_transition_time: since,
            })
            .collect()
    }
}

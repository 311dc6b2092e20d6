//! A message in its parts: what every receiver is told of a change, in the same words and order.
//! Raw text: each medium cuts and escapes it, and lays it out.

use super::headline::headline;
use super::sentences::{changed_by, doubt, extent, field_is, restarts};
use super::when::{lasted, span};
use crate::engine::{Change, ChangeKind, Fact, Finding, Severity};

/// What is told of a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// `CONFIRMED`, `UPDATED`, `RESOLVED`
    pub word: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Who it is about, and what is wrong, in one sentence without a full stop.
    pub headline: String,
    /// What else there is to say, a sentence or two each.
    pub sentences: Vec<String>,
    /// The facts that it rests on, in the order in which they happened.
    pub facts: Vec<Fact>,
    /// How sure it is and what else it could be; `None` where nothing else could.
    pub doubt: Option<String>,
    /// What to type or do, best first; none where it is over.
    pub remedies: Vec<String>,
}

impl Message {
    /// What is told of a change; `None` of one that is only shown. `before` is what was told of
    /// the finding last: where only its extent is news, the rest is not said again.
    pub fn of(change: &Change, before: Option<&Finding>) -> Option<Self> {
        let finding = &change.finding;
        let message = |word, sentences| Self {
            word,
            severity: finding.severity,
            headline: headline(finding),
            sentences,
            facts: Vec::new(),
            doubt: None,
            remedies: Vec::new(),
        };
        let word = match change.kind {
            ChangeKind::Suspected | ChangeKind::Counted | ChangeKind::Withdrawn => return None,
            ChangeKind::Resolved => {
                let lasted = span(lasted(finding, change.at));
                let sentence = format!("Over after {lasted}, with {}.", restarts(finding.restarts));
                return Some(message("RESOLVED", vec![sentence]));
            }
            ChangeKind::Updated if before.is_some_and(|before| same_diagnosis(before, finding)) => {
                return Some(message("UPDATED", vec![extent(finding)]));
            }
            ChangeKind::Updated => "UPDATED",
            ChangeKind::Confirmed => "CONFIRMED",
        };
        let sentences = [Some(extent(finding)), field_is(finding), changed_by(finding)];
        Some(Self {
            facts: finding.evidence.clone(),
            doubt: doubt(finding),
            remedies: finding.remedy.clone(),
            ..message(word, sentences.into_iter().flatten().collect())
        })
    }
}

/// Whether only its extent or severity changed.
fn same_diagnosis(a: &Finding, b: &Finding) -> bool {
    (a.cause, &a.field, &a.current, &a.suggested, a.confidence)
        == (b.cause, &b.field, &b.current, &b.suggested, b.confidence)
        && a.confirmed_at.is_some() == b.confirmed_at.is_some()
}

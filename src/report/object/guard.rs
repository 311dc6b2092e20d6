//! What the guard did about a finding, in its object: `status.guard`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::guard::{Guarded, Outcome, Refusal};
use crate::guard::{Act, Step};
use crate::report::limits::{NAME, TEXT};
use crate::text::cut;
use crate::time::Time;

/// Who writes what the guard did.
pub const GUARD_MANAGER: &str = "probehound-guard";

/// Maximum number of undos that are kept of a finding, newest first.
pub const ACTS: usize = 10;

/// What the guard did about a finding last, and every undo of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GuardStatus {
    /// What it did.
    pub outcome: Outcome,
    /// Why it did nothing, where it did nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// The same in words.
    #[schemars(length(max = TEXT))]
    pub message: String,
    /// The episode of the finding.
    pub episode: u32,
    /// The revision that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The revision that it went back to, or would have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_revision: Option<u64>,
    /// When.
    pub at: Time,
    /// Each undo for this finding, written before it is done and again afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = ACTS))]
    pub undos: Vec<UndoRecord>,
}

/// An undo.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UndoRecord {
    /// The Deployment's UID.
    #[schemars(length(max = NAME))]
    pub deployment: String,
    /// The hash of the template that was undone.
    #[schemars(length(max = NAME))]
    pub template: String,
    /// Its revision.
    pub revision: u64,
    /// The revision that was gone back to.
    pub to_revision: u64,
    /// The Deployment's generation before.
    pub generation: i64,
    /// When.
    pub at: Time,
    /// Whether it was carried out; otherwise it was about to be.
    pub done: bool,
}

impl GuardStatus {
    /// What is to be written of what the guard did, with the undos.
    pub fn new(guarded: &Guarded, message: &str, episode: u32, acts: &[Act]) -> Self {
        let mut acts: Vec<&Act> = acts.iter().collect();
        acts.sort_by_key(|act| std::cmp::Reverse(act.at));
        Self {
            outcome: guarded.outcome,
            refusal: guarded.refusal,
            message: cut(message, TEXT).to_owned(),
            episode,
            revision: guarded.revision,
            to_revision: guarded.to_revision,
            at: guarded.at,
            undos: acts.into_iter().take(ACTS).map(UndoRecord::new).collect(),
        }
    }

    /// What the guard did about that episode, if this is of it.
    pub fn guarded(&self, episode: u32) -> Option<Guarded> {
        let Self { outcome, refusal, revision, to_revision, at, .. } = *self;
        (self.episode == episode).then_some(Guarded { outcome, refusal, revision, to_revision, at })
    }

    /// The undos that it records.
    pub fn acts(&self) -> Vec<Act> {
        self.undos.iter().map(UndoRecord::act).collect()
    }
}

impl UndoRecord {
    fn new(act: &Act) -> Self {
        Self {
            deployment: cut(&act.deployment, NAME).to_owned(),
            template: cut(&act.template, NAME).to_owned(),
            revision: act.revision.min(i64::MAX as u64),
            to_revision: act.to_revision.min(i64::MAX as u64),
            generation: act.generation,
            at: act.at,
            done: act.step == Step::Done,
        }
    }

    fn act(&self) -> Act {
        Act {
            deployment: self.deployment.clone(),
            template: self.template.clone(),
            revision: self.revision,
            to_revision: self.to_revision,
            generation: self.generation,
            at: self.at,
            step: if self.done { Step::Done } else { Step::Intended },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undo_is_read_as_it_was_written_and_only_the_newest_are_kept() {
        let at = |seconds: i64| Time::from_millis(1_800_000_000_000 + seconds * 1000);
        let act = |number: u64| Act {
            deployment: "d-1".to_owned(),
            template: format!("hash-{number}"),
            revision: number + 1,
            to_revision: number,
            generation: 3,
            at: at(number as i64),
            step: if number == 12 { Step::Intended } else { Step::Done },
        };
        let acts: Vec<Act> = (1..=12).map(act).collect();
        let guarded =
            Guarded { outcome: Outcome::Undoing, refusal: None, revision: Some(13), to_revision: Some(12), at: at(12) };
        let status = GuardStatus::new(&guarded, "is undoing", 2, &acts);
        let read: GuardStatus = serde_json::from_value(serde_json::json!(status)).expect("a status");
        let newest: Vec<Act> = (3..=12).rev().map(act).collect();
        assert_eq!(read.acts(), newest);
        assert_eq!((read.guarded(2), read.guarded(3)), (Some(guarded), None), "another episode");
    }
}

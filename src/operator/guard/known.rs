//! What is known of the past from the Finding objects, and what a decision depends on.

use std::sync::Arc;

use crate::finding::guard::{Guarded, Outcome};
use crate::finding::{Cause, Confidence, Finding, Identity, Rollout};
use crate::guard::{Act, Past, Step};
use crate::operator::keeper::{Key, Refusal, Store, Stored};

/// What the objects record.
#[derive(Debug, Default)]
pub struct Known {
    /// The undos.
    pub past: Past,
    /// What was done about each finding.
    pub said: Vec<(Identity, (u32, Guarded))>,
    /// Undos that were intended, of which the outcome is not recorded.
    pub open: Vec<Open>,
}

/// An undo without an outcome.
#[derive(Debug)]
pub struct Open {
    /// The object that records it.
    pub key: Key,
    /// The Deployment's name.
    pub deployment: String,
    /// The finding, as the object has it.
    pub finding: Finding,
    /// The undo.
    pub act: Act,
}

/// What of a finding a decision depends on: while it is the same, so is the decision, unless the cluster
/// changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ground {
    episode: u32,
    cause: Cause,
    confidence: Confidence,
    revision: Option<u64>,
    rollout: Option<Arc<Rollout>>,
}

impl Ground {
    /// Of a finding.
    pub fn from_finding(finding: &Finding) -> Self {
        Self {
            episode: finding.episodes,
            cause: finding.cause,
            confidence: finding.confidence,
            revision: finding.revision,
            rollout: finding.rollout.clone(),
        }
    }
}

impl Known {
    /// Reads all objects.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn read(store: &Store) -> Result<Self, Refusal> {
        let mut known = Self::default();
        store.each(|object| known.take_in(object)).await?;
        Ok(known)
    }

    fn take_in(&mut self, object: &Stored) {
        let guard = object.status().and_then(|status| status.guard.as_ref());
        let (Some(guard), Some(key), Some((finding, _))) = (guard, object.key(), object.finding()) else { return };
        for act in guard.acts() {
            if act.step == Step::Intended && guard.outcome == Outcome::Undoing {
                let deployment = finding.workload.split_once('/').map_or("", |(_, name)| name).to_owned();
                self.open.push(Open { key: key.clone(), deployment, finding: finding.clone(), act: act.clone() });
            }
            self.past.add(act);
        }
        if let Some(guarded) = guard.guarded(finding.episodes) {
            self.said.push((finding.identity(), (finding.episodes, guarded)));
        }
    }
}

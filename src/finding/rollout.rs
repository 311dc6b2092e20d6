//! The rollout that a finding began with, as far as this process observed it.

use std::sync::Arc;
use std::time::Duration;

use super::Finding;
use crate::time::Time;

/// A status shows what a Killing event says within this time, unless the grace period or a preStop hook delays
/// the end.
const STATUS_WITHIN: Duration = Duration::from_secs(5);

/// The rollout of the failing pods' template: what an automatic undo may rest on.
///
/// It is observed, never read from an object, since somebody else may have written that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rollout {
    /// The hash by which the failing pods' revision is told from others.
    pub template: Arc<str>,
    /// When that revision was rolled out; after a rollback, when it was again.
    pub at: Option<Time>,
    /// The hash of the revision before it.
    pub before: Arc<str>,
    /// How the pods of the revision before fared.
    pub health: Health,
    /// When, according to a Killing event, the probe first ended a container that has no end in a status yet.
    /// It proves nothing where others than kubelets may write such events.
    pub killing_since: Option<Time>,
}

impl Finding {
    /// When a status should show what a Killing event said, if one did: if none does, the end takes long.
    pub fn status_due(&self) -> Option<Time> {
        self.rollout.as_ref()?.killing_since.map(|since| since.plus(STATUS_WITHIN))
    }
}

/// How the pods of a revision fared.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Health {
    /// No probe of the container was seen to pass.
    Unseen,
    /// The probe in question passed, or the container was well without it, and none of its containers looped.
    Healthy,
    /// One of its containers was seen to loop.
    Looped,
}

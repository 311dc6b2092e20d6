//! Actions on one object, and their outcomes.

use std::time::Duration;

use super::state::{Kept, Key};
use crate::report::object::FindingObject;

/// Maximum pause after failures.
pub const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// An action on one object.
#[derive(Debug)]
pub enum Action {
    /// Write it; create it first if it does not exist.
    Write {
        /// Its key.
        key: Key,
        /// The whole object.
        object: Box<FindingObject>,
        /// Whether it is known to exist.
        exists: bool,
    },
    /// Record notifications.
    Record {
        /// Its key.
        key: Key,
    },
    /// Read an open object that is unknown here, so that its finding can be resolved.
    Read {
        /// Its key.
        key: Key,
    },
    /// Remove it, if it is unchanged since it was seen.
    Remove {
        /// Its key.
        key: Key,
        /// The version that was seen.
        version: u64,
    },
}

/// The outcome of an action.
#[derive(Debug)]
pub enum Outcome {
    /// It was written and is stored like this.
    Stands(Kept),
    /// The notifications were recorded, and it is stored like this.
    Recorded(Kept),
    /// There is nothing to record, or it will never be accepted.
    NothingToRecord,
    /// It was read and its finding passed on.
    Read,
    /// It was read and contains no usable finding.
    NoFinding,
    /// It does not exist.
    Gone,
    /// It cannot exist: its namespace is terminating or gone.
    Impossible,
    /// The outcome is unknown; to be retried.
    Failed(Setback),
}

/// A failed action.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Setback {
    /// Minimum time before it is retried.
    pub at_least: Duration,
    /// Maximum time before it is retried, however often it failed.
    pub at_most: Duration,
    /// The server cannot be reached: retry as soon as it can.
    pub is_out: bool,
}

impl Setback {
    /// A failure of this object alone.
    pub const fn own(at_least: Duration) -> Self {
        Self { at_least, at_most: LONGEST_PAUSE, is_out: false }
    }
}

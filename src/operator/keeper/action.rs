//! What is done with one object, and what comes of it.

use std::time::Duration;

use super::state::{Kept, Key};
use crate::report::object::FindingObject;

/// The longest pause after failures.
pub const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What is to be done with one object.
#[derive(Debug)]
pub enum Action {
    /// Write what it says; make it first where it does not exist.
    Write {
        /// Where it is.
        key: Key,
        /// All of it.
        object: Box<FindingObject>,
        /// Whether it is known to exist.
        exists: bool,
    },
    /// Record what was told.
    Record {
        /// Where it is.
        key: Key,
    },
    /// Read what goes on unknown, so that somebody sees to its end.
    Read {
        /// Where it is.
        key: Key,
    },
    /// Remove it, if it is still the one that was seen.
    Remove {
        /// Where it is.
        key: Key,
        /// As it was seen.
        version: u64,
    },
}

/// What came of an action.
#[derive(Debug)]
pub enum Outcome {
    /// It stands there so.
    Stands(Kept),
    /// What was told is recorded in it, and it stands there so.
    Recorded(Kept),
    /// There is nothing to record, or it will never be taken.
    NothingToRecord,
    /// It was read, and whoever has to know of it does.
    Read,
    /// It was read, and nobody can make a finding of it.
    NoFinding,
    /// It is not there.
    Gone,
    /// It cannot be there: its namespace is going or gone.
    Impossible,
    /// Nothing is known; to be tried again.
    Failed(Setback),
}

/// That something could not be done.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Setback {
    /// It is not tried again before.
    pub at_least: Duration,
    /// It is tried again then, however often it failed.
    pub at_most: Duration,
    /// Nothing reaches the server: when something does, it is tried at once.
    pub is_out: bool,
}

impl Setback {
    /// One of this object alone.
    pub const fn own(at_least: Duration) -> Self {
        Self { at_least, at_most: LONGEST_PAUSE, is_out: false }
    }
}

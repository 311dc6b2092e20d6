//! What teams may ask for by annotations on their workloads, and how the values are read.

mod check;
pub mod raw;
mod value;

use std::time::Duration;

use crate::delivery::annotated::Grants;
pub(super) use check::check;
pub use value::{LONGEST, Window, guard, receivers, silence, window};

/// The section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Annotations {
    /// How far in the future a silence may end.
    pub max_silence: Duration,
    /// Whether those of Namespace objects count, after those of workloads and pods.
    pub namespaces: bool,
    /// Which receivers heed which annotations, of which namespaces.
    pub grants: Grants,
}

impl Default for Annotations {
    fn default() -> Self {
        Self { max_silence: Duration::from_hours(30 * 24), namespaces: false, grants: Grants::default() }
    }
}

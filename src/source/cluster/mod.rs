//! A cluster, watched and asked.

use crate::engine::{Scope, Seen};
use crate::source::objects::{EventLite, PodLite};

/// Something seen in the cluster.
#[derive(Debug)]
pub enum Input {
    /// A list of pods begins, or begins anew.
    ListStarted(Scope),
    /// A pod as it is now.
    Pod(Box<PodLite>, Seen),
    /// A pod for the last time.
    PodGone(Box<PodLite>),
    /// A list of pods is complete: pods of its scope that were not seen since it started are gone.
    ListFinished(Scope),
    /// An event of a kubelet on a pod, new, counted on, or listed once more.
    Event(Box<EventLite>),
}

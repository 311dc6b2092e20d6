//! What the annotations of a workload ask for, as far as it applies now.

use std::sync::Arc;

use crate::time::Time;

/// An annotation that is read on workloads and pods.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Annotation {
    /// Nothing is sent until a time.
    Silence,
    /// Who is notified besides.
    Receiver,
    /// When notifications are sent.
    Window,
    /// What the guard leaves alone.
    Guard,
}

impl Annotation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Silence, Self::Receiver, Self::Window, Self::Guard];

    /// Its key in `metadata.annotations`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Silence => "probehound.dev/silence",
            Self::Receiver => "probehound.dev/receiver",
            Self::Window => "probehound.dev/window",
            Self::Guard => "probehound.dev/guard",
        }
    }

    /// Its name in settings and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::Receiver => "receiver",
            Self::Window => "window",
            Self::Guard => "guard",
        }
    }
}

/// What is asked for, by whichever object has the say; nothing by default.
///
/// Whether a receiver heeds it is another question: `delivery::annotated`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    /// The annotations are still being looked up; if they are not known by then, they ask for nothing.
    pub unread_until: Option<Time>,
    /// A silence that has not expired.
    pub silence: Option<AskedSilence>,
    /// The receivers to notify besides.
    pub receivers: Vec<String>,
    /// Notifications wait until then.
    pub muted_until: Option<Time>,
    /// Whether the guard is to leave the workload alone.
    pub guard_off: bool,
}

/// A silence by annotation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AskedSilence {
    /// When it expires.
    pub until: Time,
    /// Its source, end and reason: `Deployment/web until 2027-01-31T18:00:00.000Z: known, JIRA-1`.
    pub words: Arc<str>,
}

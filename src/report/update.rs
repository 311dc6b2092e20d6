//! Updates to a receiver: the content of one message, before it is put into words.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::notified::{Content, Notification, Notified};
use crate::finding::{Finding, Identity};
use crate::time::Time;

/// One message.
#[derive(Clone, Debug)]
pub enum Dispatch {
    /// About one finding.
    One(FindingUpdate),
    /// About several, or one that is sent in the form of a digest.
    Digest(Digest),
}

/// Several findings in one message.
#[derive(Clone, Debug)]
pub struct Digest {
    /// Why they are sent together.
    pub why: Why,
    /// The update of each, in order per workload, the worst workload first.
    pub news: Vec<FindingUpdate>,
    /// How many more there are for the next message.
    pub waiting: usize,
}

/// Why findings are told together.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub enum Why {
    /// They looped already when probehound came.
    FirstLook,
    /// They are too many at once.
    Storm,
    /// They came and went while nothing could be told.
    Missed,
}

/// An update about one finding.
#[derive(Clone, Debug)]
pub struct FindingUpdate {
    /// What is new.
    pub kind: Kind,
    /// The finding as it is now.
    pub finding: Arc<Finding>,
    /// The receiver's last notification, of this episode or, for a recurrence, of an earlier one.
    pub before: Option<Notification>,
}

/// What is new of a finding.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, JsonSchema)]
pub enum Kind {
    /// Another finding took its place.
    Withdrawn,
    /// It is over.
    Resolved,
    /// It is there.
    Opened,
    /// It changed.
    Changed,
    /// It goes on, and it is time to remind of it.
    GoesOn,
    /// It came and went.
    Missed,
}

impl Dispatch {
    /// The update of each finding.
    pub fn news(&self) -> &[FindingUpdate] {
        match self {
            Self::One(news) => std::slice::from_ref(news),
            Self::Digest(digest) => &digest.news,
        }
    }

    /// The notifications to record for `receiver` at `at`, for each finding.
    pub fn records(&self, receiver: &str, at: Time, outcome: &Outcome) -> Vec<(Identity, Notification)> {
        let digest = match self {
            Self::One(_) => None,
            Self::Digest(digest) => Some(digest.news.len() as u32),
        };
        let record = |news: &FindingUpdate| {
            let notified = match outcome {
                Outcome::Delivered => news.kind.notified(),
                Outcome::Refused(_) => news.notified_if_refused(),
            };
            let refused = match outcome {
                Outcome::Delivered => None,
                Outcome::Refused(why) => Some(why.clone()),
            };
            let content = (notified != Notified::Resolved).then(|| Content::from_finding(&news.finding));
            let (receiver, episode) = (receiver.to_owned(), news.finding.episodes);
            (news.finding.identity(), Notification { receiver, episode, notified, at, content, digest, refused })
        };
        self.news().iter().map(record).collect()
    }
}

/// The final outcome of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It arrived.
    Delivered,
    /// The receiver will never accept it; why.
    Refused(String),
}

impl FindingUpdate {
    /// What the receiver knows after it refused this: what it knew before.
    fn notified_if_refused(&self) -> Notified {
        match (self.kind.notified(), &self.before) {
            (Notified::Resolved, _) => Notified::Resolved,
            (_, Some(before)) if before.episode == self.finding.episodes && before.notified != Notified::Resolved => {
                before.notified
            }
            _ => Notified::Nothing,
        }
    }
}

impl Kind {
    /// Whether something is wrong, not resolved.
    pub const fn is_alarm(self) -> bool {
        matches!(self, Self::Opened | Self::Changed | Self::GoesOn)
    }

    /// The recorded state of a receiver that received it.
    pub const fn notified(self) -> Notified {
        match self {
            Self::Opened => Notified::Opened,
            Self::Changed | Self::GoesOn => Notified::Changed,
            Self::Resolved | Self::Withdrawn | Self::Missed => Notified::Resolved,
        }
    }
}

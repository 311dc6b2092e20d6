//! The desired and the stored state of an object.

use std::sync::Arc;

use super::stored::Stored;
use crate::engine::ChangeKind;
use crate::finding::{Cause, Finding, Pods, ServiceState};
use crate::findings::asked::Asked;
use crate::findings::board::Entry;
pub use crate::report::object::ObjectKey as Key;
use crate::report::object::{FindingObject, FindingSpec, FindingState, FindingStatus, Notification, Notified};
use crate::text::hash::mark;
use crate::time::Time;

/// The desired content of an object.
#[derive(Clone, Debug)]
pub struct Wanted {
    finding: Arc<Finding>,
    state: FindingState,
    silenced_by: Option<Arc<str>>,
    asked: Arc<Asked>,
    /// The marks of its status.
    pub marks: Marks,
}

impl Wanted {
    /// The desired content for a finding; `None` for one that was only ever suspected in this episode,
    /// which has no object.
    pub fn from_entry(entry: &Entry) -> Option<Self> {
        entry.finding.confirmed_at?;
        let mut finding = Arc::clone(&entry.finding);
        let state = match entry.kind {
            ChangeKind::Withdrawn => {
                // It was never recorded as resolved: it is since it was withdrawn.
                Arc::make_mut(&mut finding).resolved_at.get_or_insert(entry.at);
                FindingState::Withdrawn
            }
            _ if finding.resolved_at.is_some() => FindingState::Resolved,
            _ => FindingState::Confirmed,
        };
        let (silenced_by, asked) = (entry.silenced_by.clone(), Arc::clone(&entry.asked));
        let marks = Marks::from_status(FindingStatus::default());
        let mut wanted = Self { finding, state, silenced_by, asked, marks };
        wanted.marks = Marks::from_status(wanted.object().status.unwrap_or_default());
        Some(wanted)
    }

    /// The whole object.
    pub fn object(&self) -> FindingObject {
        let silence = self.asked.silence.as_ref().map(|silence| &*silence.words);
        FindingObject::from_finding(&self.finding, self.state, self.silenced_by.as_deref())
            .silenced_by_annotation(silence)
    }

    /// Its state.
    pub const fn state(&self) -> FindingState {
        self.state
    }

    /// Whether nothing more will be published of this episode.
    pub fn is_over(&self) -> bool {
        self.state != FindingState::Confirmed
    }

    /// The episode.
    pub fn episode(&self) -> u32 {
        self.finding.episodes
    }
}

/// Hashes for comparing statuses, so that little is kept of each object.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Marks {
    /// Of everything that probehound writes.
    pub whole: u64,
    /// Of everything but counts.
    pub essence: u64,
}

impl Marks {
    fn from_status(mut status: FindingStatus) -> Self {
        (status.notifications, status.guard) = (Vec::new(), None);
        let whole = of_json(&status);
        // It matters that all pods or a Service are down; how many of them are is a count.
        let all = status.pods.is_some_and(Pods::is_all);
        let out = status.services.iter().any(ServiceState::is_down);
        let essence = FindingStatus {
            restarts: None,
            pods: None,
            affected: None,
            services: Vec::new(),
            evidence: Vec::new(),
            remedy: Vec::new(),
            ..status
        };
        Self { whole, essence: of_json(&(essence, all, out)) }
    }
}

/// What has to be known of a finding's object in the cluster, as little as possible: there may be many.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Its `resourceVersion`: older ones are stale. 0 if it is not a number.
    pub version: u64,
    /// A hash of its UID: a later object of the same name has another one.
    pub uid: u64,
    /// The marks of its status.
    pub marks: Marks,
    /// The episode that it describes.
    pub episode: u32,
    /// When it was resolved, if it was.
    pub over: Option<Time>,
    /// Whether each receiver that was notified of the episode was notified of its resolution.
    pub notified: bool,
    /// Whether its workload runs only once: a bare pod, a Job.
    pub fleeting: bool,
    /// When the guard last undid a rollout for it, or was about to.
    pub undone: Option<Time>,
    /// A hash of what alike findings have in common: namespace, kind, container and cause.
    pub alike: u64,
}

impl Kept {
    /// An object of the cluster, and its key; `None` for one that is not a finding of probehound's.
    ///
    /// A status that cannot be parsed counts as none: it is rewritten while the finding is open, and
    /// removed like a resolved one if it is not.
    pub fn from_object(object: &Stored) -> Option<(Key, Self)> {
        let (key, spec) = (object.key()?, object.spec()?);
        let status = object.status().cloned().unwrap_or_default();
        let over = match status.state {
            Some(FindingState::Confirmed) => None,
            Some(_) => status.resolved_at.or(object.created()),
            None => object.created(),
        };
        let episode = status.episodes.unwrap_or_default();
        let notified = status.notifications.iter().all(|notification| is_notified(notification, episode));
        let alike = alike(&key, spec, status.cause);
        let undos = status.guard.iter().flat_map(|guard| &guard.undos);
        let kept = Self {
            undone: undos.map(|undo| undo.at).max(),
            version: object.version(),
            uid: object.uid(),
            over,
            notified,
            episode,
            fleeting: matches!(&*spec.workload.kind, "Pod" | "Job"),
            alike,
            marks: Marks::from_status(status),
        };
        Some((key, kept))
    }
}

fn alike(key: &Key, spec: &FindingSpec, cause: Option<Cause>) -> u64 {
    mark(&(&key.namespace, &spec.workload.kind, &spec.container, cause))
}

/// Whether a receiver needs no more notifications of a resolved episode.
fn is_notified(notification: &Notification, episode: u32) -> bool {
    let waits = matches!(notification.notified, Notified::Opened | Notified::Changed) && notification.refused.is_none();
    notification.episode != episode || !waits
}

fn of_json(value: &impl serde::Serialize) -> u64 {
    // Plain data always serializes to JSON.
    mark(&serde_json::to_vec(value).unwrap_or_default())
}

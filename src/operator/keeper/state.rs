//! What is to stand in the cluster, and what stands there.

use std::sync::Arc;

use super::stored::Stored;
use crate::engine::ChangeKind;
use crate::finding::{Cause, Finding, Pods, ServiceState};
use crate::findings::board::Entry;
pub use crate::report::object::ObjectKey as Key;
use crate::report::object::{FindingObject, FindingSpec, FindingState, FindingStatus, Notification, Notified};
use crate::text::hash::mark;
use crate::time::Time;

/// What an object is to say.
#[derive(Clone, Debug)]
pub struct Wanted {
    finding: Arc<Finding>,
    state: FindingState,
    silenced_by: Option<Arc<str>>,
    /// The marks of its status.
    pub marks: Marks,
}

impl Wanted {
    /// What the object of a finding is to say; `None` for one that was only ever suspected in this
    /// episode, which has none.
    pub fn of(entry: &Entry) -> Option<Self> {
        entry.finding.confirmed_at?;
        let mut finding = Arc::clone(&entry.finding);
        let state = match entry.kind {
            ChangeKind::Withdrawn => {
                // It never was one: over since it was said so.
                Arc::make_mut(&mut finding).resolved_at.get_or_insert(entry.at);
                FindingState::Withdrawn
            }
            _ if finding.resolved_at.is_some() => FindingState::Resolved,
            _ => FindingState::Confirmed,
        };
        let object = FindingObject::of(&finding, state, entry.silenced_by.as_deref());
        let marks = Marks::of(object.status.unwrap_or_default());
        Some(Self { finding, state, silenced_by: entry.silenced_by.clone(), marks })
    }

    /// The object whole.
    pub fn object(&self) -> FindingObject {
        FindingObject::of(&self.finding, self.state, self.silenced_by.as_deref())
    }

    /// Its state.
    pub const fn state(&self) -> FindingState {
        self.state
    }

    /// Whether nothing more will be said of this episode.
    pub fn is_over(&self) -> bool {
        self.state != FindingState::Confirmed
    }

    /// The episode.
    pub fn episode(&self) -> u32 {
        self.finding.episodes
    }
}

/// What of a status is compared: marks, so that little is kept of each object.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Marks {
    /// Of all that probehound writes.
    pub whole: u64,
    /// Of what is more than counts.
    pub essence: u64,
}

impl Marks {
    fn of(mut status: FindingStatus) -> Self {
        status.notifications = Vec::new();
        let whole = of_json(&status);
        // That all pods or a Service are out is news; how many of them are is a count.
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

/// A finding's object as it stands in the cluster, as little as has to be known of it: there may be
/// many.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Its `resourceVersion`: what is older is old news. 0 where it is no number.
    pub version: u64,
    /// A mark of its UID: a later one of the same name is another object.
    pub uid: u64,
    /// The marks of its status.
    pub marks: Marks,
    /// The episode that it tells of.
    pub episode: u32,
    /// Since when it is over, if it is.
    pub over: Option<Time>,
    /// Whether each receiver that was told of the episode was told of its end.
    pub notified: bool,
    /// Whether its workload comes once: a bare pod, a Job.
    pub fleeting: bool,
    /// A mark of what findings that are alike have in common: namespace, kind, container and cause.
    pub alike: u64,
}

impl Kept {
    /// An object of the cluster, and where it is; `None` for one that is no finding of probehound's.
    ///
    /// A status that cannot be understood counts as none: it is written anew while the finding goes
    /// on, and removed like one that is over if it does not.
    pub fn of(object: &Stored) -> Option<(Key, Self)> {
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
        let kept = Self {
            version: object.version(),
            uid: object.uid(),
            over,
            notified,
            episode,
            fleeting: matches!(&*spec.workload.kind, "Pod" | "Job"),
            alike,
            marks: Marks::of(status),
        };
        Some((key, kept))
    }
}

fn alike(key: &Key, spec: &FindingSpec, cause: Option<Cause>) -> u64 {
    mark(&(&key.namespace, &spec.workload.kind, &spec.container, cause))
}

/// Whether a receiver has nothing more to hear of an episode that is over.
fn is_notified(notification: &Notification, episode: u32) -> bool {
    let waits = matches!(notification.notified, Notified::Opened | Notified::Changed) && notification.refused.is_none();
    notification.episode != episode || !waits
}

fn of_json(value: &impl serde::Serialize) -> u64 {
    // Plain data can always be written as JSON.
    mark(&serde_json::to_vec(value).unwrap_or_default())
}

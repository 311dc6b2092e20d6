//! The engine's input: the cluster as observed at a time, in compact form.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::finding::{Finding, RollingUpdate};
use crate::kubelet::EventMessage;
use crate::template::{HashLabel, PodTemplate};
use crate::time::Time;

/// Something observed in the cluster. Its time is passed to [`crate::engine::Engine::apply`].
#[derive(Clone, Debug)]
pub enum Observation {
    /// A pod as it is now.
    Pod(Box<PodSnapshot>),
    /// A pod is gone.
    PodGone(PodId),
    /// A kubelet event on a pod, new or with a higher count.
    Event(Box<KubeletEvent>),
    /// A list of pods begins, or is restarted: pods not seen between this and its end are gone.
    ListStarted(Scope),
    /// A list of pods is complete.
    ListFinished(Scope),
    /// The answer to [`Need::Workload`].
    Workload(Box<WorkloadFacts>),
    /// The answer to [`Need::Services`].
    Services(ServicesFacts),
    /// A finding published before a restart of the operator, or by another replica; preferably passed
    /// before the first pod.
    Remembered(Box<Finding>),
}

/// The scope of a list of pods.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// All namespaces.
    All,
    /// One namespace. Lists of several may run at the same time.
    Namespace(Arc<str>),
}

impl Scope {
    /// Whether pods of that namespace are in scope.
    pub fn includes(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Namespace(own) => **own == *namespace,
        }
    }
}

/// A look-up that the engine needs. Requested again when changes make the answer stale.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Need {
    /// The chain of owners above a pod's controller, and its revisions.
    Workload {
        /// The namespace of both.
        namespace: Arc<str>,
        /// The pod's own controller.
        owner: Owner,
    },
    /// The Services that select a workload's pods, with their endpoints.
    Services {
        /// The namespace of all.
        namespace: Arc<str>,
        /// The pod's own controller, as in the answer; `None` for a bare pod.
        owner: Owner,
        /// The labels of its pods.
        labels: Arc<[(Arc<str>, Arc<str>)]>,
    },
}

/// A Kubernetes UID. A UUID fits as it is, any other text by a 128-bit hash.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Uid(pub u128);

/// A pod's identity.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PodId {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its UID: another pod of the same name is another pod.
    pub uid: Uid,
}

impl PodId {
    /// A hash of its namespace and name, the same in every run.
    pub(super) fn called(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&*self.namespace, &*self.name).hash(&mut hasher);
        hasher.finish()
    }
}

/// An object's controller.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Owner {
    /// `ReplicaSet`, `StatefulSet`, `Rollout`, …; `Pod` for a pod that nobody controls.
    pub kind: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

/// A pod as it is now.
#[derive(Clone, Debug)]
pub struct PodSnapshot {
    /// Its identity.
    pub id: PodId,
    /// The UID that the kubelet's events on a static pod carry instead (`kubernetes.io/config.hash`); of its
    /// mirror pod alone.
    pub event_uid: Option<Uid>,
    /// Whether it mirrors a static pod, whose manifest is a file on its node.
    pub is_static: bool,
    /// Its controller.
    pub owner: Option<Owner>,
    /// The specification of its containers; shared between the pods of a template.
    pub template: Arc<PodTemplate>,
    /// The node's name, once it is scheduled.
    pub node: Option<Arc<str>>,
    /// Its first address, once it has one.
    pub ip: Option<IpAddr>,
    /// When it was created, by the API server's clock.
    pub created: Option<Time>,
    /// When its kubelet accepted it (`status.startTime`), by the node's clock, in whole seconds.
    pub start_time: Option<Time>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Why the pod as a whole ended, if something from outside ended it: `Evicted`,
    /// `DeadlineExceeded`, `NodeLost`, …
    pub ended_by: Option<Arc<str>>,
    /// One entry for each container of the template that has a status.
    pub containers: Vec<ContainerSnapshot>,
    /// `metadata.resourceVersion` as a number, 0 if it is none; greater is newer.
    pub version: u64,
    /// Whether it was seen as a change or as a list item, which hides states in between.
    pub seen: Seen,
}

impl PodSnapshot {
    /// The workload that it belongs to, as far as can be inferred from the pod itself.
    ///
    /// A ReplicaSet with its template's hash in its name belongs to a Deployment or a Rollout: their
    /// controllers name them like this, and the label with the hash shows which of the two.
    pub fn likely_top(&self) -> Owner {
        let Some(owner) = &self.owner else {
            return Owner { kind: "Pod".into(), name: Arc::clone(&self.id.name) };
        };
        let hash = self.template.revision_hash.as_deref().filter(|_| &*owner.kind == "ReplicaSet");
        match hash.and_then(|hash| owner.name.strip_suffix(hash)?.strip_suffix('-')) {
            Some(name) if !name.is_empty() => {
                let rollout = self.template.hash_label == Some(HashLabel::Rollouts);
                Owner { kind: if rollout { "Rollout" } else { "Deployment" }.into(), name: name.into() }
            }
            _ => owner.clone(),
        }
    }
}

/// How a pod was observed.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// As an item of a list: the states in between were not seen.
    Listed,
    /// As a change on an unbroken watch.
    Changed,
}

/// One container's status.
#[derive(Clone, Debug)]
pub struct ContainerSnapshot {
    /// Index into [`PodTemplate::containers`].
    pub index: usize,
    /// `restartCount`; a status with an invalid count is skipped at the edge.
    pub restarts: u32,
    /// The current container's ID.
    pub id: Option<ContainerId>,
    /// Its current state.
    pub state: State,
    /// How the previous incarnation ended.
    pub last: Option<Terminated>,
    /// `ready`
    pub ready: bool,
    /// `started`
    pub started: bool,
}

/// A container ID, by hash.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ContainerId(pub u64);

/// A container's state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// It is not running.
    Waiting {
        /// `CrashLoopBackOff`, `ImagePullBackOff`, …; empty where the status has none.
        reason: Arc<str>,
        /// The message for the reason, cut.
        message: Option<Arc<str>>,
    },
    /// It is running.
    Running {
        /// Since when, in whole seconds.
        since: Option<Time>,
    },
    /// It has ended.
    Terminated(Terminated),
}

/// How an incarnation ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terminated {
    /// Its container ID.
    pub id: Option<ContainerId>,
    /// Its exit code.
    pub exit: i32,
    /// `Completed`, `Error`, `OOMKilled`, `StartError`, `ContainerStatusUnknown`, …
    pub reason: Arc<str>,
    /// In whole seconds.
    pub started: Option<Time>,
    /// In whole seconds.
    pub finished: Option<Time>,
    /// The termination message's beginning or the start error, cut and masked.
    pub message: Option<Arc<str>>,
}

/// A kubelet's event on a pod.
#[derive(Clone, Debug)]
pub struct KubeletEvent {
    /// The UID of the event object; an update of the same object raises its count.
    pub id: Uid,
    /// The pod that it is about.
    pub pod: PodId,
    /// The container of its field path; not to be trusted when aggregated.
    pub container: Option<Arc<str>>,
    /// Whether its message stands for several similar ones.
    pub aggregated: bool,
    /// The parsed message.
    pub said: EventMessage,
    /// When the event object was created, by the API server's clock; the other times are the node's.
    pub created: Option<Time>,
    /// Its first occurrence.
    pub first: Time,
    /// Its last occurrence.
    pub last: Time,
    /// Its number of occurrences, including those whose updates were lost.
    pub count: u32,
}

/// What is known of a workload: the answer to [`Need::Workload`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkloadFacts {
    /// The namespace of all.
    pub namespace: Arc<str>,
    /// The owner that was looked up.
    pub owner: Owner,
    /// The topmost known controller of its chain; `owner` itself if it has none.
    pub top: Owner,
    /// The desired number of pods.
    pub desired: Option<u32>,
    /// The object whose template the top runs instead of one of its own: `workloadRef` of an Argo Rollout.
    pub workload_ref: Option<Owner>,
    /// Whether its rollout is paused (`spec.paused`).
    pub paused: bool,
    /// Whether it replaces its pods all at once: `podManagementPolicy: Parallel` of a `StatefulSet`.
    pub parallel: bool,
    /// `minReadySeconds` of the top.
    pub min_ready: Duration,
    /// How it replaces its pods, if it is a Deployment that replaces some after the other.
    pub rolling: Option<RollingUpdate>,
    /// The manager of the manifests, from labels and annotations: `Argo CD application web`.
    pub managed_by: Option<Arc<str>>,
    /// Its revisions, oldest first; empty if the kind has none.
    pub revisions: Vec<Revision>,
}

/// One revision of a workload's template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revision {
    /// Its number in `kubectl rollout history`.
    pub number: u64,
    /// The revision hash that its pods carry.
    pub hash: Option<Arc<str>>,
    /// When it became the desired template; after a rollback, when it did so again.
    pub at: Option<Time>,
    /// When it first did, according to its object.
    pub created: Option<Time>,
    /// The field manager that applied it, if the object still shows it.
    pub by: Option<Arc<str>>,
    /// The template.
    pub template: Arc<PodTemplate>,
}

impl Revision {
    /// Whether it existed before another one. After a rollback a revision has a new number.
    pub fn was_before(&self, other: &Self) -> bool {
        let earlier = self.created.zip(other.created).is_some_and(|(mine, theirs)| mine < theirs);
        self.number < other.number || self.number > other.number && earlier
    }
}

/// The answer to [`Need::Services`].
#[derive(Clone, Debug)]
pub struct ServicesFacts {
    /// The namespace of all.
    pub namespace: Arc<str>,
    /// The owner that was looked up.
    pub owner: Owner,
    /// Sorted by name.
    pub services: Vec<ServiceFacts>,
}

/// A Service and its endpoints.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceFacts {
    /// Its name.
    pub name: Arc<str>,
    /// Number of ready endpoints.
    pub ready: u32,
    /// Number of endpoints, without terminating ones.
    pub total: u32,
}

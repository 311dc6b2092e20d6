//! What the engine is told: the cluster as it is seen at a time, in compact form.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::finding::Finding;
use crate::kubelet::EventMessage;
use crate::template::{HashLabel, PodTemplate};
use crate::time::Time;

/// Something seen in the cluster. Its time is given to [`crate::engine::Engine::apply`].
#[derive(Clone, Debug)]
pub enum Observation {
    /// A pod as it is now.
    Pod(Box<PodSnapshot>),
    /// A pod is gone.
    PodGone(PodId),
    /// A kubelet's event on a pod, new or counted on.
    Event(Box<KubeletEvent>),
    /// A list of pods begins, or begins anew: what was not seen since when it ends is gone.
    ListStarted(Scope),
    /// A list of pods is complete.
    ListFinished(Scope),
    /// The answer to [`Need::Workload`].
    Workload(Box<WorkloadFacts>),
    /// The answer to [`Need::Services`].
    Services(ServicesFacts),
    /// A finding that was said before a restart of the operator, or by another replica of it; best
    /// given before the first pod.
    Remembered(Box<Finding>),
}

/// The pods that a list is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// Those of all namespaces.
    All,
    /// Those of one namespace. Lists of several may run at the same time.
    Namespace(Arc<str>),
}

impl Scope {
    /// Whether pods of that namespace are in it.
    pub fn includes(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Namespace(own) => **own == *namespace,
        }
    }
}

/// What the engine would like to know. Asked again when news make the answer stale.
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
    /// A mark of its namespace and name, the same in every run.
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
    /// Who it is.
    pub id: PodId,
    /// The UID that the kubelet's events on a static pod carry instead (`kubernetes.io/config.hash`); of its
    /// mirror pod alone.
    pub event_uid: Option<Uid>,
    /// Whether it mirrors a static pod, whose manifest is a file on its node.
    pub is_static: bool,
    /// Its controller.
    pub owner: Option<Owner>,
    /// What its containers are told to be; shared between the pods of a template.
    pub template: Arc<PodTemplate>,
    /// The node's name, once it is scheduled.
    pub node: Option<Arc<str>>,
    /// Its first address, once it has one.
    pub ip: Option<IpAddr>,
    /// When it was created, by the API server's clock.
    pub created: Option<Time>,
    /// When its kubelet took it on (`status.startTime`), by the node's clock, in whole seconds.
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
    /// Whether this is news of a change or an item of a list, which hides what was in between.
    pub seen: Seen,
}

impl PodSnapshot {
    /// The workload that it belongs to, as far as the pod itself tells.
    ///
    /// A ReplicaSet that carries its template's hash in its name is a Deployment's, or a Rollout's:
    /// that is how their controllers name them, and which one tells the label of the hash.
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

/// How an observation of a pod came.
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
    /// `restartCount`; a status whose count is none is passed over at the edge.
    pub restarts: u32,
    /// The current container's ID.
    pub id: Option<ContainerId>,
    /// What it does now.
    pub state: State,
    /// How the one before ended.
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
        /// The reason in words, cut.
        message: Option<Arc<str>>,
    },
    /// It runs.
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
    /// The event object's identity: the same one is counted on.
    pub id: Uid,
    /// The pod that it speaks of.
    pub pod: PodId,
    /// The container of its field path; not to be trusted when aggregated.
    pub container: Option<Arc<str>>,
    /// Whether its message stands for several similar ones.
    pub aggregated: bool,
    /// What it says.
    pub said: EventMessage,
    /// When the event object was created, by the API server's clock; the other times are the node's.
    pub created: Option<Time>,
    /// When it was first said.
    pub first: Time,
    /// When it was last said.
    pub last: Time,
    /// How often it was said, lost ones included.
    pub count: u32,
}

/// What is known of a workload: the answer to [`Need::Workload`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkloadFacts {
    /// The namespace of all.
    pub namespace: Arc<str>,
    /// The owner that was asked for.
    pub owner: Owner,
    /// The top of its chain of controllers that is known; `owner` itself where nothing is above it.
    pub top: Owner,
    /// How many pods are wanted.
    pub desired: Option<u32>,
    /// The object whose template the top runs instead of one of its own: an Argo Rollout's
    /// `workloadRef`.
    pub workload_ref: Option<Owner>,
    /// Whether its rollout is paused (`spec.paused`).
    pub paused: bool,
    /// Whether it replaces its pods all at once: `podManagementPolicy: Parallel` of a `StatefulSet`.
    pub parallel: bool,
    /// `minReadySeconds` of the top.
    pub min_ready: Duration,
    /// Who keeps the manifests, from labels and annotations: `Argo CD application web`.
    pub managed_by: Option<Arc<str>>,
    /// Its revisions, oldest first; empty where the kind has none.
    pub revisions: Vec<Revision>,
}

/// One revision of a workload's template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revision {
    /// As `kubectl rollout history` counts.
    pub number: u64,
    /// The revision hash that its pods carry.
    pub hash: Option<Arc<str>>,
    /// When it became what the workload wants; for one that came back, when it came back.
    pub at: Option<Time>,
    /// When it first did, as its object says.
    pub created: Option<Time>,
    /// The field manager that brought it, where the object still says so.
    pub by: Option<Arc<str>>,
    /// The template.
    pub template: Arc<PodTemplate>,
}

impl Revision {
    /// Whether it was there before another one. One that came back has a new number.
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
    /// The owner that was asked for.
    pub owner: Owner,
    /// Sorted by name.
    pub services: Vec<ServiceFacts>,
}

/// A Service and its endpoints.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceFacts {
    /// Its name.
    pub name: Arc<str>,
    /// Endpoints that are ready.
    pub ready: u32,
    /// Endpoints in all, without those that are terminating.
    pub total: u32,
}

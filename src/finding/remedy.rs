//! What there is to type or to do about a finding, as data: `report` puts it into words.

use std::sync::Arc;

use super::Value;
use super::field::Field;

/// One step towards the end of a finding, or towards knowing more of it.
///
/// The namespace and the container are those of its finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Remedy {
    /// Change the manifests where they are kept: who keeps them undoes what is changed in the cluster.
    ChangeInGit {
        /// `Argo CD application web`
        tool: Arc<str>,
    },
    /// Let a paused rollout go on, without which kubectl refuses to undo it.
    Resume(Target),
    /// Go back to a revision that was seen to work.
    RollBack {
        /// What is rolled back.
        target: Target,
        /// As it counts its revisions; `None` for the one before, where it counts others.
        revision: Option<u64>,
    },
    /// Go back to the revision before, of the same app, which was not seen to work.
    GoBack {
        /// What is rolled back.
        target: Target,
        /// As it counts its revisions.
        revision: u64,
    },
    /// Set a field of the container to the value that works.
    SetField {
        /// Where it stands.
        place: Place,
        /// `livenessProbe.httpGet.path`
        field: Field,
        /// The value that works.
        value: Value,
    },
    /// Delete a pod that its controller does not replace by itself, after the template was mended.
    DeletePod {
        /// Its name.
        pod: Arc<str>,
    },
    /// The same for others that are not named, one after another.
    DeleteOthers {
        /// How many.
        more: usize,
    },
    /// Mend a field for which no value is known that works.
    Correct {
        /// Where it stands.
        place: Place,
        /// `livenessProbe.httpGet.path`
        field: Field,
        /// What it needs.
        needs: Correction,
    },
    /// Give the container more memory.
    RaiseMemory {
        /// Where the limit stands.
        place: Place,
        /// The limit now, where it has one.
        limit: Option<Value>,
    },
    /// Read what the container wrote.
    Logs {
        /// The pod, or the workload where no pod of it is known by name.
        of: Target,
        /// Whether the incarnation before the current one is meant.
        previous: bool,
    },
    /// Read the events of a pod.
    DescribePod {
        /// Its name.
        pod: Arc<str>,
    },
    /// Find a pod of it to look at.
    ListPods,
    /// Look at what the workloads share that became unhealthy together.
    LookAtWhatIsShared {
        /// The others, by name.
        with: Vec<Arc<str>>,
    },
    /// Look at the nodes.
    LookAtNodes,
    /// A line that an earlier release wrote, and this one does not know.
    Words(String),
}

/// An object that kubectl is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: Arc<str>,
}

/// The kinds of workloads whose ways are known.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `apps/v1`
    Deployment,
    /// `apps/v1`
    StatefulSet,
    /// `apps/v1`
    DaemonSet,
    /// `apps/v1`, one that no Deployment made.
    ReplicaSet,
    /// `v1`
    ReplicationController,
    /// `batch/v1`, one that no `CronJob` made.
    Job,
    /// `batch/v1`
    CronJob,
    /// `v1`
    Pod,
    /// `argoproj.io/v1alpha1`
    Rollout,
}

/// Where a container's specification is edited.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// In an object that is patched by the container's name.
    Template {
        /// The object.
        target: Target,
        /// The list that has the container.
        list: List,
        /// Whether the patch has to let its rollout go on.
        paused: bool,
    },
    /// In an object that is patched by the container's place in its list.
    Indexed {
        /// The object.
        target: Target,
        /// The list that has the container.
        list: List,
        /// Its place, from 0.
        index: usize,
    },
    /// In the manifest of an object that has to be made anew, since it cannot be changed.
    Anew(Target),
    /// In the manifest of an object whose ways are not known.
    Manifest {
        /// Its kind.
        kind: Arc<str>,
        /// Its name.
        name: Arc<str>,
    },
    /// In the file of a static pod.
    File {
        /// The node that has it.
        node: Option<Arc<str>>,
    },
}

/// The lists of containers of a pod.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum List {
    /// `containers`
    #[default]
    Containers,
    /// `initContainers`, which sidecars are in, too.
    InitContainers,
}

impl List {
    /// Its field in a pod's specification.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Containers => "containers",
            Self::InitContainers => "initContainers",
        }
    }
}

/// What a field needs for which no value is known that works.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Correction {
    /// A path that the app answers with 200.
    Path,
    /// The port on which the app listens.
    Port,
    /// The scheme that the port serves.
    Scheme,
    /// To be left out.
    NoHost,
    /// Credentials, or an endpoint that wants none.
    Credentials,
    /// The handler of the protocol that the port serves.
    Handler,
    /// A service that the app's health server knows.
    GrpcService,
    /// A command that the image contains.
    Command,
    /// A port that the container declares.
    DeclaredPort,
    /// More time for an answer.
    Timeout,
    /// A probe that waits for the start.
    StartupProbe,
    /// More time for the start.
    StartTime,
}

impl Kind {
    /// The kind of that name, if its ways are known.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "Deployment" => Self::Deployment,
            "StatefulSet" => Self::StatefulSet,
            "DaemonSet" => Self::DaemonSet,
            "ReplicaSet" => Self::ReplicaSet,
            "ReplicationController" => Self::ReplicationController,
            "Job" => Self::Job,
            "CronJob" => Self::CronJob,
            "Pod" => Self::Pod,
            "Rollout" => Self::Rollout,
            _ => return None,
        })
    }

    /// As a manifest writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::ReplicationController => "ReplicationController",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::Pod => "Pod",
            Self::Rollout => "Rollout",
        }
    }

    /// Whether `kubectl rollout undo` knows it.
    pub const fn has_undo(self) -> bool {
        matches!(self, Self::Deployment | Self::StatefulSet | Self::DaemonSet)
    }

    /// Whether `kubectl logs` finds the pods of it.
    pub const fn has_logs(self) -> bool {
        !matches!(self, Self::CronJob | Self::Rollout)
    }
}

impl Target {
    /// A pod.
    pub fn pod(name: &Arc<str>) -> Self {
        Self { kind: Kind::Pod, name: Arc::clone(name) }
    }
}

//! The resources of a recording.

/// A resource whose objects are recorded.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Resource {
    /// `pods`
    Pods,
    /// `events`
    Events,
    /// `replicasets`
    ReplicaSets,
    /// `controllerrevisions`
    ControllerRevisions,
    /// `deployments`
    Deployments,
    /// `statefulsets`
    StatefulSets,
    /// `daemonsets`
    DaemonSets,
    /// `jobs`
    Jobs,
    /// `cronjobs`
    CronJobs,
    /// `services`
    Services,
    /// `endpointslices`
    EndpointSlices,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Pods,
        Self::Events,
        Self::ReplicaSets,
        Self::ControllerRevisions,
        Self::Deployments,
        Self::StatefulSets,
        Self::DaemonSets,
        Self::Jobs,
        Self::CronJobs,
        Self::Services,
        Self::EndpointSlices,
    ];

    /// Its name in a recording and in the API's paths.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Events => "events",
            Self::ReplicaSets => "replicasets",
            Self::ControllerRevisions => "controllerrevisions",
            Self::Deployments => "deployments",
            Self::StatefulSets => "statefulsets",
            Self::DaemonSets => "daemonsets",
            Self::Jobs => "jobs",
            Self::CronJobs => "cronjobs",
            Self::Services => "services",
            Self::EndpointSlices => "endpointslices",
        }
    }
}

//! Controllers of pods, and the revisions of their templates.

use super::meta::{Meta, WorkloadMeta};
use super::pod::PodTemplateLite;
use super::selector::SelectorLite;
use super::shape::{Skip, TextOrNumber, lean};

lean! {
    /// A Deployment; only its revisions' templates are read, from its `ReplicaSets`.
    pub struct DeploymentLite {
        kind: String = "kind",
        metadata: WorkloadMeta = "metadata",
        spec: ReplicasLite<Skip> = "spec",
        status: StatusLite = "status",
    }

    /// An Argo Rollout.
    pub struct RolloutLite {
        kind: String = "kind",
        metadata: WorkloadMeta = "metadata",
        spec: RolloutSpecLite = "spec",
        status: RolloutStatusLite = "status",
    }

    /// `status` of a Rollout.
    pub struct RolloutStatusLite {
        /// A number as text.
        observed_generation: TextOrNumber = "observedGeneration",
    }

    /// `spec` of a Rollout.
    pub struct RolloutSpecLite {
        replicas: i64 = "replicas",
        paused: bool = "paused",
        min_ready_seconds: i64 = "minReadySeconds",
        workload_ref: WorkloadRefLite = "workloadRef",
    }

    /// The reference to the object whose template a Rollout runs.
    pub struct WorkloadRefLite {
        kind: String = "kind",
        name: String = "name",
    }

    /// A `StatefulSet`.
    pub struct StatefulSetLite {
        kind: String = "kind",
        metadata: WorkloadMeta = "metadata",
        spec: ReplicasLite<Skip> = "spec",
        status: StatusLite = "status",
    }

    /// A `DaemonSet`.
    pub struct DaemonSetLite {
        kind: String = "kind",
        metadata: WorkloadMeta = "metadata",
        spec: DaemonSetSpecLite = "spec",
        status: DaemonSetStatusLite = "status",
    }

    /// A `ReplicaSet`: one revision of a Deployment, or a workload of its own.
    pub struct ReplicaSetLite {
        kind: String = "kind",
        metadata: Meta = "metadata",
        spec: ReplicasLite<PodTemplateLite> = "spec",
    }

    /// A `ControllerRevision`: one revision of a `StatefulSet` or `DaemonSet`.
    pub struct ControllerRevisionLite {
        kind: String = "kind",
        metadata: Meta = "metadata",
        data: RevisionDataLite = "data",
        revision: i64 = "revision",
    }

    /// A Job.
    pub struct JobLite {
        kind: String = "kind",
        metadata: Meta = "metadata",
        spec: JobSpecLite = "spec",
    }

    /// A `CronJob`.
    pub struct CronJobLite {
        kind: String = "kind",
        metadata: Meta = "metadata",
    }

    /// `spec` of a controller with replicas; `T` is the part of its template that is read.
    pub struct ReplicasLite<T> {
        replicas: i64 = "replicas",
        paused: bool = "paused",
        pod_management_policy: String = "podManagementPolicy",
        min_ready_seconds: i64 = "minReadySeconds",
        progress_deadline_seconds: i64 = "progressDeadlineSeconds",
        strategy: StrategyLite = "strategy",
        selector: SelectorLite = "selector",
        template: T = "template",
    }

    /// `spec.strategy` of a Deployment.
    pub struct StrategyLite {
        kind: String = "type",
        rolling_update: RollingUpdateLite = "rollingUpdate",
    }

    /// `spec.strategy.rollingUpdate` of a Deployment.
    pub struct RollingUpdateLite {
        max_surge: TextOrNumber = "maxSurge",
        max_unavailable: TextOrNumber = "maxUnavailable",
    }

    /// `spec` of a `DaemonSet`.
    pub struct DaemonSetSpecLite {
        min_ready_seconds: i64 = "minReadySeconds",
        selector: SelectorLite = "selector",
    }

    /// `status` of a Deployment or `StatefulSet`.
    pub struct StatusLite {
        observed_generation: i64 = "observedGeneration",
    }

    /// `status` of a `DaemonSet`.
    pub struct DaemonSetStatusLite {
        observed_generation: i64 = "observedGeneration",
        desired_number_scheduled: i64 = "desiredNumberScheduled",
    }

    /// `data` of a `ControllerRevision`.
    pub struct RevisionDataLite {
        spec: RevisionSpecLite = "spec",
    }

    /// `data.spec` of a `ControllerRevision`.
    pub struct RevisionSpecLite {
        template: PodTemplateLite = "template",
    }

    /// `spec` of a Job.
    pub struct JobSpecLite {
        parallelism: i64 = "parallelism",
    }
}

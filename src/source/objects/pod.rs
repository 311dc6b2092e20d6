//! Pods: template and status.

use super::meta::{LabelsLite, Meta};
use super::shape::{List, lean};
use super::spec::ContainerLite;

lean! {
    /// A pod.
    pub struct PodLite {
        kind: String = "kind",
        metadata: Meta = "metadata",
        spec: PodSpecLite = "spec",
        status: PodStatusLite = "status",
    }

    /// A pod template, as part of a workload.
    pub struct PodTemplateLite {
        metadata: TemplateMetaLite = "metadata",
        spec: PodSpecLite = "spec",
    }

    /// `metadata` of a pod template.
    pub struct TemplateMetaLite {
        labels: LabelsLite = "labels",
    }

    /// `spec` of a pod.
    pub struct PodSpecLite {
        containers: List<ContainerLite> = "containers",
        init_containers: List<ContainerLite> = "initContainers",
        restart_policy: String = "restartPolicy",
        host_network: bool = "hostNetwork",
        termination_grace_period_seconds: i64 = "terminationGracePeriodSeconds",
        node_name: String = "nodeName",
    }

    /// `status` of a pod.
    pub struct PodStatusLite {
        phase: String = "phase",
        reason: String = "reason",
        pod_ip: String = "podIP",
        start_time: String = "startTime",
        container_statuses: List<ContainerStatusLite> = "containerStatuses",
        init_container_statuses: List<ContainerStatusLite> = "initContainerStatuses",
    }

    /// One container's status.
    pub struct ContainerStatusLite {
        name: String = "name",
        restart_count: i64 = "restartCount",
        container_id: String = "containerID",
        ready: bool = "ready",
        started: bool = "started",
        state: StateLite = "state",
        last_state: StateLite = "lastState",
    }

    /// `state` or `lastState` of a container.
    pub struct StateLite {
        waiting: WaitingLite = "waiting",
        running: RunningLite = "running",
        terminated: TerminatedLite = "terminated",
    }

    /// A waiting container.
    pub struct WaitingLite {
        reason: String = "reason",
        message: String = "message",
    }

    /// A running container.
    pub struct RunningLite {
        started_at: String = "startedAt",
    }

    /// A terminated container.
    pub struct TerminatedLite {
        container_id: String = "containerID",
        exit_code: i64 = "exitCode",
        reason: String = "reason",
        message: String = "message",
        started_at: String = "startedAt",
        finished_at: String = "finishedAt",
    }
}

//! Pods: template and status.

use std::sync::Arc;

use serde::de::MapAccess;

use super::meta::{LabelsLite, Meta};
use super::oddity::Found;
use super::shape::{List, Maybe, Shape, lean};
use super::spec::ContainerLite;
use crate::text::hash::mark;

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

    /// The fields of a pod's `spec`.
    pub struct SpecFieldsLite {
        init_containers: List<ContainerLite> = "initContainers",
        containers: List<ContainerLite> = "containers",
        restart_policy: String = "restartPolicy",
        termination_grace_period_seconds: i64 = "terminationGracePeriodSeconds",
        node_name: String = "nodeName",
        host_network: bool = "hostNetwork",
    }

    /// `status` of a pod.
    pub struct PodStatusLite {
        phase: String = "phase",
        reason: String = "reason",
        pod_ip: String = "podIP",
        start_time: String = "startTime",
        init_container_statuses: List<ContainerStatusLite> = "initContainerStatuses",
        container_statuses: List<ContainerStatusLite> = "containerStatuses",
    }

    /// One container's status.
    pub struct ContainerStatusLite {
        name: String = "name",
        state: StateLite = "state",
        last_state: StateLite = "lastState",
        ready: bool = "ready",
        restart_count: i64 = "restartCount",
        container_id: String = "containerID",
        started: bool = "started",
    }

    /// `state` or `lastState` of a container.
    pub struct StateLite {
        waiting: Box<WaitingLite> = "waiting",
        running: RunningLite = "running",
        terminated: Box<TerminatedLite> = "terminated",
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
        exit_code: i64 = "exitCode",
        reason: String = "reason",
        message: String = "message",
        started_at: String = "startedAt",
        finished_at: String = "finishedAt",
        container_id: String = "containerID",
    }
}

/// `spec` of a pod: the node, and what the pods of a template have in common.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PodSpecLite {
    /// `nodeName`
    pub node_name: Maybe<String>,
    /// All the other fields.
    pub common: Arc<CommonSpec>,
}

/// What the specs of a template's pods have in common, with its hash, which is then taken once for all of them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CommonSpec {
    /// The hash of the fields.
    pub mark: u64,
    /// The fields, without `nodeName`.
    pub fields: SpecFieldsLite,
}

impl From<SpecFieldsLite> for CommonSpec {
    fn from(fields: SpecFieldsLite) -> Self {
        Self { mark: mark(&fields), fields }
    }
}

impl Shape for PodSpecLite {
    const EXPECTED: &'static str = SpecFieldsLite::EXPECTED;

    fn of_map<'de, A: MapAccess<'de>>(map: A) -> Result<Result<Self, Found>, A::Error> {
        Ok(SpecFieldsLite::of_map(map)?.map(|mut fields| {
            let node_name = std::mem::take(&mut fields.node_name);
            Self { node_name, common: Arc::new(CommonSpec::from(fields)) }
        }))
    }
}

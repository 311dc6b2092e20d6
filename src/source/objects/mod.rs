//! Kubernetes objects, as far as probehound needs them, from any JSON that claims to be one.
//!
//! Invariants:
//! - **Total**: an object of any content decodes. `null` and absent are the same; what is of an
//!   odd type is remembered as [`Maybe::Odd`] and told when it is needed, so that one odd object
//!   never poisons the list that it is in. Only broken JSON is an error.
//! - **Lean**: what is not named here is skipped without being built. `managedFields` are skipped
//!   too, but for workloads, where they say who changed the template.
//! - Values of `env` and of headers never get further than their mark.

mod env;
mod event;
mod meta;
mod oddity;
mod pod;
mod selector;
mod service;
mod shape;
mod spec;
mod workload;

pub use env::EnvLite;
pub use event::{EventLite, InvolvedLite, SeriesLite, SourceLite};
pub use meta::{
    AnnotationsLite, LabelsLite, ManagedLite, Meta, ObjectMeta, OwnerLite, TouchesTemplate, WorkloadMeta, check_kind,
    time,
};
pub use oddity::{Found, Oddity};
pub use pod::{
    ContainerStatusLite, PodLite, PodSpecLite, PodStatusLite, PodTemplateLite, RunningLite, StateLite,
    TemplateMetaLite, TerminatedLite, WaitingLite,
};
pub use selector::{RequirementLite, SelectorLite};
pub use service::{ConditionsLite, EndpointLite, EndpointSliceLite, ServiceLite, ServiceSpecLite, TargetLite};
pub use shape::{List, Mark, Maybe, Present, Shape, Skip, TextOrNumber};
pub use spec::{
    ContainerLite, ExecLite, ExitCodesLite, GrpcLite, HeaderLite, HttpGetLite, LifecycleLite, LimitsLite, PortLite,
    ProbeLite, ResourcesLite, RestartRuleLite, TcpLite,
};
pub use workload::{
    ControllerRevisionLite, CronJobLite, DaemonSetLite, DaemonSetSpecLite, DaemonSetStatusLite, DeploymentLite,
    JobLite, JobSpecLite, ReplicaSetLite, ReplicasLite, RevisionDataLite, RevisionSpecLite, RolloutLite,
    RolloutSpecLite, RolloutStatusLite, StatefulSetLite, StatusLite, WorkloadRefLite,
};

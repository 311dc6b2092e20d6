//! Kubernetes objects, as far as probehound needs them, from arbitrary JSON.
//!
//! Invariants:
//! - **Total**: an object of any content decodes. `null` and absent are the same; a value of an odd type is
//!   kept as [`Maybe::Odd`] and reported when it is needed, so that one odd object never poisons the list
//!   that it is in. Only broken JSON is an error.
//! - **Lean**: fields that are not declared here are skipped without being built. `managedFields` are
//!   skipped too, except for workloads, where they show who changed the template.
//! - Of the values of `env` and of headers only a hash is kept.

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
    CommonSpec, ContainerStatusLite, PodLite, PodSpecLite, PodStatusLite, PodTemplateLite, RunningLite, SpecFieldsLite,
    StateLite, TemplateMetaLite, TerminatedLite, WaitingLite,
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
    JobLite, JobSpecLite, ReplicaSetLite, ReplicasLite, RevisionDataLite, RevisionSpecLite, RollingUpdateLite,
    RolloutLite, RolloutSpecLite, RolloutStatusLite, StatefulSetLite, StatusLite, StrategyLite, WorkloadRefLite,
};

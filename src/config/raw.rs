//! The file as it is written: each key with its type, nothing checked yet.
//!
//! A value that is checked later keeps its place ([`serde_saphyr::Spanned`]). A section or list whose
//! keys are all commented out is like one that is not there.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::InitialList;
use super::annotations::raw::Annotations;
use super::notifications::raw::Notifications;
use super::written::{Text, or_default};
use crate::finding::Cause;

/// The whole file.
#[derive(Deserialize, JsonSchema, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Raw {
    /// What this cluster is called in messages.
    #[schemars(with = "String")]
    pub cluster_name: Option<Text>,
    /// Where alerts find the runbook.
    #[schemars(with = "String")]
    pub runbook_url: Option<Text>,
    /// What is watched.
    #[serde(deserialize_with = "or_default")]
    pub watch: Watch,
    /// When a loop is one.
    #[serde(deserialize_with = "or_default")]
    pub detection: Detection,
    /// What is not told, although it is found.
    #[serde(deserialize_with = "or_default")]
    #[schemars(with = "Vec<Silence>")]
    pub silences: Vec<Spanned<Silence>>,
    /// What teams may ask for by annotations.
    #[serde(deserialize_with = "or_default")]
    pub annotations: Annotations,
    /// The `Finding` objects.
    #[serde(deserialize_with = "or_default")]
    pub findings: Findings,
    /// Whether a rollout that broke a probe is undone.
    #[serde(deserialize_with = "or_default")]
    pub guard: Guard,
    /// Which of several replicas writes and sends.
    #[serde(deserialize_with = "or_default")]
    pub leader_election: LeaderElection,
    /// The server for metrics and health.
    #[serde(deserialize_with = "or_default")]
    pub http: Http,
    /// The page for people.
    #[serde(deserialize_with = "or_default")]
    pub page: Page,
    /// Who is told, and of what.
    #[serde(deserialize_with = "or_default")]
    pub notifications: Notifications,
}

/// What is watched.
#[derive(Deserialize, JsonSchema, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Watch {
    /// The namespaces; none: all.
    #[serde(deserialize_with = "or_default")]
    #[schemars(with = "Vec<String>")]
    pub namespaces: Vec<Text>,
    /// Patterns of namespaces that are left out.
    #[serde(deserialize_with = "or_default")]
    #[schemars(with = "Vec<String>")]
    pub exclude_namespaces: Vec<Text>,
    /// The label selector of the pods.
    #[schemars(with = "String")]
    pub pod_selector: Option<Text>,
    /// How the first list comes.
    pub initial_list: Option<InitialList>,
}

/// When a loop is one.
#[derive(Deserialize, JsonSchema, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Detection {
    /// A duration.
    #[schemars(with = "String")]
    pub window: Option<Text>,
    /// How many restarts.
    #[schemars(with = "i64")]
    pub probe_kills: Option<Spanned<i64>>,
    /// How many restarts.
    #[schemars(with = "i64")]
    pub own_ends: Option<Spanned<i64>>,
    /// Whether the output of exec probes is kept.
    pub exec_output: Option<bool>,
}

/// What is not told.
#[derive(Deserialize, JsonSchema, Clone, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Silence {
    /// What it is called in metrics and objects.
    #[schemars(with = "String")]
    pub name: Option<Text>,
    /// A pattern of the namespace.
    #[schemars(with = "String")]
    pub namespace: Option<Text>,
    /// A pattern of `KIND/NAME`.
    #[schemars(with = "String")]
    pub workload: Option<Text>,
    /// A pattern of the container's name.
    #[schemars(with = "String")]
    pub container: Option<Text>,
    /// The cause.
    pub cause: Option<Cause>,
    /// A point in time.
    #[schemars(with = "String")]
    pub until: Option<Text>,
    /// Why, for whoever reads it.
    #[schemars(with = "String")]
    pub reason: Option<Text>,
}

/// The `Finding` objects.
#[derive(Deserialize, JsonSchema, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Findings {
    /// A duration.
    #[schemars(with = "String")]
    pub keep_resolved: Option<Text>,
}

/// Whether a rollout that broke a probe is undone.
#[derive(Deserialize, JsonSchema, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Guard {
    /// What it does.
    #[schemars(schema_with = "guard_mode")]
    pub mode: Option<Text>,
    /// Patterns of the namespaces in which it undoes; none: all that are watched.
    #[serde(deserialize_with = "or_default")]
    #[schemars(with = "Vec<String>")]
    pub namespaces: Vec<Text>,
    /// How many rollouts it undoes within an hour.
    #[schemars(with = "i64")]
    pub max_per_hour: Option<Spanned<i64>>,
    /// Whether a kubelet's event proves a kill.
    pub trust_events: Option<bool>,
}

/// An `off` without quotes is `false` to those who read YAML 1.1, Helm among them.
fn guard_mode(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["off", "watch", "undo", false] })
}

/// Which of several replicas writes and sends.
#[derive(Deserialize, JsonSchema, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct LeaderElection {
    /// Whether there is a Lease.
    pub enabled: Option<bool>,
    /// Its namespace.
    #[schemars(with = "String")]
    pub namespace: Option<Text>,
    /// Its name.
    #[schemars(with = "String")]
    pub name: Option<Text>,
}

/// The server for metrics and health.
#[derive(Deserialize, JsonSchema, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Http {
    /// An address.
    #[schemars(with = "String")]
    pub listen: Option<Text>,
    /// Whether metrics are for those who may get them.
    pub metrics_authentication: Option<bool>,
}

/// The page for people.
#[derive(Deserialize, JsonSchema, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Page {
    /// Whether it is served.
    pub enabled: Option<bool>,
    /// An address.
    #[schemars(with = "String")]
    pub listen: Option<Text>,
    /// Whether each visitor sees only what the API server lets them list.
    pub authentication: Option<bool>,
}

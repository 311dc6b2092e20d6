//! Findings as objects of the cluster: the API `probehound.dev/v1alpha1`.
//!
//! `spec` says which finding it is and never changes. `status` says what is known, and is written by
//! three field managers with disjoint fields: [`MANAGER`] writes all but `notifications` and `guard`,
//! [`DELIVERY_MANAGER`] writes only the one, [`GUARD_MANAGER`] the other. Server-side apply removes what a
//! manager leaves out.
//!
//! Invariant: what [`FindingObject::from_finding`] makes fits the definition, whatever the finding holds; an
//! object that the API server refused would be one that hides.

mod columns;
mod condition;
#[cfg(feature = "operator")]
mod definition;
mod guard;
mod name;
#[cfg(feature = "operator")]
mod whole;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::report::notified::{Content, Notification, Notified, Reach};
pub use columns::{COLUMNS, Column};
pub use condition::{Condition, Holds, Stage};
#[cfg(feature = "operator")]
pub use definition::definition;
pub use guard::{GUARD_MANAGER, GuardStatus, UndoRecord};
pub use name::{ObjectKey, object_name};

use crate::engine::{
    Cause, Confidence, Effect, Fact, Fault, Finding, Pods, RevisionChange, ServiceState, Severity, Value,
};
use crate::finding::MinReady;
use crate::kubelet::ProbeKind;
use crate::report::headline::kind_and_name;
pub use crate::report::limits::ENTRIES;
use crate::report::limits::{NAME, TEXT, number_or_text};
use crate::report::plain;
use crate::report::remedies::texts;
use crate::text::cut;
use crate::text::escape::visible;
use crate::time::Time;

/// Who writes what is known.
pub const MANAGER: &str = "probehound";
/// Who writes what was told.
pub const DELIVERY_MANAGER: &str = "probehound-delivery";

/// Conditions of a finding.
const STAGES: usize = 3;

/// Which finding it is.
#[cfg_attr(
    feature = "operator",
    derive(kube::CustomResource),
    kube(
        group = "probehound.dev",
        version = "v1alpha1",
        kind = "Finding",
        root = "FindingObject",
        plural = "findings",
        singular = "finding",
        shortname = "fnd",
        category = "probehound",
        namespaced,
        status = "FindingStatus",
        derive = "PartialEq",
        doc = "What loops, and why: written by probehound."
    )
)]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    { "rule": "self == oldSelf", "message": "which finding it is never changes" }
]))]
pub struct FindingSpec {
    /// What a person would edit.
    pub workload: WorkloadRef,
    /// The container's name.
    #[schemars(length(max = NAME))]
    pub container: String,
    /// What happens to it.
    pub effect: Effect,
    /// The probe that does it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeKind>,
}

/// A workload of the finding's namespace.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WorkloadRef {
    /// `Deployment`, `StatefulSet`, …
    #[schemars(length(max = NAME))]
    pub kind: String,
    /// Its name.
    #[schemars(length(max = NAME))]
    pub name: String,
}

/// What is known of a finding, and what of it was told.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FindingStatus {
    /// Whether it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<FindingState>,
    /// Who, what is wrong, and the field: all of it in a sentence or two.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = TEXT))]
    pub summary: Option<String>,
    /// How far it has come: `kubectl wait --for=condition=Resolved`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = STAGES), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// `KIND/NAME`, as in the spec; for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = TEXT))]
    pub workload: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Whose fault that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// The field to change: `livenessProbe.httpGet.path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = TEXT))]
    pub field: Option<String>,
    /// Its value now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "number_or_text")]
    pub current: Option<Value>,
    /// A value that was seen to work, or that the server's own words prove.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "number_or_text")]
    pub suggested: Option<Value>,
    /// How sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// How bad.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What else it could be, likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = ENTRIES), inner(length(max = TEXT)))]
    pub hypotheses: Vec<String>,
    /// The facts that it rests on, in the order in which they happened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = ENTRIES))]
    pub evidence: Vec<Fact>,
    /// The revision of the failing pods' template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// What that revision changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<RevisionChange>,
    /// The `minReadySeconds` that would have stopped the rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ready: Option<MinReady>,
    /// How many pods, at the worst moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<Pods>,
    /// One of the pods, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = TEXT))]
    pub example: Option<String>,
    /// `50/50`: the pods, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affected: Option<String>,
    /// The Services of the workload at that moment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = ENTRIES))]
    pub services: Vec<ServiceState>,
    /// Restarts in this episode, of all its pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restarts: Option<u64>,
    /// How often it came, this time included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub episodes: Option<u32>,
    /// When it was first suspected in this episode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Time>,
    /// When the evidence carried it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Time>,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Time>,
    /// What to type or do, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = ENTRIES), inner(length(max = TEXT)))]
    pub remedy: Vec<String>,
    /// The labels of its pods' template, `KEY=VALUE`, by which it may be routed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = ENTRIES), inner(length(max = TEXT)))]
    pub labels: Vec<String>,
    /// The silence of the configuration that keeps it from being told, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = TEXT))]
    pub silenced_by: Option<String>,
    /// The silence by annotation that keeps it from those of its receivers that heed it, with its end and reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = TEXT))]
    pub silenced_by_annotation: Option<String>,
    /// What the guard did about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<GuardStatus>,
    /// What each receiver was told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = ENTRIES), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["receiver"]))]
    pub notifications: Vec<Notification>,
}

/// Whether a finding goes on.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub enum FindingState {
    /// The evidence carries it, and it goes on.
    Confirmed,
    /// It is over.
    Resolved,
    /// It never was one, or another finding took its place.
    Withdrawn,
}

impl FindingSpec {
    /// Which finding it is.
    pub fn from_finding(finding: &Finding) -> Self {
        let (kind, name) = kind_and_name(&finding.workload);
        Self {
            workload: WorkloadRef { kind: kind.to_owned(), name: name.to_owned() },
            container: finding.container.to_string(),
            effect: finding.effect,
            probe: finding.probe,
        }
    }
}

impl FindingStatus {
    /// What is known of a finding, without what was told of it and what the guard did.
    pub fn new(finding: &Finding, state: FindingState, silenced_by: Option<&str>) -> Self {
        Self {
            state: Some(state),
            summary: Some(short(&plain::summary(finding))),
            conditions: Condition::from_finding(finding, state),
            workload: Some(short(&finding.workload)),
            cause: Some(finding.cause),
            fault: finding.fault,
            field: finding.field.as_ref().map(|field| short(&field.to_string())),
            current: finding.current.as_ref().map(short_value),
            suggested: finding.suggested.as_ref().map(short_value),
            confidence: Some(finding.confidence),
            severity: Some(finding.severity),
            hypotheses: finding.hypotheses.iter().take(ENTRIES).map(|one| short(&one.to_string())).collect(),
            evidence: finding.evidence.iter().take(ENTRIES).map(short_fact).collect(),
            revision: finding.revision.map(number),
            change: finding.change.as_ref().map(short_change),
            min_ready: finding.min_ready.as_deref().cloned(),
            pods: Some(finding.pods),
            example: finding.example.as_deref().map(short),
            affected: Some(format!("{}/{}", finding.pods.affected, finding.pods.total)),
            services: finding.services.iter().take(ENTRIES).cloned().collect(),
            restarts: Some(number(finding.restarts)),
            episodes: Some(finding.episodes),
            opened_at: Some(finding.opened_at),
            confirmed_at: finding.confirmed_at,
            resolved_at: finding.resolved_at,
            remedy: texts(finding).iter().take(ENTRIES).map(|text| short(text)).collect(),
            labels: finding.labels.iter().take(ENTRIES).map(|(key, value)| short(&format!("{key}={value}"))).collect(),
            silenced_by: silenced_by.map(short),
            silenced_by_annotation: None,
            guard: None,
            notifications: Vec::new(),
        }
    }
}

/// Cut, and as a terminal may show it: `kubectl` prints what stands in an object as it is.
fn short(text: &str) -> String {
    cut(&visible(cut(text, TEXT)), TEXT).to_owned()
}

fn short_value(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(*number),
        Value::Text(text) => Value::Text(short(text)),
    }
}

fn short_fact(fact: &Fact) -> Fact {
    Fact { at: fact.at, what: short(&fact.what) }
}

fn short_change(change: &RevisionChange) -> RevisionChange {
    RevisionChange {
        revision: number(change.revision),
        at: change.at,
        by: change.by.as_deref().map(|by| Arc::from(short(by))),
        from: change.from.as_deref().map(short),
        to: change.to.as_deref().map(short),
    }
}

/// A count as the API can carry it: its integers are signed.
fn number(number: u64) -> u64 {
    number.min(i64::MAX as u64)
}

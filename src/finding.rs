//! What probehound says: the vocabulary of its findings.

pub mod field;
pub mod guard;
mod hypothesis;
mod min_ready;
pub mod rank;
pub mod remedy;
mod rollout;

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kubelet::{ProbeKind, StartFailure};
use crate::time::Time;
use field::Field;
use guard::Guarded;
pub use hypothesis::Hypothesis;
pub use min_ready::{MinReady, RollingUpdate, Share};
use remedy::Remedy;
pub use rollout::{Health, Rollout};

/// A finding changed; what it is now comes whole.
#[derive(Clone, Debug)]
pub struct Change {
    /// What happened to it.
    pub kind: ChangeKind,
    /// When.
    pub at: Time,
    /// The finding after the change.
    pub finding: Arc<Finding>,
}

/// What happened to a finding.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ChangeKind {
    /// It may become one: shown, not told.
    Suspected,
    /// The evidence carries it.
    Confirmed,
    /// Cause, field, value, confidence, severity or reach changed.
    Updated,
    /// Only counts changed, or, while it is only suspected, since when its container is being killed.
    Counted,
    /// It is over.
    Resolved,
    /// It never was one, or another finding took its place: forget it.
    Withdrawn,
}

/// What probehound says about a container of a workload: one JSON object of `replay -o json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The workload's namespace.
    pub namespace: Arc<str>,
    /// `KIND/NAME`, `Deployment/web`.
    pub workload: Arc<str>,
    /// The container's name.
    pub container: Arc<str>,
    /// What happens to it.
    pub effect: Effect,
    /// The probe that does it, if one does.
    pub probe: Option<ProbeKind>,
    /// Why.
    pub cause: Cause,
    /// Whose fault that is.
    pub fault: Option<Fault>,
    /// The field to change: `livenessProbe.httpGet.path`.
    #[schemars(with = "Option<String>")]
    pub field: Option<Field>,
    /// Its value now.
    pub current: Option<Value>,
    /// A value that was seen to work, or that the server's own words prove.
    pub suggested: Option<Value>,
    /// How sure.
    pub confidence: Confidence,
    /// How bad.
    pub severity: Severity,
    /// What else it could be, likeliest first; empty when the confidence is high.
    #[schemars(with = "Vec<String>")]
    pub hypotheses: Vec<Hypothesis>,
    /// The facts that it rests on, in the order in which they happened.
    pub evidence: Vec<Fact>,
    /// The revision of the failing pods' template when it was confirmed.
    pub revision: Option<u64>,
    /// What that revision changed.
    pub change: Option<RevisionChange>,
    /// The `minReadySeconds` that would have stopped the rollout; absent where none would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_ready: Option<Arc<MinReady>>,
    /// How many pods, at the worst moment.
    pub pods: Pods,
    /// One of the pods that it concerns, by name: the one whose container ended most often.
    #[serde(default)]
    pub example: Option<Arc<str>>,
    /// The Services of the workload at that moment.
    pub services: Vec<ServiceState>,
    /// Restarts in this episode, of all its pods.
    pub restarts: u64,
    /// How often it came, this time included.
    pub episodes: u32,
    /// When it was first suspected in this episode.
    pub opened_at: Time,
    /// When the evidence carried it; `None`: only ever suspected, no alarm.
    pub confirmed_at: Option<Time>,
    /// When it was over.
    pub resolved_at: Option<Time>,
    /// What to type or do, best first; the documents have it in words.
    #[serde(skip)]
    #[schemars(skip)]
    pub remedy: Vec<Remedy>,
    /// Why the container cannot be started, where its status says so; no part of the document.
    #[serde(skip)]
    #[schemars(skip)]
    pub start_failure: Option<StartFailure>,
    /// What was considered, the named cause first; no part of the document unless it is asked for.
    #[serde(skip)]
    #[schemars(skip)]
    pub considered: Arc<[Considered]>,
    /// The labels of its pods' template, sorted, by which it may be routed; no part of the document.
    #[serde(skip)]
    #[schemars(skip)]
    pub labels: Labels,
    /// The rollout that it began with, as far as this process observed it; no part of the document.
    #[serde(skip)]
    #[schemars(skip)]
    pub rollout: Option<Arc<Rollout>>,
    /// What the guard did about this episode of it; no part of the document.
    #[serde(skip)]
    #[schemars(skip)]
    pub guard: Option<Arc<Guarded>>,
}

/// A cause that was considered, and what speaks for it and against it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Considered {
    /// Which.
    pub cause: Cause,
    /// Whether it is the one that is named, could be it, or is contradicted.
    pub standing: Standing,
    /// The facts that it explains.
    #[serde(rename = "for")]
    pub explains: Vec<String>,
    /// What would have to be known for it to be named.
    pub lacks: Vec<String>,
    /// The facts that contradict it.
    pub against: Vec<String>,
}

/// How a cause that was considered stands.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It is the finding's cause.
    Named,
    /// It could be it.
    Possible,
    /// A fact contradicts it.
    Contradicted,
}

/// Labels, sorted by key.
pub type Labels = Arc<[(Arc<str>, Arc<str>)]>;

/// What makes a finding the same one when it changes and when it comes again.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Identity {
    /// The workload's namespace.
    pub namespace: Arc<str>,
    /// `KIND/NAME`, `Deployment/web`.
    pub workload: Arc<str>,
    /// The container's name.
    pub container: Arc<str>,
    /// What happens to it.
    pub effect: Effect,
    /// The probe that does it, if one does.
    pub probe: Option<ProbeKind>,
}

impl Finding {
    /// Which finding it is.
    pub fn identity(&self) -> Identity {
        Identity {
            namespace: Arc::clone(&self.namespace),
            workload: Arc::clone(&self.workload),
            container: Arc::clone(&self.container),
            effect: self.effect,
            probe: self.probe,
        }
    }
}

/// A value of a manifest's field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(i64),
    /// A string.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A fact and its time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    /// When it happened.
    pub at: Time,
    /// What happened.
    pub what: String,
}

/// What a revision changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RevisionChange {
    /// The revision.
    pub revision: u64,
    /// When it was rolled out.
    pub at: Option<Time>,
    /// The field manager that did it: `kubectl-edit`, `argocd-controller`.
    pub by: Option<Arc<str>>,
    /// The value before.
    pub from: Option<String>,
    /// The value since.
    pub to: Option<String>,
}

/// What changed where it is known of the environment, of which no values are kept.
pub const ENV_CHANGED: &str = "env changed";

impl RevisionChange {
    /// `revision 2 was rolled out by kubectl-edit: /health → /v2/health`
    pub fn words(&self) -> String {
        let by = self.by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
        let what = match (&self.from, &self.to) {
            (Some(from), Some(to)) => format!(": {from} → {to}"),
            (None, Some(to)) if self.is_of_env() => format!(": {to}"),
            (None, Some(to)) => format!(": {to} added"),
            (Some(from), None) => format!(": {from} removed"),
            (None, None) => String::new(),
        };
        format!("revision {} was rolled out{by}{what}", self.revision)
    }

    /// Whether all that is known is that the environment changed.
    pub fn is_of_env(&self) -> bool {
        self.from.is_none() && self.to.as_deref() == Some(ENV_CHANGED)
    }
}

/// How many pods.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Pods {
    /// Distinct pods of the episode that it concerns.
    pub affected: u32,
    /// Pods wanted at the worst moment.
    pub total: u32,
}

impl Pods {
    /// Whether it concerns all of them.
    pub const fn is_all(self) -> bool {
        self.total > 0 && self.affected >= self.total
    }
}

/// A Service's endpoints at the worst moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ServiceState {
    /// Its name.
    pub name: Arc<str>,
    /// Endpoints ready.
    pub ready: u32,
    /// Endpoints in all.
    pub total: u32,
}

impl ServiceState {
    /// Whether it has endpoints, and none of them is ready.
    pub const fn is_down(&self) -> bool {
        self.total > 0 && self.ready == 0
    }
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// All of them, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The one of that word.
            pub fn named(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }

            /// The word of the contract, as in JSON.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

words! {
    /// What happens to the container.
    Effect {
        /// It restarts again and again.
        RestartLoop,
        /// Ended by a probe and not restarted in place (restartPolicy Never).
        Killed,
        /// Its readiness probe never passed in this template.
        NeverReady,
        /// Its probe cannot run, so it protects nothing.
        ProbeIneffective,
        /// It never began.
        StartBlocked,
        /// A probe fails again and again below its threshold.
        Flapping,
        /// Its containers end again and again, too far apart for a loop.
        Recurring,
    }
}

words! {
    /// Why.
    Cause {
        /// The app answers, but not at the probe's path.
        WrongPath,
        /// The app listens, but not on the probe's port.
        WrongPort,
        /// HTTP spoken to HTTPS or the other way round.
        WrongScheme,
        /// The probe's host does not resolve or is not the pod.
        WrongHost,
        /// The endpoint wants credentials.
        AuthRequired,
        /// The port speaks another protocol than the probe.
        WrongHandler,
        /// The gRPC health service does not know the probe's service.
        WrongGrpcService,
        /// The probe's command does not exist in the image.
        WrongCommand,
        /// The probe's path redirects for ever.
        RedirectLoop,
        /// The probe's path redirects to another host, which counts as success.
        RedirectsElsewhere,
        /// Answers come, later than the probe waits.
        TimeoutTooShort,
        /// The app needs longer to start than the probe allows.
        KilledWhileStarting,
        /// Nothing has ever listened on the probe's port.
        NothingListening,
        /// The probe cannot run at all.
        ProbeCannotRun,
        /// The app itself says that it is unhealthy.
        ReportsUnhealthy,
        /// The app stopped answering after it had answered.
        Hung,
        /// Several workloads became unhealthy at once.
        DependencyDown,
        /// The app crashes.
        Crash,
        /// The app exits with 0.
        Exits,
        /// Something outside of it sent a signal.
        KilledExternally,
        /// The memory limit was reached.
        OutOfMemory,
        /// The postStart hook fails.
        HookFailed,
        /// The container cannot be created or started.
        CannotStart,
        /// Its image cannot be pulled.
        CannotPullImage,
        /// Containers of one node ended at once.
        NodeTrouble,
        /// The evidence does not carry a cause.
        Unknown,
    }
}

/// Whose fault it is.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// The probe's specification.
    Probe,
    /// The app.
    App,
    /// Another part of the specification: image, command, limits.
    Spec,
    /// The cluster, a node, a dependency.
    Environment,
    /// One of these; the evidence does not say which.
    Unknown,
}

/// How sure.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// One of several possibilities.
    Low,
    /// Likely; the hypotheses say what else.
    Medium,
    /// The evidence allows nothing else.
    High,
}

/// How bad.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is out.
    Info,
    /// Some pods are.
    Warning,
    /// All pods of the workload, or all endpoints of a Service are.
    Critical,
}

macro_rules! lowercase_display {
    ($($name:ident { $($variant:ident => $word:literal),+ })+) => {
        $(impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$variant => $word),+ })
            }
        })+
    };
}

lowercase_display! {
    Fault { Probe => "probe", App => "app", Spec => "spec", Environment => "environment", Unknown => "unknown" }
    Confidence { Low => "low", Medium => "medium", High => "high" }
    Severity { Info => "info", Warning => "warning", Critical => "critical" }
}

impl Cause {
    /// Whose fault a cause is; `None` where there is no cause.
    pub const fn fault(self) -> Option<Fault> {
        Some(match self {
            Self::WrongPath
            | Self::WrongPort
            | Self::WrongScheme
            | Self::WrongHost
            | Self::AuthRequired
            | Self::WrongHandler
            | Self::WrongGrpcService
            | Self::WrongCommand
            | Self::RedirectLoop
            | Self::RedirectsElsewhere
            | Self::TimeoutTooShort
            | Self::KilledWhileStarting
            | Self::ProbeCannotRun => Fault::Probe,
            Self::ReportsUnhealthy | Self::Hung | Self::Crash | Self::Exits | Self::KilledExternally => Fault::App,
            Self::OutOfMemory | Self::HookFailed | Self::CannotStart | Self::CannotPullImage => Fault::Spec,
            Self::DependencyDown | Self::NodeTrouble => Fault::Environment,
            Self::NothingListening => Fault::Unknown,
            Self::Unknown => return None,
        })
    }
}

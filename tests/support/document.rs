//! `replay -o json` according to its contract, read independently of the types that wrote it.

use std::fmt;

use probehound::time::Time;
use serde::{Deserialize, Deserializer};

/// The document.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Document {
    /// One entry per finding.
    pub findings: Vec<Finding>,
    /// Number of records that were used.
    pub observations: u64,
    /// Number of lines that could not be used.
    pub skipped: u64,
}

/// A finding about a container of a workload.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Finding {
    pub namespace: String,
    pub workload: String,
    pub container: String,
    pub effect: String,
    pub probe: Option<String>,
    pub cause: String,
    pub fault: Option<String>,
    pub field: Option<String>,
    #[serde(deserialize_with = "text_or_number")]
    pub current: Option<String>,
    #[serde(deserialize_with = "text_or_number")]
    pub suggested: Option<String>,
    pub confidence: String,
    pub severity: String,
    pub hypotheses: Vec<String>,
    pub evidence: Vec<Fact>,
    pub revision: Option<u64>,
    pub change: Option<RevisionChange>,
    pub pods: Pods,
    pub services: Vec<Service>,
    pub restarts: u64,
    pub episodes: u32,
    pub opened_at: Time,
    pub confirmed_at: Option<Time>,
    pub resolved_at: Option<Time>,
    pub remedy: Vec<String>,
}

/// A fact and its time.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Fact {
    pub at: Time,
    pub what: String,
}

/// The change made by a revision.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct RevisionChange {
    pub revision: u64,
    pub at: Option<Time>,
    pub by: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
}

/// Numbers of pods.
#[derive(Copy, Clone, PartialEq, Debug, Deserialize)]
pub struct Pods {
    pub affected: u32,
    pub total: u32,
}

/// A Service's endpoints.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Service {
    pub name: String,
    pub ready: u32,
    pub total: u32,
}

/// The identity and the cause of a finding, without its circumstances.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Identity {
    pub workload: String,
    pub container: String,
    pub effect: String,
    pub probe: Option<String>,
    pub cause: String,
}

/// The causes that blame a probe.
pub const PROBE_FAULTS: [&str; 13] = [
    "WrongPath",
    "WrongPort",
    "WrongScheme",
    "WrongHost",
    "AuthRequired",
    "WrongHandler",
    "WrongGrpcService",
    "WrongCommand",
    "RedirectLoop",
    "RedirectsElsewhere",
    "TimeoutTooShort",
    "KilledWhileStarting",
    "ProbeCannotRun",
];

impl Document {
    /// The confirmed findings: the others are not alarms.
    pub fn confirmed(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.confirmed_at.is_some())
    }

    /// The identities of the confirmed findings, sorted.
    pub fn identities(&self) -> Vec<Identity> {
        let mut all: Vec<Identity> = self.confirmed().map(Finding::identity).collect();
        all.sort();
        all
    }
}

impl Finding {
    /// Whether it blames a probe.
    pub fn blames_a_probe(&self) -> bool {
        PROBE_FAULTS.contains(&self.cause.as_str())
    }

    /// Its identity and cause.
    pub fn identity(&self) -> Identity {
        Identity {
            workload: self.workload.clone(),
            container: self.container.clone(),
            effect: self.effect.clone(),
            probe: self.probe.clone(),
            cause: self.cause.clone(),
        }
    }

    /// All of that in a few words, for a failure's message.
    pub fn brief(&self) -> String {
        self.identity().to_string()
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let probe = self.probe.as_deref().unwrap_or("-");
        let Self { effect, cause, workload, container, .. } = self;
        write!(f, "{effect} {probe} {cause} on {workload}/{container}")
    }
}

fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Scalar {
        Number(i64),
        Text(String),
    }
    Ok(Option::deserialize(deserializer)?.map(|scalar| match scalar {
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) => text,
    }))
}

//! The notifications recorded in a finding's object: the part of it that delivery writes.

use ring::digest::{SHA256, digest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::{NAME, TEXT, number_or_text};
use crate::engine::{Cause, Confidence, Finding, ServiceState, Severity, Value};
use crate::finding::field::Field;
use crate::finding::guard::Outcome;
use crate::text::{cut, hex};
use crate::time::Time;

/// Maximum length of a value that is kept as it is, in bytes: it is written once per receiver.
const VALUE: usize = 256;

/// What a receiver was last told of a finding.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// The receiver's name in the configuration.
    #[schemars(length(max = NAME))]
    pub receiver: String,
    /// The episode that it was told of.
    pub episode: u32,
    /// What it was told.
    #[serde(rename = "told")]
    pub notified: Notified,
    /// When.
    pub at: Time,
    /// A mark of what was said, to see what is news.
    #[serde(rename = "said", default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// How many findings the message spoke of, where it was a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<u32>,
    /// Why the last message was not delivered, where the receiver refused it for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = TEXT))]
    pub refused: Option<String>,
}

impl Notification {
    /// Whether the receiver was told that it is there, and not that it is over.
    pub const fn is_open(&self) -> bool {
        matches!(self.notified, Notified::Opened | Notified::Changed)
    }
}

/// What a receiver was told.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
pub enum Notified {
    /// Nothing: all that there was to tell was refused.
    Nothing,
    /// That it is there.
    Opened,
    /// That it changed, or that it goes on.
    Changed,
    /// That it is over.
    Resolved,
}

/// The parts of a message by which the next one is seen to be news.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// Why.
    pub cause: Cause,
    /// The field to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = TEXT))]
    pub field: Option<String>,
    /// Its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "number_or_text")]
    pub current: Option<Value>,
    /// The value that works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "number_or_text")]
    pub suggested: Option<Value>,
    /// How sure.
    pub confidence: Confidence,
    /// How bad.
    pub severity: Severity,
    /// How far it reached.
    #[serde(default, skip_serializing_if = "Reach::is_partial")]
    pub reach: Reach,
    /// What the guard did: its outcome, or its refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = NAME))]
    pub guard: Option<String>,
}

/// How far a finding reaches, as far as it is news of its own.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub enum Reach {
    /// Some pods; each Service has an endpoint that is ready.
    #[default]
    Partial,
    /// All pods; each Service has an endpoint that is still ready.
    AllPods,
    /// A Service has no endpoint that is ready.
    ServiceOut,
}

impl Reach {
    /// How far it reaches at its worst moment.
    pub fn from_finding(finding: &Finding) -> Self {
        if finding.services.iter().any(ServiceState::is_down) {
            Self::ServiceOut
        } else if finding.pods.is_all() {
            Self::AllPods
        } else {
            Self::Partial
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_partial(&self) -> bool {
        *self == Self::Partial
    }
}

impl Content {
    /// The content of a message about the whole finding.
    pub fn from_finding(finding: &Finding) -> Self {
        Self {
            cause: finding.cause,
            field: finding.field.as_ref().map(Field::to_string),
            current: finding.current.as_ref().map(brief),
            suggested: finding.suggested.as_ref().map(brief),
            confidence: finding.confidence,
            severity: finding.severity,
            // What protects nothing makes nothing unavailable, however many pods it concerns.
            guard: finding
                .guard
                .as_ref()
                .filter(|guard| guard.outcome != Outcome::Undoing)
                .map(|guard| guard.word().to_owned()),
            reach: if finding.severity == Severity::Info { Reach::Partial } else { Reach::from_finding(finding) },
        }
    }

    /// Whether a message with the content `self` would report more than a count compared to `before`.
    pub fn is_news_after(&self, before: &Self) -> bool {
        let guarded = self.guard.is_some() && self.guard != before.guard;
        !self.same_diagnosis(before) || self.severity != before.severity || self.reach > before.reach || guarded
    }

    /// Whether it got so much worse since `before`, or the guard did so much, that the notification should not
    /// be delayed.
    pub fn is_urgent_after(&self, before: &Self) -> bool {
        let critical = self.severity == Severity::Critical;
        let undone = self.guard.as_deref() == Some(Outcome::Undone.word()) && self.guard != before.guard;
        critical && before.severity < Severity::Critical || self.reach > before.reach || undone
    }

    /// Whether the cause and the field to change are the same.
    pub fn same_diagnosis(&self, other: &Self) -> bool {
        (self.cause, &self.field, &self.current, &self.suggested, self.confidence)
            == (other.cause, &other.field, &other.current, &other.suggested, other.confidence)
    }
}

/// The value; a long one is cut, with a hash that distinguishes it from others.
fn brief(value: &Value) -> Value {
    match value {
        Value::Text(text) if text.len() > VALUE => {
            // It is stored in objects, so it must stay the same across versions.
            let mark = hex(&digest(&SHA256, text.as_bytes()).as_ref()[..8]);
            Value::Text(format!("{}… ({mark})", cut(text, VALUE)))
        }
        value => value.clone(),
    }
}

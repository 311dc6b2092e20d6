//! What of a finding was told to whom: the part of its object that delivery writes.

use ring::digest::{SHA256, digest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::{NAME, TEXT, number_or_text};
use crate::engine::{Cause, Confidence, Finding, ServiceState, Severity, Value};
use crate::finding::field::Field;
use crate::text::{cut, hex};
use crate::time::Time;

/// Longest value that is kept as it is, in bytes: it is written once for each receiver.
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
    pub fn of(finding: &Finding) -> Self {
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
    /// What a message that tells all of the finding says.
    pub fn of(finding: &Finding) -> Self {
        Self {
            cause: finding.cause,
            field: finding.field.as_ref().map(Field::to_string),
            current: finding.current.as_ref().map(brief),
            suggested: finding.suggested.as_ref().map(brief),
            confidence: finding.confidence,
            severity: finding.severity,
            // What protects nothing puts nobody out, however many pods it concerns.
            reach: if finding.severity == Severity::Info { Reach::Partial } else { Reach::of(finding) },
        }
    }

    /// Whether what a message would say now, `self`, is more than a count beside what one said.
    pub fn is_news_after(&self, before: &Self) -> bool {
        !self.same_diagnosis(before) || self.severity != before.severity || self.reach > before.reach
    }

    /// Whether it got so much worse since `before` that nobody should wait to hear it.
    pub fn is_worse_than(&self, before: &Self) -> bool {
        let critical = self.severity == Severity::Critical;
        critical && before.severity < Severity::Critical || self.reach > before.reach
    }

    /// Whether the cause, and what is to be changed, is the same.
    pub fn same_diagnosis(&self, other: &Self) -> bool {
        (self.cause, &self.field, &self.current, &self.suggested, self.confidence)
            == (other.cause, &other.field, &other.current, &other.suggested, other.confidence)
    }
}

/// The value, or where it is long its beginning and a mark by which it is told from others.
fn brief(value: &Value) -> Value {
    match value {
        Value::Text(text) if text.len() > VALUE => {
            // It outlives the program, as an object's name does.
            let mark = hex(&digest(&SHA256, text.as_bytes()).as_ref()[..8]);
            Value::Text(format!("{}… ({mark})", cut(text, VALUE)))
        }
        value => value.clone(),
    }
}

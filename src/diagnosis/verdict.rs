//! The result of weighing the candidates.

use super::candidate::{Candidate, Strength};
use crate::finding::field::Field;
use crate::finding::{Cause, Confidence, Fact, Hypothesis, Value};

/// The cause that explains most without a contradiction; `Unknown` if there is none.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// The cause.
    pub cause: Cause,
    /// The field to change.
    pub field: Option<Field>,
    /// Its value now.
    pub current: Option<Value>,
    /// A value that works.
    pub suggested: Option<Value>,
    /// The confidence.
    pub confidence: Confidence,
    /// The strength of the evidence that distinguishes it from alternatives.
    pub proof: Strength,
    /// The alternatives, likeliest first.
    pub hypotheses: Vec<Hypothesis>,
    /// The facts that it is based on.
    pub because: Vec<Fact>,
    /// Whether one kill is proof enough: the server's answer does not change by waiting.
    pub deterministic: bool,
    /// All candidates considered, the chosen one first.
    pub candidates: Vec<Candidate>,
}

/// A number as a manifest has it.
pub fn number(value: impl Into<i64>) -> Value {
    Value::Number(value.into())
}

/// A string as a manifest has it.
pub fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

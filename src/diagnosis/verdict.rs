//! What comes of weighing the candidates.

use super::candidate::{Candidate, Strength};
use crate::finding::field::Field;
use crate::finding::{Cause, Confidence, Fact, Hypothesis, Value};

/// The cause that explains most and that nothing contradicts; `Unknown` where there is none.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// Why.
    pub cause: Cause,
    /// The field to change.
    pub field: Option<Field>,
    /// Its value now.
    pub current: Option<Value>,
    /// A value that works.
    pub suggested: Option<Value>,
    /// How sure.
    pub confidence: Confidence,
    /// How well that is known by which it differs from what else it could be.
    pub proof: Strength,
    /// What else it could be, likeliest first.
    pub hypotheses: Vec<Hypothesis>,
    /// The facts that it rests on.
    pub because: Vec<Fact>,
    /// Whether one kill is proof enough: the server's answer cannot become another by waiting.
    pub deterministic: bool,
    /// All that was considered, what was named first.
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

//! What a rule says.

use crate::finding::{Cause, Confidence, Fact, Value};
use crate::time::Time;

/// A cause that the evidence carries.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// Why.
    pub cause: Cause,
    /// The field to change.
    pub field: Option<String>,
    /// Its value now.
    pub current: Option<Value>,
    /// A value that works.
    pub suggested: Option<Value>,
    /// How sure.
    pub confidence: Confidence,
    /// What else it could be, likeliest first.
    pub hypotheses: Vec<String>,
    /// The facts that it rests on.
    pub because: Vec<Fact>,
    /// Whether one kill is proof enough: the server's answer cannot become another by waiting.
    pub deterministic: bool,
}

impl Verdict {
    /// A verdict without field, value or facts.
    pub const fn new(cause: Cause, confidence: Confidence) -> Self {
        Self {
            cause,
            field: None,
            current: None,
            suggested: None,
            confidence,
            hypotheses: Vec::new(),
            because: Vec::new(),
            deterministic: false,
        }
    }

    /// The field to change.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The field's value now.
    #[must_use]
    pub fn current(mut self, value: Option<Value>) -> Self {
        self.current = value;
        self
    }

    /// A value that works; the broken one is dropped.
    #[must_use]
    pub fn suggest(mut self, value: Option<Value>) -> Self {
        self.suggested = value.filter(|value| Some(value) != self.current.as_ref());
        self
    }

    /// A fact.
    #[must_use]
    pub fn because(mut self, at: Time, what: impl Into<String>) -> Self {
        self.because.push(Fact { at, what: what.into() });
        self
    }

    /// What else it could be, after those given before.
    #[must_use]
    pub fn or_else(mut self, hypothesis: impl Into<String>) -> Self {
        self.hypotheses.push(hypothesis.into());
        self
    }

    /// One kill is proof enough.
    #[must_use]
    pub const fn deterministic(mut self) -> Self {
        self.deterministic = true;
        self
    }

    /// No more sure than `most`.
    #[must_use]
    pub fn at_most(mut self, most: Confidence) -> Self {
        self.confidence = self.confidence.min(most);
        self
    }
}

/// A number as a manifest has it.
pub fn number(value: impl Into<i64>) -> Option<Value> {
    Some(Value::Number(value.into()))
}

/// A string as a manifest has it.
pub fn text(value: impl Into<String>) -> Option<Value> {
    Some(Value::Text(value.into()))
}

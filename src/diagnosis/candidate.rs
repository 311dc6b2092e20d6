//! A cause as a candidate: what it explains, what it needs, and what contradicts it.

use crate::finding::field::Field;
use crate::finding::{Cause, Confidence, Fact, Value};
use crate::time::Time;

/// How certain something is.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Strength {
    /// Assumed from silence: nothing contradicts it.
    Assumed,
    /// Inferred from times.
    Inferred,
    /// Seen in a status, an event or a specification.
    Seen,
}

/// A fact that speaks for or against a cause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point {
    /// How certain it is.
    pub strength: Strength,
    /// In words.
    pub what: String,
}

/// A possible cause.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// The cause.
    pub cause: Cause,
    /// What it would mean, for people: "the app may serve the path only later".
    pub possibility: String,
    /// The field to change.
    pub field: Option<Field>,
    /// Its value now.
    pub current: Option<Value>,
    /// A value that works.
    pub suggested: Option<Value>,
    /// What it explains.
    pub explains: Vec<Point>,
    /// What would have to be known to choose it.
    pub lacks: Vec<String>,
    /// What contradicts it.
    pub contradictions: Vec<Point>,
    /// The facts that it is based on, for the finding.
    pub because: Vec<Fact>,
    /// The strength of the evidence that distinguishes it from alternatives.
    pub proof: Strength,
    /// Maximum confidence.
    pub most: Confidence,
    /// Whether one kill is proof enough: the server's answer does not change by waiting.
    pub deterministic: bool,
}

impl Candidate {
    /// A cause without evidence yet, and what it would mean.
    pub fn new(cause: Cause, possibility: impl Into<String>) -> Self {
        Self {
            cause,
            possibility: possibility.into(),
            field: None,
            current: None,
            suggested: None,
            explains: Vec::new(),
            lacks: Vec::new(),
            contradictions: Vec::new(),
            because: Vec::new(),
            proof: Strength::Assumed,
            most: Confidence::High,
            deterministic: false,
        }
    }

    /// The field to change.
    #[must_use]
    pub fn field(mut self, field: impl Into<Option<Field>>) -> Self {
        self.field = field.into();
        self
    }

    /// The field's value now.
    #[must_use]
    pub fn current(mut self, value: impl Into<Option<Value>>) -> Self {
        self.current = value.into();
        self
    }

    /// A value that works; the broken one is dropped.
    #[must_use]
    pub fn suggest(mut self, value: impl Into<Option<Value>>) -> Self {
        self.suggested = value.into().filter(|value| Some(value) != self.current.as_ref());
        self
    }

    /// Adds a fact that it explains, for the finding.
    #[must_use]
    pub fn explains(mut self, strength: Strength, at: Time, what: impl Into<String>) -> Self {
        let what = what.into();
        self.explains.push(Point { strength, what: what.clone() });
        self.because.push(Fact { at, what });
        self
    }

    /// Adds a fact that distinguishes it from alternatives.
    #[must_use]
    pub fn proven(mut self, strength: Strength, at: Time, what: impl Into<String>) -> Self {
        self.proof = self.proof.max(strength);
        self.explains(strength, at, what)
    }

    /// Adds such a fact, if there is one.
    #[must_use]
    pub fn proven_if(self, point: Option<Point>, at: Time) -> Self {
        match point {
            Some(point) => self.proven(point.strength, at, point.what),
            None => self,
        }
    }

    /// Adds a requirement for choosing it, beyond what it explains.
    #[must_use]
    pub fn needs(mut self, is_known: bool, what: impl Into<String>) -> Self {
        if !is_known {
            self.lacks.push(what.into());
        }
        self
    }

    /// Adds a fact that contradicts it.
    #[must_use]
    pub fn against(mut self, point: impl Into<Option<Point>>) -> Self {
        self.contradictions.extend(point.into());
        self
    }

    /// Adds a fact that contradicts it, if there is one.
    #[must_use]
    pub fn against_if(self, is_so: bool, strength: Strength, what: impl Into<String>) -> Self {
        self.against(is_so.then(|| Point { strength, what: what.into() }))
    }

    /// Marks one kill as proof enough.
    #[must_use]
    pub const fn deterministic(mut self) -> Self {
        self.deterministic = true;
        self
    }

    /// Limits the confidence to `most`.
    #[must_use]
    pub fn at_most(mut self, most: Confidence) -> Self {
        self.most = self.most.min(most);
        self
    }

    /// Whether it is contradicted by a fact that is at least as certain as its proof.
    pub fn is_contradicted(&self) -> bool {
        self.contradictions.iter().any(|point| point.strength >= self.proof)
    }

    /// Whether it is contradicted by a fact that was seen.
    pub fn is_ruled_out(&self) -> bool {
        self.contradictions.iter().any(|point| point.strength == Strength::Seen)
    }

    /// Whether it may be chosen: nothing contradicts it, and all that it needs is known.
    pub fn is_carried(&self) -> bool {
        !self.is_contradicted() && self.lacks.is_empty()
    }
}

impl Point {
    /// A fact that was seen.
    pub fn seen(what: impl Into<String>) -> Self {
        Self { strength: Strength::Seen, what: what.into() }
    }

    /// A fact with that strength.
    pub fn new(strength: Strength, what: impl Into<String>) -> Self {
        Self { strength, what: what.into() }
    }
}

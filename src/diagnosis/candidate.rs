//! A cause as a candidate: what it explains, what it needs, and what contradicts it.

use crate::finding::field::Field;
use crate::finding::{Cause, Confidence, Fact, Value};
use crate::time::Time;

/// How well something is known.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Strength {
    /// From silence: nothing says otherwise.
    Assumed,
    /// It follows from times.
    Inferred,
    /// It stands in a status, an event, a specification.
    Seen,
}

/// A fact that speaks for or against a cause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point {
    /// How well it is known.
    pub strength: Strength,
    /// In words.
    pub what: String,
}

/// A cause that is considered.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// Which.
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
    /// What would have to be known for it to be named.
    pub lacks: Vec<String>,
    /// What contradicts it.
    pub contradictions: Vec<Point>,
    /// The facts that it rests on, for the finding.
    pub because: Vec<Fact>,
    /// How well that is known by which it differs from what else it could be.
    pub proof: Strength,
    /// No more sure than this.
    pub most: Confidence,
    /// Whether one kill is proof enough: the server's answer cannot become another by waiting.
    pub deterministic: bool,
}

impl Candidate {
    /// A cause of which nothing is known yet, and what it would mean.
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

    /// A fact that it explains, and that people are told.
    #[must_use]
    pub fn explains(mut self, strength: Strength, at: Time, what: impl Into<String>) -> Self {
        let what = what.into();
        self.explains.push(Point { strength, what: what.clone() });
        self.because.push(Fact { at, what });
        self
    }

    /// A fact that tells it apart from what else it could be.
    #[must_use]
    pub fn proven(mut self, strength: Strength, at: Time, what: impl Into<String>) -> Self {
        self.proof = self.proof.max(strength);
        self.explains(strength, at, what)
    }

    /// Such a fact, where there is one.
    #[must_use]
    pub fn proven_if(self, point: Option<Point>, at: Time) -> Self {
        match point {
            Some(point) => self.proven(point.strength, at, point.what),
            None => self,
        }
    }

    /// What it needs to be named, beyond what it explains.
    #[must_use]
    pub fn needs(mut self, is_known: bool, what: impl Into<String>) -> Self {
        if !is_known {
            self.lacks.push(what.into());
        }
        self
    }

    /// A fact that contradicts it.
    #[must_use]
    pub fn against(mut self, point: impl Into<Option<Point>>) -> Self {
        self.contradictions.extend(point.into());
        self
    }

    /// A fact that contradicts it, if it is one.
    #[must_use]
    pub fn against_if(self, is_so: bool, strength: Strength, what: impl Into<String>) -> Self {
        self.against(is_so.then(|| Point { strength, what: what.into() }))
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
        self.most = self.most.min(most);
        self
    }

    /// Whether a fact speaks against it that is at least as well known as what proves it.
    pub fn is_contradicted(&self) -> bool {
        self.contradictions.iter().any(|point| point.strength >= self.proof)
    }

    /// Whether a fact that was seen speaks against it.
    pub fn is_ruled_out(&self) -> bool {
        self.contradictions.iter().any(|point| point.strength == Strength::Seen)
    }

    /// Whether it may be named: nothing contradicts it, and all that it needs is known.
    pub fn is_carried(&self) -> bool {
        !self.is_contradicted() && self.lacks.is_empty()
    }
}

impl Point {
    /// A fact that stands somewhere.
    pub fn seen(what: impl Into<String>) -> Self {
        Self { strength: Strength::Seen, what: what.into() }
    }

    /// A fact as well known as given.
    pub fn new(strength: Strength, what: impl Into<String>) -> Self {
        Self { strength, what: what.into() }
    }
}

//! Finds what will loop or protect nothing in a manifest, from the specification alone.
//!
//! A rule is a function from the specification to findings, each with its arithmetic and its reason; a file
//! contains a family of them. No IO: the caller has read the manifest.
//!
//! Invariants:
//! - **Certain**: a rule applies only where its statement follows from the specification, whatever the app
//!   does. What depends on the app is of severity [`Severity::Info`], or is not reported.
//! - **Whole objects only**: a part of an object, such as a patch, is skipped.

mod against;
mod asks;
mod budget;
mod command;
mod fields;
pub mod forms;
mod grace;
mod ignore;
mod object;
mod pod;
mod port;
mod refused;
mod report;
mod rollout;
mod rule;
mod value;

use std::fmt;

pub use against::Running;
pub use ignore::{ANNOTATION, Ignored};
pub use object::{Identity, Object, Seen, objects};
pub use pod::{Container, Pod, Probe};
pub use report::{Counts, More, Report, Told};
pub use rule::Rule;

use crate::source::manifest::At;

/// The severity.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Informational.
    Info,
    /// It will have an unwanted effect as soon as something goes wrong.
    Warning,
    /// It cannot work: the API server refuses it, the probe cannot run, or it always fails.
    Error,
}

impl Severity {
    /// `error`
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A finding of a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// Its severity.
    pub severity: Severity,
    /// The position of the field, or of what lacks it.
    pub at: At,
    /// The container, if it is about one.
    pub container: Option<String>,
    /// `livenessProbe.httpGet.port`
    pub field: String,
    /// Its value, masked, if it has one.
    pub current: Option<String>,
    /// The consequences.
    pub why: String,
    /// `0 s + 3 x 3 s = 9 s`
    pub sum: Option<String>,
    /// What to write instead, if known.
    pub suggestion: Option<String>,
}

impl Finding {
    /// A finding of that rule, with its usual severity.
    pub fn new(rule: Rule, at: At, field: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity(),
            at,
            container: None,
            field: field.into(),
            current: None,
            why: why.into(),
            sum: None,
            suggestion: None,
        }
    }

    /// Sets another severity.
    #[must_use]
    pub const fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Sets the value of the field.
    #[must_use]
    pub fn current(mut self, value: impl fmt::Display) -> Self {
        self.current = Some(value.to_string());
        self
    }

    /// Sets the arithmetic.
    #[must_use]
    pub fn sum(mut self, sum: impl Into<String>) -> Self {
        self.sum = Some(sum.into());
        self
    }

    /// Sets what to write instead.
    #[must_use]
    pub fn suggest(mut self, what: impl Into<String>) -> Self {
        self.suggestion = Some(what.into());
        self
    }
}

/// The findings about an object.
#[derive(Debug, Default)]
pub struct Said {
    /// The findings that are not ignored, in the order of the text.
    pub findings: Vec<Finding>,
    /// The ignored findings, with their reasons.
    pub ignored: Vec<Ignored>,
}

/// Applies all rules to an object; `more` are findings from outside its specification.
pub fn lint(object: &Object<'_>, more: Vec<Finding>) -> Said {
    let pod = &object.pod;
    let mut all = more;
    for container in &pod.containers {
        let begin = all.len();
        refused::container(container, &mut all);
        fields::container(container, &mut all);
        grace::container(container, pod, &mut all);
        for probe in container.probes() {
            let before = all.len();
            refused::probe(probe, &mut all);
            fields::probe(probe, &mut all);
            port::probe(probe, container, pod, &mut all);
            asks::probe(probe, container, pod, &mut all);
            command::probe(probe, &mut all);
            // A probe that cannot run kills no container.
            if all[before..].iter().all(|finding| finding.severity < Severity::Error) {
                budget::probe(probe, container, &mut all);
            }
        }
        budget::container(container, &mut all);
        all[begin..].iter_mut().for_each(|finding| finding.container = Some(container.name.to_owned()));
    }
    fields::pod(pod, &mut all);
    rollout::object(object, &mut all);
    all.sort_by_key(|finding| finding.at);
    ignore::apply(object, all)
}

#[cfg(test)]
mod testing;

//! The results of all rules for all documents.

use super::object::{Identity, Object, Seen, objects};
use super::{Finding, lint};
use crate::source::manifest::Document;

/// A finding, and its object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The file, as it was given.
    pub file: String,
    /// The Helm template that rendered it.
    pub source: Option<String>,
    /// The object.
    pub identity: Identity,
    /// The finding.
    pub finding: Finding,
}

/// Counts of the input.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Objects with pods.
    pub objects: usize,
    /// Parts of objects, such as patches: skipped.
    pub parts: usize,
    /// Objects created by another one: skipped.
    pub controlled: usize,
    /// Everything else.
    pub foreign: usize,
}

/// The results.
#[derive(Debug, Default)]
pub struct Report {
    /// The findings that are not ignored, in the order of the input.
    pub findings: Vec<Told>,
    /// The ignored findings, each with its reason.
    pub ignored: Vec<(Told, String)>,
    /// Counts of the input.
    pub counts: Counts,
    /// Whether all of the input could be read.
    pub complete: bool,
    /// What is not known, in words.
    pub notes: Vec<String>,
}

/// Findings about an object from outside its specification.
pub type More<'a> = dyn Fn(&Object<'_>) -> Vec<Finding> + 'a;

impl Report {
    /// Takes in a document.
    pub fn take(&mut self, document: &Document, more: &More<'_>) {
        for seen in objects(&document.root) {
            match seen {
                Seen::Object(object) => self.object(document, &object, more),
                Seen::Controlled => self.counts.controlled += 1,
                Seen::Part(_) => self.counts.parts += 1,
                Seen::Foreign => self.counts.foreign += 1,
            }
        }
    }

    fn object(&mut self, document: &Document, object: &Object<'_>, more: &More<'_>) {
        self.counts.objects += 1;
        let said = lint(object, more(object));
        let told = |finding: Finding| Told {
            file: document.file.clone(),
            source: document.source.clone(),
            identity: object.identity.clone(),
            finding,
        };
        self.findings.extend(said.findings.into_iter().map(told));
        self.ignored.extend(said.ignored.into_iter().map(|one| (told(one.finding), one.reason)));
    }
}

impl Told {
    /// `Deployment shop/web, container app`
    pub fn who(&self) -> String {
        let Identity { kind, namespace, name } = &self.identity;
        let namespace = namespace.as_deref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
        let container = self.finding.container.as_deref().map(|name| format!(", container {name}"));
        format!("{kind} {namespace}{name}{}", container.unwrap_or_default())
    }

    /// All of it in sentences: the problem, the arithmetic, and what to write.
    pub fn message(&self) -> String {
        let Finding { field, current, why, sum, suggestion, .. } = &self.finding;
        let is = current.as_deref().map(|current| format!(" is {current}")).unwrap_or_default();
        let sum = sum.as_deref().map(|sum| format!(" ({sum})")).unwrap_or_default();
        let fix = suggestion.as_deref().map(|suggestion| format!(" Fix: {suggestion}.")).unwrap_or_default();
        format!("{}: {field}{is}: {why}{sum}.{fix}", self.who())
    }
}

//! The list of findings.

use std::collections::BTreeSet;

use askama::Template;

use super::archive::Shown;
use super::filter::{Filter, encoded};
use crate::engine::Cause;
use crate::finding::Finding;
use crate::report::headline::{headline, kind_and_name};
use crate::report::html::view::{plain, severity, state};
use crate::report::object::object_name;
use crate::report::when::{clock, day_if_another, lasted, span};
use crate::report::wording::{pods, restarts};
use crate::time::Time;

/// Maximum number of findings of a page; the worst ones.
const MAX_ROWS: usize = 200;

/// What is the same on every page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The way back to the list: `./` or `../../`.
    pub up: &'static str,
    /// The cluster's name.
    pub cluster: Option<String>,
    /// The time, for people.
    pub now: String,
    /// Whether anybody who reaches the page sees everything.
    pub is_open: bool,
    /// The state of each watch, in words.
    pub watches: Vec<Watch>,
}

/// The state of a watch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watch {
    /// `pods`, `events`.
    pub of: &'static str,
    /// Whether it is up.
    pub is_up: bool,
    /// Whether all that it is of has been seen.
    pub is_complete: bool,
    /// `watched`, `cannot be read since 14:00:02 UTC`.
    pub words: String,
}

/// A finding in the list.
#[derive(Clone, Debug)]
pub struct Row {
    link: String,
    severity: &'static str,
    state: &'static str,
    headline: String,
    namespace: String,
    kind: String,
    cause: &'static str,
    confidence: String,
    pods: String,
    restarts: String,
    when: String,
    silenced_by: Option<String>,
}

impl Row {
    fn new(shown: &Shown, now: Time) -> Self {
        let finding = &*shown.finding;
        let name = object_name(&finding.identity());
        Self {
            link: format!("finding/{}/{}", encoded(&finding.namespace), encoded(&name)),
            severity: severity(finding.severity),
            state: state(finding),
            headline: plain(&headline(finding)),
            namespace: plain(&finding.namespace),
            kind: plain(kind_and_name(&finding.workload).0),
            cause: finding.cause.word(),
            confidence: finding.confidence.to_string(),
            pods: pods(finding.pods),
            restarts: restarts(finding.restarts),
            when: when(finding, now),
            silenced_by: shown.silenced_by.as_deref().map(plain),
        }
    }
}

/// `since 14:00:12 UTC, 4m10s`
fn when(finding: &Finding, now: Time) -> String {
    let long = span(lasted(finding, now));
    match finding.resolved_at {
        Some(at) => format!("resolved {}{} UTC after {long}", day_if_another(at, now), clock(at)),
        None => format!("since {}{} UTC, {long}", day_if_another(finding.opened_at, now), clock(finding.opened_at)),
    }
}

impl Frame {
    /// Whether all is being seen, so that no finding means that nothing is wrong.
    fn is_complete(&self) -> bool {
        self.watches.iter().all(|watch| watch.is_complete)
    }
}

#[derive(Template)]
#[template(path = "page/list.html")]
struct List<'a> {
    frame: Frame,
    filter: &'a Filter,
    namespaces: BTreeSet<String>,
    causes: BTreeSet<&'static str>,
    open: Vec<Row>,
    over: Vec<Row>,
    left_out: usize,
    total: usize,
}

/// The page with the findings that the filter includes.
///
/// # Errors
/// Does not fail: what is filled in can always be written.
pub fn render(all: &[Shown], filter: &Filter, frame: Frame, now: Time) -> Result<String, askama::Error> {
    let included: Vec<&Shown> = all.iter().filter(|shown| filter.includes(&shown.finding)).collect();
    let rows: Vec<Row> = included.iter().take(MAX_ROWS).map(|shown| Row::new(shown, now)).collect();
    let (open, over) = rows.into_iter().partition(|row| row.state != "resolved");
    let list = List {
        frame,
        filter,
        namespaces: all.iter().map(|shown| shown.finding.namespace.to_string()).collect(),
        causes: all.iter().map(|shown| shown.finding.cause.word()).collect(),
        open,
        over,
        left_out: included.len().saturating_sub(MAX_ROWS),
        total: all.len(),
    };
    list.render()
}

impl List<'_> {
    fn is_cause(&self, word: &str) -> bool {
        self.filter.cause.map(Cause::word) == Some(word)
    }
}

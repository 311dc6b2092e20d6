//! Requests for Opsgenie's Alert API v2, which Jira Service Management accepts too.
//!
//! Its limits, in characters: 130 of a message, 512 of an alias and an entity, 15,000 of a description, 100
//! of a source, 25,000 of a note, 20 tags of 50 each, 8,000 of all details (docs.opsgenie.com/docs/alert-api).

use std::collections::BTreeMap;

use serde::Serialize;

use super::incident::{About, Step, Steps, fields, fit, lines, runbook, source, summary};
use super::update::FindingUpdate;
use crate::finding::{Finding, Severity};

/// Maximum length of a message, in characters.
const MESSAGE: usize = 130;
/// Maximum length of a description, in characters.
const DESCRIPTION: usize = 15_000;
/// Maximum length of a note, in characters.
const NOTE: usize = 25_000;
/// Maximum length of a tag, in characters.
const TAG: usize = 50;
/// Who sends it.
const SOURCE: &str = "probehound";

/// A request: what to post where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The path, with its query, below the address of the API.
    pub path: String,
    /// The body.
    pub body: Body,
}

/// The body of a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Body {
    /// Creates an alert.
    Create(Box<Alert>),
    /// Adds a note to an alert, or closes it with one.
    Note(Note),
}

/// A new alert.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Alert {
    message: String,
    alias: String,
    description: String,
    tags: Vec<String>,
    details: BTreeMap<&'static str, String>,
    entity: String,
    source: &'static str,
    priority: &'static str,
}

/// A note on an alert that exists.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Note {
    note: String,
    source: &'static str,
}

/// The requests for an update: one, or two where an earlier alert is still open.
pub fn requests(news: &FindingUpdate, about: About) -> Vec<Request> {
    let steps = Steps::new(news, about.cluster);
    let text = || lines(news, about).join("\n");
    let request = match steps.step {
        Step::Open => create(steps.key, news, about),
        Step::Update => on(&steps.key, "notes", &text()),
        Step::Close => on(&steps.key, "close", &text()),
    };
    let ended = |key: String| on(&key, "close", "It ended while nothing could be sent, and came back.");
    steps.close_earlier.map(ended).into_iter().chain([request]).collect()
}

/// An action on the alert of an alias.
fn on(alias: &str, action: &str, note: &str) -> Request {
    let path = format!("/v2/alerts/{alias}/{action}?identifierType=alias");
    Request { path, body: Body::Note(Note { note: fit(note, NOTE), source: SOURCE }) }
}

fn create(alias: String, news: &FindingUpdate, about: About) -> Request {
    let finding = &news.finding;
    let mut details = fields(finding, about);
    details.insert("runbook", runbook(finding, about));
    let alert = Alert {
        message: summary(news, about, MESSAGE),
        alias,
        description: fit(&lines(news, about).join("\n"), DESCRIPTION),
        tags: tags(finding),
        details,
        entity: source(finding, about),
        source: SOURCE,
        priority: priority(finding.severity),
    };
    Request { path: "/v2/alerts".to_owned(), body: Body::Create(Box::new(alert)) }
}

/// P2 and P4 are left to rules of the team.
const fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "P1",
        Severity::Warning => "P3",
        Severity::Info => "P5",
    }
}

fn tags(finding: &Finding) -> Vec<String> {
    let fault = finding.fault.map(|fault| format!("fault:{fault}"));
    let tags = ["probehound".to_owned(), finding.cause.to_string(), finding.effect.to_string()];
    tags.into_iter().chain(fault).map(|tag| fit(&tag, TAG)).collect()
}

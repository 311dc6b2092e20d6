//! Events for PagerDuty's Events API v2.
//!
//! Its limits: 1,024 characters of a summary, 255 of a key, 512 KB in all
//! (developer.pagerduty.com/docs/events-api-v2/trigger-events).

use std::collections::BTreeMap;

use serde::Serialize;

use super::incident::{About, Step, Steps, fields, lines, runbook, shown, source, summary};
use super::update::FindingUpdate;
use crate::finding::Severity;
use crate::time::Time;

/// Maximum length of a summary, in characters.
const SUMMARY: usize = 1024;

/// An event, without the routing key.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Event {
    /// `trigger` or `resolve`
    pub event_action: &'static str,
    /// The incident.
    pub dedup_key: String,
    /// Who sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<&'static str>,
    /// What is wrong; only of a trigger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// The runbook; only of a trigger.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
}

/// The content of an alert.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Payload {
    summary: String,
    source: String,
    severity: &'static str,
    timestamp: Time,
    component: String,
    group: String,
    class: String,
    custom_details: Details,
}

/// The table below an alert.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Details {
    #[serde(flatten)]
    fields: BTreeMap<&'static str, String>,
    message: Vec<String>,
}

/// A link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Link {
    href: String,
    text: &'static str,
}

/// The events for an update: one, or two where an earlier incident is still open.
pub fn events(news: &FindingUpdate, about: About) -> Vec<Event> {
    let steps = Steps::new(news, about.cluster);
    let event = match steps.step {
        // PagerDuty adds what it is told of an open incident to its log.
        Step::Open | Step::Update => trigger(steps.key, news, about),
        Step::Close => resolve(steps.key),
    };
    steps.close_earlier.map(resolve).into_iter().chain([event]).collect()
}

const fn resolve(dedup_key: String) -> Event {
    Event { event_action: "resolve", dedup_key, client: None, payload: None, links: Vec::new() }
}

fn trigger(dedup_key: String, news: &FindingUpdate, about: About) -> Event {
    let finding = &news.finding;
    let payload = Payload {
        summary: summary(news, about, SUMMARY),
        source: source(finding, about),
        severity: severity(finding.severity),
        timestamp: finding.confirmed_at.unwrap_or(finding.opened_at),
        component: shown(&finding.container),
        group: shown(&finding.namespace),
        class: finding.cause.to_string(),
        custom_details: Details { fields: fields(finding, about), message: lines(news, about) },
    };
    let links = vec![Link { href: runbook(finding, about), text: "Runbook" }];
    Event { event_action: "trigger", dedup_key, client: Some("probehound"), payload: Some(payload), links }
}

/// The severities that both know mean the same; PagerDuty's `error` is not used.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

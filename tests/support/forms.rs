//! A finding in every form in which it may be shown.

use std::sync::Arc;

use probehound::engine::{Change, ChangeKind, Finding};
use probehound::report::alertmanager::{Alert, RUNBOOK};
use probehound::report::email::Mail;
use probehound::report::event::Note;
use probehound::report::incident::About;
use probehound::report::message::Message;
use probehound::report::metrics;
use probehound::report::object::{Content, FindingObject, FindingState, Notification, Notified};
use probehound::report::slack::{Context, Payload};
use probehound::report::text::{Look, preview};
use probehound::report::update::{Digest, Dispatch, FindingUpdate, Kind, Why};
use probehound::report::webhook::Document;
use probehound::report::{discord, google_chat, opsgenie, pagerduty, teams};
use probehound::time::Time;
use serde_json::{Value, json};

/// All messages about it: each kind of update, and digests.
pub fn dispatches(finding: &Finding) -> Vec<Dispatch> {
    let finding = Arc::new(finding.clone());
    let before = Notification {
        receiver: "slack".into(),
        episode: finding.episodes,
        notified: Notified::Opened,
        at: finding.opened_at,
        content: Some(Content { cause: probehound::engine::Cause::Unknown, ..Content::from_finding(&finding) }),
        digest: None,
        refused: None,
    };
    let news = |kind| FindingUpdate { kind, finding: Arc::clone(&finding), before: Some(before.clone()) };
    let kinds = [Kind::Opened, Kind::Changed, Kind::GoesOn, Kind::Resolved, Kind::Withdrawn, Kind::Missed];
    let mut all: Vec<Dispatch> = kinds.iter().map(|kind| Dispatch::One(news(*kind))).collect();
    for (why, count) in [(Why::FirstLook, 1), (Why::FirstLook, 3), (Why::Storm, 30), (Why::Missed, 33)] {
        let kind = |number: usize| if why == Why::Missed { Kind::Missed } else { kinds[number % 5] };
        let news = (0..count).map(|number| news(kind(number))).collect();
        all.push(Dispatch::Digest(Digest { why, news, waiting: 7 }));
    }
    all
}

/// The payload for Slack.
pub fn slack(dispatch: &Dispatch, now: Time) -> Value {
    serde_json::to_value(Payload::new(dispatch, Context { cluster: Some("prod-eu"), now })).expect("plain data")
}

/// The document for a webhook, as it is sent.
pub fn webhook(dispatch: &Dispatch, now: Time) -> String {
    Document::new(dispatch, "ops", Some("prod-eu"), now).render().expect("plain data")
}

/// The alert for an Alertmanager.
pub fn alert(finding: &Finding, now: Time) -> Value {
    serde_json::to_value(Alert::new(finding, Some("prod-eu"), now, now)).expect("plain data")
}

/// The notes of its Events.
pub fn notes(finding: &Finding, now: Time) -> Vec<Note> {
    let news = dispatches(finding).into_iter().filter_map(|dispatch| match dispatch {
        Dispatch::One(news) => Some(Note::new(&news, now)),
        Dispatch::Digest(_) => None,
    });
    news.collect()
}

/// Its metrics.
pub fn metrics(finding: &Finding) -> String {
    let mut text = String::new();
    let _overflowed = metrics::write([finding].into_iter(), &mut text).expect("strings take everything");
    text
}

/// Its output on a terminal.
pub fn terminal(finding: &Finding, now: Time) -> String {
    let change = Change { kind: ChangeKind::Confirmed, at: now, finding: Arc::new(finding.clone()) };
    let mut text = String::new();
    let said = Message::from_change(&change, None).expect("it is told");
    preview::write(&said, Look::plain(100), &mut text).expect("strings take everything");
    text
}

/// All of it, with the name of each form.
pub fn all(finding: &Finding, now: Time) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let context = Context { cluster: Some("prod-eu"), now };
    for dispatch in dispatches(finding) {
        all.push(("Slack", slack(&dispatch, now).to_string()));
        all.push(("webhook", webhook(&dispatch, now)));
        all.push(("Teams", json!(teams::Payload::new(&dispatch, context)).to_string()));
        all.push(("Discord", json!(discord::Payload::new(&dispatch, context)).to_string()));
        all.push(("Google Chat", json!(google_chat::Payload::new(&dispatch, context)).to_string()));
        all.push(("mail", format!("{:?}", Mail::new(&dispatch, "ops", context))));
        let about = About { cluster: Some("prod-eu"), runbook: RUNBOOK, now };
        if let Dispatch::One(news) = &dispatch {
            all.push(("PagerDuty", json!(pagerduty::events(news, about)).to_string()));
            let bodies = opsgenie::requests(news, about).into_iter().map(|request| json!(request.body).to_string());
            all.extend(bodies.map(|body| ("Opsgenie", body)));
        }
    }
    all.push(("Alertmanager", alert(finding, now).to_string()));
    all.extend(notes(finding, now).into_iter().map(|note| ("Event", format!("{note:?}"))));
    all.push(("metrics", metrics(finding)));
    all.push(("terminal", terminal(finding, now)));
    let object = FindingObject::from_finding(finding, FindingState::Confirmed, None);
    all.push(("object", json!(object).to_string()));
    all
}

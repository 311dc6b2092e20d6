//! The outcomes of sending to webhooks and Alertmanagers.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use probehound::delivery::alerts::Alerts;
use probehound::delivery::http::Client;
use probehound::delivery::network::Network;
use probehound::delivery::policy::{Admission, Item};
use probehound::delivery::receiver::{Reply, alertmanager, webhook};
use probehound::delivery::secret::{Secret, SecretSource};
use probehound::engine::{Finding, Severity};
use probehound::report::alertmanager::Alert;
use probehound::report::object::FindingState;
use probehound::report::update::{Dispatch, FindingUpdate, Kind};
use probehound::report::webhook::Document;
use probehound::text::hex;
use probehound::time::Time;
use ring::hmac;
use serde_json::Value;

use super::samples::{at, finding};
use crate::support::slack::{Seen, Slack, Turn};

const LIMIT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_webhook_gets_a_document_that_is_signed() {
    let server = Slack::start([Turn::Answer(204, "")]).await;
    let document = document();
    let key = Secret::new("hunter2key");
    let reply =
        webhook::send(&client(), &Secret::new(&server.url()), Some(&key), (None, document.clone()), at(20)).await;
    assert_eq!(reply, Reply::Delivered);
    let seen = &server.seen()[0];
    assert_eq!(seen.body, document);
    let timestamp = header(seen, "probehound-timestamp");
    let signed = hmac::Key::new(hmac::HMAC_SHA256, b"hunter2key");
    let tag = hmac::sign(&signed, format!("{timestamp}.{document}").as_bytes());
    assert_eq!(header(seen, "probehound-signature"), format!("v1={}", hex(tag.as_ref())));
}

#[tokio::test]
async fn a_document_is_what_its_schema_says() {
    let schema: Value = serde_json::from_str(include_str!("../../docs/webhook.schema.json")).expect("JSON");
    for dispatch in crate::support::forms::dispatches(&finding("web", 10)) {
        let text = Document::new(&dispatch, "ops", None, at(20)).render().expect("plain data");
        let document: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(misfits(&schema, &schema, &document, "document"), Vec::<String>::new());
        assert_eq!(document["version"], "probehound.dev/v1");
    }
}

#[tokio::test]
async fn the_same_news_have_the_same_id_and_other_news_another() {
    let of = |finding: &Finding, kind, now| {
        let dispatch = Dispatch::One(FindingUpdate { kind, finding: Arc::new(finding.clone()), before: None });
        Document::new(&dispatch, "ops", None, now).id
    };
    let web = finding("web", 10);
    let more = Finding { restarts: 99, ..web.clone() };
    assert_eq!(of(&web, Kind::Opened, at(20)), of(&more, Kind::Opened, at(90)));
    assert_ne!(of(&web, Kind::Opened, at(20)), of(&web, Kind::Resolved, at(20)));
    assert_ne!(of(&web, Kind::Opened, at(20)), of(&finding("api", 10), Kind::Opened, at(20)));
}

#[tokio::test]
async fn a_webhooks_answers_mean_what_the_documentation_says() {
    let failed = |why: &str| Reply::Failed { why: why.into(), wait: None };
    let cases = [
        (Turn::Answer(200, "<html>"), Reply::Delivered),
        (Turn::Answer(202, ""), Reply::Delivered),
        (Turn::Answer(400, "no"), Reply::Refused("it answers 400".into())),
        (Turn::Answer(413, ""), Reply::Refused("it answers 413".into())),
        (Turn::Answer(422, ""), Reply::Refused("it answers 422".into())),
        (Turn::Answer(401, ""), Reply::Gone("it answers 401".into())),
        (Turn::Answer(404, ""), Reply::Gone("it answers 404".into())),
        (Turn::Answer(410, ""), Reply::Gone("it answers 410".into())),
        (Turn::With(301, "Location: /x", ""), failed("it answers 301, a redirect, and none is followed")),
        (Turn::Answer(500, ""), failed("it answers 500")),
        (
            Turn::With(429, "Retry-After: 7", ""),
            Reply::Failed { why: "it answers 429".into(), wait: Some(Duration::from_secs(7)) },
        ),
    ];
    for (turn, expected) in cases {
        let server = Slack::start([turn.clone()]).await;
        let reply = webhook::send(&client(), &Secret::new(&server.url()), None, (None, document()), at(20)).await;
        assert_eq!(reply, expected, "{turn:?}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn all_peers_of_an_alertmanager_are_told_and_one_is_enough() {
    let (up, down) = (Slack::start([Turn::Answer(200, "")]).await, Slack::start([Turn::Answer(503, "")]).await);
    let peers = [Secret::new(&down.url()), Secret::new(&up.url())];
    let credentials = alertmanager::Credentials::Bearer(token_file());
    let header_value: HeaderValue = credentials.header().expect("the token is there");
    assert_eq!(format!("{header_value:?}"), "Sensitive");
    let reply = alertmanager::send(&client(), &peers, Some(header_value), &firing()).await;
    assert_eq!(reply, Reply::Delivered);
    for server in [&up, &down] {
        assert_eq!(header(&server.seen()[0], "authorization"), "Bearer hunter2token");
    }
    let alerts: Value = serde_json::from_str(&up.seen()[0].body).expect("JSON");
    let labels = alerts[0]["labels"].as_object().expect("there are labels");
    let names: Vec<&str> = labels.keys().map(String::as_str).collect();
    let expected =
        ["alertname", "cause", "container", "effect", "namespace", "probe", "severity", "workload", "workload_kind"];
    assert_eq!(names, expected, "no pods");
    assert_eq!(labels["alertname"], "ProbehoundProbeMisconfigured");
    assert_eq!(alerts[0]["annotations"]["suggested"], "/health");
    assert_eq!(alerts[0]["startsAt"], at(10).to_string());
    assert_eq!(alerts[0]["endsAt"], at(20).plus(Duration::from_mins(15)).to_string());
}

#[test]
fn what_fires_is_sent_again_and_again_and_what_is_over_for_a_quarter_of_an_hour() {
    let mut alerts = Alerts::new(Duration::from_mins(1), None);
    let web = finding("web", 10);
    let ends = |alerts: Vec<Alert>| alerts.iter().map(|alert| alert.ends_at).collect::<Vec<_>>();
    assert_eq!(ends(alerts.round(&[item(&web, FindingState::Confirmed)], at(20))), [at(920)]);
    assert_eq!(ends(alerts.round(&[item(&web, FindingState::Confirmed)], at(80))), [at(980)]);
    let over = Finding { resolved_at: Some(at(100)), ..web };
    assert_eq!(ends(alerts.round(&[item(&over, FindingState::Resolved)], at(110))), [at(100)]);
    assert_eq!(ends(alerts.round(&[item(&over, FindingState::Resolved)], at(900))), [at(100)]);
    assert_eq!(ends(alerts.round(&[item(&over, FindingState::Resolved)], at(1_001))), []);
}

#[test]
fn between_two_rounds_only_what_changed_is_sent() {
    let mut alerts = Alerts::new(Duration::from_mins(1), None);
    let all: Vec<Item> =
        (0..1_000).map(|number| item(&finding(&format!("web-{number}"), 10), FindingState::Confirmed)).collect();
    assert_eq!(alerts.round(&all, at(20)).len(), 1_000);
    let new = finding("new", 30);
    assert_eq!(ends(&alerts.change(&[item(&new, FindingState::Confirmed)], at(32))), [("new", at(932))]);
    let over = Finding { resolved_at: Some(at(40)), ..finding("web-7", 10) };
    assert_eq!(ends(&alerts.change(&[item(&over, FindingState::Resolved)], at(42))), [("web-7", at(40))]);
    let worse = Finding { severity: Severity::Critical, ..finding("web-8", 10) };
    let changed = alerts.change(&[item(&worse, FindingState::Confirmed)], at(44));
    assert_eq!(ends(&changed), [("web-8", at(944)), ("web-8", at(44))], "the one of before is over");
    let muted = Item { admission: Admission::Muted(at(900)), ..item(&finding("web-9", 10), FindingState::Confirmed) };
    assert_eq!(ends(&alerts.change(&[muted], at(46))), [("web-9", at(946))], "what fires goes on");
    let silenced = Item { silenced: true, ..item(&finding("web-9", 10), FindingState::Confirmed) };
    assert_eq!(ends(&alerts.change(&[silenced], at(48))), [("web-9", at(48))]);
    // The next round resends what is resolved, and ends what no longer exists.
    let round = alerts.round(&[item(&new, FindingState::Confirmed)], at(60));
    assert_eq!(round.len(), 1_002);
    assert_eq!(ends(&round).iter().filter(|(_, ends_at)| *ends_at == at(60)).count(), 998);
}

fn ends(alerts: &[Alert]) -> Vec<(&str, Time)> {
    alerts.iter().map(|alert| (&*alert.labels["workload"], alert.ends_at)).collect()
}

#[test]
fn an_alert_names_its_section_of_the_runbook_that_was_set() {
    let runbook = |url: Option<&str>| {
        let mut alerts = Alerts::new(Duration::from_mins(1), None).with_runbook(url.map(str::to_owned));
        let sent = alerts.round(&[item(&finding("web", 10), FindingState::Confirmed)], at(20));
        sent[0].annotations["runbook_url"].clone()
    };
    let own = format!("{}#probehoundprobemisconfigured", probehound::report::alertmanager::RUNBOOK);
    assert_eq!(runbook(None), own);
    assert_eq!(runbook(Some("https://wiki.example/p")), "https://wiki.example/p#probehoundprobemisconfigured");
}

#[test]
fn a_change_of_the_severity_ends_one_alert_and_begins_another() {
    let mut alerts = Alerts::new(Duration::from_mins(1), None);
    let web = finding("web", 10);
    alerts.round(&[item(&web, FindingState::Confirmed)], at(20));
    let worse = Finding { severity: Severity::Critical, ..web };
    let sent = alerts.round(&[item(&worse, FindingState::Confirmed)], at(30));
    let by_severity =
        |severity: &str| sent.iter().find(|alert| alert.labels["severity"] == severity).map(|alert| alert.ends_at);
    assert_eq!((by_severity("warning"), by_severity("critical")), (Some(at(30)), Some(at(930))));
}

#[test]
fn what_is_silenced_muted_or_barred_does_not_begin_to_fire() {
    let web = finding("web", 10);
    for change in [
        |item: &mut Item| item.silenced = true,
        |item: &mut Item| item.admission = Admission::Muted(at(500)),
        |item: &mut Item| item.admission = Admission::ToItsEnd,
        |item: &mut Item| item.admission = Admission::Barred,
    ] {
        let mut alerts = Alerts::new(Duration::from_mins(1), None);
        let mut item = item(&web, FindingState::Confirmed);
        change(&mut item);
        assert_eq!(alerts.round(&[item.clone()], at(20)), []);
        item.finding = Arc::new(Finding { resolved_at: Some(at(30)), ..web.clone() });
        item.state = FindingState::Resolved;
        assert_eq!(alerts.round(&[item], at(40)), []);
    }
}

/// Where a document does not match the part of JSON Schema that the program's schema uses.
fn misfits(root: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let part = root.pointer(name.trim_start_matches('#')).expect("a definition");
        return misfits(root, part, value, path);
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(options) = schema[key].as_array() {
            let fits = options.iter().any(|option| misfits(root, option, value, path).is_empty());
            return if fits { Vec::new() } else { vec![format!("{path}: {value} is none of them")] };
        }
    }
    if schema.get("const").is_some_and(|wanted| wanted == value) {
        return Vec::new();
    }
    if let Some(words) = schema["enum"].as_array() {
        return if words.contains(value) { Vec::new() } else { vec![format!("{path}: {value} is no word of it")] };
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    if !kinds.iter().any(|wanted| wanted == kind) {
        return vec![format!("{path}: {value} is no {kinds:?}")];
    }
    let mut all = Vec::new();
    for item in value.as_array().into_iter().flatten() {
        all.extend(misfits(root, &schema["items"], item, path));
    }
    if let Some(fields) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                all.push(format!("{path}.{name} is missing"));
            }
        }
        for (name, field) in fields {
            match schema["properties"].get(name) {
                Some(part) => all.extend(misfits(root, part, field, &format!("{path}.{name}"))),
                None => all.push(format!("{path}.{name} is not described")),
            }
        }
    }
    all
}

fn header(seen: &Seen, name: &str) -> String {
    let lines = seen.head.lines().filter_map(|line| line.split_once(':'));
    let found = lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.unwrap_or_else(|| panic!("{name} is missing: {}", seen.head)).1.trim().to_owned()
}

fn token_file() -> SecretSource {
    let file = std::env::temp_dir().join(format!("probehound-token-{}", std::process::id()));
    std::fs::write(&file, "hunter2token\n").expect("a temporary file can be written");
    SecretSource::File(file)
}

fn firing() -> Vec<Alert> {
    Alerts::new(Duration::from_mins(1), None).round(&[item(&finding("web", 10), FindingState::Confirmed)], at(20))
}

fn item(finding: &Finding, state: FindingState) -> Item {
    Item { finding: Arc::new(finding.clone()), state, silenced: false, admission: Admission::Routed, notified: None }
}

fn document() -> String {
    Document::new(&dispatch(), "ops", Some("prod-eu"), at(20)).render().expect("plain data")
}

fn dispatch() -> Dispatch {
    Dispatch::One(FindingUpdate { kind: Kind::Opened, finding: finding("web", 10).into(), before: None })
}

fn client() -> Client {
    Client::new(&Network::default()).expect("there are certificates").within(LIMIT)
}

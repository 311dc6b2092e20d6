//! PagerDuty's Events API v2. (developer.pagerduty.com/docs/events-api-v2/trigger-events)

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, Request, only, seen, text, units};

/// The routing key of its only integration.
pub const KEY: &str = "hunter2abcdefghijklmnopqrstuvwxy";

const MAX: usize = 512 * 1024;

/// What PagerDuty answers.
pub fn answer(request: &Request) -> Answer {
    match request {
        Request { path, .. } if *path != "/v2/enqueue" => Answer::new(404, ""),
        Request { method, .. } if *method != "POST" => Answer::new(405, ""),
        Request { body, .. } if body.len() > MAX => Answer::new(413, ""),
        request if !request.is_json() => invalid("Content-Type is no JSON"),
        Request { body, .. } => match check(body) {
            Ok(key) => {
                let body = json!({ "status": "success", "message": "Event processed", "dedup_key": key });
                Answer::new(202, body.to_string())
            }
            Err(why) => invalid(&why),
        },
    }
}

fn invalid(why: &str) -> Answer {
    let body = json!({ "status": "invalid event", "message": "Event object is invalid", "errors": [why] });
    Answer::new(400, body.to_string())
}

/// The key of an event that is as it has to be.
pub fn check(body: &str) -> Result<String, String> {
    let event: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    only(&event, &["routing_key", "event_action", "dedup_key", "client", "payload", "links"])?;
    let routing_key = text(&event, "routing_key")?;
    if routing_key.len() != 32 {
        return Err("Length of 'routing_key' is incorrect (should be 32 characters)".into());
    }
    if routing_key != KEY {
        return Err("'routing_key' is not valid".into());
    }
    let key = within(&event, "dedup_key", 255)?;
    match event["event_action"].as_str() {
        Some("resolve") => only(&event, &["routing_key", "event_action", "dedup_key"])?,
        Some("trigger") => {
            payload(&event["payload"])?;
            links(&event["links"])?;
        }
        _ => return Err("'event_action' is invalid".into()),
    }
    Ok(key.to_owned())
}

fn payload(payload: &Value) -> Result<(), String> {
    let keys = ["summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"];
    only(payload, &keys)?;
    within(payload, "summary", 1024)?;
    for key in ["source", "component", "group", "class"] {
        within(payload, key, 255)?;
    }
    if !["critical", "error", "warning", "info"].contains(&text(payload, "severity")?) {
        return Err("'payload.severity' is invalid (must be one of 'info', 'warning', 'error' or 'critical')".into());
    }
    text(payload, "timestamp")?.parse::<jiff::Timestamp>().map_err(|error| error.to_string())?;
    let details = payload["custom_details"].as_object().ok_or("custom_details is no object")?;
    let lists = details.values().filter_map(Value::as_array).flatten();
    details.values().filter(|value| !value.is_array()).chain(lists).try_for_each(|value| {
        let text = value.as_str().ok_or("a detail that is no text")?;
        inert(text)
    })
}

fn links(links: &Value) -> Result<(), String> {
    let links = links.as_array().ok_or("links are no list")?;
    links.iter().try_for_each(|link| {
        only(link, &["href", "text"])?;
        let href = text(link, "href")?;
        if href.starts_with("https://") { Ok(()) } else { Err(format!("a link to {href}")) }
    })
}

fn within<'v>(object: &'v Value, key: &str, max: usize) -> Result<&'v str, String> {
    let text = text(object, key)?;
    inert(text)?;
    if units(text) > max { Err(format!("'{key}' of {} characters", units(text))) } else { Ok(text) }
}

/// PagerDuty passes texts on to chats as they are.
pub(super) fn inert(text: &str) -> Result<(), String> {
    seen(text)?;
    if text.contains('<') { Err(format!("a bracket in {text:?}")) } else { Ok(()) }
}

/// The incidents that these events opened, and whether each is still open; panics where one is closed that
/// was not opened, or opened twice.
pub fn incidents<'e>(bodies: impl IntoIterator<Item = &'e str>) -> BTreeMap<String, bool> {
    let mut incidents = BTreeMap::new();
    for body in bodies {
        let key = check(body).unwrap_or_else(|why| panic!("{why}: {body}"));
        let event: Value = serde_json::from_str(body).expect("JSON");
        if event["event_action"] == "resolve" {
            assert_eq!(incidents.insert(key, false), Some(true), "nothing is open: {body}");
        } else {
            incidents.insert(key, true);
        }
    }
    incidents
}

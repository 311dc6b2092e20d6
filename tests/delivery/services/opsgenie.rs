//! Opsgenie's Alert API v2. (docs.opsgenie.com/docs/alert-api, docs.opsgenie.com/docs/response)

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::pagerduty::inert;
use super::{Answer, Request, only, text, units};

/// The key of its only integration.
pub const KEY: &str = "hunter2-cb6a-4ebb-bc1d-1b2fa703cf03";

/// What an accepted request asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    Create(String),
    Note(String),
    Close(String),
}

/// What Opsgenie answers.
pub fn answer(request: &Request) -> Answer {
    let error = |status: u16, message: &str| {
        Answer::new(status, json!({ "message": message, "took": 0.001, "requestId": "r" }).to_string())
    };
    let credentials = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let Ok(what) = asked(request.path, request.body) else { return error(404, "No handler found") };
    match request {
        Request { method, .. } if *method != "POST" => error(405, "Method not allowed"),
        _ if credentials.is_none_or(|(_, value)| *value != format!("GenieKey {KEY}")) => {
            error(401, "Could not authenticate")
        }
        request if !request.is_json() => error(415, "Unsupported Media Type"),
        Request { body, .. } if serde_json::from_str::<Value>(body).is_err() => error(400, "Body is not JSON"),
        Request { body, .. } => match check(body, &what) {
            Ok(()) => error(202, "Request will be processed"),
            Err(why) => error(422, &why),
        },
    }
}

/// What the path asks for, and of which alias.
pub fn asked(path: &str, body: &str) -> Result<Asked, String> {
    if path == "/v2/alerts" {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        return Ok(Asked::Create(body["alias"].as_str().unwrap_or_default().to_owned()));
    }
    let (rest, query) = path.strip_prefix("/v2/alerts/").and_then(|rest| rest.split_once('?')).ok_or("no such path")?;
    let (alias, action) = rest.split_once('/').ok_or("no action")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if query != "identifierType=alias" || alias.is_empty() || !alias.chars().all(plain) {
        return Err(format!("{path} names no alias"));
    }
    match action {
        "notes" => Ok(Asked::Note(alias.to_owned())),
        "close" => Ok(Asked::Close(alias.to_owned())),
        _ => Err(format!("no action {action}")),
    }
}

/// What is wrong with a body.
pub fn check(body: &str, what: &Asked) -> Result<(), String> {
    let body: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let Asked::Create(_) = what else {
        only(&body, &["note", "source"])?;
        within(&body, "source", 100)?;
        return within(&body, "note", 25_000);
    };
    only(&body, &["message", "alias", "description", "tags", "details", "entity", "source", "priority"])?;
    for (key, max) in [("message", 130), ("alias", 512), ("description", 15_000), ("entity", 512), ("source", 100)] {
        within(&body, key, max)?;
    }
    if !["P1", "P2", "P3", "P4", "P5"].contains(&text(&body, "priority")?) {
        return Err("no priority".into());
    }
    let tags = body["tags"].as_array().filter(|tags| tags.len() <= 20).ok_or("too many tags")?;
    for tag in tags {
        let tag = tag.as_str().ok_or("a tag that is no text")?;
        if units(tag) > 50 {
            return Err(format!("a tag of {} characters", units(tag)));
        }
        inert(tag)?;
    }
    let mut length = 0;
    for (key, value) in body["details"].as_object().ok_or("no details")? {
        let value = value.as_str().ok_or("a detail that is no text")?;
        inert(value)?;
        length += units(key) + units(value);
    }
    if length > 8000 { Err(format!("{length} characters of details")) } else { Ok(()) }
}

fn within(object: &Value, key: &str, max: usize) -> Result<(), String> {
    let text = text(object, key)?;
    inert(text)?;
    if units(text) > max { Err(format!("{key} of {} characters", units(text))) } else { Ok(()) }
}

/// The alerts that these requests created, and whether each is open; panics where one is closed or noted upon
/// that is not open, or created while it is.
pub fn alerts(asked: impl IntoIterator<Item = Asked>) -> BTreeMap<String, bool> {
    let mut alerts = BTreeMap::new();
    for asked in asked {
        match asked {
            Asked::Create(alias) => assert_ne!(alerts.insert(alias.clone(), true), Some(true), "{alias} twice"),
            Asked::Note(alias) => assert_eq!(alerts.get(&alias), Some(&true), "{alias}"),
            Asked::Close(alias) => assert_eq!(alerts.insert(alias.clone(), false), Some(true), "{alias}"),
        }
    }
    alerts
}

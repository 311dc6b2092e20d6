//! The services that receivers post to, as far as their documentation says what they accept, and stricter
//! about what must not be in a message: each answers a request as the real one does.

pub mod discord;
pub mod google_chat;
pub mod mail;
pub mod opsgenie;
pub mod pagerduty;
pub mod relay;
pub mod teams;

use std::sync::Arc;

use serde_json::Value;

use crate::support::slack::Judge;

/// A request.
#[derive(Copy, Clone, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// With the query.
    pub path: &'a str,
    pub headers: &'a [(String, String)],
    pub body: &'a str,
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Request<'_> {
    /// Whether the body is said to be JSON.
    pub fn is_json(&self) -> bool {
        let kind = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        kind.is_some_and(|(_, value)| value.split(';').next().map(str::trim) == Some("application/json"))
    }
}

impl Answer {
    fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into() }
    }
}

/// A service for the server of the tests.
pub fn serving(service: fn(&Request) -> Answer) -> Judge {
    Arc::new(move |head, body| {
        let mut lines = head.lines();
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
        let headers: Vec<(String, String)> = lines.filter_map(header).collect();
        let answer = service(&Request { method, path, headers: &headers, body });
        (answer.status, "", answer.body)
    })
}

/// The keys of an object are among these.
fn only(object: &Value, keys: &[&str]) -> Result<(), String> {
    let Some(map) = object.as_object() else { return Err(format!("no object: {object}")) };
    match map.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown key {key}")),
        None => Ok(()),
    }
}

/// A text that is there.
fn text<'v>(object: &'v Value, key: &str) -> Result<&'v str, String> {
    object[key].as_str().filter(|text| !text.trim().is_empty()).ok_or_else(|| format!("no {key} in {object}"))
}

/// What nobody sees, or a terminal acts upon.
fn seen(text: &str) -> Result<(), String> {
    match text.chars().find(|character| *character != '\n' && !probehound::text::escape::is_visible(*character)) {
        Some(character) => Err(format!("{character:?} in {text:?}")),
        None => Ok(()),
    }
}

/// What programs make links of.
fn unlinked(text: &str) -> Result<(), String> {
    let lower = text.to_ascii_lowercase();
    match ["://", "www."].iter().find(|link| lower.contains(**link)) {
        Some(link) => Err(format!("{link} in {text:?}")),
        None => Ok(()),
    }
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The text without blocks of code and code among words, which end where they should.
fn without_code(text: &str) -> Result<String, String> {
    let blocks: Vec<&str> = text.split("```").collect();
    if blocks.len().is_multiple_of(2) {
        return Err(format!("a block of code does not end: {text:?}"));
    }
    let mut rest = String::new();
    for block in blocks.iter().step_by(2) {
        for line in block.lines() {
            let pieces: Vec<&str> = line.split('`').collect();
            if pieces.len().is_multiple_of(2) {
                return Err(format!("code does not end: {line:?}"));
            }
            // Stands for what was code.
            rest.push_str(&pieces.into_iter().step_by(2).collect::<Vec<_>>().join("x"));
            rest.push('\n');
        }
    }
    Ok(rest)
}

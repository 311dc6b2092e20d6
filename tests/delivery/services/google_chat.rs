//! A webhook of a Google Chat space. (developers.google.com/workspace/chat/quickstart/webhooks, format-messages)

use serde_json::{Value, json};

use super::{Answer, Request, only, seen, text, unlinked, without_code};

/// The path of the webhook, whose key and token are passwords.
pub const PATH: &str = "/v1/spaces/AAAAhunter2/messages?key=HUNTER2key&token=HUNTER2token";

/// What Chat answers.
pub fn answer(request: &Request) -> Answer {
    let error = |status: u16, code: &str, message: &str| {
        let error = json!({ "error": { "code": status, "message": message, "status": code } });
        Answer::new(status, error.to_string())
    };
    match request {
        Request { path, .. } if !path.starts_with("/v1/spaces/AAAAhunter2/messages?") => {
            error(404, "NOT_FOUND", "Requested entity was not found.")
        }
        Request { path, .. } if *path != PATH => error(401, "UNAUTHENTICATED", "invalid authentication credentials"),
        Request { method, .. } if *method != "POST" => error(404, "NOT_FOUND", "not found on this server"),
        request if !request.is_json() => error(400, "INVALID_ARGUMENT", "Invalid JSON payload received"),
        Request { body, .. } => match check(body) {
            Ok(()) => Answer::new(200, json!({ "name": "spaces/AAAAhunter2/messages/x" }).to_string()),
            Err(why) => error(400, "INVALID_ARGUMENT", &why),
        },
    }
}

/// What is wrong with a message.
pub fn check(body: &str) -> Result<(), String> {
    let message: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    only(&message, &["text"])?;
    let text = text(&message, "text")?;
    if text.len() > 32_000 {
        return Err(format!("{} bytes", text.len()));
    }
    inert(text)
}

/// No mention and no link anywhere; outside of code only bold remains.
fn inert(text: &str) -> Result<(), String> {
    seen(text)?;
    unlinked(text)?;
    if text.contains('<') {
        return Err(format!("a bracket in {text:?}"));
    }
    for line in without_code(text)?.lines() {
        let inside = |at: usize| {
            let (before, after) = (line[..at].chars().last(), line[at + 1..].chars().next());
            before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
        };
        let marks = |mark: char| line.match_indices(mark).filter(|(at, _)| !inside(*at)).count();
        if !matches!(marks('*'), 0 | 2) || marks('_') + marks('~') > 0 || line.starts_with("- ") {
            return Err(format!("something acts in {line:?} of {text:?}"));
        }
    }
    Ok(())
}

/// What people read.
pub fn page(body: &str) -> String {
    let message: Value = serde_json::from_str(body).expect("JSON");
    message["text"].as_str().expect("a text").to_owned() + "\n"
}

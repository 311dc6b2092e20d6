//! A Teams workflow. (learn.microsoft.com/power-automate/teams/send-a-message-in-teams,
//! adaptivecards.io/schemas/1.4.0/adaptive-card.json)

use serde_json::Value;

use super::{Answer, Request, only, seen, text, units};

/// The path of the workflow's trigger, whose signature is the password.
pub const PATH: &str = "/workflows/hunter2/triggers/manual/paths/invoke?api-version=1&sig=HUNTER2workflow";

const MAX: usize = 28 * 1024;

/// What the workflow answers.
pub fn answer(request: &Request) -> Answer {
    let error = |status, code: &str, message: &str| {
        Answer::new(status, serde_json::json!({ "error": { "code": code, "message": message } }).to_string())
    };
    match request {
        Request { path, .. } if *path != PATH => {
            error(401, "DirectApiAuthorizationRequired", "The request must be authenticated")
        }
        Request { method, .. } if *method != "POST" => error(405, "MethodNotAllowed", "POST only"),
        request if !request.is_json() => error(415, "UnsupportedMediaType", "application/json is wanted"),
        Request { body, .. } if is_too_large(body) => error(413, "RequestEntityTooLarge", "28 KB"),
        Request { body, .. } => match check(body) {
            Ok(()) => Answer::new(202, ""),
            Err(why) => error(400, "TriggerInputSchemaMismatch", &why),
        },
    }
}

/// Whether it is more than 28 KB, in UTF-8 or as the service counts where no character set is named.
fn is_too_large(body: &str) -> bool {
    body.len() > MAX || 2 * units(body) > MAX
}

/// What is wrong with a message.
pub fn check(body: &str) -> Result<(), String> {
    if is_too_large(body) {
        return Err(format!("{} bytes", body.len()));
    }
    let message: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    only(&message, &["type", "attachments"])?;
    if message["type"] != "message" {
        return Err("no message".into());
    }
    let [attachment] = message["attachments"].as_array().map_or(&[][..], Vec::as_slice) else {
        return Err("not one attachment".into());
    };
    only(attachment, &["contentType", "contentUrl", "content"])?;
    let kind = &attachment["contentType"];
    if kind != "application/vnd.microsoft.card.adaptive" || !attachment["contentUrl"].is_null() {
        return Err(format!("an attachment of {kind}"));
    }
    card(&attachment["content"])
}

fn card(card: &Value) -> Result<(), String> {
    only(card, &["type", "$schema", "version", "msteams", "fallbackText", "body"])?;
    // Entities would be mentions.
    only(&card["msteams"], &["width"])?;
    if card["type"] != "AdaptiveCard" || card["version"] != "1.4" || card["msteams"]["width"] != "Full" {
        return Err("no Adaptive Card of a version that Teams shows".into());
    }
    inert(text(card, "fallbackText")?)?;
    let body = card["body"].as_array().filter(|body| !body.is_empty()).ok_or("an empty card")?;
    body.iter().try_for_each(element)
}

fn element(element: &Value) -> Result<(), String> {
    match element["type"].as_str() {
        Some("RichTextBlock") => {
            only(element, &["type", "spacing", "inlines"])?;
            one_of(&element["spacing"], &["Default", "None", "Small"])?;
            let runs = element["inlines"].as_array().filter(|runs| !runs.is_empty()).ok_or("an empty line")?;
            runs.iter().try_for_each(run)
        }
        Some("Container") => {
            only(element, &["type", "style", "items"])?;
            one_of(&element["style"], &["emphasis"])?;
            let items = element["items"].as_array().filter(|items| !items.is_empty()).ok_or("an empty container")?;
            items.iter().try_for_each(self::element)
        }
        // A TextBlock would read Markdown.
        other => Err(format!("an element {other:?}")),
    }
}

fn run(run: &Value) -> Result<(), String> {
    only(run, &["type", "text", "weight", "fontType", "isSubtle"])?;
    one_of(&run["type"], &["TextRun"])?;
    for (key, words) in [("weight", ["Bolder"]), ("fontType", ["Monospace"])] {
        if run.get(key).is_some() {
            one_of(&run[key], &words)?;
        }
    }
    match run["text"].as_str() {
        Some(text) if !text.is_empty() => inert(text),
        _ => Err(format!("no text in {run}")),
    }
}

fn inert(text: &str) -> Result<(), String> {
    seen(text)?;
    let acts = text.contains("{{DATE(") || text.contains("{{TIME(") || text.contains('\n');
    if acts { Err(format!("a function in {text:?}")) } else { Ok(()) }
}

fn one_of(value: &Value, words: &[&str]) -> Result<(), String> {
    let known = value.as_str().is_some_and(|value| words.contains(&value));
    if known { Ok(()) } else { Err(format!("{value} is none of {words:?}")) }
}

/// What people read: bold words between stars, code between back-ticks, a line each.
pub fn page(body: &str) -> String {
    let message: Value = serde_json::from_str(body).expect("JSON");
    let card = &message["attachments"][0]["content"];
    let lines: Vec<String> = card["body"].as_array().expect("a body").iter().flat_map(lines).collect();
    format!("fallback: {}\n{}\n", card["fallbackText"].as_str().expect("a text"), lines.join("\n"))
}

fn lines(element: &Value) -> Vec<String> {
    if let Some(items) = element["items"].as_array() {
        return items.iter().flat_map(lines).map(|line| format!("  {line}")).collect();
    }
    let runs = element["inlines"].as_array().expect("a line");
    let gap = if element["spacing"] == "Default" { "\n" } else { "" };
    let shown = runs.iter().map(|run| {
        let text = run["text"].as_str().expect("a text");
        match (run.get("weight"), run.get("fontType")) {
            (Some(_), _) => format!("*{text}*"),
            (_, Some(_)) => format!("`{text}`"),
            _ => text.to_owned(),
        }
    });
    vec![gap.to_owned() + &shown.collect::<String>()]
}

//! A Discord webhook. (docs.discord.com/developers/resources/webhook, resources/message, topics/opcodes-and-status-codes)

use serde_json::Value;

use super::{Answer, Request, only, seen, text, units, without_code};

/// The path of the webhook, whose token is the password.
pub const PATH: &str = "/api/webhooks/1234567890/HUNTER2token";

/// What Discord answers.
pub fn answer(request: &Request) -> Answer {
    let error = |status, code: u32, message: &str| {
        Answer::new(status, serde_json::json!({ "message": message, "code": code }).to_string())
    };
    match request {
        Request { path, .. } if !path.starts_with("/api/webhooks/1234567890/") => error(404, 10015, "Unknown Webhook"),
        Request { path, .. } if *path != PATH => error(401, 50027, "Invalid Webhook Token"),
        Request { method, .. } if *method != "POST" => error(405, 0, "405: Method Not Allowed"),
        request if !request.is_json() => error(400, 50006, "Cannot send an empty message"),
        Request { body, .. } => match check(body) {
            Ok(()) => Answer::new(204, ""),
            Err(why) => error(400, 50035, &format!("Invalid Form Body: {why}")),
        },
    }
}

/// What is wrong with a message.
pub fn check(body: &str) -> Result<(), String> {
    let message: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    only(&message, &["content", "embeds", "allowed_mentions"])?;
    if message["allowed_mentions"] != serde_json::json!({ "parse": [] }) {
        return Err("somebody may be mentioned".into());
    }
    let content = text(&message, "content")?;
    within("content", content, 2000)?;
    inert(content)?;
    let embeds = message["embeds"].as_array().filter(|embeds| (1..=10).contains(&embeds.len())).ok_or("no embeds")?;
    let lengths: Result<Vec<usize>, String> = embeds.iter().map(embed).collect();
    let all: usize = lengths?.into_iter().sum();
    if all > 6000 { Err(format!("{all} characters in all embeds")) } else { Ok(()) }
}

/// The length of an embed that is as it has to be.
fn embed(embed: &Value) -> Result<usize, String> {
    only(embed, &["title", "description", "color", "footer"])?;
    let mut length = 0;
    if embed.get("title").is_some() {
        length += within("title", text(embed, "title")?, 256)?;
        inert(text(embed, "title")?)?;
    }
    length += within("description", text(embed, "description")?, 4096)?;
    inert(text(embed, "description")?)?;
    if embed.get("footer").is_some() {
        only(&embed["footer"], &["text"])?;
        let footer = text(&embed["footer"], "text")?;
        length += within("footer", footer, 2048)?;
        seen(footer)?;
    }
    match embed["color"].as_u64() {
        Some(0..=0x00ff_ffff) => Ok(length),
        _ => Err("no colour".into()),
    }
}

fn within(what: &str, text: &str, max: usize) -> Result<usize, String> {
    let length = units(text);
    if length > max { Err(format!("{what} of {length} characters")) } else { Ok(length) }
}

/// Outside of code only bold remains when the escapes are taken away, and no line begins a list, a quote or a
/// heading.
fn inert(text: &str) -> Result<(), String> {
    seen(text)?;
    let unescaped = without_escapes(text);
    let rest = without_code(&unescaped)?;
    for line in rest.lines() {
        let bold = line.matches("**").count();
        let others = line.replace("**", "");
        let acts = |character: char| matches!(character, '*' | '_' | '~' | '|' | '<' | '>' | '[' | ']' | '@' | '\\');
        let colon =
            others.match_indices(':').any(|(at, _)| others[at + 1..].starts_with(|next| !matches!(next, ' ' | '…')));
        let begins = line.trim_start().starts_with(['#', '-', '+']);
        if bold > 2 || !bold.is_multiple_of(2) || others.contains(acts) || colon || begins {
            return Err(format!("something acts in {line:?} of {text:?}"));
        }
    }
    Ok(())
}

/// The text with a letter in the place of each escape outside of code.
fn without_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut characters = text.chars();
    let mut in_code = false;
    while let Some(character) = characters.next() {
        in_code ^= character == '`';
        match character {
            '\\' if !in_code => {
                let next = characters.next();
                assert!(next.is_some_and(|next| next.is_ascii_punctuation()), "{next:?} cannot be escaped: {text:?}");
                out.push('x');
            }
            // A back-slash in code is one.
            other => out.push(other),
        }
    }
    out
}

/// What people read.
pub fn page(body: &str) -> String {
    let message: Value = serde_json::from_str(body).expect("JSON");
    let mut page = format!("content: {}\n", message["content"].as_str().expect("a text"));
    for embed in message["embeds"].as_array().expect("embeds") {
        for text in [&embed["title"], &embed["description"], &embed["footer"]["text"]] {
            page.extend(text.as_str().map(|text| format!("\n{text}\n")));
        }
    }
    page
}

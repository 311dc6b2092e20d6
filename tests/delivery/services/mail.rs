//! What a reader makes of a mail's content.

use probehound::report::email::Mail;

use super::{seen, unlinked};

/// The tags that may be in it; nothing of it is fetched, run or followed.
const TAGS: [&str; 8] = ["html", "head", "body", "p", "b", "code", "pre", "small"];

/// What is wrong with a mail.
pub fn check(mail: &Mail) -> Result<(), String> {
    let Mail { subject, text, html, id, thread } = mail;
    if subject.is_empty() || subject.chars().count() > 200 || subject.contains('\n') {
        return Err(format!("a subject {subject:?}"));
    }
    let is_mark = |mark: &String| mark.len() == 32 && mark.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_mark(id) || !thread.as_ref().is_none_or(is_mark) {
        return Err(format!("{id} and {thread:?} are no marks"));
    }
    for part in [subject, text, html] {
        seen(part)?;
    }
    unlinked(text)?;
    unlinked(html)?;
    if text.len() + html.len() > 256 * 1024 {
        return Err(format!("{} and {} bytes", text.len(), html.len()));
    }
    tags(html)
}

/// Every tag is one of ours and ends, and every other bracket and ampersand is an entity.
fn tags(html: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let rest = html.strip_prefix("<!DOCTYPE html>").ok_or("no document type")?;
    let mut pieces = rest.split('<');
    text(pieces.next().unwrap_or_default())?;
    for piece in pieces {
        let (tag, after) = piece.split_once('>').ok_or_else(|| format!("a bracket before {piece:?}"))?;
        match tag.strip_prefix('/') {
            Some(name) if open.pop() == Some(name) => {}
            Some(name) => return Err(format!("{name} ends what does not begin")),
            None if matches!(tag, "br" | "meta charset=\"utf-8\"") => {}
            None => open.push(known(tag)?),
        }
        text(after)?;
    }
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} do not end")) }
}

fn known(tag: &str) -> Result<&str, String> {
    let name = tag.split(' ').next().unwrap_or_default();
    let attributes = &tag[name.len()..];
    let ours = ["", " lang=\"en\"", " style=\"white-space:pre-wrap\""].contains(&attributes);
    if TAGS.contains(&name) && ours { Ok(name) } else { Err(format!("a tag {tag:?}")) }
}

fn text(text: &str) -> Result<(), String> {
    let entities = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
    let bare = text.match_indices('&').find(|(at, _)| !entities.iter().any(|entity| text[*at..].starts_with(entity)));
    if text.contains('>') || bare.is_some() { Err(format!("not escaped: {text:?}")) } else { Ok(()) }
}

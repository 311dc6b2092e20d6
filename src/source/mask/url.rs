//! Secrets within one word: URLs, pairs, tokens.

use super::MASK;
use super::keys::{is_secret, is_secret_in_prose};

/// Masks a text that is one URL, path or host as a whole.
pub fn mask_whole(text: &str) -> String {
    let text = user_part(text);
    let text = query(&text, true);
    web_tokens(&text)
}

/// Masks what may be secret within a word of a text.
pub fn mask_within(word: &str) -> String {
    let word = user_part(word);
    let word = query(&word, false);
    let word = pairs(&word);
    web_tokens(&word)
}

/// Masks `user:password@`, with or without a scheme.
fn user_part(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let users = length_of_user_part(before, after);
        if users > 0 {
            out.push_str(MASK);
        }
        rest = &after[users..];
    }
    out.push_str(rest);
    bare_user_part(&out)
}

/// The length of the user part at the beginning of what follows `://`, without its `@`.
fn length_of_user_part(before: &str, after: &str) -> usize {
    let end = after.find(is_end_of_url).unwrap_or(after.len());
    let authority = after[..end].find(['/', '?', '#']).unwrap_or(end);
    if let Some(at) = after[..authority].rfind('@') {
        return at;
    }
    // A password may contain a slash: then what precedes the slash is not a host and port.
    let is_web = before.ends_with("http://") || before.ends_with("https://");
    let is_port = |port: &str| is_web && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match after[..authority].rsplit_once(':') {
        Some((_, port)) if !is_port(port) => after[..end].rfind('@').unwrap_or(0),
        _ => 0,
    }
}

fn is_end_of_url(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '"' | '<' | '>' | '`')
}

/// Masks `user:password@` without a scheme, as in `user:password@tcp(host:3306)/db`.
fn bare_user_part(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = rest.split_at(at);
        let start = before
            .rfind(|letter: char| is_end_of_url(letter) || matches!(letter, '\'' | '=' | ',' | '(' | '['))
            .map_or(0, |place| place + before[place..].chars().next().map_or(1, char::len_utf8));
        let users = &before[start..];
        let digest = after.starts_with("@sha256:") || after.starts_with("@sha512:");
        if users.contains(':') && !users.contains("://") && !digest {
            out.push_str(&before[..start]);
            out.push_str(MASK);
        } else {
            out.push_str(before);
        }
        out.push('@');
        rest = &after[1..];
    }
    out.push_str(rest);
    out
}

/// Masks the values of query parameters and fragments. In a `whole` URL a value extends to the next `&`
/// whatever it contains.
fn query(text: &str, whole: bool) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['?', '#']) {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        let end = if whole { after.len() } else { after.find(is_end_of_url).unwrap_or(after.len()) };
        let (query, next) = after.split_at(end);
        // Characters that close a URL within a text are not part of its last value.
        let kept = if whole { query } else { query.trim_end_matches(['\'', '\\', ')', ']', '}', ',', '.', ':', ';']) };
        for (place, pair) in kept.split('&').enumerate() {
            if place > 0 {
                out.push('&');
            }
            mask_pair(pair, &mut out);
        }
        out.push_str(&query[kept.len()..]);
        rest = next;
    }
    out.push_str(rest);
    out
}

fn mask_pair(pair: &str, out: &mut String) {
    match pair.split_once('=') {
        Some((name, value)) if !value.is_empty() => {
            out.push_str(name);
            out.push('=');
            out.push_str(MASK);
        }
        Some(_) => out.push_str(pair),
        // Without a name it is a flag, such as `verbose`, or a value.
        None if is_flag(pair) => out.push_str(pair),
        None => out.push_str(MASK),
    }
}

/// Whether a query without `=` looks like a word, not like a token.
fn is_flag(word: &str) -> bool {
    word.len() <= 12 && word.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_'))
}

/// Masks the values of pairs with a telling name: `password=x`, `"token":"x"`, `Api-Key:x`.
fn pairs(word: &str) -> String {
    let mut out = String::new();
    let mut done = 0;
    for (at, sign) in word.char_indices().filter(|(_, letter)| matches!(letter, '=' | ':')) {
        if at < done {
            continue;
        }
        let (name, quoted) = name_before(&word[..at]);
        let secret = match sign {
            '=' => is_secret(name),
            _ if quoted => is_secret(name),
            _ => is_secret_in_prose(name) || (name.eq_ignore_ascii_case("token")),
        };
        let from_start = word[..at].trim_start_matches(['"', '\'', '\\', '[', '{', '$', '-']) == name;
        let value = &word[at + 1..];
        let (skip, length) = value_extent(value, sign == '=' && from_start);
        if secret && length > 0 {
            out.push_str(&word[done..=at]);
            out.push_str(&value[..skip]);
            out.push_str(MASK);
            done = at + 1 + skip + length;
        }
    }
    out.push_str(&word[done..]);
    out
}

/// The name that ends where `before` does, and whether it is in quotes.
fn name_before(before: &str) -> (&str, bool) {
    let unquoted = before.trim_end_matches(['"', '\'', '\\']);
    let letters =
        unquoted.trim_end_matches(|letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.'));
    (&unquoted[letters.len()..], unquoted.len() < before.len())
}

/// Where the secret of a value begins, after its opening quote, and how long it is.
fn value_extent(value: &str, to_the_end: bool) -> (usize, usize) {
    let inner = value.trim_start_matches('\\');
    let quote = inner.chars().next().filter(|letter| matches!(letter, '"' | '\''));
    let skip = value.len() - inner.len() + usize::from(quote.is_some());
    if quote.is_none() && inner.len() < value.len() {
        return (0, value.len());
    }
    let value = &value[skip..];
    let length = match quote {
        Some(quote) => match value.find(quote) {
            Some(end) => value[..end].trim_end_matches('\\').len(),
            None => value.len(),
        },
        None if to_the_end => value.trim_end_matches(['"', '\'', '\\', ',', ']']).len(),
        None => value
            .find(|letter: char| letter.is_whitespace() || matches!(letter, '&' | ';' | '"' | '\'' | '}'))
            .unwrap_or(value.len()),
    };
    (skip, length)
}

/// Masks JSON web tokens wherever they occur.
fn web_tokens(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("eyJ") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '=');
        let length = after.find(|letter| !is_part(letter)).unwrap_or(after.len());
        out.push_str(if length >= 20 { MASK } else { &after[..length] });
        rest = &after[length..];
    }
    out.push_str(rest);
    out
}

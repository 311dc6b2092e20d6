//! Replaces names, the same one always by the same.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use super::vocabulary;

/// Maximum number of distinguished words; those of a cluster with 100,000 pods. Later ones are all `n0`.
const MAX_WORDS: usize = 1 << 20;

/// Replaces every word of a text that is not part of Kubernetes' own vocabulary.
///
/// A name is replaced word by word, so that related names stay related: `auth-service` and its pod
/// `auth-service-5c4f9-x2x7q` become `n1-service` and `n1-service-n2-n3`, also in the middle of a message.
/// Numbers and single letters stay, and so do `v2` and `10s`. Addresses become others of `10.0.0.0/8` or
/// `fd00::/8`; loopback and unspecified addresses stay.
#[derive(Debug, Default)]
pub(super) struct Names {
    words: HashMap<String, usize>,
    addresses: HashMap<IpAddr, usize>,
}

impl Names {
    /// The text with other names.
    pub fn replace(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let length = escape(rest)
                .or_else(|| self.address(rest, out.chars().next_back(), &mut out))
                .or_else(|| self.word(rest, &mut out));
            // Anything else is passed on; what was replaced needs no further processing.
            let (kept, length) = match length {
                Some(Read::Replaced(length)) => ("", length),
                Some(Read::AsItIs(length)) => (&rest[..length], length),
                None => (&rest[..first.len_utf8()], first.len_utf8()),
            };
            out.push_str(kept);
            rest = &rest[length..];
        }
        out
    }

    /// A free-standing address at the beginning: not a part of a longer word.
    fn address(&mut self, text: &str, before: Option<char>, out: &mut String) -> Option<Read> {
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '.' || letter == ':') {
            return None;
        }
        let is_part = |letter: char| letter.is_ascii_hexdigit() || matches!(letter, '.' | ':');
        let extent = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
        let (length, address) = (text[..extent].char_indices().map(|(at, letter)| at + letter.len_utf8()).rev())
            .find_map(|length| Some((length, text[..length].parse::<IpAddr>().ok()?)))?;
        if text[length..].starts_with(char::is_alphanumeric) {
            return None;
        }
        if address.is_loopback() || address.is_unspecified() {
            return Some(Read::AsItIs(length));
        }
        let number = number_of(&mut self.addresses, &address);
        let [_, high, middle, low] = (number as u32).to_be_bytes();
        match address {
            IpAddr::V4(_) => write!(out, "10.{high}.{middle}.{low}"),
            IpAddr::V6(_) => write!(out, "fd00::{number:x}"),
        }
        .expect("a String takes everything");
        Some(Read::Replaced(length))
    }

    fn word(&mut self, text: &str, out: &mut String) -> Option<Read> {
        let length = text.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(text.len());
        let word = text[..length].to_lowercase();
        if word.is_empty() {
            return None;
        }
        if word.len() == 1 || is_measure(&word) || vocabulary::has(&word) || is_back_off(text) {
            return Some(Read::AsItIs(length));
        }
        let number = number_of(&mut self.words, &word);
        write!(out, "n{number}").expect("a String takes everything");
        Some(Read::Replaced(length))
    }
}

/// What was read at the beginning of a text, and its length.
enum Read {
    AsItIs(usize),
    Replaced(usize),
}

/// The number of a key, from 1.
fn number_of<K: std::hash::Hash + Eq + Clone>(known: &mut HashMap<K, usize>, key: &K) -> usize {
    let next = known.len() + 1;
    match known.get(key) {
        Some(number) => *number,
        None if next > MAX_WORDS => 0,
        None => {
            known.insert(key.clone(), next);
            next
        }
    }
}

/// An escape sequence such as `\n` or `\x04`, which is not part of a word.
fn escape(text: &str) -> Option<Read> {
    let letter = text.strip_prefix('\\')?.chars().next()?;
    let digits = match letter {
        'x' => 2,
        'u' => 4,
        _ => 0,
    };
    let escaped = &text[1 + letter.len_utf8()..];
    let are_there = escaped.len() >= digits && escaped.bytes().take(digits).all(|byte| byte.is_ascii_hexdigit());
    Some(Read::AsItIs(1 + letter.len_utf8() + if are_there { digits } else { 0 }))
}

/// A number, alone or with a leading `v` or a trailing unit.
fn is_measure(word: &str) -> bool {
    let number = word.strip_prefix('v').unwrap_or(word);
    let unit = number.trim_start_matches(|letter: char| letter.is_ascii_digit());
    unit.len() < number.len() && matches!(unit, "" | "s" | "ms" | "m" | "h" | "d" | "x" | "k" | "ki" | "mi" | "gi")
}

/// `Back-off`, which begins messages; `back` alone may be a name.
fn is_back_off(text: &str) -> bool {
    text.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("back-off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_together_still_does() {
        let mut names = Names::default();
        assert_eq!(names.replace("auth-service"), "n1-service");
        assert_eq!(names.replace("auth-service-5c4f9-x2x7q"), "n1-service-n2-n3");
        assert_eq!(
            names.replace("Container auth failed liveness probe, will be restarted"),
            "Container n1 failed liveness probe, will be restarted"
        );
        assert_eq!(names.replace("AUTH_DB=auth-db.prod.svc"), "n1_n4=n1-n4.n5.svc");
    }

    #[test]
    fn the_words_of_a_kubelet_stay() {
        let mut names = Names::default();
        for message in [
            "Liveness probe failed: HTTP probe failed with statuscode: 404",
            r#"malformed HTTP response "\x00\x00\x06\x04""#,
            "command timed out after 1s",
            "dial tcp 127.0.0.1:8080: connect: connection refused",
            "http://[::1]:8080/v2/health",
        ] {
            assert_eq!(names.replace(message), message);
        }
    }

    #[test]
    fn an_address_is_always_the_same_other_one() {
        let mut names = Names::default();
        assert_eq!(names.replace("Get \"http://192.168.7.9:8080/\""), "Get \"http://10.0.0.1:8080/\"");
        assert_eq!(names.replace("192.168.7.9"), "10.0.0.1");
        assert_eq!(names.replace("192.168.7.90"), "10.0.0.2");
        assert_eq!(names.replace("dial tcp [2001:db8::7]:443"), "dial tcp [fd00::3]:443");
    }

    #[test]
    fn letters_of_any_script_are_letters() {
        let mut names = Names::default();
        assert_eq!(names.replace("zürich-东京"), "n1-n2");
        assert_eq!(names.replace("\\"), "\\");
        assert_eq!(names.replace("\\xzürich"), "\\xn1");
    }
}

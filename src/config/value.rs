//! Parsers for single settings, in the file as on the command line.

use std::net::SocketAddr;
use std::time::Duration;

use super::Listen;
use crate::text::escape::is_visible;
pub use crate::text::refusal::{Refusal, quoted};
use crate::time::{Time, TimeError};

/// Maximum length of a cluster's name: it is in the first line of every message.
const CLUSTER_NAME: usize = 63;

/// Parses a duration: numbers with units, the largest first: `90s`, `15m`, `1h30m`, `7d`.
///
/// # Errors
/// It has another form, a repeated unit, or exceeds a thousand years.
pub fn duration(text: &str) -> Result<Duration, Refusal> {
    const HINT: &str = "write numbers with units, d, h, m or s, the largest first: 90s, 15m or 1h30m";
    const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];
    const MAX_DAYS: u64 = 365_000;
    let refused = |is_no| Refusal::new(text, is_no, HINT);
    if text.starts_with('-') {
        return Err(refused("is negative"));
    }
    let mut rest = text;
    let mut units = UNITS.as_slice();
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(digits);
        let Some(unit) = tail.chars().next() else { return Err(refused("has no unit")) };
        let place = units.iter().position(|(name, _)| *name == unit).ok_or_else(|| refused("is no duration"))?;
        let number: u64 = number.parse().map_err(|_| refused("is no duration"))?;
        seconds = number.checked_mul(units[place].1).and_then(|more| seconds.checked_add(more)).unwrap_or(u64::MAX);
        units = &units[place + 1..];
        rest = &tail[1..];
    }
    match seconds {
        _ if text.is_empty() => Err(refused("is no duration")),
        _ if seconds > MAX_DAYS * 86_400 => Err(refused("is longer than a thousand years")),
        _ => Ok(Duration::from_secs(seconds)),
    }
}

/// Parses the URL of a page: `https://wiki.example/runbook`, without a fragment.
///
/// # Errors
/// Another scheme, a fragment, white space or invisible characters, or more than 500 characters.
pub fn web_address(text: &str) -> Result<String, Refusal> {
    const HINT: &str = "write https://wiki.example/probehound/runbook; the section is added to it";
    const LONGEST: usize = 500;
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let names_a_host = rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '['));
    let fits = text.chars().all(|c| is_visible(c) && c != ' ' && c != '#') && text.chars().count() <= LONGEST;
    if names_a_host && fits { Ok(text.to_owned()) } else { Err(Refusal::new(text, "is no address of a page", HINT)) }
}

/// Parses an RFC 3339 timestamp.
///
/// # Errors
/// Another form, or a year in which no cluster runs.
pub fn time(text: &str) -> Result<Time, Refusal> {
    const HINT: &str = "write it as RFC 3339 has it, with time and zone: 2027-01-31T18:00:00Z";
    Time::parse(text).map_err(|error| match error {
        TimeError::Syntax => Refusal::new(text, "is no point in time", HINT),
        TimeError::Year(_) => Refusal::new(text, "is not of this age", HINT),
    })
}

/// Parses a namespace's name: a DNS label (RFC 1123).
///
/// # Errors
/// Another form.
pub fn namespace(text: &str) -> Result<String, Refusal> {
    const HINT: &str = "a namespace has at most 63 small letters, digits and -, and begins and ends with no -";
    if is_label(text) { Ok(text.to_owned()) } else { Err(Refusal::new(text, "is no name of a namespace", HINT)) }
}

/// Parses an object's name: a DNS subdomain (RFC 1123).
///
/// # Errors
/// Another form.
pub fn object_name(text: &str) -> Result<String, Refusal> {
    const HINT: &str = "a name has small letters, digits, - and . and begins and ends with a letter or digit";
    if text.len() <= 253 && text.split('.').all(is_label) {
        Ok(text.to_owned())
    } else {
        Err(Refusal::new(text, "is no name of an object", HINT))
    }
}

/// Parses a cluster's name: one line of text.
///
/// # Errors
/// It is empty or too long, or contains invisible characters.
pub fn cluster_name(text: &str) -> Result<String, Refusal> {
    const HINT: &str = "one to 63 visible characters, such as prod-eu";
    let fits = (1..=CLUSTER_NAME).contains(&text.chars().count());
    if fits && text.trim() == text && text.chars().all(crate::text::escape::is_visible) {
        Ok(text.to_owned())
    } else {
        Err(Refusal::new(text, "is no name of a cluster", HINT))
    }
}

/// Parses a listen address: `:8080`, `127.0.0.1:8080`, `[::1]:8080`.
///
/// # Errors
/// Another form; host names are not resolved.
pub fn listen(text: &str) -> Result<Listen, Refusal> {
    const HINT: &str = "write :8080 for all addresses of the machine, or one of them: 127.0.0.1:8080, [::1]:8080";
    let refused = || Refusal::new(text, "is no address to listen at", HINT);
    if let Some(port) = text.strip_prefix(':') {
        return Ok(Listen { host: None, port: port.parse().map_err(|_| refused())? });
    }
    let address: SocketAddr = text.parse().map_err(|_| refused())?;
    Ok(Listen { host: Some(address.ip()), port: address.port() })
}

/// Whether a text is a DNS label.
fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&text.len()) && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_numbers_with_units() {
        let cases = [("90s", 90), ("15m", 900), ("1h30m", 5400), ("0s", 0), ("7d", 604_800), ("1d2h3m4s", 93_784)];
        for (text, seconds) in cases {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        let texts = ["", "15", "m", "-15m", "1.5h", "15 m", "15min", "30m1h", "1h1h", "1w", "99999999999999999999s"];
        for text in texts.into_iter().chain(["9999999999999d", "15µs", "１５m"]) {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_namespace_is_a_dns_label() {
        assert!(namespace("kube-system").is_ok());
        for text in ["", "Prod", "a.b", "-a", "a-", "a_b", "*", &"a".repeat(64)] {
            assert!(namespace(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_has_a_port_and_perhaps_a_host() {
        let of = |text: &str| listen(text).map(|listen| listen.to_string()).ok();
        for text in [":8080", "127.0.0.1:0", "[::1]:8080"] {
            assert_eq!(of(text).as_deref(), Some(text));
        }
        for text in ["", "8080", "localhost:8080", ":", ":99999", "::1:8080", "0.0.0.0"] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn a_refusal_shows_no_more_of_a_value_than_fits_a_line() {
        let refusal = duration(&format!("\u{1b}[2J{}", "x".repeat(1000))).expect_err("no duration");
        assert!(refusal.what.starts_with("\"\\u{1b}[2Jxxx") && refusal.what.len() < 100, "{}", refusal.what);
    }
}

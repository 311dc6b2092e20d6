//! Parsers for single values of the section.

use std::path::PathBuf;

use ::http::HeaderValue;
use jiff::tz::TimeZone;

use crate::config::value::{Refusal, namespace};
use crate::delivery::http;
use crate::delivery::mute::DAY;
use crate::delivery::proxy::{Proxy, ProxySource};
use crate::delivery::secret::Secret;
use crate::delivery::smtp::{self, Address};
use crate::text::escape::is_visible;

/// A receiver's name: a DNS label.
pub(super) fn receiver_name(text: &str) -> Result<String, Refusal> {
    const HINT: &str = "at most 63 small letters, digits and -, beginning and ending with no -";
    namespace(text).map_err(|_| Refusal::new(text, "is not a valid receiver name", HINT))
}

/// An absolute path.
pub(super) fn path(text: &str) -> Result<PathBuf, Refusal> {
    let fits = text.starts_with('/') && !text.ends_with('/') && text.chars().all(is_visible);
    if fits {
        Ok(PathBuf::from(text))
    } else {
        Err(Refusal::new(text, "is no path", "write the whole path of a file, from / on"))
    }
}

/// The name of an environment variable.
pub(super) fn variable(text: &str) -> Result<String, Refusal> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && text.len() <= 255 && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        // The value may be the secret itself.
        let hint = Some("letters, digits and _: SLACK_URL".to_owned());
        Err(Refusal { what: "what stands there is no name of an environment variable".to_owned(), hint })
    }
}

/// A user's name.
pub(super) fn user(text: &str) -> Result<String, Refusal> {
    let fits = !text.is_empty() && text.len() <= 255 && !text.contains(':') && text.chars().all(is_visible);
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Refusal::new(text, "is no user's name", "visible characters without a colon"))
    }
}

/// A kind of workload.
pub(super) fn kind(text: &str) -> Result<String, Refusal> {
    let begins = text.starts_with(|c: char| c.is_ascii_uppercase());
    if begins && text.len() <= 63 && text.chars().all(|c| c.is_ascii_alphanumeric()) {
        Ok(text.to_owned())
    } else {
        Err(Refusal::new(text, "is no kind", "write it as Kubernetes does: Deployment, StatefulSet"))
    }
}

/// An Alertmanager's URL, completed by the path of its API.
pub(super) fn peer(text: &str) -> Result<Secret, Refusal> {
    let address = Secret::new(&format!("{}/api/v2/alerts", text.trim_end_matches('/')));
    let hint = Some("write http://alertmanager.monitoring:9093; user and password have keys of their own".to_owned());
    let refused = |_| Refusal { what: "what stands there is no address of an Alertmanager".to_owned(), hint };
    http::check(&address).map(|_| address).map_err(refused)
}

/// The address of a service's API, without the path.
pub(super) fn api(text: &str) -> Result<Secret, Refusal> {
    let address = Secret::new(text.trim_end_matches('/'));
    let hint = Some("write https://api.example.com: without user, password, query and fragment".to_owned());
    let refused = || Refusal { what: "what stands there is no address of an API".to_owned(), hint };
    let fits = http::check(&address).is_ok_and(|uri| uri.query().is_none()) && !text.contains('#');
    if fits { Ok(address) } else { Err(refused()) }
}

/// The type of a body: `text/plain; charset=utf-8`.
pub(super) fn content_type(text: &str) -> Result<String, Refusal> {
    let (kind, rest) = text.split_once('/').unwrap_or_default();
    let fits = !kind.is_empty() && !rest.is_empty() && text.len() <= 200 && HeaderValue::from_str(text).is_ok();
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Refusal::new(text, "is no content type", "write application/json or text/plain; charset=utf-8"))
    }
}

/// The name of a host, or its address.
pub(super) fn host(text: &str) -> Result<String, Refusal> {
    if smtp::is_host(text) {
        Ok(text.to_owned())
    } else {
        Err(Refusal::new(text, "is no name of a host", "write mail.example.com, without a scheme and a port"))
    }
}

/// A mail address.
pub(super) fn mail_address(text: &str) -> Result<Address, Refusal> {
    const HINT: &str = "one of ASCII characters, such as ops@example.com or Ops <ops@example.com>";
    text.parse().map_err(|_| Refusal::new(text, "is no mail address", HINT))
}

/// The address of a proxy, or `none`.
pub(super) fn proxy(text: &str) -> Result<ProxySource, Refusal> {
    let hint = "write http://proxy.example:3128, or none; one with a password has its place in a file that proxyUrlFile \
                names";
    let refused =
        || Refusal { what: "what stands there is no address of a proxy".to_owned(), hint: Some(hint.to_owned()) };
    if text == "none" {
        return Ok(ProxySource::Nowhere);
    }
    let address = Secret::new(text);
    match Proxy::parse(&address) {
        Ok(Proxy { credentials: None, .. }) => Ok(ProxySource::Written(address)),
        _ => Err(refused()),
    }
}

/// `22:00-07:00`
pub(in crate::config) fn hours(text: &str) -> Result<(u16, u16), Refusal> {
    let refused = || Refusal::new(text, "are no hours", "write 22:00-07:00 or 00:00-24:00");
    let (from, to) = text.split_once('-').ok_or_else(refused)?;
    let (from, to) = (minute(from).ok_or_else(refused)?, minute(to).ok_or_else(refused)?);
    if from == DAY || from == to { Err(refused()) } else { Ok((from, to)) }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two = |part: &str| (part.len() == 2).then(|| part.parse::<u16>().ok()).flatten();
    let (hour, minute) = (two(hour)?, two(minute)?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= DAY).then_some(all)
}

/// `Europe/Berlin`, `UTC`, or the rule itself: `CET-1CEST,M3.5.0,M10.5.0/3`.
pub(in crate::config) fn zone(text: &str) -> Result<TimeZone, Refusal> {
    const HINT: &str = "write Europe/Berlin or UTC, or the rule itself: CET-1CEST,M3.5.0,M10.5.0/3";
    if text == "UTC" {
        return Ok(TimeZone::UTC);
    }
    let named = TimeZone::get(text);
    named.or_else(|_| TimeZone::posix(text)).map_err(|_| Refusal::new(text, "is no time zone that is known here", HINT))
}

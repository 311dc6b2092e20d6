//! Parsers for the values of the annotations, which anybody may have written.

use jiff::tz::TimeZone;

use super::Annotations;
use crate::config::notifications::{hours, zone};
use crate::config::value::{Refusal, namespace, time};
use crate::delivery::mute::{self, DAY, Day, Mute};
use crate::report::when::span;
use crate::text::escape::is_visible;
use crate::time::Time;

/// Maximum length of a value, in bytes.
pub const LONGEST: usize = 400;
/// Maximum length of a reason, in characters.
const REASON: usize = 200;
/// Maximum number of receivers that one workload may name.
const MAX_RECEIVERS: usize = 5;
/// Maximum number of times of one window.
const MAX_TIMES: usize = 8;

/// When notifications are sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Window {
    /// Not at these times.
    Mute(Vec<Mute>),
    /// Only at these times.
    Notify(Vec<Mute>),
}

impl Window {
    /// Until when notifications wait at `now`, if they do; and when that next changes.
    pub fn at(&self, now: Time) -> (Option<Time>, Option<Time>) {
        match self {
            Self::Mute(times) => {
                let ends = mute::until(times, now);
                (ends, ends.or_else(|| mute::next(times, now)))
            }
            Self::Notify(times) => match mute::until(times, now) {
                None => (mute::next(times, now), mute::next(times, now)),
                ends => (None, ends),
            },
        }
    }
}

/// `until 2027-01-31T18:00Z: known, JIRA-1`: when it ends, and why.
///
/// # Errors
/// Another form, no reason, or an end that is further away than the settings allow.
pub fn silence(text: &str, settings: &Annotations, now: Time) -> Result<(Time, String), Refusal> {
    const HINT: &str = "write until 2027-01-31T18:00Z: and the reason, at most 200 visible characters";
    let refused = || Refusal::new(text, "is no silence", HINT);
    let (until, reason) =
        fitting(text)?.strip_prefix("until ").and_then(|rest| rest.split_once(": ")).ok_or_else(refused)?;
    let (until, reason) = (time(until.trim())?, reason.trim());
    if !(1..=REASON).contains(&reason.chars().count()) || !reason.chars().all(is_visible) {
        return Err(refused());
    }
    if until > now.plus(settings.max_silence) {
        let hint = format!("the settings allow at most {}", span(settings.max_silence));
        return Err(Refusal::new(text, "ends too late", &hint));
    }
    Ok((until, reason.to_owned()))
}

/// `shop-team,shop-oncall`
///
/// # Errors
/// A name that no receiver can have, none, or too many.
pub fn receivers(text: &str) -> Result<Vec<String>, Refusal> {
    const HINT: &str = "write the names of at most five receivers, with commas between them";
    let refused = || Refusal::new(text, "names no receivers", HINT);
    let names: Vec<&str> = fitting(text)?.split(',').map(str::trim).collect();
    if names.len() > MAX_RECEIVERS {
        return Err(refused());
    }
    names.into_iter().map(|name| namespace(name).map_err(|_| refused())).collect()
}

/// `notify Mon-Fri 08:00-18:00 Europe/Berlin` or `mute Sat,Sun; Mon 02:00-04:00`
///
/// # Errors
/// Another form, or too many times.
pub fn window(text: &str) -> Result<Window, Refusal> {
    const HINT: &str = "write notify Mon-Fri 08:00-18:00 Europe/Berlin, or mute Sat,Sun; more times after a semicolon";
    let refused = || Refusal::new(text, "is no window", HINT);
    let (word, rest) = fitting(text)?.trim().split_once(' ').ok_or_else(refused)?;
    let parts: Vec<&str> = rest.split(';').collect();
    if parts.len() > MAX_TIMES {
        return Err(refused());
    }
    let times = parts.into_iter().map(|part| of_the_week(part).unwrap_or_else(|| Err(refused())));
    let times = times.collect::<Result<_, _>>()?;
    match word {
        "mute" => Ok(Window::Mute(times)),
        "notify" => Ok(Window::Notify(times)),
        _ => Err(refused()),
    }
}

/// `off`: whether the guard is to leave the workload alone.
///
/// # Errors
/// Any other text.
pub fn guard(text: &str) -> Result<bool, Refusal> {
    if text == "off" {
        Ok(true)
    } else {
        Err(Refusal::new(text, "means nothing to the guard", "write off, or take it out"))
    }
}

/// A value that is not longer than anything that is allowed.
fn fitting(text: &str) -> Result<&str, Refusal> {
    if text.len() <= LONGEST { Ok(text) } else { Err(Refusal::new(text, "is too long", "at most 400 bytes")) }
}

/// `Mon-Fri,Sun 08:00-18:00 Europe/Berlin`, of which days or hours may be absent, and the zone; `None` for
/// another form.
fn of_the_week(text: &str) -> Option<Result<Mute, Refusal>> {
    let mut words = text.split_whitespace().peekable();
    let days = words.next_if(|word| days(word).is_some()).and_then(days);
    let clock = words.next_if(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    if days.is_none() && clock.is_none() {
        return None;
    }
    let place = words.next();
    if words.next().is_some() {
        return None;
    }
    let of = || {
        let (from, to) = clock.map_or(Ok((0, DAY)), hours)?;
        let zone = place.map_or(Ok(TimeZone::UTC), zone)?;
        Ok(Mute { days: days.unwrap_or_default().into_iter().collect(), from, to, zone })
    };
    Some(of())
}

/// `Mon-Fri,Sun`
fn days(text: &str) -> Option<Vec<Day>> {
    const WEEK: [(&str, Day); 7] = [
        ("Mon", Day::Mon),
        ("Tue", Day::Tue),
        ("Wed", Day::Wed),
        ("Thu", Day::Thu),
        ("Fri", Day::Fri),
        ("Sat", Day::Sat),
        ("Sun", Day::Sun),
    ];
    let place = |text: &str| WEEK.iter().position(|(name, _)| *name == text);
    let mut all = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (place(first)?, place(last)?);
        // From Saturday to Monday is three days.
        let count = (last + WEEK.len() - first) % WEEK.len() + 1;
        all.extend((0..count).map(|day| WEEK[(first + day) % WEEK.len()].1));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-30T12:00:00Z";

    #[test]
    fn a_silence_has_an_end_and_a_reason() {
        let of = |text: &str| {
            silence(text, &Annotations::default(), at(NOW)).map(|(until, reason)| (until.to_string(), reason)).ok()
        };
        let known = Some(("2026-12-01T00:00:00.000Z".to_owned(), "known, JIRA-1: broken".to_owned()));
        assert_eq!(of("until 2026-12-01T00:00Z: known, JIRA-1: broken"), known);
        assert_eq!(of("until 2026-12-01T01:00:00+01:00: known, JIRA-1: broken"), known);
        assert!(of("until 2020-01-01T00:00Z: over long ago").is_some(), "one that has expired is no mistake");
        for text in [
            "",
            "true",
            "until 2026-12-01T00:00Z",
            "until 2026-12-01T00:00Z:",
            "until 2026-12-01T00:00Z:  ",
            "until tomorrow: later",
            "until 2026-12-31T00:00Z: longer than 30 days",
            "until 2026-12-01T00:00Z: two\nlines",
            "until 2026-12-01T00:00Z: \u{1b}[2J",
            "forever: known",
        ] {
            assert_eq!(of(text), None, "{text:?}");
        }
        assert_eq!(of(&format!("until 2026-12-01T00:00Z: {}", "x".repeat(201))), None);
    }

    #[test]
    fn receivers_are_names_with_commas() {
        assert_eq!(receivers("shop, pay-2").ok(), Some(vec!["shop".to_owned(), "pay-2".to_owned()]));
        for text in ["", ",", "shop,", "Shop", "https://evil.example", "a,b,c,d,e,f", "*"] {
            assert!(receivers(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_window_says_when_notifications_are_sent_or_when_not() {
        let office = window("notify Mon-Fri 08:00-18:00").expect("a window");
        let upkeep = window("mute Sat,Sun; Mon 02:00-04:00").expect("a window");
        // 2026-11-30 is a Monday.
        assert_eq!(office.at(at(NOW)), (None, Some(at("2026-11-30T18:00:00Z"))));
        assert_eq!(office.at(at("2026-12-04T18:00:00Z")), both("2026-12-07T08:00:00Z"));
        assert_eq!(upkeep.at(at(NOW)), (None, Some(at("2026-12-05T00:00:00Z"))));
        assert_eq!(upkeep.at(at("2026-12-05T10:00:00Z")), both("2026-12-07T00:00:00Z"));
        let zoned = window("notify Fri-Mon 08:00-18:00 CET-1CEST,M3.5.0,M10.5.0/3").expect("a window");
        assert_eq!(zoned.at(at("2026-12-02T07:30:00Z")), both("2026-12-04T07:00:00Z"));
    }

    #[test]
    fn what_is_no_window_is_refused() {
        let many = format!("mute {}", ["Sat"; 9].join(";"));
        for text in [
            "",
            "mute",
            "mute ",
            "Sat",
            "mute Someday",
            "mute 25:00-26:00",
            "mute UTC",
            "notify Mon 08:00-18:00 Mars/Base",
            "notify Mon 08:00-18:00 UTC now",
            "mute Sat;",
            "deny Sat",
            &many,
        ] {
            assert!(window(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_value_that_is_too_long_is_refused_and_not_repeated() {
        let refusal = window(&format!("mute {}", "Sat,".repeat(1000))).expect_err("too long");
        assert!(refusal.what.len() < 100, "{}", refusal.what);
        assert!(guard("off").is_ok() && guard("OFF").is_err() && guard("").is_err());
    }

    fn both(time: &str) -> (Option<Time>, Option<Time>) {
        (Some(at(time)), Some(at(time)))
    }

    fn at(text: &str) -> Time {
        Time::parse(text).expect("a time")
    }
}

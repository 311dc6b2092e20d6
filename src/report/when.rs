//! Times and durations in human-readable form.

use std::time::Duration;

use crate::engine::Finding;
use crate::time::Time;

/// A duration in its two largest units, as `kubectl` prints an age: `45s`, `4m10s`, `1h5m`, `6d3h`.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => two(minutes, 'm', seconds % 60, 's'),
        3600..86_400 => two(hours, 'h', minutes % 60, 'm'),
        _ => two(days, 'd', hours % 24, 'h'),
    }
}

fn two(large: u64, unit: char, small: u64, small_unit: char) -> String {
    match small {
        0 => format!("{large}{unit}"),
        _ => format!("{large}{unit}{small}{small_unit}"),
    }
}

/// The time since the start of a recording: `+1m40s`.
pub fn offset(at: Time, start: Time) -> String {
    format!("+{}", span(at.since(start)))
}

/// The time of day, UTC: `14:00:02`.
pub fn clock(at: Time) -> String {
    let stamp = at.to_string();
    stamp.get(11..19).map_or(stamp.clone(), ToOwned::to_owned)
}

/// The day, UTC: `2026-11-22`.
pub fn day(at: Time) -> String {
    at.to_string().chars().take(10).collect()
}

/// The day, UTC, if it is not that of `now`: `2026-11-22, `, to be followed by the time of day.
pub fn day_if_another(at: Time, now: Time) -> String {
    let (at, now) = (at.to_string(), now.to_string());
    match (at.get(..10), now.get(..10)) {
        (Some(day), Some(today)) if day != today => format!("{day}, "),
        _ => String::new(),
    }
}

/// How long a finding's episode has lasted at `now`, or lasted.
pub fn lasted(finding: &Finding, now: Time) -> Duration {
    finding.resolved_at.unwrap_or(now).since(finding.opened_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_two_units_at_most() {
        let cases = [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (250, "4m10s"),
            (3600, "1h"),
            (3905, "1h5m"),
            (86_400 * 6 + 3600 * 3 + 59, "6d3h"),
        ];
        for (seconds, text) in cases {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn an_offset_before_the_start_is_zero() {
        let start = Time::from_millis(100_000);
        assert_eq!(offset(start.plus(Duration::from_secs(100)), start), "+1m40s");
        assert_eq!(offset(Time::from_millis(0), start), "+0s");
    }

    #[test]
    fn the_time_of_day_is_in_utc() {
        let time = Time::parse("2026-11-23T15:00:02+01:00").expect("valid");
        assert_eq!(clock(time), "14:00:02");
    }
}

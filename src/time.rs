//! Points in time, as the cluster gives them: nothing here reads a clock.

pub mod doubling;

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time in milliseconds since the Unix epoch.
///
/// Eight bytes, also as an `Option`, totally ordered, and every operation saturates: arithmetic on a
/// forged time never panics.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(NonZeroU64);

/// The epoch in the numbers that are kept: these begin with the least time, which is no time, so
/// that none is zero.
const EPOCH: u64 = 1 << 63;

/// The years that a cluster can speak of; what lies outside is a corrupt or forged stamp.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2199;

/// Why a text is no time that a cluster can have meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// The text is not RFC 3339; it is not repeated, since it may be anything.
    #[error("not an RFC 3339 time")]
    Syntax,
    /// The text is a time, but of a year in which no cluster ran.
    #[error("the year {0} is out of range")]
    Year(i16),
}

impl Time {
    /// The time that many milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        match NonZeroU64::new(millis as u64 ^ EPOCH) {
            Some(kept) => Self(kept),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        (self.0.get() ^ EPOCH) as i64
    }

    /// Reads an RFC 3339 text; finer than a millisecond is cut.
    ///
    /// # Errors
    /// A text of another form, or of a year outside 2000 to 2199.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        if let Some(time) = whole_second(text) {
            return Ok(time);
        }
        let stamp: jiff::Timestamp = text.parse().map_err(|_| TimeError::Syntax)?;
        let year = stamp.to_zoned(jiff::tz::TimeZone::UTC).year();
        if YEARS.contains(&year) { Ok(Self::from_millis(stamp.as_millisecond())) } else { Err(TimeError::Year(year)) }
    }

    /// This time and `span`.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self::from_millis(self.as_millis().saturating_add(millis(span)))
    }

    /// This time less `span`.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self::from_millis(self.as_millis().saturating_sub(millis(span)))
    }

    /// How long after `earlier` this is; zero where it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.as_millis().saturating_sub(earlier.as_millis()).max(0) as u64)
    }

    /// The whole second in which this lies.
    #[must_use]
    pub fn whole_second(self) -> Self {
        Self::from_millis(self.as_millis().div_euclid(1000).saturating_mul(1000))
    }
}

/// Reads a time as nearly all are written: `2026-11-22T20:33:35Z`. Anything else is left to the library, which
/// knows all forms and takes longer.
fn whole_second(text: &str) -> Option<Time> {
    /// Days from 1970 to 2000, which is a leap year; and those before each month.
    const TO_2000: i64 = 10_957;
    const BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
    let text: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let number = |from: usize, to: usize| {
        let mut digits = text[from..to].iter();
        digits.try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
    };
    let marks = [text[4], text[7], text[10], text[13], text[16], text[19]];
    let year = number(0, 4)?;
    if marks != *b"--T::Z" || !(2000..2200).contains(&year) {
        return None;
    }
    let (month, day) = (number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let place = usize::try_from(month).ok()?.checked_sub(1).filter(|place| *place < 12)?;
    let is_leap = year % 4 == 0 && year != 2100;
    let days = BEFORE[place + 1] - BEFORE[place] + i64::from(is_leap && month == 2);
    if !(1..=days).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let years = year - 2000;
    let leap_days = (years + 3) / 4 - i64::from(years > 100) + i64::from(is_leap && month > 2);
    let day = TO_2000 + 365 * years + leap_days + BEFORE[place] + day - 1;
    Some(Time::from_millis((((day * 24 + hour) * 60 + minute) * 60 + second) * 1000))
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl Default for Time {
    /// The epoch.
    fn default() -> Self {
        Self::from_millis(0)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.as_millis()) {
            Ok(stamp) => write!(f, "{stamp:.3}"),
            Err(_) => write!(f, "@{}ms", self.as_millis()),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_survives_the_way_out_and_back() {
        let time = Time::parse("2026-11-22T20:33:35.844620961Z").expect("valid");
        assert_eq!(time.to_string(), "2026-11-22T20:33:35.844Z");
        assert_eq!(Time::parse(&time.to_string()), Ok(time));
    }

    proptest! {
        #[test]
        fn each_second_is_read_as_by_the_library(seconds in 946_684_800_i64..7_258_118_400) {
            let stamp = jiff::Timestamp::from_second(seconds).expect("in range");
            let text = format!("{stamp:.0}");
            prop_assert_eq!(whole_second(&text), Some(Time::from_millis(seconds * 1000)));
        }

        /// Digits anywhere, so that months, days and hours that do not exist come up.
        #[test]
        fn what_is_read_is_what_the_library_reads(text in "2[01][0-9]{2}-[0-3][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z") {
            if let Some(time) = whole_second(&text) {
                let stamp: jiff::Timestamp = text.parse().expect("a time");
                prop_assert_eq!(time.as_millis(), stamp.as_millisecond());
            }
        }
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for day in ["2026-02-29", "2100-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00"] {
            assert_eq!(Time::parse(&format!("{day}T00:00:00Z")), Err(TimeError::Syntax), "{day}");
        }
        for day in ["2000-02-29", "2096-02-29", "2104-02-29", "2199-12-31"] {
            assert_eq!(
                Time::parse(&format!("{day}T00:00:00Z")).map(|time| time.to_string()),
                Ok(format!("{day}T00:00:00.000Z"))
            );
        }
    }

    #[test]
    fn years_without_clusters_are_refused() {
        assert_eq!(Time::parse("0000-01-01T00:00:00Z"), Err(TimeError::Year(0)));
        assert_eq!(Time::parse("9999-12-30T00:00:00Z"), Err(TimeError::Year(9999)));
        assert!(matches!(Time::parse("yesterday"), Err(TimeError::Syntax)));
    }

    #[test]
    fn arithmetic_saturates() {
        let end = Time::from_millis(i64::MAX);
        assert_eq!(end.plus(Duration::from_secs(1)), end);
        assert_eq!(end.minus(Duration::MAX).plus(Duration::MAX), end);
        let start = Time::from_millis(i64::MIN);
        assert_eq!(start.since(end), Duration::ZERO);
        assert_eq!((start.minus(Duration::MAX), start.whole_second()), (start, start));
    }

    #[test]
    fn times_are_in_the_order_of_their_milliseconds() {
        let all = [i64::MIN, -1, 0, 1, 1_800_000_000_000, i64::MAX].map(Time::from_millis);
        assert!(all.is_sorted() && all[2] == Time::default());
        assert_eq!(all[4].as_millis(), 1_800_000_000_000);
        assert_eq!(size_of::<Option<Time>>(), 8);
    }
}

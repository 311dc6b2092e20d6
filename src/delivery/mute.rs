//! Times at which no notifications are sent: pure.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;

use crate::time::Time;

/// Minutes of a day.
pub const DAY: u16 = 24 * 60;
/// How many days ahead the end of a mute time is looked for: one that lasts longer never ends.
const HORIZON: usize = 15;

/// A time of the week.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mute {
    /// The days on which it begins; empty: every day.
    pub days: BTreeSet<Day>,
    /// The minute of the day at which it begins.
    pub from: u16,
    /// The minute at which it ends; if not after `from`, on the next day.
    pub to: u16,
    /// The time zone of these days and hours.
    pub zone: TimeZone,
}

/// A day of the week.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Deserialize, schemars::JsonSchema)]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// When the mute times active at `now` end; `None` if none is active.
///
/// One that begins when another ends extends it.
pub fn until(mutes: &[Mute], now: Time) -> Option<Time> {
    let mut at = now;
    for _ in 0..HORIZON {
        match mutes.iter().filter_map(|mute| mute.until(at)).max() {
            Some(end) => at = end,
            None => return (at > now).then_some(at),
        }
    }
    Some(at)
}

/// When the next one begins after `now`.
pub fn next(mutes: &[Mute], now: Time) -> Option<Time> {
    mutes.iter().filter_map(|mute| mute.next(now)).min()
}

impl Mute {
    fn next(&self, now: Time) -> Option<Time> {
        let today = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?.to_zoned(self.zone.clone()).date();
        let dates = std::iter::successors(Some(today), |date| date.tomorrow().ok()).take(HORIZON);
        dates.filter_map(|date| self.on(date)).map(|(from, _)| from).find(|from| *from > now)
    }

    /// When it ends, if it is active at `now`.
    fn until(&self, now: Time) -> Option<Time> {
        let today = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?.to_zoned(self.zone.clone()).date();
        // One that began yesterday may last until today.
        let days = [today.yesterday().ok(), Some(today)];
        let ends =
            days.into_iter().flatten().filter_map(|date| self.on(date)).filter(|(from, to)| *from <= now && now < *to);
        ends.map(|(_, to)| to).max()
    }

    /// Its start and end, if it begins on that date.
    fn on(&self, date: Date) -> Option<(Time, Time)> {
        if !self.days.is_empty() && !self.days.contains(&Day::from_weekday(date.weekday())) {
            return None;
        }
        let last = if self.to <= self.from { date.tomorrow().ok()? } else { date };
        Some((self.moment(date, self.from)?, self.moment(last, self.to)?))
    }

    fn moment(&self, date: Date, minute: u16) -> Option<Time> {
        let civil: DateTime = date.at(0, 0, 0, 0).checked_add(i64::from(minute).minutes()).ok()?;
        // A time that a change of clocks skips is moved as if it existed.
        let zoned = self.zone.to_ambiguous_zoned(civil).compatible().ok()?;
        Some(Time::from_millis(zoned.timestamp().as_millisecond()))
    }
}

impl Day {
    const fn from_weekday(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nights_last_until_the_morning() {
        let nights = [mute(&[], 22 * 60, 7 * 60, TimeZone::UTC)];
        assert_eq!(of(&nights, "2026-11-24T21:59:59Z"), None);
        assert_eq!(of(&nights, "2026-11-24T22:00:00Z"), Some("2026-11-25T07:00:00.000Z".into()));
        assert_eq!(of(&nights, "2026-11-25T06:59:59Z"), Some("2026-11-25T07:00:00.000Z".into()));
        assert_eq!(of(&nights, "2026-11-25T07:00:00Z"), None);
    }

    #[test]
    fn a_weekend_with_its_nights_is_one_time() {
        let mutes = [
            mute(&[Day::Sat, Day::Sun], 0, DAY, TimeZone::UTC),
            mute(&[Day::Fri, Day::Sun], 18 * 60, 8 * 60, TimeZone::UTC),
        ];
        // 2026-11-27 is a Friday.
        assert_eq!(of(&mutes, "2026-11-27T19:00:00Z"), Some("2026-11-30T08:00:00.000Z".into()));
        assert_eq!(of(&mutes, "2026-11-30T08:00:00Z"), None);
    }

    #[test]
    fn hours_are_those_of_the_zone_in_summer_and_in_winter() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        let nights = [mute(&[], 22 * 60, 7 * 60, zone)];
        assert_eq!(of(&nights, "2026-07-01T21:00:00Z"), Some("2026-07-02T05:00:00.000Z".into()));
        assert_eq!(of(&nights, "2026-12-01T21:30:00Z"), Some("2026-12-02T06:00:00.000Z".into()));
        // The night in which the clocks go back is an hour longer.
        assert_eq!(of(&nights, "2026-10-24T20:00:00Z"), Some("2026-10-25T06:00:00.000Z".into()));
    }

    #[test]
    fn what_lasts_for_ever_is_looked_at_again_within_weeks() {
        let always = [mute(&[], 0, DAY, TimeZone::UTC)];
        let end = until(&always, time("2026-11-24T12:00:00Z")).expect("it lasts");
        assert!(end.since(time("2026-11-24T12:00:00Z")) > std::time::Duration::from_hours(24 * 10));
    }

    #[test]
    fn the_next_one_begins_after_now() {
        let mutes = [mute(&[Day::Sat], 0, DAY, TimeZone::UTC), mute(&[], 22 * 60, 7 * 60, TimeZone::UTC)];
        let next = |now: &str| next(&mutes, time(now)).map(|begin| begin.to_string());
        assert_eq!(next("2026-11-27T21:59:00Z"), Some("2026-11-27T22:00:00.000Z".into()));
        assert_eq!(next("2026-11-27T22:00:00Z"), Some("2026-11-28T00:00:00.000Z".into()));
        assert_eq!(next("2026-11-28T00:00:00Z"), Some("2026-11-28T22:00:00.000Z".into()));
    }

    fn of(mutes: &[Mute], now: &str) -> Option<String> {
        until(mutes, time(now)).map(|end| end.to_string())
    }

    fn time(text: &str) -> Time {
        Time::parse(text).expect("valid")
    }

    fn mute(days: &[Day], from: u16, to: u16, zone: TimeZone) -> Mute {
        Mute { days: days.iter().copied().collect(), from, to, zone }
    }
}

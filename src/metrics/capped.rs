//! Counters by workload: a limited number of series, and no count that goes back or is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::time::Duration;

use crate::report::metrics::text::Metric;
use crate::report::metrics::{MAX_SERIES, OVERFLOW, SHARE};
use crate::text::hash::mark;
use crate::time::Time;

/// A series that has not grown for this long gives its place to one that does.
const QUIET: Duration = Duration::from_hours(24);
/// Minimum interval between searches for places, each of which visits all series.
const SEEK_EVERY: Duration = Duration::from_mins(1);
/// Maximum number of counts kept for series without a place; each is a few words.
const MAX_KEPT: usize = 10_000;

/// One metric, whose series have `N` labels.
#[derive(Debug)]
pub struct Capped<const N: usize> {
    metric: Metric,
    names: [&'static str; N],
    series: BTreeMap<[String; N], Series>,
    /// The counts of series that gave up their place, by a hash of their labels: if they come back they
    /// continue from there.
    kept: BTreeMap<u64, u64>,
    overflow: u64,
    /// Hashes of the series for which there was no place.
    refused: BTreeSet<u64>,
    sought: Option<Time>,
}

#[derive(Copy, Clone, Debug)]
struct Series {
    count: u64,
    grown: Time,
}

impl<const N: usize> Capped<N> {
    /// A metric without counts.
    pub const fn new(metric: Metric, names: [&'static str; N]) -> Self {
        Self {
            metric,
            names,
            series: BTreeMap::new(),
            kept: BTreeMap::new(),
            overflow: 0,
            refused: BTreeSet::new(),
            sought: None,
        }
    }

    /// Adds to a count at `now`; `false` the first time that there is no place for a series. Series without
    /// a place count as overflow.
    pub fn add(&mut self, values: [String; N], by: u64, now: Time) -> bool {
        if let Some(series) = self.series.get_mut(&values) {
            *series = Series { count: series.count.saturating_add(by), grown: now };
            return true;
        }
        if self.series.len() >= MAX_SERIES {
            self.make_room(now);
        }
        if self.series.len() >= MAX_SERIES {
            self.take_from_the_largest(&values[0]);
        }
        if self.series.len() >= MAX_SERIES {
            self.overflow = self.overflow.saturating_add(by);
            let is_new = self.refused.len() < MAX_KEPT && self.refused.insert(mark(&values));
            return !is_new;
        }
        let before = self.kept.remove(&mark(&values)).unwrap_or_default();
        self.series.insert(values, Series { count: before.saturating_add(by), grown: now });
        true
    }

    /// Writes all series.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl Write) -> fmt::Result {
        self.metric.head(out)?;
        for (values, series) in &self.series {
            self.metric.sample(&self.labels(values), series.count, out)?;
        }
        match self.overflow {
            0 => Ok(()),
            count => self.metric.sample(&self.labels(&[OVERFLOW; N]), count, out),
        }
    }

    fn labels<'a>(&self, values: &'a [impl AsRef<str>; N]) -> [(&'static str, &'a str); N] {
        std::array::from_fn(|place| (self.names[place], values[place].as_ref()))
    }

    /// Removes series that have been quiet for long.
    fn make_room(&mut self, now: Time) {
        if self.sought.is_some_and(|last| now.since(last) < SEEK_EVERY) {
            return;
        }
        self.sought = Some(now);
        let quiet = |series: &Series| now.since(series.grown) >= QUIET;
        for (values, series) in self.series.extract_if(.., |_, series| quiet(series)) {
            if self.kept.len() < MAX_KEPT {
                self.kept.insert(mark(&values), series.count);
            }
        }
    }
}

impl<const N: usize> Capped<N> {
    /// Takes a place from the largest namespace for a smaller one: that of the series that has not grown
    /// for the longest. If its count cannot be kept it would go back, so then it stays.
    fn take_from_the_largest(&mut self, namespace: &str) {
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        for values in self.series.keys() {
            *sizes.entry(&values[0]).or_default() += 1;
        }
        let own = sizes.get(namespace).copied().unwrap_or_default();
        let Some((largest, size)) = sizes.into_iter().max_by_key(|(_, size)| *size) else { return };
        if size <= SHARE.max(own + 1) || self.kept.len() >= MAX_KEPT {
            return;
        }
        let of_it = self.series.iter().filter(|(values, _)| values[0] == largest);
        let Some((values, _)) = of_it.min_by_key(|(_, series)| series.grown) else { return };
        let values = values.clone();
        if let Some(series) = self.series.remove(&values) {
            self.kept.insert(mark(&values), series.count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRIC: Metric = Metric::counter("restarts_total", "Restarts.");

    #[test]
    fn what_has_no_place_is_counted_as_overflow() {
        let mut counted = full(Time::default());
        assert!(!counted.add(["new".into()], 3, Time::default()));
        assert!(!counted.add(["newer".into()], 2, Time::default()));
        assert!(counted.add(["newer".into()], 2, Time::default()), "it was told already");
        assert!(counted.add(["web-7".into()], 1, Time::default()), "what has a place keeps it");
        let text = text(&counted);
        assert_eq!(text.lines().count(), 2 + MAX_SERIES + 1);
        assert!(text.ends_with("restarts_total{workload=\"overflow\"} 7\n"), "{text}");
        assert!(text.contains("{workload=\"web-7\"} 2\n"));
    }

    #[test]
    fn a_series_that_was_quiet_for_a_day_gives_its_place_and_goes_on_counting_when_it_is_back() {
        let mut counted = full(Time::default());
        let next_day = Time::default().plus(QUIET);
        assert!(counted.add(["new".into()], 1, next_day));
        assert_eq!(text(&counted).lines().count(), 3);
        assert!(counted.add(["web-7".into()], 5, next_day));
        assert!(text(&counted).contains("{workload=\"web-7\"} 6\n"));
    }

    #[test]
    fn nothing_gives_its_place_while_there_is_one_free() {
        let mut counted = Capped::new(METRIC, ["workload"]);
        counted.add(["old".into()], 1, Time::default());
        counted.add(["new".into()], 1, Time::default().plus(10 * QUIET));
        assert!(text(&counted).contains("{workload=\"old\"} 1\n"));
    }

    #[test]
    fn a_namespace_with_much_leaves_room_for_the_others_and_counts_on() {
        let mut counted = Capped::new(METRIC, ["namespace", "workload"]);
        let series = |namespace: &str, number: usize| [namespace.to_owned(), format!("web-{number}")];
        for number in 0..MAX_SERIES {
            counted.add(series("a-tenant", number), 3, Time::from_millis(number as i64));
        }
        for number in 0..SHARE {
            assert!(counted.add(series("zoo", number), 1, Time::from_millis(9_000)), "{number}");
        }
        assert_eq!(counted.series.len(), MAX_SERIES);
        assert!(!counted.add(series("a-tenant", MAX_SERIES), 1, Time::from_millis(9_000)));
        // It displaces no smaller namespace, and a series that gave up its place continues from its count.
        for number in SHARE..MAX_SERIES - SHARE {
            counted.add(series("zoo", number), 1, Time::from_millis(9_000));
        }
        let own = counted.series.keys().filter(|values| values[0] == "a-tenant").count();
        assert!(own.abs_diff(MAX_SERIES / 2) <= 1, "{own}");
        for number in 0..SHARE {
            counted.add(series("new", number), 1, Time::from_millis(9_000));
        }
        assert!(counted.kept.values().all(|count| [1, 3].contains(count)));
    }

    fn full(now: Time) -> Capped<1> {
        let mut counted = Capped::new(METRIC, ["workload"]);
        for number in 0..MAX_SERIES {
            assert!(counted.add([format!("web-{number}")], 1, now));
        }
        counted
    }

    fn text(counted: &Capped<1>) -> String {
        let mut out = String::new();
        counted.write(&mut out).expect("strings take everything");
        out
    }
}

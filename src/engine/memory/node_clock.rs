//! The offset of a node's clock to ours, and how late its writes arrive.
//!
//! A kubelet stamps its statuses and events by its node's clock. Such a stamp and our own time are compared
//! only by way of a [`Clock`], which is measured from what the node writes: the minimum time between a
//! stamp and its arrival is the offset, anything above that is lag.

use std::cell::Cell;
use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Time;

/// Differences within these bounds, in milliseconds, are the normal latency of a status, and not an offset.
const USUAL: std::ops::RangeInclusive<i64> = -1_500..=3_000;
/// Maximum number of measurements kept per node.
const MAX_SAMPLES: usize = 16;
/// How long a measurement is valid.
const COUNTS_FOR: Duration = Duration::from_mins(10);
/// Maximum time to wait for the writes of a slow node.
const MAX_LAG: Duration = Duration::from_mins(3);

/// Arrival later than this counts as lag.
const LATE: Duration = Duration::from_secs(5);
/// Maximum number of lag periods kept per node.
const MAX_STRETCHES: usize = 16;
/// Maximum gap between two late stamps of one period, and between a period and a time that it applies to.
const NEAR: Duration = Duration::from_secs(30);

/// Assumed maximum offset of a clock without measurements, in milliseconds: ten minutes.
const UNKNOWN: i64 = 10 * 60 * 1000;

/// The offset of a node's clock, as far as it is known.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Clock {
    /// Milliseconds to add to a stamp of the node for our time.
    offset: i64,
    /// How late its writes may arrive, beyond the usual, in milliseconds.
    lag: u32,
    /// Whether nothing was measured yet, so that it may be off by [`UNKNOWN`].
    is_unknown: bool,
}

impl Clock {
    /// How late its writes may arrive, beyond the usual.
    pub fn lag(self) -> Duration {
        Duration::from_millis(self.lag.into())
    }

    /// Converts a time of the node to ours.
    pub fn ours(self, stamp: Time) -> Time {
        Time::from_millis(stamp.as_millis().saturating_add(self.offset))
    }

    /// Converts a time of ours to the node's clock.
    pub fn nodes(self, ours: Time) -> Time {
        Time::from_millis(ours.as_millis().saturating_sub(self.offset))
    }

    /// The earliest time at which the node may have written what was seen at a time of ours.
    ///
    /// Writes still on their way may be later than those that have arrived.
    pub fn written_by(self, seen: Time) -> Time {
        let lag = i64::from(self.lag) * 3;
        let late = if self.is_unknown { lag.max(UNKNOWN) } else { lag };
        Time::from_millis(self.nodes(seen).as_millis().saturating_sub(late))
    }

    /// Until when, on the node's clock, everything is known about what was last seen at a time of ours:
    /// what was written until then has arrived by now.
    pub fn known_until(self, seen: Time, now: Time) -> Time {
        self.nodes(seen).min(self.written_by(now))
    }
}

/// The last measurements of a kind of writes of a node, such as pod statuses: when each arrived as a
/// change, and the milliseconds from its stamp to then.
#[derive(Debug, Default)]
pub struct Delays {
    all: VecDeque<(Time, i64)>,
    /// The range, and until when it is valid: it is needed for each observation of a pod.
    range: Cell<Option<(Time, Range)>>,
}

/// The minimum and the maximum, in milliseconds.
type Range = Option<(i64, i64)>;

impl Delays {
    /// A write with this stamp of the node has just arrived.
    pub fn add(&mut self, stamp: Time, now: Time) {
        push(&mut self.all, (now, now.as_millis().saturating_sub(stamp.as_millis())));
        self.range.set(None);
    }

    fn last(&self) -> Option<i64> {
        self.all.back().map(|(_, late)| *late)
    }

    fn range(&self, now: Time) -> Range {
        if let Some((_, range)) = self.range.get().filter(|(until, _)| now <= *until) {
            return range;
        }
        let mut until = Time::from_millis(i64::MAX);
        let mut range: Range = None;
        for (at, late) in self.all.iter().filter(|(at, _)| now.since(*at) <= COUNTS_FOR) {
            until = until.min(at.plus(COUNTS_FOR));
            range = Some(range.map_or((*late, *late), |(least, most)| (least.min(*late), most.max(*late))));
        }
        self.range.set(Some((until, range)));
        range
    }
}

/// Measurements of a node's clock from events.
#[derive(Debug, Default)]
pub struct EventDelays {
    /// The milliseconds from the node's first stamp to the API server's creation time.
    created: VecDeque<i64>,
    /// For events that arrived as changes: when, and the milliseconds from stamp to arrival.
    arrivals: Delays,
}

impl EventDelays {
    /// An event with this stamp of the node was created at that time of the API server.
    pub fn created(&mut self, stamp: Time, created: Time) {
        push(&mut self.created, created.as_millis().saturating_sub(stamp.as_millis()));
    }

    /// An event with this stamp of the node has just arrived.
    pub fn arrived(&mut self, stamp: Time, now: Time) {
        self.arrivals.add(stamp, now);
    }
}

impl Clock {
    /// The clock that follows from a node's measurements at a time.
    pub fn measured(statuses: Option<&Delays>, heard: Option<&EventDelays>, now: Time) -> Self {
        let last = statuses.and_then(Delays::last);
        let statuses = statuses.and_then(|statuses| statuses.range(now));
        // Needed only if no status was seen: it takes a sort.
        let said = if last.is_none() { heard.and_then(|heard| median(&heard.created)) } else { None };
        let fastest = statuses.map(|(least, _)| least).or(last);
        let offset = fastest.or(said).filter(|late| !USUAL.contains(late)).unwrap_or(0);
        let arrivals = heard.and_then(|heard| heard.arrivals.range(now));
        let latest = arrivals.into_iter().chain(statuses).map(|(_, most)| most).max().unwrap_or(0);
        let lag = Duration::from_millis(latest.saturating_sub(offset).max(0) as u64);
        Self {
            offset,
            lag: if lag > LATE { lag.min(MAX_LAG).as_millis() as u32 } else { 0 },
            is_unknown: last.or(said).is_none(),
        }
    }
}

/// When the node's writes arrived late, by its own time.
#[derive(Debug, Default)]
pub struct Lags(VecDeque<Stretch>);

/// A period of lag.
#[derive(Debug)]
struct Stretch {
    /// The first and the last late stamp.
    from: Time,
    to: Time,
    /// The maximum lag in it.
    lag: Duration,
}

impl Lags {
    /// A write with this stamp of the node has just arrived; returns whether it was late.
    pub fn note(&mut self, stamp: Time, clock: Clock, now: Time) -> bool {
        let lag = now.since(clock.ours(stamp)).min(MAX_LAG);
        if lag <= LATE {
            return false;
        }
        let near = |stretch: &&mut Stretch| stretch.from.minus(NEAR) <= stamp && stamp <= stretch.to.plus(NEAR);
        if let Some(stretch) = self.0.iter_mut().find(near) {
            stretch.from = stretch.from.min(stamp);
            stretch.to = stretch.to.max(stamp);
            stretch.lag = stretch.lag.max(lag);
            return true;
        }
        if self.0.len() >= MAX_STRETCHES {
            self.0.pop_front();
        }
        self.0.push_back(Stretch { from: stamp, to: stamp, lag });
        true
    }

    /// The maximum lag of writes made between two times.
    pub fn between(&self, from: Time, to: Time) -> Duration {
        let about = |stretch: &&Stretch| stretch.from <= to.plus(NEAR) && from.minus(NEAR) <= stretch.to;
        self.0.iter().filter(about).map(|stretch| stretch.lag).max().unwrap_or_default()
    }
}

fn push<T>(all: &mut VecDeque<T>, one: T) {
    if all.len() >= MAX_SAMPLES {
        all.pop_front();
    }
    all.push_back(one);
}

/// The median: a few forged values move it little.
fn median(all: &VecDeque<i64>) -> Option<i64> {
    let mut all: Vec<i64> = all.iter().copied().collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_millis(1_800_000_000_000 + seconds * 1000)
    }

    #[test]
    fn a_node_that_writes_at_once_is_taken_at_its_word() {
        let (mut statuses, mut heard) = (Delays::default(), EventDelays::default());
        statuses.add(at(0), at(1));
        heard.arrived(at(0), at(2));
        let clock = Clock::measured(Some(&statuses), Some(&heard), at(3));
        assert_eq!((clock.ours(at(2)), clock.written_by(at(2))), (at(2), at(2)));
    }

    #[test]
    fn the_fastest_status_tells_the_offset_and_the_slowest_event_the_lag() {
        let (mut statuses, mut heard) = (Delays::default(), EventDelays::default());
        for late in [340, 301, 325] {
            statuses.add(at(-late), at(0));
        }
        heard.arrived(at(-390), at(0));
        let clock = Clock::measured(Some(&statuses), Some(&heard), at(1));
        assert_eq!(clock.ours(at(-301)), at(0));
        assert_eq!(clock.nodes(at(0)), at(-301));
        assert_eq!(clock.lag(), Duration::from_secs(89));
        assert_eq!(clock.written_by(at(0)), at(-301 - 3 * 89));
        assert_eq!(clock.known_until(at(0), at(0)), at(-301 - 3 * 89));
        assert_eq!(clock.known_until(at(0), at(3 * 89)), at(-301));
    }

    #[test]
    fn without_a_status_the_middle_of_the_events_tells() {
        let mut heard = EventDelays::default();
        for ahead in [3600, 120, 121, 119, 120] {
            heard.created(at(ahead), at(0));
        }
        assert_eq!(Clock::measured(None, Some(&heard), at(1)).ours(at(120)), at(0));
    }
}

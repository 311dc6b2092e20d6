//! Reports which silences have expired and which match nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use crate::config::{Config, Silences};
use crate::findings::board::{Board, Entry};
use crate::runtime::clock;
use crate::text::escape::visible;
use crate::time::Time;

/// How often they are checked.
const EVERY: Duration = Duration::from_mins(1);
/// A silence that matched nothing for this long may be for something fixed long ago.
const IDLE: Duration = Duration::from_hours(24);

/// Checks the silences in effect forever, and logs what a person should know.
pub async fn watch(config: watch::Receiver<Arc<Config>>, board: Arc<Board>) -> Infallible {
    let mut watchman = Watchman::default();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let config = Arc::clone(&config.borrow());
        for (silence, news) in watchman.look(&config.silences, &board.all(), clock::now()) {
            let silence = visible(&silence);
            match news {
                SilenceChange::Ended => warn!(silence, "A silence has ended: take it out of the settings"),
                SilenceChange::Idle => warn!(silence, "A silence has matched nothing for a day"),
            }
        }
    }
}

/// What to log about a silence, once.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum SilenceChange {
    /// It has expired.
    Ended,
    /// It has matched nothing for [`IDLE`].
    Idle,
}

/// What is known of the silences, by name.
#[derive(Debug, Default)]
struct Watchman {
    known: BTreeMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    /// When it last matched something, or was first seen.
    of_use: Time,
    said: Option<SilenceChange>,
}

impl Watchman {
    fn look(&mut self, silences: &Silences, entries: &[Entry], now: Time) -> Vec<(String, SilenceChange)> {
        let open = entries.iter().filter(|entry| entry.is_open());
        let matched: BTreeSet<&str> = open.filter_map(|entry| entry.silenced_by.as_deref()).collect();
        self.known.retain(|name, _| silences.0.iter().any(|silence| silence.name == *name));
        let mut all = Vec::new();
        for silence in &silences.0 {
            let known = self.known.entry(silence.name.clone()).or_insert_with(|| Known { of_use: now, said: None });
            if matched.contains(&*silence.name) {
                *known = Known { of_use: now, said: None };
            }
            let idle = now.since(known.of_use) >= IDLE;
            let news =
                if silence.is_over(now) { Some(SilenceChange::Ended) } else { idle.then_some(SilenceChange::Idle) };
            if let Some(news) = news.filter(|news| known.said != Some(*news)) {
                known.said = Some(news);
                all.push((silence.name.clone(), news));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    #[test]
    fn the_end_of_a_silence_is_said_once() {
        let silences = silences("{cause: Crash, until: 2026-11-22T14:00:00Z}");
        let mut watchman = Watchman::default();
        assert_eq!(watchman.look(&silences, &[], at("13:59:59")), []);
        assert_eq!(watchman.look(&silences, &[], at("14:00:00")), [("cause=Crash".to_owned(), SilenceChange::Ended)]);
        assert_eq!(watchman.look(&silences, &[], at("14:01:00")), []);
    }

    #[test]
    fn a_silence_that_is_of_no_use_is_said_after_a_day() {
        let silences = silences("{cause: Crash}");
        let mut watchman = Watchman::default();
        let start = at("14:00:00");
        assert_eq!(watchman.look(&silences, &[], start), []);
        assert_eq!(watchman.look(&silences, &[], start.plus(IDLE)), [("cause=Crash".to_owned(), SilenceChange::Idle)]);
        assert_eq!(watchman.look(&silences, &[], start.plus(2 * IDLE)), []);
    }

    #[test]
    fn one_that_matches_is_of_use() {
        let silences = silences("{cause: Crash}");
        let mut watchman = Watchman::default();
        let start = at("14:00:00");
        watchman.look(&silences, &[], start);
        let entry = crashing();
        assert_eq!(watchman.look(&silences, &[entry], start.plus(IDLE)), []);
        assert_eq!(watchman.look(&silences, &[], start.plus(IDLE).plus(EVERY)), []);
    }

    fn silences(item: &str) -> Silences {
        Source::default().load_text(&format!("silences: [{item}]")).expect("no error").config.silences
    }

    fn at(clock: &str) -> Time {
        Time::parse(&format!("2026-11-22T{clock}Z")).expect("a time")
    }

    fn crashing() -> Entry {
        let silenced_by = Some(Arc::from("cause=Crash"));
        let (finding, at) = (Arc::new(crate::operator::testing::finding("web")), Time::default());
        Entry { finding, kind: crate::engine::ChangeKind::Confirmed, at, silenced_by, asked: Arc::default() }
    }
}

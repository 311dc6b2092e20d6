//! Metrics of the watches and look-ups.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::report::metrics::text::Metric;
use crate::source::cluster::{LookupCounts, Resource, ResourceHealth, Throttled, Trouble, WatchHealth};
use crate::time::Time;

const UP: Metric = Metric::gauge("probehound_watch_up", "Whether the last request of each watch was answered.");
const LISTED: Metric = Metric::gauge("probehound_watch_listed", "Whether each watch has had its first list.");
const ANSWERED: Metric = Metric::gauge(
    "probehound_watch_last_answer_timestamp_seconds",
    "When the API server last answered a request of a watch: at least every ten seconds where all is well.",
);
const LAST: Metric = Metric::gauge("probehound_watch_last_event_timestamp_seconds", "When an object last came.");
const LAG: Metric = Metric::gauge(
    "probehound_watch_lag_seconds",
    "How old the newest news was when it came, by the stamps of objects, which are whole seconds.",
);
const EVENTS: Metric = Metric::counter("probehound_watch_events_total", "Objects that came, listed ones among them.");
const RELISTS: Metric = Metric::counter("probehound_watch_relists_total", "Lists after the first one of each watch.");
const ERRORS: Metric = Metric::counter("probehound_watch_errors_total", "Failures of watches, by kind.");
const SKIPPED: Metric =
    Metric::counter("probehound_objects_skipped_total", "Objects that were passed over: they are not as the API says.");
const ODD: Metric = Metric::counter(
    "probehound_fields_skipped_total",
    "Fields that were passed over, of objects that were used without them: they are not as the API says.",
);
const THROTTLED: Metric =
    Metric::counter("probehound_api_throttled_total", "Answers of the API server that ask for fewer requests.");
const LOOKUPS: Metric = Metric::counter(
    "probehound_lookups_total",
    "Questions for owners, revisions and Services of a workload, and for namespaces, by what became of them.",
);

/// The counters of reading from the cluster.
#[derive(Clone, Debug)]
pub struct Watching {
    /// The watches.
    pub health: Arc<WatchHealth>,
    /// The look-ups.
    pub lookups: Arc<LookupCounts>,
    /// Related objects that were skipped.
    pub related_skipped: Arc<AtomicU64>,
    /// Fields of related objects that were skipped.
    pub related_odd: Arc<AtomicU64>,
    /// The clients.
    pub throttled: Arc<Throttled>,
}

impl Watching {
    /// Writes all of them.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut String) -> fmt::Result {
        self.each(UP, |health| u8::from(health.is_up()), out)?;
        self.each(LISTED, |health| u8::from(health.is_listed()), out)?;
        self.each(ANSWERED, |health| seconds(health.last_answer()), out)?;
        self.each(LAST, |health| seconds(health.last_event()), out)?;
        self.each(LAG, |health| health.lag().as_secs_f64(), out)?;
        self.each(EVENTS, ResourceHealth::events, out)?;
        self.each(RELISTS, ResourceHealth::relists, out)?;
        self.errors(out)?;
        self.each(SKIPPED, ResourceHealth::skipped, out)?;
        SKIPPED.sample(&[("resource", "related")], self.related_skipped.load(Ordering::Relaxed), out)?;
        self.each(ODD, ResourceHealth::passed_over, out)?;
        ODD.sample(&[("resource", "related")], self.related_odd.load(Ordering::Relaxed), out)?;
        THROTTLED.head(out)?;
        for (code, count) in self.throttled.by_code() {
            THROTTLED.sample(&[("code", code.to_string())], count, out)?;
        }
        LOOKUPS.head(out)?;
        self.lookups
            .by_outcome()
            .iter()
            .try_for_each(|(outcome, count)| LOOKUPS.sample(&[("outcome", outcome)], count, out))
    }

    fn each<V: fmt::Display>(
        &self,
        metric: Metric,
        of: impl Fn(&ResourceHealth) -> V,
        out: &mut String,
    ) -> fmt::Result {
        metric.head(out)?;
        Resource::ALL
            .into_iter()
            .try_for_each(|resource| metric.sample(&[("resource", resource.word())], of(self.health.of(resource)), out))
    }

    fn errors(&self, out: &mut impl Write) -> fmt::Result {
        ERRORS.head(out)?;
        for resource in Resource::ALL {
            for trouble in Trouble::ALL {
                let labels = [("resource", resource.word()), ("error", trouble.word())];
                ERRORS.sample(&labels, self.health.of(resource).errors(trouble), out)?;
            }
        }
        Ok(())
    }
}

/// 0 if it has not happened yet.
fn seconds(time: Option<Time>) -> f64 {
    time.map_or(0.0, |time| time.as_millis() as f64 / 1000.0)
}

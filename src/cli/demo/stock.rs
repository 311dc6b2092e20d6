//! The alert that most clusters have: `KubePodCrashLooping` of the kubernetes-mixin.
//!
//! `max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}[5m]) >= 1`, for 15
//! minutes, for each container of each pod. Counted from the moment at which the status shows it, without
//! the scrape and evaluation intervals that come on top.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::{Observation, PodSnapshot, State, Uid};
use crate::report::text::demo::Stock;
use crate::time::Time;

/// The range of the expression.
const LOOK_BACK: Duration = Duration::from_mins(5);
/// Its `for` duration.
const FOR: Duration = Duration::from_mins(15);

/// The alert's condition for each container that was ever seen in `CrashLoopBackOff`.
#[derive(Debug, Default)]
pub struct StockAlert {
    series: BTreeMap<(Uid, usize), Series>,
}

#[derive(Debug)]
struct Series {
    namespace: Arc<str>,
    pod: Arc<str>,
    container: Arc<str>,
    /// Since when the condition has held without interruption.
    since: Time,
    /// When the status last met the condition; `None` while it does.
    until: Option<Time>,
    /// When it had first held for long enough.
    fired: Option<Time>,
}

impl StockAlert {
    /// Takes in an observation. Returns the pod and container with which the alert becomes pending, if it
    /// was not pending for any before.
    pub fn see(&mut self, observation: &Observation, now: Time) -> Option<(Arc<str>, Arc<str>)> {
        let first = self.series.is_empty();
        match observation {
            Observation::Pod(pod) => self.pod(pod, now),
            Observation::PodGone(id) => {
                let of_it = self.series.iter_mut().filter(|((uid, _), _)| *uid == id.uid);
                of_it.for_each(|(_, series)| series.leave(now));
            }
            _ => {}
        }
        let series = self.series.values().next().filter(|_| first)?;
        Some((Arc::clone(&series.pod), Arc::clone(&series.container)))
    }

    /// The outcome at the end; `None` if it was never pending.
    pub fn outcome(mut self, end: Time) -> Option<Stock> {
        self.series.values_mut().for_each(|series| series.advance(end));
        let first = self.series.values().min_by_key(|series| (series.fired.is_none(), series.since))?;
        let lapses = |series: &Series| series.until.map(|until| until.plus(LOOK_BACK));
        let all_lapse = self.series.values().map(lapses).collect::<Option<Vec<_>>>();
        Some(Stock {
            since: first.since,
            fired: first.fired,
            due: first.since.plus(FOR),
            lapses: all_lapse.and_then(|lapses| lapses.into_iter().max()),
            left: self.series.values().filter_map(|series| series.until).max(),
            containers: self.series.len(),
            says: says(first),
        })
    }

    fn pod(&mut self, pod: &PodSnapshot, now: Time) {
        for status in &pod.containers {
            let key = (pod.id.uid, status.index);
            let waits = matches!(&status.state, State::Waiting { reason, .. } if &**reason == "CrashLoopBackOff");
            match self.series.get_mut(&key) {
                Some(series) if waits => series.enter(now),
                Some(series) => series.leave(now),
                None if waits => {
                    let series = Series {
                        namespace: Arc::clone(&pod.id.namespace),
                        pod: Arc::clone(&pod.id.name),
                        container: Arc::clone(&pod.template.containers[status.index].name),
                        since: now,
                        until: None,
                        fired: None,
                    };
                    self.series.insert(key, series);
                }
                None => {}
            }
        }
    }
}

impl Series {
    fn enter(&mut self, now: Time) {
        self.advance(now);
        if self.until.is_some_and(|until| now.since(until) > LOOK_BACK) {
            self.since = now;
        }
        self.until = None;
    }

    fn leave(&mut self, now: Time) {
        self.advance(now);
        self.until.get_or_insert(now);
    }

    /// Advances time to `now`, with the condition unchanged.
    fn advance(&mut self, now: Time) {
        let due = self.since.plus(FOR);
        let held_until = self.until.map_or(now, |until| until.plus(LOOK_BACK).min(now));
        if self.fired.is_none() && held_until >= due {
            self.fired = Some(due);
        }
    }
}

/// The alert's annotations, with the labels filled in.
fn says(Series { namespace, pod, container, .. }: &Series) -> String {
    format!(
        "Pod is crash looping. Pod {namespace}/{pod} ({container}) is in waiting state (reason: \"CrashLoopBackOff\")."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(since: u64) -> Series {
        let name = || Arc::from("web");
        Series { namespace: name(), pod: name(), container: name(), since: at(since), until: None, fired: None }
    }

    fn at(minute: u64) -> Time {
        Time::from_millis(0).plus(Duration::from_mins(minute))
    }

    #[test]
    fn it_speaks_fifteen_minutes_after_the_first_back_off() {
        let mut series = series(2);
        series.leave(at(3));
        series.enter(at(8));
        series.advance(at(16));
        assert_eq!(series.fired, None);
        series.advance(at(30));
        assert_eq!(series.fired, Some(at(17)));
    }

    #[test]
    fn a_break_longer_than_it_looks_back_starts_the_count_again() {
        let mut series = series(2);
        series.leave(at(3));
        series.enter(at(9));
        series.advance(at(20));
        assert_eq!(series.fired, None);
        series.advance(at(24));
        assert_eq!(series.fired, Some(at(24)));
    }

    #[test]
    fn what_is_over_lapses_before_it_speaks() {
        let mut series = series(2);
        series.leave(at(11));
        series.advance(at(60));
        assert_eq!(series.fired, None);
    }
}

//! What the operator counts and measures of itself, and of restarts and probe failures.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

use crate::engine::{Count, Counted};
use crate::kubelet::ProbeKind;
use crate::report::escape::terminal;
use crate::report::metrics::MAX_SERIES;

/// Seconds that a batch of observations takes the engine: microseconds for one, and a second would
/// be a fault.
const STEPS: [f64; 8] = [0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 1.0];
/// Longest value of a label, in columns.
const VALUE: usize = 128;

/// What came of writing a `Finding` object.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum WriteOutcome {
    /// It was written.
    Written,
    /// It was removed, being long over.
    Removed,
    /// It could not be written, and will be tried again.
    Failed,
    /// Its namespace is going or gone: there is nothing to write to any more.
    GivenUp,
}

impl WriteOutcome {
    const ALL: [Self; 4] = [Self::Written, Self::Removed, Self::Failed, Self::GivenUp];

    const fn word(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Removed => "removed",
            Self::Failed => "failed",
            Self::GivenUp => "given_up",
        }
    }
}

/// The operator's own metrics; shared by whoever counts and who serves them.
#[derive(Debug)]
pub struct Instruments {
    steps: Histogram,
    tracked_pods: IntGauge,
    restarts: IntCounterVec,
    probe_failures: IntCounterVec,
    series_dropped: IntCounter,
    series: Mutex<BTreeSet<Series>>,
    writes: IntCounterVec,
    findings_api_up: IntGauge,
}

/// Namespace, workload kind, workload, container, and the probe if it is one that failed.
type Series = ([String; 4], Option<ProbeKind>);

impl Instruments {
    /// All of them at zero, in a registry.
    ///
    /// # Errors
    /// One of the names is taken in that registry.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let workload = ["namespace", "workload_kind", "workload", "container"];
        let probe = ["namespace", "workload_kind", "workload", "container", "probe"];
        let steps = HistogramOpts::new(
            "probehound_engine_step_duration_seconds",
            "Time that the engine took for a batch of observations.",
        );
        let own = Self {
            steps: Histogram::with_opts(steps.buckets(STEPS.to_vec()))?,
            tracked_pods: IntGauge::new("probehound_tracked_pods", "Pods that the engine keeps.")?,
            restarts: counters("probehound_restarts_total", "Restarts seen of containers.", &workload)?,
            probe_failures: counters(
                "probehound_probe_failures_total",
                "Failures of probes that kubelets told of; they leave out most after some minutes.",
                &probe,
            )?,
            series_dropped: IntCounter::new(
                "probehound_series_dropped_total",
                "Counts that went into an overflow series, because there were too many series.",
            )?,
            series: Mutex::default(),
            writes: counters("probehound_finding_writes_total", "Writes of Finding objects.", &["outcome"])?,
            findings_api_up: IntGauge::new(
                "probehound_findings_api_up",
                "Whether Finding objects can be read and written: their definition is installed, and it is allowed.",
            )?,
        };
        registry.register(Box::new(own.steps.clone()))?;
        registry.register(Box::new(own.tracked_pods.clone()))?;
        registry.register(Box::new(own.restarts.clone()))?;
        registry.register(Box::new(own.probe_failures.clone()))?;
        registry.register(Box::new(own.series_dropped.clone()))?;
        registry.register(Box::new(own.writes.clone()))?;
        registry.register(Box::new(own.findings_api_up.clone()))?;
        for outcome in WriteOutcome::ALL {
            own.writes.with_label_values(&[outcome.word()]).reset();
        }
        Ok(own)
    }

    /// A batch of observations took the engine that long, and it now keeps so many pods.
    pub fn step(&self, took: Duration, pods: usize) {
        self.steps.observe(took.as_secs_f64());
        self.tracked_pods.set(pods as i64);
    }

    /// Adds what the engine counted.
    pub fn count(&self, counts: &[Count]) {
        for count in counts {
            let value = |text: &str| terminal(text, VALUE);
            let labels = [&*count.namespace, &count.workload.kind, &count.workload.name, &count.container].map(value);
            let probe = match count.what {
                Counted::Restart => None,
                Counted::ProbeFailure(probe) => Some(probe),
            };
            let labels = self.bounded((labels, probe));
            let mut labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            let Some(probe) = probe else {
                self.restarts.with_label_values(&labels).inc_by(count.by);
                continue;
            };
            labels.push(probe.word());
            self.probe_failures.with_label_values(&labels).inc_by(count.by);
        }
    }

    /// The labels of a series; those of the overflow series where there are too many.
    fn bounded(&self, series: Series) -> [String; 4] {
        let mut known = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_SERIES && !known.contains(&series) {
            self.series_dropped.inc();
            return [(); 4].map(|()| "overflow".to_owned());
        }
        let labels = series.0.clone();
        known.insert(series);
        labels
    }

    /// A `Finding` object was written, or not.
    pub fn wrote(&self, outcome: WriteOutcome) {
        self.writes.with_label_values(&[outcome.word()]).inc();
    }

    /// Whether `Finding` objects can be read and written at all.
    pub fn findings_api(&self, up: bool) {
        self.findings_api_up.set(i64::from(up));
    }

    /// Counts of series that did not fit.
    pub const fn series_dropped(&self) -> &IntCounter {
        &self.series_dropped
    }
}

fn counters(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
    IntCounterVec::new(Opts::new(name, help), labels)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::Owner;

    #[test]
    fn restarts_and_failures_are_added_up_by_container() {
        let instruments = Instruments::new(&Registry::new()).expect("names of its own");
        instruments.count(&[count("web", Counted::Restart, 2), count("web", Counted::Restart, 1)]);
        instruments.count(&[count("web", Counted::ProbeFailure(ProbeKind::Liveness), 5)]);
        let labels = ["prod", "Deployment", "web", "app"];
        assert_eq!(instruments.restarts.with_label_values(&labels).get(), 3);
        let labels = ["prod", "Deployment", "web", "app", "liveness"];
        assert_eq!(instruments.probe_failures.with_label_values(&labels).get(), 5);
    }

    #[test]
    fn what_is_too_much_overflows_and_is_counted() {
        let instruments = Instruments::new(&Registry::new()).expect("names of its own");
        for number in 0..MAX_SERIES + 3 {
            instruments.count(&[count(&number.to_string(), Counted::Restart, 1)]);
        }
        instruments.count(&[count("0", Counted::Restart, 1)]);
        assert_eq!(instruments.restarts.with_label_values(&["overflow"; 4]).get(), 3);
        assert_eq!(instruments.restarts.with_label_values(&["prod", "Deployment", "0", "app"]).get(), 2);
        assert_eq!(instruments.series_dropped.get(), 3);
    }

    #[test]
    fn names_are_cut_and_cleaned() {
        let instruments = Instruments::new(&Registry::new()).expect("names of its own");
        instruments.count(&[count(&"\u{1b}\n".repeat(1000), Counted::Restart, 1)]);
        let series = instruments.series.lock().expect("nobody panicked");
        let (labels, _) = series.first().expect("one");
        assert!(labels[2].chars().count() <= VALUE && labels[2].chars().all(|c| !c.is_control()), "{labels:?}");
    }

    fn count(workload: &str, what: Counted, by: u64) -> Count {
        let workload = Owner { kind: "Deployment".into(), name: workload.into() };
        Count { namespace: Arc::from("prod"), workload, container: Arc::from("app"), what, by }
    }
}

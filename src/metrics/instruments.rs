//! Metrics of the operator itself, and of restarts and probe failures.

use std::fmt::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

use super::Capped;
use crate::engine::{Count, Counted};
use crate::findings::asked::Annotation;
use crate::report::metrics::Refused;
use crate::report::metrics::text::{Metric, clean};
use crate::time::Time;

/// Buckets for the seconds that the engine takes for a batch of observations: microseconds for one; a
/// second would be a fault.
const STEPS: [f64; 8] = [0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 1.0];

/// The result of writing a `Finding` object.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum WriteOutcome {
    /// It was written.
    Written,
    /// It was removed after its retention time.
    Removed,
    /// It could not be written, and will be retried.
    Failed,
    /// Its namespace is terminating or gone: there is nothing to write to any more.
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

const RESTARTS: Metric = Metric::counter("probehound_restarts_total", "Restarts seen of containers.");
const PROBE_FAILURES: Metric = Metric::counter(
    "probehound_probe_failures_total",
    "Probe failures reported by kubelets, which leave out most after some minutes.",
);

/// The operator's own metrics; shared by those who count and those who serve them.
#[derive(Debug)]
pub struct Instruments {
    steps: Histogram,
    events_without_pod: IntCounter,
    tracked_pods: IntGauge,
    restarts: Mutex<Capped<4>>,
    probe_failures: Mutex<Capped<5>>,
    series_dropped: IntCounter,
    /// The findings' series for which there was no place the last time.
    refused: Mutex<Refused>,
    writes: IntCounterVec,
    findings_api_up: IntGauge,
    annotations_refused: IntCounterVec,
}

impl Instruments {
    /// All of them at zero, in a registry.
    ///
    /// # Errors
    /// One of the names is taken in that registry.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let steps = HistogramOpts::new(
            "probehound_engine_step_duration_seconds",
            "Time that the engine took for a batch of observations.",
        );
        let own = Self {
            steps: Histogram::with_opts(steps.buckets(STEPS.to_vec()))?,
            events_without_pod: IntCounter::new(
                "probehound_events_without_pod_total",
                "Events that were dropped because their pod was never seen.",
            )?,
            tracked_pods: IntGauge::new("probehound_tracked_pods", "Pods that the engine keeps.")?,
            restarts: Mutex::new(Capped::new(RESTARTS, ["namespace", "workload_kind", "workload", "container"])),
            probe_failures: Mutex::new(Capped::new(
                PROBE_FAILURES,
                ["namespace", "workload_kind", "workload", "container", "probe"],
            )),
            series_dropped: IntCounter::new(
                "probehound_series_dropped_total",
                "Series that were summed up in an overflow series, because there were too many.",
            )?,
            refused: Mutex::default(),
            writes: counters("probehound_finding_writes_total", "Writes of Finding objects.", &["outcome"])?,
            findings_api_up: IntGauge::new(
                "probehound_findings_api_up",
                "Whether Finding objects can be read and written: their definition is installed, and it is allowed.",
            )?,
            annotations_refused: counters(
                "probehound_annotations_refused_total",
                "Values of annotations that have no effect, each once for its workload.",
                &["annotation"],
            )?,
        };
        registry.register(Box::new(own.steps.clone()))?;
        registry.register(Box::new(own.tracked_pods.clone()))?;
        registry.register(Box::new(own.events_without_pod.clone()))?;
        registry.register(Box::new(own.series_dropped.clone()))?;
        registry.register(Box::new(own.writes.clone()))?;
        registry.register(Box::new(own.findings_api_up.clone()))?;
        registry.register(Box::new(own.annotations_refused.clone()))?;
        for annotation in Annotation::ALL {
            own.annotations_refused.with_label_values(&[annotation.word()]).reset();
        }
        for outcome in WriteOutcome::ALL {
            own.writes.with_label_values(&[outcome.word()]).reset();
        }
        Ok(own)
    }

    /// A batch of observations took the engine that long, and it now keeps this many pods.
    pub fn step(&self, took: Duration, pods: usize) {
        self.steps.observe(took.as_secs_f64());
        self.tracked_pods.set(pods as i64);
    }

    /// Number of events dropped since the start because their pod was never seen.
    pub fn events_without_pod(&self, total: u64) {
        self.events_without_pod.inc_by(total.saturating_sub(self.events_without_pod.get()));
    }

    /// Adds what the engine counted up to `now`.
    pub fn count(&self, counts: &[Count], now: Time) {
        for count in counts {
            let labels = [&*count.namespace, &count.workload.kind, &count.workload.name, &count.container].map(clean);
            let placed = match count.what {
                Counted::Restart => locked(&self.restarts).add(labels, count.by, now),
                Counted::ProbeFailure(probe) => {
                    let [namespace, kind, name, container] = labels;
                    let labels = [namespace, kind, name, container, probe.word().to_owned()];
                    locked(&self.probe_failures).add(labels, count.by, now)
                }
            };
            self.dropped(u64::from(!placed));
        }
    }

    /// A `Finding` object was written, or not.
    pub fn wrote(&self, outcome: WriteOutcome) {
        self.writes.with_label_values(&[outcome.word()]).inc();
    }

    /// Whether `Finding` objects can be read and written at all.
    pub fn findings_api(&self, up: bool) {
        self.findings_api_up.set(i64::from(up));
    }

    /// The value of an annotation has no effect.
    pub fn annotation_refused(&self, annotation: Annotation) {
        self.annotations_refused.with_label_values(&[annotation.word()]).inc();
    }

    /// There was no place for these series of findings; each is counted when it loses its place.
    pub fn refused(&self, refused: Refused) {
        let mut known = locked(&self.refused);
        self.dropped(refused.difference(&known).count() as u64);
        *known = refused;
    }

    /// Number of those without a series of their own.
    fn dropped(&self, count: u64) {
        self.series_dropped.inc_by(count);
    }

    /// Writes the counters by workload, which are not in the registry.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl Write) -> fmt::Result {
        locked(&self.restarts).write(out)?;
        locked(&self.probe_failures).write(out)
    }
}

fn counters(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
    IntCounterVec::new(Opts::new(name, help), labels)
}

/// What a panic elsewhere left behind is still a count.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::Owner;
    use crate::kubelet::ProbeKind;
    use crate::report::metrics::MAX_SERIES;

    #[test]
    fn restarts_and_failures_are_added_up_by_container() {
        let instruments = Instruments::new(&Registry::new()).expect("names of its own");
        let counts = [count("web", Counted::Restart, 2), count("web", Counted::Restart, 1)];
        instruments.count(&counts, Time::default());
        instruments.count(&[count("web", Counted::ProbeFailure(ProbeKind::Liveness), 5)], Time::default());
        let text = text(&instruments);
        let labels = r#"namespace="prod",workload_kind="Deployment",workload="web",container="app""#;
        assert!(text.contains(&format!("probehound_restarts_total{{{labels}}} 3\n")), "{text}");
        let failures = format!("probehound_probe_failures_total{{{labels},probe=\"liveness\"}} 5\n");
        assert!(text.contains(&failures), "{text}");
    }

    #[test]
    fn what_is_too_much_overflows_and_is_counted() {
        let instruments = Instruments::new(&Registry::new()).expect("names of its own");
        for number in 0..MAX_SERIES + 3 {
            instruments.count(&[count(&number.to_string(), Counted::Restart, 1)], Time::default());
        }
        assert_eq!(instruments.series_dropped.get(), 3);
        assert!(text(&instruments).contains(r#"workload="overflow",container="overflow"} 3"#));
    }

    #[test]
    fn names_are_cut_and_cleaned() {
        let instruments = Instruments::new(&Registry::new()).expect("names of its own");
        instruments.count(&[count(&"\u{1b}\n".repeat(1000), Counted::Restart, 1)], Time::default());
        let text = text(&instruments);
        let series: Vec<&str> = text.lines().filter(|line| line.starts_with("probehound_restarts_total{")).collect();
        assert!(series.len() == 1 && series[0].len() < 500 && !series[0].contains('\u{1b}'), "{series:?}");
    }

    fn text(instruments: &Instruments) -> String {
        let mut out = String::new();
        instruments.write(&mut out).expect("strings take everything");
        out
    }

    fn count(workload: &str, what: Counted, by: u64) -> Count {
        let workload = Owner { kind: "Deployment".into(), name: workload.into() };
        Count { namespace: Arc::from("prod"), workload, container: Arc::from("app"), what, by }
    }
}

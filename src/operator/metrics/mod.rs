//! What probehound counts about the cluster and about itself.
//!
//! Whoever has something to count holds a [`Metrics`] and calls a method; what is known anyway (the
//! findings, the silences, the watches, the process) is read when somebody asks ([`Exporter`]).
//!
//! Invariants:
//! - Every label of a closed set begins at 0, so that the first one that is counted is seen to rise.
//! - No metric has more than [`MAX_SERIES`](crate::report::metrics::MAX_SERIES) series and one for
//!   what overflows; what went there is counted.
//! - No counter goes back.

mod counted;
mod exporter;
pub mod labels;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus::{
    Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::engine::{Count, Counted as What};
use crate::report::metrics::text::{Metric, clean};
use crate::time::Time;
use counted::Counted;
pub use exporter::Exporter;
use labels::{FindingWrite, Lookup, Queue, Sent};

/// The `Content-Type` of what [`Exporter::render`] gives.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Seconds: a step takes microseconds, and one that takes a tenth of a second holds the watch up.
const STEP_BUCKETS: [f64; 11] = [1e-5, 5e-5, 1e-4, 5e-4, 1e-3, 5e-3, 0.01, 0.05, 0.1, 0.5, 1.0];

const RESTARTS: Metric =
    Metric::counter("probehound_restarts_total", "Restarts of containers that were seen to happen.");
const PROBE_FAILURES: Metric =
    Metric::counter("probehound_probe_failures_total", "Failed probes of which a kubelet sent an event.");

/// All that is counted; shared by all who count.
pub struct Metrics {
    registry: Registry,
    restarts: Mutex<Counted<4>>,
    probe_failures: Mutex<Counted<5>>,
    series_dropped: IntCounter,
    engine_step: Histogram,
    tracked_pods: IntGauge,
    queue_depth: IntGaugeVec,
    lookups: IntCounterVec,
    finding_writes: IntCounterVec,
    findings_api_up: IntGauge,
    reload_successful: IntGauge,
    reload_success_at: Gauge,
    notifications: IntCounterVec,
    notifications_pending: IntGaugeVec,
    receiver_stopped: IntGaugeVec,
}

impl Metrics {
    /// Everything at its beginning.
    ///
    /// # Panics
    /// Where two metrics have one name, which a test excludes.
    pub fn new() -> Self {
        let make = Maker { registry: Registry::new() };
        let metrics = Self {
            restarts: Mutex::new(Counted::new(RESTARTS, ["namespace", "workload_kind", "workload", "container"])),
            probe_failures: Mutex::new(Counted::new(
                PROBE_FAILURES,
                ["namespace", "workload_kind", "workload", "container", "probe"],
            )),
            series_dropped: make.counter(
                "probehound_series_dropped_total",
                "What was counted in an overflow series because its metric has as many series as it may have.",
            ),
            engine_step: make.seconds(
                "probehound_engine_step_duration_seconds",
                "How long the engine took to take in what was seen, a batch at a time.",
            ),
            tracked_pods: make.gauge("probehound_tracked_pods", "Pods that the engine keeps."),
            queue_depth: make.gauges("probehound_queue_depth", "What waits to be worked off.", "queue"),
            lookups: make.counters(
                "probehound_lookups_total",
                "Look-ups of owners, revisions and Services, by what became of them.",
                &["outcome"],
            ),
            finding_writes: make.counters(
                "probehound_finding_writes_total",
                "Writes of Finding objects, by what became of them.",
                &["outcome"],
            ),
            findings_api_up: make
                .gauge("probehound_findings_api_up", "Whether Finding objects are defined and may be written."),
            reload_successful: make.gauge(
                "probehound_config_last_reload_successful",
                "Whether the settings as they are in the file now are in force.",
            ),
            reload_success_at: make.real(
                "probehound_config_last_reload_success_timestamp_seconds",
                "When settings were last read and taken into force.",
            ),
            notifications: make.counters(
                "probehound_notifications_total",
                "Messages to receivers, by what became of them.",
                &["receiver", "outcome"],
            ),
            notifications_pending: make.gauges(
                "probehound_notifications_pending",
                "Messages that a receiver has yet to get.",
                "receiver",
            ),
            receiver_stopped: make.gauges(
                "probehound_receiver_stopped",
                "Whether nothing is sent to a receiver any more because it refused for good.",
                "receiver",
            ),
            registry: make.registry,
        };
        metrics.begin();
        metrics
    }

    /// Counts what happened to containers, as the engine gives it.
    pub fn count(&self, counts: &[Count], now: Time) {
        for count in counts {
            let Count { namespace, workload, container, .. } = count;
            let [namespace, kind, name, container] =
                [namespace, &workload.kind, &workload.name, container].map(|text| clean(text));
            let placed = match count.what {
                What::Restart => locked(&self.restarts).add([namespace, kind, name, container], count.by, now),
                What::ProbeFailure(probe) => {
                    let values = [namespace, kind, name, container, probe.word().to_owned()];
                    locked(&self.probe_failures).add(values, count.by, now)
                }
            };
            self.dropped(u64::from(!placed));
        }
    }

    /// The engine took in a batch of what was seen.
    pub fn engine_step(&self, took: Duration) {
        self.engine_step.observe(took.as_secs_f64());
    }

    /// So many pods are kept.
    pub fn tracked_pods(&self, count: usize) {
        self.tracked_pods.set(count as i64);
    }

    /// So much waits in a queue.
    pub fn queue_depth(&self, queue: Queue, depth: usize) {
        self.queue_depth.with_label_values(&[queue.word()]).set(depth as i64);
    }

    /// Something was looked up.
    pub fn lookup(&self, outcome: Lookup) {
        self.lookups.with_label_values(&[outcome.word()]).inc();
    }

    /// A `Finding` object was written, or was not.
    pub fn finding_write(&self, outcome: FindingWrite) {
        self.finding_writes.with_label_values(&[outcome.word()]).inc();
    }

    /// `Finding` objects are defined and may be written.
    pub fn findings_api_is_up(&self) {
        self.findings_api_up.set(1);
    }

    /// `Finding` objects are not defined or may not be written.
    pub fn findings_api_is_down(&self) {
        self.findings_api_up.set(0);
    }

    /// Settings were read and are in force.
    pub fn config_loaded(&self, now: Time) {
        self.reload_successful.set(1);
        self.reload_success_at.set(now.as_millis() as f64 / 1000.0);
    }

    /// The file's settings are refused; those of before go on.
    pub fn config_refused(&self) {
        self.reload_successful.set(0);
    }

    /// There is a receiver of that name: all that is counted of it begins at 0.
    pub fn receiver(&self, name: &str) {
        for outcome in Sent::ALL {
            self.notifications.with_label_values(&[name, outcome.word()]);
        }
        self.notifications_pending.with_label_values(&[name]);
        self.receiver_stopped.with_label_values(&[name]);
    }

    /// There is no receiver of that name any more: nothing waits for it and nothing holds it up.
    pub fn receiver_removed(&self, name: &str) {
        // That they were never there is as good.
        let _ = self.notifications_pending.remove_label_values(&[name]);
        let _ = self.receiver_stopped.remove_label_values(&[name]);
    }

    /// Something became of a message.
    pub fn notification(&self, receiver: &str, outcome: Sent) {
        self.notifications.with_label_values(&[receiver, outcome.word()]).inc();
    }

    /// So many messages wait for a receiver.
    pub fn notifications_pending(&self, receiver: &str, count: usize) {
        self.notifications_pending.with_label_values(&[receiver]).set(count as i64);
    }

    /// Nothing is sent to a receiver any more.
    pub fn receiver_stopped(&self, receiver: &str) {
        self.receiver_stopped.with_label_values(&[receiver]).set(1);
    }

    /// A receiver is sent to again.
    pub fn receiver_resumed(&self, receiver: &str) {
        self.receiver_stopped.with_label_values(&[receiver]).set(0);
    }

    fn dropped(&self, count: u64) {
        self.series_dropped.inc_by(count);
    }

    /// Writes what was counted.
    fn write(&self, out: &mut String) -> std::fmt::Result {
        // Only a metric without a name or without a sample is refused, and none of these is one.
        let _ = TextEncoder::new().encode_utf8(&self.registry.gather(), out);
        locked(&self.restarts).write(out)?;
        locked(&self.probe_failures).write(out)
    }

    /// What has not been counted yet is 0, not absent.
    fn begin(&self) {
        for queue in Queue::ALL {
            self.queue_depth(*queue, 0);
        }
        for outcome in Lookup::ALL {
            self.lookups.with_label_values(&[outcome.word()]);
        }
        for outcome in FindingWrite::ALL {
            self.finding_writes.with_label_values(&[outcome.word()]);
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes metrics and registers them.
struct Maker {
    registry: Registry,
}

impl Maker {
    const VALID: &str = "names and labels are constants, and each name stands once";

    fn register<C: prometheus::core::Collector + Clone + 'static>(&self, made: prometheus::Result<C>) -> C {
        let collector = made.expect(Self::VALID);
        self.registry.register(Box::new(collector.clone())).expect(Self::VALID);
        collector
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.register(IntCounter::new(name, help))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.register(IntCounterVec::new(Opts::new(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.register(IntGauge::new(name, help))
    }

    fn gauges(&self, name: &str, help: &str, label: &str) -> IntGaugeVec {
        self.register(IntGaugeVec::new(Opts::new(name, help), &[label]))
    }

    fn real(&self, name: &str, help: &str) -> Gauge {
        self.register(Gauge::new(name, help))
    }

    fn seconds(&self, name: &str, help: &str) -> Histogram {
        let options = HistogramOpts::new(name, help).buckets(STEP_BUCKETS.to_vec());
        self.register(Histogram::with_opts(options))
    }
}

/// What a panic elsewhere left is still a count.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

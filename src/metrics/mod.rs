//! The metrics of probehound, about the cluster and about itself.
//!
//! Code that counts holds a [`Metrics`] and calls a method; existing state (the findings, the silences, the
//! watches, the process) is read on request (by the operator's exporter).
//!
//! Invariants:
//! - Every label of a closed set starts at 0, so that its first increment is visible.
//! - No metric has more than [`MAX_SERIES`](crate::report::metrics::MAX_SERIES) series and one for
//!   overflow; what went there is counted.
//! - No counter goes back.

mod capped;
pub mod instruments;
pub mod labels;
mod watching;

use std::sync::Arc;

use prometheus::{Gauge, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

use crate::finding::guard::{Guarded, Outcome, Refusal};
use crate::time::Time;
pub use capped::Capped;
use instruments::Instruments;
use labels::{Queue, Sent};
pub use watching::Watching;

/// The `Content-Type` of the exporter's output.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// All counters; shared by all who count.
pub struct Metrics {
    registry: Registry,
    instruments: Arc<Instruments>,
    queue_depth: IntGaugeVec,
    reload_successful: IntGauge,
    reload_success_at: Gauge,
    notifications: IntCounterVec,
    notifications_pending: IntGaugeVec,
    receiver_stopped: IntGaugeVec,
    guard: IntCounterVec,
}

impl Metrics {
    /// All metrics at zero.
    ///
    /// # Panics
    /// If two metrics have the same name, which a test excludes.
    pub fn new() -> Self {
        let make = Maker { registry: Registry::new() };
        let metrics = Self {
            instruments: Arc::new(Instruments::new(&make.registry).expect(Maker::VALID)),
            queue_depth: make.gauges("probehound_queue_depth", "Queue depth: items waiting to be processed.", "queue"),
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
            guard: make.counters(
                "probehound_guard_total",
                "Decisions of the guard about a rollout, and what came of them.",
                &["outcome", "reason"],
            ),
            registry: make.registry,
        };
        metrics.begin();
        metrics
    }

    /// The instruments of driver and keeper.
    pub fn instruments(&self) -> Arc<Instruments> {
        Arc::clone(&self.instruments)
    }

    /// The current length of a queue.
    pub fn queue_depth(&self, queue: Queue, depth: usize) {
        self.queue_depth.with_label_values(&[queue.word()]).set(depth as i64);
    }

    /// Settings were loaded and are in effect.
    pub fn config_loaded(&self, now: Time) {
        self.reload_successful.set(1);
        self.reload_success_at.set(now.as_millis() as f64 / 1000.0);
    }

    /// The file's settings were refused; the previous ones stay in effect.
    pub fn config_refused(&self) {
        self.reload_successful.set(0);
    }

    /// A receiver of that name exists: all its counters start at 0.
    pub fn receiver(&self, name: &str) {
        for outcome in Sent::ALL {
            self.notifications.with_label_values(&[name, outcome.word()]);
        }
        self.notifications_pending.with_label_values(&[name]);
        self.receiver_stopped.with_label_values(&[name]);
    }

    /// The receiver was removed: nothing waits for it and nothing blocks it.
    pub fn receiver_removed(&self, name: &str) {
        // It does not matter if they never existed.
        let _ = self.notifications_pending.remove_label_values(&[name]);
        let _ = self.receiver_stopped.remove_label_values(&[name]);
    }

    /// A message had this outcome.
    pub fn notification(&self, receiver: &str, outcome: Sent) {
        self.notifications(receiver, outcome, 1);
    }

    /// So many messages had this outcome.
    pub fn notifications(&self, receiver: &str, outcome: Sent, count: usize) {
        self.notifications.with_label_values(&[receiver, outcome.word()]).inc_by(count as u64);
    }

    /// Number of messages that wait for a receiver.
    pub fn notifications_pending(&self, receiver: &str, count: usize) {
        self.notifications_pending.with_label_values(&[receiver]).set(count as i64);
    }

    /// Nothing is sent to a receiver any more.
    pub fn receiver_stopped(&self, receiver: &str) {
        self.receiver_stopped.with_label_values(&[receiver]).set(1);
    }

    /// Messages are sent to a receiver again.
    pub fn receiver_resumed(&self, receiver: &str) {
        self.receiver_stopped.with_label_values(&[receiver]).set(0);
    }

    /// The guard decided about a rollout.
    pub fn guard(&self, guarded: &Guarded) {
        let reason = guarded.refusal.map_or("", Refusal::word);
        self.guard.with_label_values(&[guarded.outcome.word(), reason]).inc();
    }

    /// Writes the metrics.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut String) -> std::fmt::Result {
        // Only a metric without a name or without a sample is refused, and none of these is one.
        let _ = TextEncoder::new().encode_utf8(&self.registry.gather(), out);
        self.instruments.write(out)
    }

    /// What has not been counted yet is 0, not absent.
    fn begin(&self) {
        for queue in Queue::ALL {
            self.queue_depth(*queue, 0);
        }
        for outcome in [Outcome::Undone, Outcome::WouldUndo] {
            self.guard.with_label_values(&[outcome.word(), ""]);
        }
        for refusal in Refusal::ALL {
            self.guard.with_label_values(&[Outcome::Refused.word(), refusal.word()]);
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Creates metrics and registers them.
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
}

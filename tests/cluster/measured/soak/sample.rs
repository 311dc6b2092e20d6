//! The resource usage of the operators, one line per minute.

use std::fmt;

use super::recorder::Recorder;
use super::troubles::Stage;
use crate::measured::usage;
use crate::operator::Operator;

/// The measurements at one time.
pub struct Sample {
    pub minute: u64,
    /// Of the operator that runs all the time.
    pub resident: u64,
    pub files: u64,
    pub threads: u64,
    pub series: u64,
    queues: u64,
    pending: u64,
    pods: u64,
    confirmed: u64,
    suspected: u64,
    messages: usize,
    /// Its processor time so far, in seconds.
    pub processor: f64,
    /// Memory of the other one, and of the recorder.
    pub beside: [u64; 2],
}

impl Sample {
    /// The header of the lines.
    pub const HEAD: &str = " min     MiB  files threads series queued pending  pods confirmed suspected  told   cpu s  other MiB  record MiB";

    /// Measures.
    pub async fn of(minute: u64, stage: &Stage<'_>, recorder: &Recorder) -> Self {
        let steady: &Operator = &stage.steady;
        let metrics = steady.metrics().await;
        let sum = |name: &str, labels: &[&str]| metrics.sum(name, labels).unwrap_or_default();
        let used = usage::of(steady.pid());
        let beside = [stage.mortal.pid(), recorder.pid()].map(|pid| usage::of(pid).resident);
        Self {
            minute,
            resident: used.resident,
            files: usage::open_files(steady.pid()),
            threads: sum("process_threads", &[]),
            series: metrics.series() as u64,
            queues: sum("probehound_queue_depth", &[]),
            pending: sum("probehound_notifications_pending", &[]),
            pods: sum("probehound_tracked_pods", &[]),
            confirmed: sum("probehound_findings", &["state=\"confirmed\""]),
            suspected: sum("probehound_findings", &["state=\"suspected\""]),
            messages: stage.webhook.messages(),
            processor: used.processor.as_secs_f64(),
            beside,
        }
    }
}

/// Bytes in mebibytes.
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { minute, files, threads, series, queues, pending, pods, confirmed, suspected, messages, .. } = self;
        let [other, recorder] = self.beside.map(mebibytes);
        let (resident, processor) = (mebibytes(self.resident), self.processor);
        write!(
            f,
            "{minute:4} {resident:7.2} {files:6} {threads:7} {series:6} {queues:6} {pending:7} {pods:5} {confirmed:9} {suspected:9} {messages:5} {processor:7.1} {other:10.2} {recorder:11.2}"
        )
    }
}

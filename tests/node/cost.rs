//! The cost of the Deployment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::deployed::{Deployed, Usage};
use crate::harness::clock::Stopwatch;

/// The polling interval.
const EVERY: Duration = Duration::from_secs(2);

/// Measures the usage of probehound's process until it is stopped.
pub struct Meter {
    samples: Arc<Mutex<Vec<(Duration, Usage)>>>,
    over: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

/// The usage.
#[derive(Debug)]
pub struct Cost {
    /// Peak resident memory, in KiB.
    pub peak_kib: u64,
    /// Median resident memory over all samples, in KiB.
    pub median_kib: u64,
    /// Average processor usage, in thousandths.
    pub millicores: f64,
}

impl Meter {
    /// Starts to measure.
    pub fn start() -> Self {
        let samples: Arc<Mutex<Vec<(Duration, Usage)>>> = Arc::default();
        let over = Arc::new(AtomicBool::new(false));
        let (kept, ended) = (Arc::clone(&samples), Arc::clone(&over));
        let task = tokio::spawn(async move {
            let since = Stopwatch::start();
            while !ended.load(Ordering::Relaxed) {
                if let Some(usage) = Deployed::usage() {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push((since.elapsed(), usage));
                }
                tokio::time::sleep(EVERY).await;
            }
        });
        Self { samples, over, task }
    }

    /// Stops; returns the usage meanwhile.
    ///
    /// # Panics
    /// There was no process to measure.
    pub async fn finish(self) -> Cost {
        self.over.store(true, Ordering::Relaxed);
        self.task.await.expect("it does not panic");
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory: Vec<u64> = samples.iter().map(|(_, usage)| usage.resident_kib).collect();
        memory.sort_unstable();
        // Between two samples of the same process: after a restart the counter begins anew.
        let pairs = samples.windows(2).filter(|pair| pair[0].1.pid == pair[1].1.pid);
        let (cpu, time) = pairs.fold((0.0, 0.0), |(cpu, time), pair| {
            let (earlier, later) = (&pair[0], &pair[1]);
            (cpu + later.1.cpu_seconds - earlier.1.cpu_seconds, time + later.0.saturating_sub(earlier.0).as_secs_f64())
        });
        Cost {
            peak_kib: *memory.last().expect("probehound runs"),
            median_kib: memory[memory.len() / 2],
            millicores: 1000.0 * cpu / time,
        }
    }
}

//! Meaningful times on a machine that runs other things too: the CPU time of the thread.

use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use rustix::time::{ClockId, clock_gettime};

/// A benchmark.
pub struct Case<'a> {
    /// Its name.
    pub name: String,
    /// Number of bytes processed each time, if relevant.
    pub bytes: Option<usize>,
    /// Runs it that many times, and returns how long that took.
    pub sample: Box<dyn FnMut(usize) -> Duration + 'a>,
}

impl<'a> Case<'a> {
    /// A benchmark in which everything in each repetition is measured.
    pub fn new(name: &str, bytes: Option<usize>, mut run: impl FnMut() + 'a) -> Self {
        let sample = move |times| timed(|| (0..times).for_each(|_| run()));
        Self { name: name.to_owned(), bytes, sample: Box::new(sample) }
    }
}

/// The CPU time that `run` takes.
pub fn timed(run: impl FnOnce()) -> Duration {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
    };
    let began = now();
    run();
    now().saturating_sub(began)
}

/// Measures related benchmarks.
pub fn measure(criterion: &mut Criterion, title: &str, cases: Vec<Case>, samples: usize) {
    let mut group = criterion.benchmark_group(title);
    group.sample_size(samples).sampling_mode(SamplingMode::Flat);
    for mut case in cases {
        if let Some(bytes) = case.bytes {
            group.throughput(Throughput::Bytes(bytes as u64));
        }
        group.bench_function(case.name, |bench| bench.iter_custom(|times| (case.sample)(times as usize)));
    }
    group.finish();
}

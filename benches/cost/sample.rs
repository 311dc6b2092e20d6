//! Times that mean something on a machine that does other things too: the CPU time of the thread.

use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use rustix::time::{ClockId, clock_gettime};

/// Something that is measured.
pub struct Case<'a> {
    /// What it is called.
    pub name: String,
    /// Bytes that it takes in each time, where that says something.
    pub bytes: Option<usize>,
    /// Does it so often, and says how long that took.
    pub sample: Box<dyn FnMut(usize) -> Duration + 'a>,
}

impl<'a> Case<'a> {
    /// A case of which each repetition is measured with all that it does.
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

/// Measures cases that belong together.
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

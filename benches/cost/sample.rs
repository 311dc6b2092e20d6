//! Times that mean something on a machine that does other things too.
//!
//! What counts is the CPU time of the thread, in many short samples; what is compared is sampled in
//! turn, so that the same load lies on all of it. The least is what the code costs when nobody
//! disturbs it, the median shows how much it was disturbed.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Something that is measured.
pub struct Case<'a> {
    /// What it is called in the table.
    pub name: String,
    /// How often it is done in a sample.
    pub times: usize,
    /// Bytes that it takes in each time, where that says something.
    pub bytes: Option<usize>,
    /// Does it so often, and says how long that took.
    pub sample: Box<dyn FnMut(usize) -> Duration + 'a>,
}

impl<'a> Case<'a> {
    /// A case of which each repetition is measured with all that it does.
    pub fn new(name: &str, times: usize, bytes: Option<usize>, mut run: impl FnMut() + 'a) -> Self {
        let sample = move |times| timed(|| (0..times).for_each(|_| run()));
        Self { name: name.to_owned(), times, bytes, sample: Box::new(sample) }
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

/// Samples the cases in turn, prints a line for each, and returns the least time of each.
pub fn measure(title: &str, cases: &mut [Case], samples: usize) -> Vec<Duration> {
    let mut taken: Vec<Vec<Duration>> = cases.iter().map(|_| Vec::with_capacity(samples)).collect();
    for _ in 0..samples {
        for (case, taken) in cases.iter_mut().zip(&mut taken) {
            taken.push((case.sample)(case.times) / case.times as u32);
        }
    }
    println!("\n{title}: {samples} samples of each in turn");
    cases.iter().zip(&mut taken).map(|(case, taken)| tell(case, taken)).collect()
}

fn tell(case: &Case, taken: &mut [Duration]) -> Duration {
    taken.sort_unstable();
    let (least, median) = (taken[0], taken[taken.len() / 2]);
    let speed = case.bytes.map_or_else(String::new, |bytes| {
        let megabytes = |time: Duration| bytes as f64 / time.as_secs_f64() / 1e6;
        format!("   {:.0} MB/s, {:.0}", megabytes(least), megabytes(median))
    });
    println!("  {:<34} least {:>10.2?}   median {:>10.2?}{speed}", case.name, least, median);
    least
}

//! Trends of the measurements: straight lines through them.

use std::fmt;

use super::sample::{Sample, mebibytes};

/// Allowed growth of memory, in MiB per hour.
const RISE: f64 = 1.0;
/// The part of the run that is ignored: tables and caches reach their size.
const WARM_UP: f64 = 0.2;
/// Files that are open only for a moment.
const FEW_FILES: u64 = 8;

/// All measurements.
#[derive(Default)]
pub struct Course {
    samples: Vec<Sample>,
}

impl Course {
    /// Adds one.
    pub fn add(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// What grew but should not have, if the run was long enough to tell.
    pub fn wrong(&self, is_long: bool) -> Vec<String> {
        if !is_long {
            println!("too short to tell whether anything grows");
            return Vec::new();
        }
        let rise = self.rise(|sample| mebibytes(sample.resident));
        let mut wrong = Vec::new();
        if rise >= RISE {
            wrong.push(format!("memory rises by {rise:.2} MiB an hour (goal: below {RISE})"));
        }
        for (what, [first, last], room) in [
            ("open files", self.most(|sample| sample.files), FEW_FILES),
            ("series", self.most(|sample| sample.series), 0),
        ] {
            // As many series come and go as there are findings.
            if last > first + first / 20 + room {
                wrong.push(format!("{what} grow: at most {first} at first, {last} later"));
            }
        }
        wrong
    }

    /// The measurements after the warm-up.
    fn warm(&self) -> &[Sample] {
        &self.samples[(self.samples.len() as f64 * WARM_UP) as usize..]
    }

    /// The growth per hour: the slope of the least-squares line.
    fn rise(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        slope(&self.warm().iter().map(|sample| (sample.minute as f64 / 60.0, of(sample))).collect::<Vec<_>>())
    }

    /// The maximum in the first half after the warm-up, and in the second.
    fn most(&self, of: impl Fn(&Sample) -> u64) -> [u64; 2] {
        let (first, last) = self.warm().split_at(self.warm().len() / 2);
        [first, last].map(|half| half.iter().map(&of).max().unwrap_or_default())
    }
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memory = self.rise(|sample| mebibytes(sample.resident));
        let recorder = self.rise(|sample| mebibytes(sample.beside[1]));
        let [files, series] = [self.most(|sample| sample.files), self.most(|sample| sample.series)];
        let threads = self.most(|sample| sample.threads);
        let minutes = self.samples.len().max(1) as f64;
        let processor = self.samples.last().map_or(0.0, |sample| sample.processor) / minutes / 0.6;
        write!(
            f,
            "memory: {memory:+.2} MiB an hour (goal: below {RISE}); of the recorder {recorder:+.2}\n\
             at most, in the first and the second half after the warm-up: open files {files:?}, threads {threads:?}, series {series:?}\n\
             processor: {processor:.1} % of a core"
        )
    }
}

/// The slope of the least-squares line through these points; 0 for less than two.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let together: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    if spread > 0.0 { together / spread } else { 0.0 }
}

#[test]
fn a_straight_line_has_its_own_slope() {
    let points: Vec<(f64, f64)> = (0..10).map(|x| (f64::from(x), 3.0 - 0.5 * f64::from(x))).collect();
    assert!((slope(&points) + 0.5).abs() < 1e-9);
    assert!(slope(&points[..1]).abs() < 1e-9);
}

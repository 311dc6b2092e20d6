//! The clocks of the tests, which run in real time.

use std::time::{Duration, Instant};

pub use probehound::runtime::clock::now;
use probehound::time::Time;

/// Measures how long something takes.
#[derive(Copy, Clone)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    #[expect(clippy::disallowed_methods, reason = "real processes take real time")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has run.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits until the clock shows `time`; returns how late it is then.
pub async fn sleep_until(time: Time) -> Duration {
    tokio::time::sleep(time.since(now())).await;
    now().since(time)
}

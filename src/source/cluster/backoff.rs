//! How long to wait before the next attempt.

use std::time::Duration;

use kube::runtime::utils::Backoff as KubeBackoff;
use tokio::time::Instant;

use crate::text::hash::mix;
use crate::time::doubling::{Doubling, jittered};

/// Between attempts.
const WAITS: Doubling = Doubling { first: Duration::from_millis(800), longest: Duration::from_secs(30) };
/// Percent by which chance makes a wait longer or shorter.
const JITTER: u32 = 10;
/// Time without a failure after which earlier failures are forgotten.
const HEALTHY: Duration = Duration::from_mins(2);

/// Delays that double from 0.8 s to 30 s, each with a jitter of up to a tenth.
///
/// kube resets a back-off with every item, and its `watcher` emits one before each attempt to list: with
/// its own back-off a failing list is retried every second forever. This one resets only after two minutes
/// without a failure; [`KubeBackoff::reset`] does nothing.
#[derive(Debug)]
pub struct Backoff {
    chance: u64,
    failures: u32,
    last: Option<Instant>,
}

impl Backoff {
    /// A back-off without failures. Equal seeds give equal delays.
    pub const fn new(seed: u64) -> Self {
        Self { chance: seed, failures: 0, last: None }
    }

    /// A back-off with a random seed, so that replicas do not retry in step.
    pub fn seeded_by_chance() -> Self {
        use std::hash::{BuildHasher, RandomState};
        Self::new(RandomState::new().hash_one(0_u8))
    }

    /// The delay after a failure that occurred now.
    pub fn wait(&mut self) -> Duration {
        let now = Instant::now();
        if self.last.is_some_and(|last| now.duration_since(last) > HEALTHY) {
            self.failures = 0;
        }
        self.last = Some(now);
        let wait = WAITS.after(self.failures);
        self.failures = self.failures.saturating_add(1);
        jittered(wait, JITTER, self.next_chance()).min(WAITS.longest)
    }

    /// A random duration below a second, so that not all who wait for the same thing come at once.
    pub fn jitter(&mut self) -> Duration {
        Duration::from_millis(self.next_chance() % 1000)
    }

    fn next_chance(&mut self) -> u64 {
        self.chance = mix(self.chance, 1);
        self.chance
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(self.wait())
    }
}

impl KubeBackoff for Backoff {
    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn about(wait: Duration, seconds: f64) -> bool {
        (wait.as_secs_f64() / seconds - 1.0).abs() <= 0.1 + 1e-9
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_half_a_minute() {
        let mut backoff = Backoff::new(7);
        for seconds in [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0, 30.0] {
            let wait = backoff.wait();
            assert!(about(wait, seconds) && wait <= WAITS.longest, "{wait:?} is not about {seconds} s");
            backoff.reset();
            advance(wait).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_two_minutes_of_health_make_it_forget() {
        let mut backoff = Backoff::new(7);
        for _ in 0..4 {
            backoff.wait();
        }
        advance(HEALTHY).await;
        assert!(about(backoff.wait(), 12.8));
        advance(HEALTHY + Duration::from_millis(1)).await;
        assert!(about(backoff.wait(), 0.8));
    }

    #[tokio::test(start_paused = true)]
    async fn equal_seeds_wait_alike_and_others_do_not() {
        let waits = |seed| Backoff::new(seed).take(5).collect::<Vec<_>>();
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }
}

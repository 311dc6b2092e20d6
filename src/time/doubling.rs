//! Waits between attempts that double with each failure.

use std::time::Duration;

/// Failures after which the wait grows no more, whatever its maximum.
const MAX_DOUBLINGS: u32 = 16;

/// The wait after the first failure, and the maximum.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Doubling {
    /// After the first failure.
    pub first: Duration,
    /// After any.
    pub longest: Duration,
}

impl Doubling {
    /// The wait after a failure before which there were so many others in a row.
    pub fn after(self, failures: u32) -> Duration {
        self.first.saturating_mul(1 << failures.min(MAX_DOUBLINGS)).min(self.longest)
    }
}

/// A wait that `chance` makes longer or shorter by up to so many percent, to the millisecond: who wait for the same
/// do not come back in step.
pub fn jittered(wait: Duration, percent: u32, chance: u64) -> Duration {
    let percent = percent.min(100);
    let least = wait * (100 - percent) / 100;
    let span = u64::try_from((wait * (2 * percent) / 100).as_millis()).unwrap_or(u64::MAX - 1);
    least + Duration::from_millis(chance % (span + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_doubles_up_to_the_longest_and_is_bounded_for_ever() {
        let waits = Doubling { first: Duration::from_secs(1), longest: Duration::from_secs(30) };
        let seconds: Vec<u64> = (0..7).map(|failures| waits.after(failures).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(waits.after(u32::MAX), waits.longest);
    }

    #[test]
    fn chance_moves_a_wait_within_its_share() {
        let wait = Duration::from_secs(10);
        let all: Vec<Duration> = (0..5000).map(|chance| jittered(wait, 10, chance)).collect();
        assert_eq!(all.iter().min(), Some(&Duration::from_secs(9)));
        assert_eq!(all.iter().max(), Some(&Duration::from_secs(11)));
        assert_eq!(jittered(wait, 0, 7), wait);
    }
}

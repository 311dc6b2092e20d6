//! How fast messages are sent to one receiver, and the back-off after a failure: pure.

use std::time::Duration;

use crate::text::hash::{mark, mix};
use crate::time::Time;
use crate::time::doubling::{Doubling, jittered};

/// Slack accepts one message a second from a webhook.
const BETWEEN: Duration = Duration::from_secs(1);
/// Back-off between attempts; the maximum is also how late it is noticed that a receiver is back.
const WAITS: Doubling = Doubling { first: Duration::from_secs(1), longest: Duration::from_mins(5) };
/// Percent by which chance makes a wait longer or shorter.
const JITTER: u32 = 25;
/// Maximum wait that a receiver may ask for: a mistake in its header must not silence it forever.
const LONGEST_ASKED: Duration = Duration::from_hours(1);
/// Failures in a row after which a person should look.
pub const WORTH_A_LOOK: u32 = 5;

/// When the next message may be sent to a receiver.
#[derive(Clone, Debug)]
pub struct Pace {
    not_before: Time,
    failures: u32,
    seed: u64,
}

impl Pace {
    /// A receiver that may be sent to at once; `name` and `start` seed its jitter.
    pub fn new(name: &str, start: Time) -> Self {
        Self { not_before: Time::default(), failures: 0, seed: mark(&(name, start)) }
    }

    /// Nothing may be sent before this time.
    pub const fn not_before(&self) -> Time {
        self.not_before
    }

    /// Number of failures since it last worked.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// It answered at `now`, whether it accepted the message or refused it for good.
    pub fn answered(&mut self, now: Time) {
        self.failures = 0;
        self.not_before = now.plus(BETWEEN);
    }

    /// It failed at `now`, and asked for `wait`, if it asked for anything: the wait grows with each
    /// failure, with a jitter of up to a quarter, so that receivers do not fall into step.
    pub fn failed(&mut self, now: Time, wait: Option<Duration>) {
        let grown = WAITS.after(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.seed = mix(self.seed, u64::from(self.failures));
        let wait = wait.map_or(jittered(grown, JITTER, self.seed), |wait| wait.clamp(BETWEEN, LONGEST_ASKED));
        self.not_before = now.plus(wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time::from_millis(1_795_000_000_000);

    #[test]
    fn the_wait_grows_to_five_minutes_and_starts_anew_after_an_answer() {
        let mut pace = Pace::new("slack", START);
        let waits: Vec<u64> = (0..12).map(|_| failed(&mut pace, None).as_secs()).collect();
        assert!(waits[0] <= 1 && waits.iter().all(|wait| *wait <= 375), "{waits:?}");
        assert!(waits[11] >= 225, "{waits:?}");
        pace.answered(START);
        assert_eq!(pace.not_before().since(START), BETWEEN);
        assert!(failed(&mut pace, None) < Duration::from_millis(1300));
    }

    #[test]
    fn two_receivers_do_not_come_back_in_step() {
        let waits = ["one", "other"].map(|name| {
            let mut pace = Pace::new(name, START);
            (0..8).map(|_| failed(&mut pace, None)).collect::<Vec<_>>()
        });
        assert_ne!(waits[0], waits[1]);
    }

    #[test]
    fn what_the_receiver_asks_for_is_kept_within_reason() {
        let mut pace = Pace::new("slack", START);
        assert_eq!(failed(&mut pace, Some(Duration::from_secs(30))), Duration::from_secs(30));
        assert_eq!(failed(&mut pace, Some(Duration::ZERO)), BETWEEN);
        assert_eq!(failed(&mut pace, Some(Duration::from_hours(1000))), LONGEST_ASKED);
    }

    fn failed(pace: &mut Pace, wait: Option<Duration>) -> Duration {
        pace.failed(START, wait);
        pace.not_before().since(START)
    }
}

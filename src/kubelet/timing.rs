//! When a probe can kill: arithmetic on a probe's fields.
//!
//! Saturating throughout, since a manifest's fields may be as large as 2³¹−1 seconds. A period, timeout or
//! threshold of zero counts as the API's minimum of one.

use std::time::Duration;

use super::ProbeSpec;

const SECOND: Duration = Duration::from_secs(1);

/// A kill stands in the pod's status this long after it at the latest, in seconds: measured, most take 0.6 s.
const STATUS: u64 = 3;

/// The numbers of a probe; times in whole seconds.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Timing {
    /// `initialDelaySeconds`
    pub delay: u64,
    /// `periodSeconds`
    pub period: u64,
    /// `timeoutSeconds`
    pub timeout: u64,
    /// `failureThreshold`
    pub failures: u64,
}

impl Timing {
    /// How long a container has to answer, from its start on: `delay + failures x period`.
    pub const fn budget(&self) -> u64 {
        self.delay.saturating_add(self.failures.saturating_mul(self.period))
    }

    /// The earliest time at which it may be killed: `delay + (failures - 1) x period`.
    pub const fn earliest(&self) -> u64 {
        self.delay.saturating_add(self.failures.saturating_sub(1).saturating_mul(self.period))
    }

    /// The latest time at which the pod of a container that never answers stops being ready: `delay +
    /// failures x max(period, timeout) + timeout + 3`, the last for its status. An app that takes long to end
    /// stays ready while it does.
    pub fn latest(&self) -> u64 {
        let failing = self.failures.saturating_mul(self.step());
        self.delay.saturating_add(failing).saturating_add(self.timeout).saturating_add(STATUS)
    }

    /// The least `minReadySeconds` with which no pod counts as available that the probe is about to end.
    pub fn min_ready(&self) -> u64 {
        self.latest().saturating_add(1)
    }

    /// The latest time at which the first result is known: `delay + period + timeout + 2`.
    fn first_result(&self) -> u64 {
        self.delay.saturating_add(self.period).saturating_add(self.timeout).saturating_add(2)
    }

    /// The maximum time from one run of the probe to the next.
    pub fn step(&self) -> u64 {
        self.period.max(self.timeout)
    }

    /// [`Self::budget`] in words: `initialDelaySeconds 5 + failureThreshold 2 x periodSeconds 3 = 11 s`.
    pub fn budget_in_words(&self) -> String {
        let (delay, failures) = (self.delay_in_words(), self.failures);
        format!("{delay}failureThreshold {failures} x periodSeconds {} = {} s", self.period, self.budget())
    }

    /// [`Self::latest`] in words: `failureThreshold 2 x 5 s + timeoutSeconds 1 + 3 s for the status = 14 s`.
    pub fn latest_in_words(&self) -> String {
        let (delay, failures, step, timeout) = (self.delay_in_words(), self.failures, self.step(), self.timeout);
        let latest = self.latest();
        format!(
            "{delay}failureThreshold {failures} x {step} s + timeoutSeconds {timeout} + {STATUS} s for the status = {latest} s"
        )
    }

    fn delay_in_words(&self) -> String {
        if self.delay == 0 { String::new() } else { format!("initialDelaySeconds {} + ", self.delay) }
    }
}

impl ProbeSpec {
    /// Its numbers.
    pub fn timing(&self) -> Timing {
        Timing {
            delay: self.initial_delay.as_secs(),
            period: self.period.as_secs().max(1),
            timeout: self.timeout.as_secs().max(1),
            failures: self.failure_threshold.max(1).into(),
        }
    }

    /// The minimum uptime after which this probe can have killed a container on its own.
    ///
    /// `initialDelay + (F−1)·P − 1 s`: `startedAt` is truncated to whole seconds.
    pub fn shortest_kill(&self) -> Duration {
        Duration::from_secs(self.timing().earliest()).saturating_sub(SECOND)
    }

    /// The maximum uptime of a container whose probe never passed and that was killed by it.
    ///
    /// `initialDelay + F·S + d + grace + 3 s`, with `S = max(P, d)` and `d` the timeout; `grace` is the
    /// pod's, unless the probe has its own.
    pub fn longest_kill(&self, grace: Duration) -> Duration {
        self.passed_after().saturating_add(self.grace.unwrap_or(grace))
    }

    /// Running longer than this without a kill means that the probe has passed.
    ///
    /// `initialDelay + F·S + d + 3 s`
    pub fn passed_after(&self) -> Duration {
        Duration::from_secs(self.timing().latest())
    }

    /// The latest uptime for the first probe's result: `initialDelay + P + d + 2 s`.
    pub fn first_result_by(&self) -> Duration {
        Duration::from_secs(self.timing().first_result())
    }

    /// The maximum time from one run of the probe to the next: `S`.
    pub fn step(&self) -> Duration {
        Duration::from_secs(self.timing().step())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Handler, Port};
    use super::*;

    #[test]
    fn the_defaults_kill_between_19_and_64_seconds() {
        let probe = probe(0, 10, 1, 3);

        assert_eq!(probe.shortest_kill(), seconds(19));
        assert_eq!(probe.passed_after(), seconds(34));
        assert_eq!(probe.longest_kill(seconds(30)), seconds(64));
        assert_eq!(probe.first_result_by(), seconds(13));
    }

    #[test]
    fn a_rollout_has_to_wait_until_the_last_moment_of_a_kill_is_over() {
        let timing = probe(5, 5, 1, 2).timing();

        assert_eq!((timing.budget(), timing.earliest(), timing.latest(), timing.min_ready()), (15, 10, 19, 20));
        let words = "initialDelaySeconds 5 + failureThreshold 2 x 5 s + timeoutSeconds 1 + 3 s for the status = 19 s";
        assert_eq!(timing.latest_in_words(), words);
        assert_eq!(probe(0, 5, 1, 2).timing().min_ready(), 15);
    }

    #[test]
    fn a_timeout_longer_than_the_period_is_the_step() {
        let probe = probe(5, 2, 10, 3);

        assert_eq!(probe.shortest_kill(), seconds(8));
        assert_eq!(probe.passed_after(), seconds(5 + 30 + 10 + 3));
    }

    #[test]
    fn the_probe_s_own_grace_takes_the_place_of_the_pod_s() {
        let mut probe = probe(0, 5, 1, 2);
        probe.grace = Some(seconds(7));

        assert_eq!(probe.longest_kill(seconds(600)), probe.passed_after() + seconds(7));
    }

    #[test]
    fn zeros_count_as_the_minimum() {
        assert_eq!(probe(0, 0, 0, 0).shortest_kill(), Duration::ZERO);
        assert_eq!(probe(0, 0, 0, 0).passed_after(), probe(0, 1, 1, 1).passed_after());
        assert_eq!(probe(0, 0, 0, 0).first_result_by(), seconds(4));
    }

    proptest! {
        #[test]
        fn the_bounds_are_in_order_for_any_fields(
            delay in any::<u64>(), period in any::<u64>(), timeout in any::<u64>(),
            threshold in any::<u32>(), grace in any::<u64>(),
        ) {
            let probe = probe(delay, period, timeout, threshold);
            prop_assert!(probe.shortest_kill() <= probe.passed_after());
            prop_assert!(probe.passed_after() <= probe.longest_kill(seconds(grace)));
            prop_assert!(probe.first_result_by() <= probe.passed_after());
        }
    }

    fn probe(initial_delay: u64, period: u64, timeout: u64, failure_threshold: u32) -> ProbeSpec {
        ProbeSpec {
            handler: Handler::Tcp { host: None, port: Port::Number(8080) },
            initial_delay: seconds(initial_delay),
            period: seconds(period),
            timeout: seconds(timeout),
            failure_threshold,
            grace: None,
        }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }
}

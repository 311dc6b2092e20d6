//! When a probe can kill: arithmetic on a probe's fields.
//!
//! Saturating throughout, since a manifest's fields may be as large as 2³¹−1 seconds. A period, timeout or
//! threshold of zero counts as the API's minimum of one.

use std::time::Duration;

use super::ProbeSpec;

const SECOND: Duration = Duration::from_secs(1);

impl ProbeSpec {
    /// The minimum uptime after which this probe can have killed a container on its own.
    ///
    /// `initialDelay + (F−1)·P − 1 s`: `startedAt` is truncated to whole seconds.
    pub fn shortest_kill(&self) -> Duration {
        self.initial_delay.saturating_add(self.period().saturating_mul(self.threshold() - 1)).saturating_sub(SECOND)
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
        self.initial_delay
            .saturating_add(self.step().saturating_mul(self.threshold()))
            .saturating_add(self.duration())
            .saturating_add(3 * SECOND)
    }

    /// The latest uptime for the first probe's result: `initialDelay + P + d + 2 s`.
    pub fn first_result_by(&self) -> Duration {
        self.initial_delay.saturating_add(self.period()).saturating_add(self.duration()).saturating_add(2 * SECOND)
    }

    /// The maximum time from one run of the probe to the next: `S`.
    pub fn step(&self) -> Duration {
        self.period().max(self.duration())
    }

    fn period(&self) -> Duration {
        self.period.max(SECOND)
    }

    /// The maximum duration of one run of the probe.
    fn duration(&self) -> Duration {
        self.timeout.max(SECOND)
    }

    fn threshold(&self) -> u32 {
        self.failure_threshold.max(1)
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

//! When a probe can kill: arithmetic on a probe's fields.

use std::time::Duration;

use super::ProbeSpec;

impl ProbeSpec {
    /// The least uptime after which this probe can have ended a container on its own count.
    ///
    /// `initialDelay + (F−1)·P − 1 s`: `startedAt` is cut to whole seconds.
    pub fn shortest_kill(&self) -> Duration {
        Duration::ZERO
    }

    /// The longest uptime of a container whose probe never passed and that was killed by it.
    ///
    /// `initialDelay + F·S + d + grace + 3 s`, with `S = max(P, d)` and `d` the timeout; `grace` is
    /// the pod's, the probe's own takes its place.
    pub fn longest_kill(&self, grace: Duration) -> Duration {
        let _ = grace;
        Duration::ZERO
    }

    /// Running longer than this without a kill means that the probe has passed.
    ///
    /// `initialDelay + F·S + d + 3 s`
    pub fn passed_after(&self) -> Duration {
        Duration::ZERO
    }

    /// The latest uptime at which the first probe's result is there: `initialDelay + P + d + 2 s`.
    pub fn first_result_by(&self) -> Duration {
        Duration::ZERO
    }
}

//! The `minReadySeconds` that stops a rollout whose pods are ready until their probe ends them: the arithmetic of
//! findings and of `lint`.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kubelet::Timing;

/// What about a Deployment would have stopped a rollout that broke a liveness probe.
///
/// A pod is ready until it is killed, and counts as available `minReadySeconds` after it is ready. Below the
/// probe's kill budget the rollout goes on to the last old pod.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MinReady {
    /// `minReadySeconds` of the Deployment.
    pub current: u32,
    /// The least `minReadySeconds` that is above the kill budget.
    pub suggested: u32,
    /// The earliest end of a container that the probe never passes, in seconds after its start:
    /// `initialDelaySeconds + (failureThreshold - 1) x periodSeconds`.
    pub earliest: u32,
    /// The latest one, until its pod's status shows it.
    pub latest: u32,
    /// The pods that the Deployment wants.
    pub pods: u32,
    /// How many of the old ones were gone at the first kill; `null` where it was not seen.
    pub gone: Option<u32>,
    /// How many of them `suggested` keeps: all but `maxUnavailable`.
    pub kept: u32,
    /// How many pods the rollout makes at once, beside the old ones: `maxSurge`.
    pub surge: u32,
    /// Whether the container has a startup probe.
    pub startup: bool,
}

/// How a Deployment replaces its pods.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct RollingUpdate {
    /// `minReadySeconds`
    pub min_ready: u32,
    /// `progressDeadlineSeconds`, which has to be greater.
    pub deadline: u32,
    /// `strategy.rollingUpdate.maxSurge`
    pub max_surge: Share,
    /// `strategy.rollingUpdate.maxUnavailable`
    pub max_unavailable: Share,
}

/// A number of pods.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Share {
    /// That many.
    Pods(u32),
    /// That many of a hundred.
    Percent(u32),
}

impl RollingUpdate {
    /// The API server's default for `progressDeadlineSeconds`.
    pub const DEADLINE: u32 = 600;

    /// How many pods are made at once, and how many may be missing, of that many.
    ///
    /// As `pkg/controller/deployment/util` resolves them: `maxSurge` is rounded up, `maxUnavailable` down, and one
    /// may be missing where both are zero.
    pub fn resolve(self, pods: u32) -> (u32, u32) {
        let surge = self.max_surge.of(pods, u64::div_ceil);
        let unavailable = self.max_unavailable.of(pods, |all, hundred| all / hundred).min(pods);
        if surge == 0 && unavailable == 0 { (0, pods.min(1)) } else { (surge, unavailable) }
    }
}

impl Share {
    /// The API server's default.
    pub const DEFAULT: Self = Self::Percent(25);

    fn of(self, pods: u32, divide: impl Fn(u64, u64) -> u64) -> u32 {
        match self {
            Self::Pods(number) => number,
            Self::Percent(percent) => {
                let share = divide(u64::from(percent) * u64::from(pods), 100);
                u32::try_from(share).unwrap_or(u32::MAX)
            }
        }
    }
}

impl FromStr for Share {
    type Err = std::num::ParseIntError;

    /// `25%`
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_suffix('%').unwrap_or("").parse().map(Self::Percent)
    }
}

impl MinReady {
    /// What would stop a rollout of that many pods; `None` if it stops by itself, nothing would be kept, or the
    /// deadline is too early: the API server refuses a `minReadySeconds` that is not below it.
    pub fn new(rollout: RollingUpdate, pods: u32, probe: Timing, startup: bool) -> Option<Self> {
        let suggested = u32::try_from(probe.min_ready()).ok()?;
        let (surge, unavailable) = rollout.resolve(pods);
        let kept = pods - unavailable;
        (rollout.min_ready < suggested && suggested < rollout.deadline && kept > 0).then_some(Self {
            current: rollout.min_ready,
            suggested,
            earliest: u32::try_from(probe.earliest()).ok()?,
            latest: u32::try_from(probe.latest()).ok()?,
            pods,
            gone: None,
            kept,
            surge,
            startup,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: Timing = Timing { delay: 0, period: 5, timeout: 1, failures: 2 };

    fn rolling(max_surge: Share, max_unavailable: Share) -> RollingUpdate {
        RollingUpdate { min_ready: 0, deadline: RollingUpdate::DEADLINE, max_surge, max_unavailable }
    }

    #[test]
    fn shares_are_resolved_as_the_controller_does() {
        let quarter = |pods| rolling(Share::DEFAULT, Share::DEFAULT).resolve(pods);
        assert_eq!([1, 3, 4, 10, 12].map(quarter), [(1, 0), (1, 0), (1, 1), (3, 2), (3, 3)]);
        assert_eq!(rolling(Share::Pods(0), Share::Percent(10)).resolve(5), (0, 1), "both would be zero");
        assert_eq!(rolling(Share::Pods(1), Share::Pods(9)).resolve(3), (1, 3));
        assert_eq!(rolling(Share::Percent(u32::MAX), Share::Pods(0)).resolve(u32::MAX).0, u32::MAX);
        assert_eq!(("25%".parse(), "x%".parse::<Share>().is_err()), (Ok(Share::Percent(25)), true));
        assert!("25".parse::<Share>().is_err());
    }

    #[test]
    fn the_least_number_above_the_kill_budget_keeps_all_but_what_may_be_missing() {
        let rollout = rolling(Share::DEFAULT, Share::DEFAULT);
        let told = MinReady::new(rollout, 12, PROBE, false).expect("advice");
        assert_eq!((told.current, told.suggested, told.earliest, told.latest), (0, 15, 5, 14));
        assert_eq!((told.pods, told.kept, told.surge, told.gone), (12, 9, 3, None));
    }

    #[test]
    fn nothing_is_said_where_it_would_not_help() {
        let rollout = rolling(Share::DEFAULT, Share::DEFAULT);
        let told = |rollout, pods| MinReady::new(rollout, pods, PROBE, false);
        assert_eq!(told(RollingUpdate { min_ready: 15, ..rollout }, 12), None, "it waits long enough");
        assert_eq!(told(RollingUpdate { deadline: 15, ..rollout }, 12), None, "it is refused");
        assert_eq!(told(rolling(Share::Pods(0), Share::Percent(100)), 12), None, "nothing is kept");
        assert_eq!(told(rollout, 0), None, "it has no pods");
        assert!(told(RollingUpdate { min_ready: 14, deadline: 16, ..rollout }, 12).is_some());
    }
}

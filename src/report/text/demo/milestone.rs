//! The milestones of an outage.

use std::time::Duration;

use crate::report::when::span;
use crate::time::Time;

/// A milestone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Milestone {
    /// The revision to blame was rolled out.
    Rollout {
        /// When.
        at: Time,
        /// Its number.
        revision: u64,
    },
    /// A restart was visible in a pod's status.
    FirstRestart(Time),
    /// probehound confirmed a finding.
    Told {
        /// When.
        at: Time,
        /// How long after the rollout.
        after_rollout: Option<Duration>,
        /// How long after the first restart.
        after_restart: Option<Duration>,
    },
    /// The first container was in `CrashLoopBackOff`.
    FirstBackOff(Time),
    /// No pod was ready.
    NoneReady(Time),
    /// All pods were ready again.
    AllReady(Time),
    /// probehound reported that it was resolved.
    Resolved(Time),
}

impl Milestone {
    /// When.
    pub const fn at(&self) -> Time {
        match self {
            Self::Rollout { at, .. }
            | Self::Told { at, .. }
            | Self::FirstRestart(at)
            | Self::FirstBackOff(at)
            | Self::NoneReady(at)
            | Self::AllReady(at)
            | Self::Resolved(at) => *at,
        }
    }

    /// What happened, and a remark about it.
    pub(super) fn words(&self) -> (String, String) {
        let after = |span_: &Option<Duration>, what| span_.map(|it| format!("{} after the {what}", span(it)));
        match self {
            Self::Rollout { revision, .. } => (format!("revision {revision} is rolled out"), String::new()),
            Self::FirstRestart(_) => ("first restart in a pod's status".into(), String::new()),
            Self::Told { after_rollout, after_restart, .. } => {
                let parts = [after(after_rollout, "rollout"), after(after_restart, "first restart")];
                let parts: Vec<String> = parts.into_iter().flatten().collect();
                ("probehound has the cause".into(), parts.join(", "))
            }
            Self::FirstBackOff(_) => ("first CrashLoopBackOff".into(), "the stock alert starts to count".into()),
            Self::NoneReady(_) => ("no pod is ready".into(), String::new()),
            Self::AllReady(_) => ("all pods are ready again".into(), String::new()),
            Self::Resolved(_) => ("probehound says that it is over".into(), String::new()),
        }
    }
}

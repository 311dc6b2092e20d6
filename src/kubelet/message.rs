//! Event messages → what was said.

use std::sync::Arc;

use super::ProbeKind;

/// What a kubelet event on a pod says, as far as it matters here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// `Unhealthy`, "probe failed": counted towards the failure threshold.
    ProbeFailed {
        /// Which probe.
        probe: ProbeKind,
        /// What came after "probe failed: ".
        output: Arc<str>,
    },
    /// `Unhealthy`, "probe errored": it could not run; never counted, never restarts.
    ProbeErrored {
        /// Which probe.
        probe: ProbeKind,
        /// What came after "errored: " or "errored and resulted in unknown state: ".
        output: Arc<str>,
    },
    /// `ProbeWarning`: counted as success (a redirect to another host).
    ProbeWarning {
        /// Which probe.
        probe: ProbeKind,
    },
    /// `Killing`: the kubelet ends a container.
    Killing(Killing),
    /// `FailedPostStartHook`
    HookFailed,
    /// `Failed` and the like: the container cannot be created, started, or its image pulled.
    StartFailed {
        /// The message.
        output: Arc<str>,
    },
}

/// Why the kubelet ends a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Killing {
    /// "Container X failed liveness probe", "Init container X failed liveness probe".
    ProbeFailed {
        /// The container's name, from the message.
        container: Arc<str>,
        /// Which probe.
        probe: ProbeKind,
    },
    /// "Stopping container X": a deletion, or a probe kill under restartPolicy Never.
    Stopping {
        /// The container's name, from the message.
        container: Arc<str>,
    },
    /// `FailedPostStartHook`
    HookFailed,
    /// On purpose and nobody's fault: an in-place resize, a changed definition, a preemption.
    Deliberate,
}

/// Reads a kubelet event.
///
/// Returns what it says and whether the message was aggregated ("(combined from similar
/// events): …"), which keeps the first event's container whatever container it now speaks of.
/// `None` is an event that says nothing about an end, a failure or a start that failed.
pub fn parse(reason: &str, message: &str) -> Option<(Said, bool)> {
    let _ = (reason, message);
    None
}

//! What would have prevented it: advice for the time after.

use super::min_ready;
use crate::finding::{Cause, Finding};

/// What would have kept it from happening, or from doing harm; best first.
pub fn advice(finding: &Finding) -> Vec<String> {
    let mut all: Vec<String> = of_cause(finding.cause).into_iter().map(str::to_owned).collect();
    if let Some(advice) = &finding.min_ready {
        all.push(format!("{}.", min_ready::sentence(advice)));
        all.extend(min_ready::beside(advice));
    }
    all
}

fn of_cause(cause: Cause) -> Vec<&'static str> {
    const LINT: &str = "probehound lint --against cluster in the pipeline: it compares what a probe will ask with what \
                        passes there now, before it is rolled out.";
    match cause {
        Cause::WrongPath
        | Cause::WrongPort
        | Cause::WrongScheme
        | Cause::WrongHost
        | Cause::AuthRequired
        | Cause::WrongHandler
        | Cause::WrongGrpcService
        | Cause::WrongCommand
        | Cause::RedirectLoop
        | Cause::RedirectsElsewhere
        | Cause::ProbeCannotRun
        | Cause::NothingListening => vec![LINT],
        Cause::KilledWhileStarting => vec![
            LINT,
            "A startupProbe whose failureThreshold × periodSeconds is twice the longest start that was measured.",
        ],
        Cause::TimeoutTooShort => vec![
            LINT,
            "A timeoutSeconds above the slowest answer under load, and a liveness probe that does less than a readiness probe.",
        ],
        Cause::ReportsUnhealthy | Cause::DependencyDown => vec![
            "A liveness probe that does not ask dependencies: what is down elsewhere is not mended by a restart; readiness may ask.",
        ],
        Cause::Hung => vec![
            "An alert on the app's own latency, which rises before it hangs; and the state of its threads, kept when it is ended.",
        ],
        Cause::Crash | Cause::Exits | Cause::KilledExternally => {
            vec!["A test that starts the image with the configuration of the cluster, before it is rolled out."]
        }
        Cause::OutOfMemory => {
            vec!["An alert on the working set at 90 % of the limit, and a test under load with that limit."]
        }
        Cause::HookFailed => {
            vec!["A postStart hook that cannot fail, or that work in an init container, whose logs are kept."]
        }
        Cause::CannotStart | Cause::CannotPullImage => vec![
            "A check in the pipeline that the image exists and its command is in it, and that what it refers to is in the namespace.",
        ],
        Cause::NodeTrouble => vec!["Replicas on several nodes (topologySpreadConstraints) and a PodDisruptionBudget."],
        Cause::Unknown => vec![
            "probehound installed before the next rollout: from the first event on it sees what a late look does not.",
        ],
    }
}

//! Sample findings.

use std::sync::Arc;
use std::time::Duration;

use probehound::engine::{
    Cause, Confidence, Effect, Fact, Finding, Pods, RevisionChange, ServiceState, Severity, Value,
};
use probehound::finding::field::Field;
use probehound::finding::remedy::{Kind, Remedy, Target};
use probehound::kubelet::ProbeKind;
use probehound::time::Time;

/// The start time of the tests.
pub fn start() -> Time {
    Time::parse("2026-11-22T13:58:00Z").expect("valid")
}

/// That many seconds after the start.
pub fn at(seconds: u64) -> Time {
    start().plus(Duration::from_secs(seconds))
}

/// A wrong path of that workload in the namespace `prod`, confirmed at `seconds`.
pub fn finding(workload: &str, seconds: u64) -> Finding {
    Finding {
        namespace: "prod".into(),
        workload: format!("Deployment/{workload}").into(),
        container: "app".into(),
        effect: Effect::RestartLoop,
        probe: Some(ProbeKind::Liveness),
        cause: Cause::WrongPath,
        fault: Cause::WrongPath.fault(),
        field: Some(Field::parse("livenessProbe.httpGet.path")),
        current: Some(Value::Text("/v2/health".into())),
        suggested: Some(Value::Text("/health".into())),
        confidence: Confidence::High,
        severity: Severity::Warning,
        hypotheses: vec![],
        evidence: vec![Fact { at: at(seconds), what: "liveness probe failed: HTTP 404".into() }],
        revision: Some(8),
        change: Some(RevisionChange {
            revision: 8,
            at: Some(at(seconds)),
            by: Some("kubectl-edit".into()),
            from: Some("/health".into()),
            to: Some("/v2/health".into()),
        }),
        pods: Pods { affected: 1, total: 50 },
        services: vec![ServiceState { name: Arc::from(workload), ready: 37, total: 50 }],
        restarts: 1,
        episodes: 1,
        opened_at: at(seconds.saturating_sub(2)),
        confirmed_at: Some(at(seconds)),
        resolved_at: None,
        remedy: vec![Remedy::RollBack {
            target: Target { kind: Kind::Deployment, name: workload.into() },
            revision: Some(7),
        }],
        example: None,
        start_failure: None,
        min_ready: None,
        considered: std::sync::Arc::default(),
        labels: std::sync::Arc::default(),
        rollout: None,
        guard: None,
    }
}

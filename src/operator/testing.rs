//! Shared helpers of the operator's tests.

use crate::finding::field::Field;
use crate::finding::remedy::{Place, Remedy};
use crate::finding::{Cause, Confidence, Effect, Fact, Finding, Pods, Severity, Value};
use crate::kubelet::ProbeKind;
use crate::time::Time;

/// That many seconds after the start.
pub fn at(seconds: i64) -> Time {
    Time::from_millis(1_800_000_000_000 + seconds * 1000)
}

/// A finding about that Deployment in namespace `prod`, confirmed at the start.
pub fn finding(workload: &str) -> Finding {
    Finding {
        namespace: "prod".into(),
        workload: format!("Deployment/{workload}").into(),
        container: "app".into(),
        effect: Effect::RestartLoop,
        probe: Some(ProbeKind::Liveness),
        cause: Cause::WrongPath,
        fault: Cause::WrongPath.fault(),
        field: Some(Field::parse("livenessProbe.httpGet.path")),
        current: Some(Value::Text("/v2/health".to_owned())),
        suggested: Some(Value::Text("/health".to_owned())),
        confidence: Confidence::High,
        severity: Severity::Critical,
        hypotheses: Vec::new(),
        evidence: vec![Fact { at: at(0), what: "liveness probe failed: HTTP 404".to_owned() }],
        revision: Some(8),
        change: None,
        pods: Pods { affected: 50, total: 50 },
        services: Vec::new(),
        restarts: 50,
        episodes: 1,
        opened_at: at(0),
        confirmed_at: Some(at(0)),
        resolved_at: None,
        remedy: vec![Remedy::SetField {
            place: Place::Manifest { kind: "Deployment".into(), name: workload.into() },
            field: Field::parse("livenessProbe.httpGet.path"),
            value: Value::Text("/health".to_owned()),
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

//! A sample message, to check whether a receiver is set up correctly.

use std::sync::Arc;
use std::time::Duration;

use kube::Client;

use super::alerts::Alerts;
use super::http;
use super::policy::{Admission, Item};
use super::receiver::{Reply, alertmanager};
use super::sender::{Addresses, Sender, Unready};
use super::settings::{Alertmanager, Receiver, To};
use crate::finding::field::Field;
use crate::finding::remedy::{self, Remedy, Target};
use crate::finding::{Cause, Confidence, Effect, Fact, Finding, Pods, RevisionChange, ServiceState, Severity, Value};
use crate::kubelet::ProbeKind;
use crate::report::object::FindingState;
use crate::report::update::{Dispatch, FindingUpdate, Kind};
use crate::time::Time;

/// Stands in for the cluster's name in a sample.
const TEST: &str = "a test, nothing is wrong";

/// Sends a sample to a receiver at `now`; Events are created in `namespace`.
pub async fn send(receiver: &Receiver, cluster: Client, namespace: &str, now: Time) -> Reply {
    let sample = Arc::new(sample(namespace, now));
    if let To::Alertmanager(to) = &receiver.to {
        return match alert(to, Finding::clone(&sample), now).await {
            Ok(reply) => reply,
            Err(unready) => Reply::Failed { why: unready.to_string(), wait: None },
        };
    }
    let addresses = Arc::<Addresses>::default();
    let mut sender = Sender::new(&receiver.name, receiver.to.clone(), cluster, "probehound-notify".into(), addresses);
    let dispatch = Dispatch::One(FindingUpdate { kind: Kind::Opened, finding: sample, before: None });
    sender.send(&dispatch, Some(TEST), || true).await
}

/// An alert that pages nobody and expires within minutes.
async fn alert(to: &Alertmanager, mut sample: Finding, now: Time) -> Result<Reply, Unready> {
    sample.severity = Severity::Info;
    let item = Item {
        finding: Arc::new(sample),
        state: FindingState::Confirmed,
        silenced: false,
        admission: Admission::Routed,
        notified: None,
    };
    let alerts = Alerts::new(Duration::from_mins(1), Some(TEST.to_owned())).round(&[item], now);
    let client = http::Client::new(to.ca_file.as_deref())?;
    let credentials = to.credentials.as_ref().map(alertmanager::Credentials::header).transpose()?;
    Ok(alertmanager::send(&client, &to.peers, credentials, &alerts).await)
}

/// The outage that probehound exists for.
pub fn sample(namespace: &str, now: Time) -> Finding {
    let ago = |seconds| now.minus(Duration::from_secs(seconds));
    let fact = |seconds, what: &str| Fact { at: ago(seconds), what: what.to_owned() };
    let target = Target { kind: remedy::Kind::Deployment, name: "auth-service".into() };
    Finding {
        namespace: namespace.into(),
        workload: "Deployment/auth-service".into(),
        container: "auth".into(),
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
        evidence: vec![
            fact(20, "liveness probe failed 100 times: HTTP probe failed with statuscode: 404"),
            fact(20, "the app answers: its readiness probe passes at /health"),
            fact(10, "the kubelet killed container auth because its liveness probe failed"),
        ],
        revision: Some(8),
        change: Some(RevisionChange {
            revision: 8,
            at: Some(ago(30)),
            by: Some("kubectl-edit".into()),
            from: Some("/health".to_owned()),
            to: Some("/v2/health".to_owned()),
        }),
        pods: Pods { affected: 50, total: 50 },
        services: vec![ServiceState { name: "auth".into(), ready: 0, total: 50 }],
        restarts: 49,
        episodes: 1,
        opened_at: ago(15),
        confirmed_at: Some(ago(10)),
        resolved_at: None,
        remedy: vec![Remedy::RollBack { target, revision: Some(7) }],
        example: None,
        start_failure: None,
        considered: Arc::default(),
        labels: Arc::default(),
    }
}

//! A sample message, to check whether a receiver is set up correctly.

use std::sync::Arc;
use std::time::Duration;

use kube::Client;

use super::alerts::Alerts;
use super::http;
use super::policy::{Admission, Item};
use super::receiver::{Reply, alertmanager};
use super::sender::{Addresses, Names, Sender, Unready};
use super::settings::{Alertmanager, Receiver, To};
use crate::finding::field::Field;
use crate::finding::remedy::{self, Remedy, Target};
use crate::finding::{Cause, Confidence, Effect, Fact, Finding, Pods, RevisionChange, ServiceState, Severity, Value};
use crate::kubelet::ProbeKind;
use crate::report::object::FindingState;
use crate::report::update::{Digest, Dispatch, FindingUpdate, Kind, Why};
use crate::time::Time;

/// Stands in for the cluster's name in a sample.
const TEST: &str = "a test, nothing is wrong";
const NAMES: Names = Names { cluster: Some(TEST), runbook: None };

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
    if receiver.to.is_pager() {
        return page(&mut sender, Finding::clone(&sample), now).await;
    }
    sender.send(&one(Kind::Opened, sample), NAMES, || true).await
}

/// An incident that is as harmless as can be, and closed at once.
async fn page(sender: &mut Sender, mut sample: Finding, now: Time) -> Reply {
    sample.severity = Severity::Info;
    let opened = sender.send(&one(Kind::Opened, Arc::new(sample.clone())), NAMES, || true).await;
    if opened != Reply::Delivered {
        return opened;
    }
    sample.resolved_at = Some(now);
    sender.send(&one(Kind::Resolved, Arc::new(sample)), NAMES, || true).await
}

const fn one(kind: Kind, finding: Arc<Finding>) -> Dispatch {
    Dispatch::One(FindingUpdate { kind, finding, before: None })
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
    let client = http::Client::new(&to.network)?;
    let credentials = to.credentials.as_ref().map(alertmanager::Credentials::header).transpose()?;
    Ok(alertmanager::send(&client, &to.peers, credentials, &alerts).await)
}

/// Samples of what a receiver may be sent: a finding that opens, one that is over, and several at once.
pub fn dispatches(now: Time) -> Vec<Dispatch> {
    let opened = Arc::new(sample("prod", now));
    let over = Arc::new(Finding { resolved_at: Some(now), ..Finding::clone(&opened) });
    let news = |kind, finding| FindingUpdate { kind, finding, before: None };
    let several = vec![news(Kind::Opened, Arc::clone(&opened)), news(Kind::Missed, Arc::clone(&over))];
    let digest = Digest { why: Why::Storm, news: several, waiting: 1 };
    vec![one(Kind::Opened, opened), one(Kind::Resolved, over), Dispatch::Digest(digest)]
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
        min_ready: None,
        considered: Arc::default(),
        labels: Arc::default(),
        rollout: None,
        guard: None,
    }
}

//! A real Prometheus with probehound's rules, a real Alertmanager with its example of routes, and the
//! receiver that it notifies.

mod alertmanager;
mod pager;
mod prometheus;

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Api, Folder, Process, installed, waiting};
use alertmanager::Alertmanager;
use pager::Pager;
use prometheus::Prometheus;

/// From the operator's metrics to the notification: a scrape, an evaluation, a group's wait, and far more,
/// on a busy machine.
const CALLED: Duration = Duration::from_mins(1);

/// Far more than a server takes to start, on a busy machine.
const START: Duration = Duration::from_mins(1);

/// Monitors an operator, and notifies the pager.
pub struct Alerting {
    prometheus: Prometheus,
    alertmanager: Alertmanager,
    pager: Pager,
}

/// The expected alert about a wrong probe.
pub struct Wanted {
    /// Its labels, or some of them.
    pub labels: &'static [(&'static str, &'static str)],
    /// Words in its description.
    pub words: &'static [&'static str],
}

impl Alerting {
    /// Starts everything, for an operator listening at `target`; files are put into `folder`. `None` if it
    /// is not installed, in which case the check is skipped.
    pub async fn start(folder: &Folder, target: &str) -> Option<Self> {
        let alertmanager = installed(&["prometheus-alertmanager", "alertmanager"])?;
        let prometheus = installed(&["prometheus"])?;
        let pager = Pager::start();
        let alertmanager = Alertmanager::start(&alertmanager, folder, &pager.url()).await;
        let prometheus = Prometheus::start(&prometheus, folder, target, alertmanager.address()).await;
        Some(Self { prometheus, alertmanager, pager })
    }

    /// Waits, `before` at most, until the alert fires in Prometheus; then until the pager is notified.
    pub async fn until_fires(&self, wanted: &Wanted, before: Duration) {
        waiting::eventually("the alert fires", before, async || {
            let alerts = self.prometheus.firing().await;
            if alerts.iter().any(|alert| wanted.is(alert)) { Ok(()) } else { Err(alerts) }
        })
        .await;
        self.until_called(wanted, "firing").await;
    }

    /// Waits until the pager is notified that it is resolved, and checks that all rules could be evaluated.
    pub async fn until_over(&self, wanted: &Wanted) {
        self.until_called(wanted, "resolved").await;
        let unhealthy = self.prometheus.rules_in_trouble().await;
        assert!(unhealthy.is_empty(), "{unhealthy:#?}");
    }

    async fn until_called(&self, wanted: &Wanted, status: &str) {
        waiting::eventually(&format!("somebody is called: {status}"), CALLED, async || {
            let calls = self.pager.calls();
            let is_it = |alert: &Value| alert["status"] == status && wanted.is(alert);
            if calls.iter().any(is_it) {
                return Ok(());
            }
            Err((calls, self.prometheus.last_words(), self.alertmanager.last_words()))
        })
        .await;
    }
}

impl Wanted {
    fn is(&self, alert: &Value) -> bool {
        let (labels, description) = (&alert["labels"], alert["annotations"]["description"].as_str());
        labels["alertname"] == "ProbehoundProbeMisconfigured"
            && self.labels.iter().all(|(name, value)| labels[*name] == *value)
            && self.words.iter().all(|word| description.is_some_and(|text| text.contains(word)))
    }
}

/// Waits until a server reports that it is ready.
async fn until_ready(process: &Process, api: &Api) {
    waiting::eventually("it is ready", START, async || {
        let answer = api.get("/-/ready").await;
        if answer.is_success() { Ok(()) } else { Err(process.last_words()) }
    })
    .await;
}

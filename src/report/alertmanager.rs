//! Findings as Alertmanager alerts, in the form of its API v2.
//!
//! Labels are an alert's identity and contain no pod names; what may change within the same alert is in the
//! annotations. Names and labels are those of the Prometheus rules.

use std::collections::BTreeMap;

use serde::Serialize;

use super::headline::kind_and_name;
use super::metrics::text::{clean, without_markup};
use super::plain;
use super::update::{FindingUpdate, Kind};
use crate::finding::{Effect, Fault, Finding};
use crate::time::Time;

/// A misconfigured probe kills a container or keeps it from becoming ready.
pub const PROBE_MISCONFIGURED: &str = "ProbehoundProbeMisconfigured";
/// Any other container that loops, or does not come up.
pub const CONTAINER_LOOPING: &str = "ProbehoundContainerLooping";
/// A probe cannot run, or is redirected away.
pub const PROBE_INEFFECTIVE: &str = "ProbehoundProbeIneffective";
/// A container terminates from time to time.
pub const CONTAINER_RECURRING: &str = "ProbehoundContainerRecurring";
/// A probe fails intermittently.
pub const PROBE_FLAPPING: &str = "ProbehoundProbeFlapping";

/// probehound is alive.
pub const WATCHDOG: &str = "ProbehoundWatchdog";

/// The URL of the runbook with one section per alert, unless the settings override it.
pub const RUNBOOK: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/runbook.md");

/// An alert.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Its identity.
    pub labels: BTreeMap<&'static str, String>,
    /// Its content.
    pub annotations: BTreeMap<&'static str, String>,
    /// When it started.
    pub starts_at: Time,
    /// When it expires unless it is resent.
    pub ends_at: Time,
}

impl Alert {
    /// An open finding at `now`, expiring at `ends_at`.
    pub fn new(finding: &Finding, cluster: Option<&str>, now: Time, ends_at: Time) -> Self {
        Self {
            labels: labels(finding, cluster),
            annotations: annotations(finding, now),
            starts_at: finding.confirmed_at.unwrap_or(finding.opened_at),
            ends_at,
        }
        .with_runbook(RUNBOOK)
    }

    /// The alert that the sender is alive, since `since`.
    pub fn watchdog(cluster: Option<&str>, since: Time, ends_at: Time) -> Self {
        let mut labels = BTreeMap::from([("alertname", WATCHDOG.to_owned()), ("severity", "none".to_owned())]);
        labels.extend(cluster.map(|cluster| ("cluster", clean(cluster))));
        let annotations = BTreeMap::from([
            ("summary", "probehound sends alerts.".to_owned()),
            (
                "description",
                "Fires as long as probehound lives. When it ends, other alerts of probehound end soon after, \
                 whatever goes on."
                    .to_owned(),
            ),
        ]);
        Self { labels, annotations, starts_at: since, ends_at }.with_runbook(RUNBOOK)
    }

    /// The same, with the runbook at `url`.
    #[must_use]
    pub fn with_runbook(mut self, url: &str) -> Self {
        let section = self.labels.get("alertname").map(|name| name.to_lowercase()).unwrap_or_default();
        self.annotations.insert("runbook_url", format!("{url}#{section}"));
        self
    }
}

/// The name of the alert for a finding.
pub fn name(finding: &Finding) -> &'static str {
    match finding.effect {
        Effect::ProbeIneffective => PROBE_INEFFECTIVE,
        Effect::Flapping => PROBE_FLAPPING,
        Effect::Recurring => CONTAINER_RECURRING,
        _ if finding.cause.fault() == Some(Fault::Probe) => PROBE_MISCONFIGURED,
        _ => CONTAINER_LOOPING,
    }
}

fn labels(finding: &Finding, cluster: Option<&str>) -> BTreeMap<&'static str, String> {
    let (kind, workload) = kind_and_name(&finding.workload);
    let mut labels = BTreeMap::from([
        ("alertname", name(finding).to_owned()),
        ("namespace", clean(&finding.namespace)),
        ("workload_kind", clean(kind)),
        ("workload", clean(workload)),
        ("container", clean(&finding.container)),
        ("effect", finding.effect.to_string()),
        ("cause", finding.cause.to_string()),
        ("severity", finding.severity.to_string()),
    ]);
    labels.extend(finding.probe.map(|probe| ("probe", probe.to_string())));
    labels.extend(cluster.map(|cluster| ("cluster", clean(cluster))));
    labels
}

fn annotations(finding: &Finding, now: Time) -> BTreeMap<&'static str, String> {
    let news = FindingUpdate { kind: Kind::Opened, finding: finding.clone().into(), before: None };
    let mut annotations = BTreeMap::from([
        ("summary", without_markup(&plain::line(&news, now))),
        ("description", without_markup(&plain::lines(&news, now).join("\n"))),
        ("confidence", finding.confidence.to_string()),
    ]);
    annotations.extend(finding.field.as_ref().map(|field| ("field", clean(&field.to_string()))));
    annotations.extend(finding.current.as_ref().map(|value| ("current", clean(&value.to_string()))));
    annotations.extend(finding.suggested.as_ref().map(|value| ("suggested", clean(&value.to_string()))));
    annotations
}

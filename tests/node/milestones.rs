//! When the story became known where.

use std::time::Duration;

use probehound::time::Time;
use serde_json::Value;

use crate::deployed::Deployed;
use crate::harness::Api;
use crate::harness::clock::{Stopwatch, now};
use crate::prometheus::Prometheus;
use crate::slack::Channel;
use crate::story::{NAMESPACE, WORKLOAD};
use crate::support::Recording;

/// How often is looked: what is measured is no more exact than this.
const LOOK: Duration = Duration::from_millis(200);

/// When something was first seen, looking from outside.
#[derive(Default, Debug)]
pub struct Milestones {
    /// A series with state `suspected`.
    pub suspected: Option<Time>,
    /// A `Finding` object.
    pub object: Option<Time>,
    /// A series with state `confirmed`.
    pub metric: Option<Time>,
    /// A message.
    pub message: Option<Time>,
    /// An alert that fires.
    pub alert: Option<Time>,
}

/// What a node did meanwhile, by its recording.
#[derive(Debug)]
pub struct Course {
    /// The first failure of a probe, as an event.
    pub first_failure: Time,
    /// The second one of the same probe of the same container.
    pub second_failure: Time,
    /// The first restart, in a status.
    pub first_restart: Time,
    /// The first `CrashLoopBackOff`, for which the usual alert waits.
    pub back_off: Option<Time>,
    /// Kills until something was confirmed.
    pub kills: usize,
}

impl Milestones {
    /// Looks until all are there, at most for so long.
    pub async fn watch(
        deployed: &Deployed,
        api: &Api,
        channel: &Channel,
        prometheus: &Prometheus,
        limit: Duration,
    ) -> Self {
        let (mut seen, since) = (Self::default(), Stopwatch::start());
        while seen.is_missing_one() && since.elapsed() < limit {
            seen.look(deployed, api, channel, prometheus).await;
            tokio::time::sleep(LOOK).await;
        }
        seen
    }

    async fn look(&mut self, deployed: &Deployed, api: &Api, channel: &Channel, prometheus: &Prometheus) {
        if self.metric.is_none() {
            let metrics = deployed.metrics().await.unwrap_or_default();
            note(&mut self.suspected, metrics.lines().any(|line| is_series(line, "suspected")));
            note(&mut self.metric, metrics.lines().any(|line| is_series(line, "confirmed")));
        }
        if self.object.is_none() {
            let path = format!("/apis/probehound.dev/v1alpha1/namespaces/{NAMESPACE}/findings");
            let findings = api.get(&path).await.body;
            let all = findings["items"].as_array().map_or(&[][..], Vec::as_slice);
            note(&mut self.object, all.iter().any(|finding| finding["status"]["state"] == "Confirmed"));
        }
        if self.message.is_none() {
            self.message = channel.first_about(WORKLOAD);
        }
        if self.alert.is_none() {
            note(&mut self.alert, prometheus.is_firing(WORKLOAD).await);
        }
    }

    fn is_missing_one(&self) -> bool {
        let all = [self.suspected, self.object, self.metric, self.message, self.alert];
        all.iter().any(Option::is_none)
    }
}

impl Course {
    /// That of the story since `start`.
    pub fn of(recording: &Recording, start: Time, confirmed: Time) -> Self {
        let after = recording.lines.iter().filter(|line| line.at >= start);
        let (mut failures, mut restarted, mut back_off, mut kills) = (Vec::new(), None, None, 0);
        for line in after {
            let object = line.value();
            if object["metadata"]["namespace"] != NAMESPACE {
                continue;
            }
            if line.is_event_of("Unhealthy") && text(&object["message"]).starts_with("Liveness") {
                failures.push((text(&object["metadata"]["name"]), object["count"].as_u64().unwrap_or(1), line.at));
            }
            kills += usize::from(line.is_event_of("Killing") && line.at <= confirmed && is_kill(&object));
            if line.is_pod() && line.object.restarts > 0 {
                restarted = restarted.or(Some(line.at));
            }
            if line.is_pod() && line.object.json.contains("CrashLoopBackOff") {
                back_off = back_off.or(Some(line.at));
            }
        }
        let first = failures.first().expect("a probe failed").2;
        let second = failures.iter().find(|(_, count, _)| *count >= 2).map_or(first, |(_, _, at)| *at);
        let first_restart = restarted.expect("a container was restarted");
        Self { first_failure: first, second_failure: second, first_restart, back_off, kills }
    }
}

fn is_kill(event: &Value) -> bool {
    text(&event["message"]).contains("failed liveness probe")
}

/// Whether a line of the metrics says that of the story's Deployment, with field and value known.
fn is_series(line: &str, state: &str) -> bool {
    line.starts_with("probehound_findings{")
        && [format!(r#"workload="{WORKLOAD}""#), format!(r#"state="{state}""#)].iter().all(|label| line.contains(label))
}

fn note(place: &mut Option<Time>, seen: bool) {
    if seen && place.is_none() {
        *place = Some(now());
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

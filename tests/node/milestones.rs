//! When the story became visible in which place, and when a node had shown it.

use std::time::Duration;

use probehound::time::Time;

use crate::deployed::Deployed;
use crate::harness::Api;
use crate::harness::clock::{Stopwatch, now};
use crate::prometheus::Prometheus;
use crate::slack::{Channel, Kind};
use crate::story::{NAMESPACE, WORKLOAD};
use crate::support::Recording;

/// The polling interval, which limits the accuracy of the measurements.
const LOOK: Duration = Duration::from_millis(100);

/// When something was first seen from outside.
#[derive(Default, Debug)]
pub struct Milestones {
    /// A `Finding` object.
    pub object: Option<Time>,
    /// A series of a confirmed finding.
    pub metric: Option<Time>,
    /// A message.
    pub message: Option<Time>,
    /// A firing alert.
    pub alert: Option<Time>,
}

/// What the node did meanwhile, according to its recording.
#[derive(Debug)]
pub struct Course {
    /// The first failure of a liveness probe, as an event.
    pub first_failure: Time,
    /// The second one of the same container.
    pub second_failure: Time,
    /// The first restart, in a status.
    pub first_restart: Time,
    /// The first `CrashLoopBackOff`, for which the usual alert waits.
    pub back_off: Option<Time>,
    /// All kills, as events.
    pub kills: Vec<Time>,
}

impl Milestones {
    /// Polls until all are there, or the time limit.
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
        if self.object.is_none() {
            let path = format!("/apis/probehound.dev/v1alpha1/namespaces/{NAMESPACE}/findings");
            let findings = api.get(&path).await.body;
            let all = findings["items"].as_array().map_or(&[][..], Vec::as_slice);
            note(&mut self.object, all.iter().any(|finding| finding["status"]["state"] == "Confirmed"));
        }
        if self.metric.is_none() {
            let metrics = deployed.metrics().await.unwrap_or_default();
            note(&mut self.metric, metrics.lines().any(is_of_the_story));
        }
        if self.message.is_none() {
            let update = channel.update();
            let opened = update.iter().find(|told| told.of.starts_with(WORKLOAD) && told.kind == Kind::Opened);
            self.message = opened.map(|told| told.at);
        }
        if self.alert.is_none() {
            note(&mut self.alert, prometheus.is_firing(WORKLOAD, &["/v2/health", "What works: /health"]).await);
        }
    }

    fn is_missing_one(&self) -> bool {
        [self.object, self.metric, self.message, self.alert].iter().any(Option::is_none)
    }
}

impl Course {
    /// The course of the story since `start`.
    ///
    /// # Panics
    /// Nothing of it was recorded.
    pub fn of(recording: &Recording, start: Time) -> Self {
        let (mut failures, mut restart, mut back_off, mut kills) = (Vec::new(), None, None, Vec::new());
        for line in recording.lines.iter().filter(|line| line.at >= start) {
            let object = line.value();
            if object["metadata"]["namespace"] != NAMESPACE {
                continue;
            }
            let says = |word: &str| object["message"].as_str().is_some_and(|message| message.contains(word));
            if line.is_event_of("Unhealthy") && says("Liveness") {
                failures.push((line.at, object["count"].as_u64().unwrap_or(1)));
            } else if line.is_event_of("Killing") && says("failed liveness probe") {
                kills.push(line.at);
            } else if line.is_pod() && line.object.restarts > 0 {
                restart = restart.or(Some(line.at));
                let waits = line.object.json.contains("CrashLoopBackOff");
                back_off = back_off.or(waits.then_some(line.at));
            }
        }
        let first_failure = failures.first().expect("a probe failed").0;
        let second_failure = failures.iter().find(|(_, count)| *count >= 2).map_or(first_failure, |(at, _)| *at);
        let first_restart = restart.expect("a container was restarted");
        Self { first_failure, second_failure, first_restart, back_off, kills }
    }
}

fn is_of_the_story(line: &str) -> bool {
    let labels = [format!(r#"workload="{WORKLOAD}""#), r#"state="confirmed""#.to_owned()];
    line.starts_with("probehound_findings{") && labels.iter().all(|label| line.contains(label.as_str()))
}

fn note(place: &mut Option<Time>, seen: bool) {
    if seen && place.is_none() {
        *place = Some(now());
    }
}

//! Judges the findings: in the objects, in the metrics, in the channel, and by a replay.

use std::sync::Arc;
use std::time::Duration;

use probehound::report::object::FindingObject;
use serde_json::Value;

use crate::harness::Api;
use crate::harness::clock::Stopwatch;
use crate::slack::{Kind, Tiding};
use crate::support::{Document, Finding, Recording, replay};
use crate::told::{self, Told};
use crate::zoo::Fault;

/// The findings in the objects of the cluster.
pub async fn said(api: &Api) -> Document {
    let objects = told::objects(api).await.into_iter().filter(|object| object["status"]["state"] != "Withdrawn");
    let finding = |object: Value| serde_json::from_value::<FindingObject>(object).expect("a Finding").finding();
    let findings: Vec<_> = objects.filter_map(finding).map(Arc::new).collect();
    crate::support::replay::document(&findings, 0, 0)
}

/// Wrong, missing and superfluous findings.
pub fn findings(faults: &[&Fault], said: &Document) -> Vec<String> {
    let mut problems: Vec<String> = faults.iter().flat_map(|fault| fault.problems(said)).collect();
    let is_known = |finding: &&Finding| faults.iter().any(|fault| fault.name == finding.namespace);
    let others = said.findings.iter().filter(|finding| !is_known(finding));
    problems.extend(others.map(|finding| format!("false alarm: {} in {}", finding.brief(), finding.namespace)));
    problems
}

/// Missing, repeated or inconsistent notifications in the channel: each episode of a finding is opened
/// once, resolved once if it is resolved, and has one cause.
pub fn update(said: &Document, update: &[Tiding]) -> Vec<String> {
    let mut problems = Vec::new();
    for of in update.iter().map(|told| &told.of) {
        if !said.findings.iter().any(|finding| name(finding) == *of) {
            problems.push(format!("told of {of}, of which there is no finding"));
        }
    }
    for finding in &said.findings {
        let of = name(finding);
        let alike = said.findings.iter().filter(|other| name(other) == of);
        let (mut opened, mut over) = (0, 0);
        for other in alike {
            let is_told = u32::from(other.severity != "info");
            opened += is_told * other.episodes;
            over += is_told * (other.episodes - u32::from(other.resolved_at.is_none()));
        }
        for (kind, right) in [(Kind::Opened, opened), (Kind::Over, over)] {
            let count = update.iter().filter(|told| told.of == of && told.kind == kind).count() as u32;
            if count != right {
                problems.push(format!("{kind:?} was told {count} times of {of}, not {right} times"));
            }
        }
        let mut causes: Vec<&str> = update.iter().filter(|told| told.of == of).map(|told| &*told.why).collect();
        causes.sort_unstable();
        causes.dedup();
        if causes.len() > said.findings.iter().filter(|other| name(other) == of).count() {
            problems.push(format!("of {of} was told: {}", causes.join("; ")));
        }
    }
    problems.sort();
    problems.dedup();
    problems
}

/// The differences between the metrics and the objects.
pub fn metrics(said: &Document, metrics: &str) -> Vec<String> {
    let series = metrics.lines().filter(|line| line.starts_with("probehound_findings{"));
    let mut series: Vec<&str> = series.filter(|line| line.contains(r#"state="confirmed""#)).collect();
    let mut problems = Vec::new();
    for finding in said.findings.iter().filter(|finding| finding.resolved_at.is_none()) {
        let labels = labels(finding);
        match series.iter().position(|line| labels.iter().all(|label| line.contains(label.as_str()))) {
            Some(place) => drop(series.remove(place)),
            None => problems.push(format!("no series of {} in {}", finding.brief(), finding.namespace)),
        }
    }
    problems.extend(series.iter().map(|line| format!("a series without a finding: {line}")));
    problems
}

/// The differences between a replay of the recording and the objects, which lag a moment behind the end of
/// the recording.
pub async fn recording(api: &Api, recording: &Recording) -> Vec<String> {
    const FOLLOW: Duration = Duration::from_secs(10);
    let replayed = replay(recording);
    let since = Stopwatch::start();
    loop {
        let problems = differences(api, &replayed).await;
        if problems.is_empty() || since.elapsed() > FOLLOW {
            return problems;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn differences(api: &Api, replayed: &Document) -> Vec<String> {
    let objects = said(api).await;
    let all = objects.findings.iter().chain(&replayed.findings);
    let namespaces: Vec<String> = all.map(|finding| finding.namespace.clone()).collect();
    let (live, again) = (told::by_objects(api, &namespaces).await, told::by_replay(replayed, &namespaces));
    let only = |one: &[Told], other: &[Told], who: &str| {
        let only = one.iter().filter(|told| !other.contains(told));
        only.map(|told| format!("only {who} says {told:?}")).collect::<Vec<_>>()
    };
    [only(&live, &again, "the operator"), only(&again, &live, "the replay")].concat()
}

fn labels(finding: &Finding) -> [String; 4] {
    let (_, workload) = finding.workload.split_once('/').unwrap_or(("", &finding.workload));
    [
        format!(r#"namespace="{}""#, finding.namespace),
        format!(r#"workload="{workload}""#),
        format!(r#"container="{}""#, finding.container),
        format!(r#"cause="{}""#, finding.cause),
    ]
}

/// As in a headline: `web (Deployment, namespace shop)`.
fn name(finding: &Finding) -> String {
    let (kind, name) = finding.workload.split_once('/').unwrap_or(("", &finding.workload));
    format!("{name} ({kind}, namespace {})", finding.namespace)
}

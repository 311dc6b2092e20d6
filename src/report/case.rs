//! A finding with all that is known of its incident: the content of a page, a report and a postmortem.

use std::sync::Arc;

use super::wording::{restarts, worst};
use crate::engine::ChangeKind;
use crate::engine::incident::{Happened, Incident, Mark, Published, Rollout};
use crate::finding::Finding;
use crate::report::when::span;
use crate::time::Time;

/// Rollouts that were earlier than this before the first suspicion have nothing to do with it.
const RELATED: std::time::Duration = std::time::Duration::from_hours(1);

/// A finding and its incident.
#[derive(Clone, Debug)]
pub struct Case {
    /// The finding.
    pub finding: Arc<Finding>,
    /// What its pods did.
    pub incident: Incident,
    /// What people were told of it, in order.
    pub told: Vec<Told>,
}

/// A message that was sent about a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// When.
    pub at: Time,
    /// The receiver.
    pub to: String,
    /// What it was told. Raw: each medium escapes it.
    pub what: String,
}

/// An entry of a timeline.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// When.
    pub at: Time,
    /// Whose entry it is.
    pub of: Side,
    /// What happened. Raw.
    pub what: String,
}

/// Where an entry of a timeline comes from.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Side {
    /// It happened in the cluster.
    Cluster,
    /// probehound said it.
    Said,
}

impl Case {
    /// What happened, in order: rollouts, the first end, the worst moment, and what probehound said.
    pub fn timeline(&self) -> Vec<Entry> {
        let cluster = |at, what| Entry { at, of: Side::Cluster, what };
        let mut all: Vec<Entry> = self.rollouts().map(|one| cluster(one.at, rolled_out(one))).collect();
        all.extend(self.first_end().map(|(pod, mark)| cluster(mark.at, ended(pod, mark))));
        all.extend(self.worst().map(|(at, what)| cluster(at, what)));
        all.extend(self.recovered().map(|(at, what)| cluster(at, what)));
        let said = self.incident.published.iter().filter(|one| one.kind != ChangeKind::Updated);
        all.extend(said.map(|one| Entry { at: one.at, of: Side::Said, what: self.published(one) }));
        all.sort();
        all.dedup();
        all
    }

    /// How it was mended, as far as the cluster shows it: `revision 9 was rolled out by kubectl-rollout`.
    pub fn mended(&self) -> Option<String> {
        let (from, to) = (self.finding.confirmed_at?, self.finding.resolved_at?);
        let between = self.incident.rollouts.iter().filter(|one| one.at > from && one.at < to);
        between.max_by_key(|one| one.at).map(rolled_out)
    }

    fn rollouts(&self) -> impl Iterator<Item = &Rollout> {
        let brought = self.finding.change.as_ref().and_then(|change| change.at);
        let (from, to) = (brought.unwrap_or(self.finding.opened_at.minus(RELATED)), self.finding.resolved_at);
        self.incident.rollouts.iter().filter(move |one| one.at >= from && to.is_none_or(|to| one.at <= to))
    }

    /// The first end of a container in this episode.
    fn first_end(&self) -> Option<(&str, Mark)> {
        let from = self.finding.change.as_ref().and_then(|change| change.at).unwrap_or(self.finding.opened_at);
        let ends = self.incident.lanes.iter().flat_map(|lane| {
            let pod = lane.pod.as_deref().unwrap_or("a pod");
            lane.marks.iter().filter(|mark| mark.is_end()).map(move |mark| (pod, *mark))
        });
        ends.filter(|(_, mark)| mark.at >= from.min(self.finding.opened_at)).min_by_key(|(_, mark)| mark.at)
    }

    /// When the fewest pods were ready.
    fn worst(&self) -> Option<(Time, String)> {
        let (from, to) = (self.finding.opened_at, self.finding.resolved_at);
        let during = self.incident.points.iter().filter(|point| point.at >= from && to.is_none_or(|to| point.at <= to));
        let least = during.min_by_key(|point| (point.ready, point.at)).filter(|point| point.ready < point.wanted)?;
        Some((least.at, format!("the fewest pods are ready: {} of {}", least.ready, least.wanted)))
    }

    /// When all were ready again.
    fn recovered(&self) -> Option<(Time, String)> {
        let (worst, _) = self.worst()?;
        let mut after = self.incident.points.iter().filter(|point| point.at > worst && point.wanted > 0);
        let point = after.find(|point| point.ready >= point.wanted)?;
        Some((point.at, format!("all {} pods are ready again", point.wanted)))
    }

    fn published(&self, one: &Published) -> String {
        let finding = &self.finding;
        match one.kind {
            ChangeKind::Suspected => format!("suspected: {} ({}); nobody is told yet", one.cause, one.effect),
            ChangeKind::Confirmed => format!("confirmed: {} ({})", one.cause, one.effect),
            ChangeKind::Updated | ChangeKind::Counted => format!("updated: {}", one.cause),
            ChangeKind::Withdrawn => "taken back".to_owned(),
            ChangeKind::Resolved => {
                let lasted = span(one.at.since(finding.opened_at));
                format!("resolved after {lasted}, {}. {}", restarts(finding.restarts), worst(finding))
            }
        }
    }
}

fn rolled_out(one: &Rollout) -> String {
    let by = one.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    format!("revision {} is rolled out{by}", one.revision)
}

fn ended(pod: &str, mark: Mark) -> String {
    match mark.what {
        Happened::Killed(probe) => format!("the first container is killed by its {probe} probe, in pod {pod}"),
        Happened::Ended(exit) => format!("the first container ends with exit code {exit}, in pod {pod}"),
        Happened::ProbeFailed(probe, _) => format!("a {probe} probe fails, in pod {pod}"),
    }
}

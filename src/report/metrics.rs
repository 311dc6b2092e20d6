//! The findings as metrics, in Prometheus' text format 0.0.4.
//!
//! No pod names and no UIDs in labels. With several replicas each exports the same: rules aggregate
//! `max without (pod, instance)`.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::escape::{cut, visible};
use super::headline::kind_and_name;
use crate::engine::Finding;

/// Most series of a metric; the rest is one series in which each label says `overflow`.
pub const MAX_SERIES: usize = 2000;
/// Longest value of a label, in columns.
const VALUE: usize = 128;

type Labels = Vec<(&'static str, String)>;

/// A metric that is told of findings.
struct Metric {
    name: &'static str,
    help: &'static str,
    labels: fn(&Finding) -> Labels,
}

const METRICS: [Metric; 2] = [
    Metric {
        name: "probehound_findings",
        help: "Findings that are not over, by what is known of them.",
        labels: findings_labels,
    },
    Metric {
        name: "probehound_finding_info",
        help: "The field that a finding points at, its value and one that works.",
        labels: info_labels,
    },
];

/// Writes the series of all findings that are not over.
///
/// # Errors
/// Those of `out`.
pub fn write<'a>(findings: impl Iterator<Item = &'a Finding>, out: &mut impl Write) -> fmt::Result {
    let open: Vec<&Finding> = findings.filter(|finding| finding.resolved_at.is_none()).collect();
    METRICS.iter().try_for_each(|metric| metric.write(&open, out))
}

impl Metric {
    fn write(&self, findings: &[&Finding], out: &mut impl Write) -> fmt::Result {
        let mut series: BTreeMap<Labels, u64> = BTreeMap::new();
        for finding in findings {
            let labels = (self.labels)(finding);
            let known = series.len() < MAX_SERIES || series.contains_key(&labels);
            *series.entry(if known { labels } else { overflow(labels) }).or_default() += 1;
        }
        writeln!(out, "# HELP {} {}", self.name, self.help)?;
        writeln!(out, "# TYPE {} gauge", self.name)?;
        for (labels, count) in &series {
            writeln!(out, "{}{{{}}} {count}", self.name, pairs(labels))?;
        }
        Ok(())
    }
}

fn findings_labels(finding: &Finding) -> Labels {
    let mut labels = identity(finding);
    labels.extend([
        ("cause", finding.cause.to_string()),
        ("confidence", finding.confidence.to_string()),
        ("severity", finding.severity.to_string()),
        ("state", if finding.confirmed_at.is_some() { "confirmed" } else { "suspected" }.to_owned()),
    ]);
    labels
}

fn info_labels(finding: &Finding) -> Labels {
    let mut labels = identity(finding);
    let value = |value: Option<String>| value.unwrap_or_default();
    labels.extend([
        ("field", value(finding.field.clone())),
        ("current", value(finding.current.as_ref().map(ToString::to_string))),
        ("suggested", value(finding.suggested.as_ref().map(ToString::to_string))),
    ]);
    labels
}

fn identity(finding: &Finding) -> Labels {
    let (kind, name) = kind_and_name(&finding.workload);
    vec![
        ("namespace", finding.namespace.to_string()),
        ("workload_kind", kind.to_owned()),
        ("workload", name.to_owned()),
        ("container", finding.container.to_string()),
        ("effect", finding.effect.to_string()),
        ("probe", finding.probe.map(|probe| probe.to_string()).unwrap_or_default()),
    ]
}

fn overflow(labels: Labels) -> Labels {
    labels.into_iter().map(|(name, _)| (name, "overflow".to_owned())).collect()
}

fn pairs(labels: &Labels) -> String {
    let pair = |(name, value): &(&str, String)| format!("{name}=\"{}\"", label_value(value));
    labels.iter().map(pair).collect::<Vec<_>>().join(",")
}

/// Cut, cleaned of what nobody can see, then escaped for the text format.
fn label_value(value: &str) -> String {
    // What lies beyond a few bytes a column is cut anyway.
    let head: String = value.chars().take(4 * VALUE).collect();
    cut(&visible(&head), VALUE).replace('\\', "\\\\").replace('"', "\\\"")
}

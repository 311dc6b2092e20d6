//! The findings as metrics, in Prometheus' text format 0.0.4.
//!
//! No pod names and no UIDs in labels. With several replicas each exports the same: rules aggregate
//! `max without (pod, instance)`.

pub mod text;

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::headline::kind_and_name;
use crate::engine::Finding;
use text::{Metric, clean};

/// Most series of a metric; the rest is one series in which each label says `overflow`.
pub const MAX_SERIES: usize = 2000;

/// Why a label has no value of its own.
pub const OVERFLOW: &str = "overflow";

const FINDINGS: Metric = Metric::gauge("probehound_findings", "Findings that are not over, by what is known of them.");
const INFO: Metric =
    Metric::gauge("probehound_finding_info", "The field that a finding points at, its value and one that works.");
const SILENCED: Metric = Metric::gauge(
    "probehound_findings_silenced",
    "Findings that are not over and that a silence keeps from being told.",
);

type Labels = Vec<(&'static str, String)>;

/// Writes the series of all findings that are not over; gives the number of those that a series of
/// their own was refused.
///
/// # Errors
/// Those of `out`.
pub fn write<'a>(findings: impl Iterator<Item = &'a Finding>, out: &mut impl Write) -> Result<u64, fmt::Error> {
    let open: Vec<&Finding> = findings.filter(|finding| is_open(finding)).collect();
    let refused = series(&FINDINGS, open.iter().copied().map(findings_labels), out)?;
    Ok(refused + series(&INFO, open.iter().copied().map(info_labels), out)?)
}

/// The same for findings that are not told, each with the silence that does it.
///
/// # Errors
/// Those of `out`.
pub fn write_silenced<'a>(
    findings: impl Iterator<Item = (&'a Finding, &'a str)>,
    out: &mut impl Write,
) -> Result<u64, fmt::Error> {
    let open = findings.filter(|(finding, _)| is_open(finding));
    series(&SILENCED, open.map(|(finding, silence)| silenced_labels(finding, silence)), out)
}

const fn is_open(finding: &Finding) -> bool {
    finding.resolved_at.is_none()
}

fn series(metric: &Metric, findings: impl Iterator<Item = Labels>, out: &mut impl Write) -> Result<u64, fmt::Error> {
    let mut refused = 0;
    let mut series: BTreeMap<Labels, u64> = BTreeMap::new();
    for mut labels in findings {
        for (_, value) in &mut labels {
            *value = clean(value);
        }
        let known = series.len() < MAX_SERIES || series.contains_key(&labels);
        refused += u64::from(!known);
        *series.entry(if known { labels } else { overflow(labels) }).or_default() += 1;
    }
    metric.head(out)?;
    series.iter().try_for_each(|(labels, count)| metric.sample(labels, count, out))?;
    Ok(refused)
}

fn findings_labels(finding: &Finding) -> Labels {
    let mut labels = identity(finding);
    labels.extend([
        ("cause", finding.cause.to_string()),
        ("confidence", finding.confidence.to_string()),
        ("severity", finding.severity.to_string()),
        ("state", state(finding)),
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

fn silenced_labels(finding: &Finding, silence: &str) -> Labels {
    let mut labels = identity(finding);
    labels.extend([
        ("cause", finding.cause.to_string()),
        ("severity", finding.severity.to_string()),
        ("state", state(finding)),
        ("silence", silence.to_owned()),
    ]);
    labels
}

fn state(finding: &Finding) -> String {
    if finding.confirmed_at.is_some() { "confirmed" } else { "suspected" }.to_owned()
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
    labels.into_iter().map(|(name, _)| (name, OVERFLOW.to_owned())).collect()
}

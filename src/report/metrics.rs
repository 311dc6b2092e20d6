//! The findings as metrics, in Prometheus' text format 0.0.4.
//!
//! No pod names and no UIDs in labels. With several replicas each exports the same: rules aggregate with
//! `max without (pod, instance)`.

pub mod text;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use super::headline::kind_and_name;
use crate::engine::Finding;
use crate::finding::field::Field;
use crate::finding::rank::Rank;
use crate::text::hash::mark;
use text::{Metric, clean};

/// Maximum number of series of a metric; the rest is one series whose labels are all `overflow`.
pub const MAX_SERIES: usize = 2000;

/// Number of findings of each namespace that come before more of any other.
pub const SHARE: usize = 200;

/// The value of the labels of the overflow series.
pub const OVERFLOW: &str = "overflow";

const FINDINGS: Metric = Metric::gauge("probehound_findings", "Findings that are not over, by what is known of them.");
const INFO: Metric =
    Metric::gauge("probehound_finding_info", "The field that a finding points at, its value and one that works.");
const SILENCED: Metric = Metric::gauge(
    "probehound_findings_silenced",
    "Findings that are not over and that a silence keeps from being told.",
);

type Labels = Vec<(&'static str, String)>;

/// Hashes of the series for which there was no place.
pub type Refused = BTreeSet<u64>;

/// Writes the series of all open findings; returns those for which there was no place.
///
/// Confirmed findings come before suspected ones, then the first of each namespace before more of any
/// other, then the worse ones: no tenant can displace what others need to see.
///
/// # Errors
/// Those of `out`.
pub fn write<'a>(findings: impl Iterator<Item = &'a Finding>, out: &mut impl Write) -> Result<Refused, fmt::Error> {
    let open = in_order(findings.filter(|finding| is_open(finding)).map(|finding| (finding, ())));
    let labels = |of: fn(&Finding) -> Labels| open.iter().map(move |(finding, ())| of(finding));
    let mut refused = series(&FINDINGS, labels(findings_labels), out)?;
    refused.extend(series(&INFO, labels(info_labels), out)?);
    Ok(refused)
}

/// The same for silenced findings, each with its silence.
///
/// # Errors
/// Those of `out`.
pub fn write_silenced<'a>(
    findings: impl Iterator<Item = (&'a Finding, &'a str)>,
    out: &mut impl Write,
) -> Result<Refused, fmt::Error> {
    let open = in_order(findings.filter(|(finding, _)| is_open(finding)));
    series(&SILENCED, open.iter().map(|(finding, silence)| silenced_labels(finding, silence)), out)
}

/// In order of precedence.
fn in_order<'a, T>(findings: impl Iterator<Item = (&'a Finding, T)>) -> Vec<(&'a Finding, T)> {
    let mut all: Vec<_> = findings.collect();
    all.sort_by_cached_key(|(finding, _)| (Reverse(Rank::from_finding(finding)), finding.identity()));
    let mut of_one: BTreeMap<&str, usize> = BTreeMap::new();
    let beyond: Vec<bool> = all
        .iter()
        .map(|(finding, _)| {
            let before = of_one.entry(&finding.namespace).or_default();
            *before += 1;
            *before > SHARE
        })
        .collect();
    let mut all: Vec<_> = all.into_iter().zip(beyond).collect();
    // Stable: equal ones stay in order.
    all.sort_by_key(|((finding, _), beyond)| (finding.confirmed_at.is_none(), *beyond));
    all.into_iter().map(|(finding, _)| finding).collect()
}

const fn is_open(finding: &Finding) -> bool {
    finding.resolved_at.is_none()
}

fn series(
    metric: &Metric,
    findings: impl Iterator<Item = Labels>,
    out: &mut impl Write,
) -> Result<Refused, fmt::Error> {
    let mut refused = Refused::new();
    let mut series: BTreeMap<Labels, u64> = BTreeMap::new();
    for mut labels in findings {
        for (_, value) in &mut labels {
            *value = clean(value);
        }
        let known = series.len() < MAX_SERIES || series.contains_key(&labels);
        if !known {
            refused.insert(mark(&labels));
        }
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
        ("field", value(finding.field.as_ref().map(Field::to_string))),
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

#[cfg(all(test, feature = "operator"))]
mod tests {
    use super::*;
    use crate::operator::testing::finding;

    #[test]
    fn what_a_tenant_lets_be_suspected_hides_nothing_that_is_confirmed() {
        let mut all: Vec<Finding> = (0..3 * MAX_SERIES)
            .map(|number| Finding { namespace: "a-tenant".into(), confirmed_at: None, ..finding(&number.to_string()) })
            .collect();
        all.push(Finding { namespace: "zoo".into(), ..finding("web") });
        assert!(text(&all).contains("namespace=\"zoo\""));
    }

    #[test]
    fn a_namespace_with_much_leaves_room_for_the_others() {
        let mut all: Vec<Finding> = (0..3 * MAX_SERIES)
            .map(|number| Finding { namespace: "a-tenant".into(), ..finding(&number.to_string()) })
            .collect();
        all.extend((0..SHARE).map(|number| Finding {
            namespace: "zoo".into(),
            severity: crate::finding::Severity::Info,
            ..finding(&number.to_string())
        }));
        let text = text(&all);
        let of_zoo = text.lines().filter(|line| line.starts_with("probehound_findings{namespace=\"zoo\""));
        assert_eq!(of_zoo.count(), SHARE);
    }

    fn text(findings: &[Finding]) -> String {
        let mut out = String::new();
        let refused = write(findings.iter(), &mut out).expect("strings take everything");
        assert!(!refused.is_empty());
        out
    }
}

//! The document of `lint -o json`.

use serde::Serialize;

use crate::lint::{Report, Severity, Told};
use crate::report::json;

#[derive(Serialize)]
struct Document<'a> {
    findings: Vec<Written<'a>>,
    ignored: Vec<Ignored<'a>>,
    objects: usize,
    passed_over: usize,
    complete: bool,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Ignored<'a> {
    #[serde(flatten)]
    finding: Written<'a>,
    reason: &'a str,
}

#[derive(Serialize)]
struct Written<'a> {
    rule: &'static str,
    severity: Severity,
    file: &'a str,
    line: u64,
    column: u64,
    source: Option<&'a str>,
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
    container: Option<&'a str>,
    field: &'a str,
    current: Option<&'a str>,
    why: &'a str,
    arithmetic: Option<&'a str>,
    suggestion: Option<&'a str>,
}

/// The whole report, absent values as `null`; safe to display.
///
/// # Errors
/// Does not fail for plain data.
pub fn document(report: &Report) -> serde_json::Result<String> {
    let ignored = report.ignored.iter().map(|(told, reason)| Ignored { finding: Written::new(told), reason });
    json::pretty(&Document {
        findings: report.findings.iter().map(Written::new).collect(),
        ignored: ignored.collect(),
        objects: report.counts.objects,
        passed_over: report.counts.parts + report.counts.controlled,
        complete: report.complete,
        notes: &report.notes,
    })
}

impl<'a> Written<'a> {
    fn new(told: &'a Told) -> Self {
        let finding = &told.finding;
        Self {
            rule: finding.rule.id(),
            severity: finding.severity,
            file: &told.file,
            line: finding.at.line,
            column: finding.at.column,
            source: told.source.as_deref(),
            kind: &told.identity.kind,
            namespace: told.identity.namespace.as_deref(),
            name: &told.identity.name,
            container: finding.container.as_deref(),
            field: &finding.field,
            current: finding.current.as_deref(),
            why: &finding.why,
            arithmetic: finding.sum.as_deref(),
            suggestion: finding.suggestion.as_deref(),
        }
    }
}

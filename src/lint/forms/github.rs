//! Annotations for GitHub Actions: one line per finding.

use super::known_file;
use crate::lint::{Report, Severity, Told};
use crate::text::escape::visible;

/// All annotations.
pub fn annotations(report: &Report) -> String {
    report.findings.iter().map(annotation).collect()
}

fn annotation(told: &Told) -> String {
    let finding = &told.finding;
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let (file, is_exact) = known_file(told);
    let place = if is_exact { format!(",line={},col={}", finding.at.line, finding.at.column) } else { String::new() };
    let (file, title) = (property(file), property(&format!("probehound: {}", finding.rule.id())));
    format!("::{word} file={file}{place},title={title}::{}\n", data(&told.message()))
}

/// Escapes a text so that it cannot end the line.
fn data(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a text so that it cannot end a property either.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

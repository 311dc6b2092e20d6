//! For a terminal: a block for each finding, in the order of the input, and a summary.

use std::fmt::{self, Write};

use super::count;
use crate::engine::Severity as Bad;
use crate::lint::{Counts, Report, Severity, Told};
use crate::report::text::{Look, wrapped};
use crate::text::escape::{terminal, visible};

/// Width of a label, in columns.
const LABEL: usize = 10;
/// Maximum length of a sentence, in columns.
const SENTENCE: usize = 600;

/// Writes the whole report.
///
/// # Errors
/// Those of `out`.
pub fn blocks(report: &Report, look: Look, out: &mut impl Write) -> fmt::Result {
    for told in &report.findings {
        block(told, look, out)?;
    }
    let notes = std::iter::once(verdict(report)).chain(passed_over(&report.counts)).chain(report.notes.iter().cloned());
    for line in notes.flat_map(|note| wrapped(&visible(&note), look.width)) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn block(told: &Told, look: Look, out: &mut impl Write) -> fmt::Result {
    let finding = &told.finding;
    let (style, bold) = (look.palette.severity(bad(finding.severity)), look.palette.headline);
    let word = finding.severity.word().to_uppercase();
    let room = look.width.saturating_sub(LABEL).max(LABEL);
    let title = format!("{}: {}", told.who(), finding.rule.id());
    for (place, line) in wrapped(&terminal(&title, SENTENCE), room).iter().enumerate() {
        let word = if place == 0 { &*word } else { "" };
        writeln!(out, "{style}{word:<LABEL$}{style:#}{bold}{line}{bold:#}")?;
    }
    let source = told.source.as_deref().map(|source| format!(" ({source})")).unwrap_or_default();
    let place = format!("{}:{}:{}{source}", told.file, finding.at.line, finding.at.column);
    hanging("at", &place, look, out)?;
    let is = finding.current.as_deref().map(|current| format!(" is {current}")).unwrap_or_default();
    hanging("field", &format!("{}{is}", finding.field), look, out)?;
    hanging("why", &finding.why, look, out)?;
    for (label, text) in [("sum", &finding.sum), ("fix", &finding.suggestion)] {
        text.as_deref().map_or(Ok(()), |text| hanging(label, text, look, out))?;
    }
    writeln!(out)
}

/// A label and a text beside it.
fn hanging(label: &str, text: &str, look: Look, out: &mut impl Write) -> fmt::Result {
    const WIDTH: usize = LABEL - 2;
    let faint = look.palette.faint;
    let room = look.width.saturating_sub(LABEL).max(LABEL);
    for (place, line) in wrapped(&terminal(text, SENTENCE), room).iter().enumerate() {
        let label = if place == 0 { label } else { "" };
        writeln!(out, "  {faint}{label:<WIDTH$}{faint:#}{line}")?;
    }
    Ok(())
}

const fn bad(severity: Severity) -> Bad {
    match severity {
        Severity::Error => Bad::Critical,
        Severity::Warning => Bad::Warning,
        Severity::Info => Bad::Info,
    }
}

/// `1 error, 2 warnings, no infos in 4 objects, 1 ignored.`
fn verdict(report: &Report) -> String {
    let Report { findings, ignored, counts, complete, .. } = report;
    let objects = number(counts.objects, "object with pods", "objects with pods");
    let of = |severity, one: &str, many: &str| number(count(findings, severity), one, many);
    let mut text = match (findings.is_empty(), complete) {
        (true, true) => format!("No findings in {objects}"),
        (true, false) => format!("No findings in {objects}, and not all could be read"),
        (false, _) => format!(
            "{}, {}, {} in {objects}",
            of(Severity::Error, "error", "errors"),
            of(Severity::Warning, "warning", "warnings"),
            of(Severity::Info, "info", "infos")
        ),
    };
    if !ignored.is_empty() {
        let _ = write!(text, "; {} ignored by annotation", ignored.len());
    }
    text + "."
}

/// What was skipped, and why.
fn passed_over(counts: &Counts) -> Vec<String> {
    let mut notes = Vec::new();
    if counts.parts > 0 {
        let parts = number(counts.parts, "part of an object", "parts of objects");
        notes.push(format!(
            "Passed over {parts} (a patch, a template): lint what kustomize build or helm template prints."
        ));
    }
    if counts.controlled > 0 {
        let objects = number(counts.controlled, "object", "objects");
        notes.push(format!("Passed over {objects} that others made."));
    }
    notes
}

fn number(number: usize, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

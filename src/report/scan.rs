//! A scan as a document, as names, and as Markdown for a ticket.

use std::fmt::{self, Write};

use serde::Serialize;

use super::headline::headline;
use super::json;
use super::markdown::{code, in_markdown, plain};
use super::remedies;
use super::text::scan::target;
use super::when::clock;
use super::wording::{changed_by, doubt, extent, field_is};
use super::written::Written;
use crate::engine::{Finding, Severity};
use crate::scan::{Looked, Restarted};
use crate::text::escape::visible;
use crate::time::Time;

/// What `scan -o json` prints.
#[derive(Serialize, Debug)]
pub struct Document<'a> {
    /// The time of the scan; for a dump, its newest timestamp.
    pub at: Time,
    /// The findings, worst first; those with `confirmed_at` null are only suspected.
    pub findings: Vec<Written<'a>>,
    /// Containers that restarted or wait without a finding.
    pub unexplained: Vec<Unexplained<'a>>,
    /// Whether all of the input could be read.
    pub complete: bool,
    /// What it lacks, in words.
    pub lacks: &'a [String],
}

/// A container that restarted, or waits.
#[derive(Serialize, Debug)]
pub struct Unexplained<'a> {
    namespace: &'a str,
    workload: String,
    container: &'a str,
    pods: usize,
    restarts: u64,
    last_end: Option<Time>,
    exit_code: Option<i32>,
    waits_for: Option<&'a str>,
}

impl<'a> Document<'a> {
    /// The report of a scan.
    pub fn new(looked: &'a Looked, complete: bool, lacks: &'a [String]) -> Self {
        let unexplained = looked.restarted.iter().map(Unexplained::new).collect();
        let findings = looked.findings.iter().map(|finding| Written::new(finding)).collect();
        Self { at: looked.at, findings, unexplained, complete, lacks }
    }

    /// As JSON, indented by two spaces, safe to display.
    ///
    /// # Errors
    /// Does not fail for plain data.
    pub fn json(&self) -> serde_json::Result<String> {
        json::pretty(self)
    }

    /// As YAML, safe to display.
    ///
    /// # Errors
    /// Does not fail for plain data.
    pub fn yaml(&self) -> Result<String, serde_saphyr::ser::Error> {
        let text = serde_saphyr::to_string(self)?;
        Ok(if text.chars().all(json::is_safe) { text } else { self.json().map_err(|error| error.to_string())? })
    }
}

impl<'a> Unexplained<'a> {
    fn new(one: &'a Restarted) -> Self {
        Self {
            namespace: &one.namespace,
            workload: one.workload(),
            container: &one.container,
            pods: one.pods,
            restarts: one.restarts,
            last_end: one.last,
            exit_code: one.exit,
            waits_for: one.waits.as_deref(),
        }
    }
}

/// `-n shop deployment/web`, one line per workload, as kubectl accepts it.
pub fn names(looked: &Looked) -> String {
    let mut lines: Vec<String> = Vec::new();
    for finding in &looked.findings {
        let line = visible(&format!("-n {} {}", finding.namespace, target(finding)));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// The findings as Markdown: a heading and a list for each.
///
/// # Errors
/// Those of `out`.
pub fn markdown(looked: &Looked, notes: &[String], out: &mut impl Write) -> fmt::Result {
    writeln!(out, "# What loops, as of {} UTC\n", stamp(looked.at))?;
    for finding in &looked.findings {
        one(finding, out)?;
    }
    if !looked.restarted.is_empty() {
        writeln!(out, "## Seen, and not explained\n")?;
        for one in &looked.restarted {
            let who = format!("{} {}, container {}", one.namespace, one.workload(), one.container);
            writeln!(out, "- {}: {} restarts in {} pods", code(&who), one.restarts, one.pods)?;
        }
        writeln!(out)?;
    }
    notes.iter().try_for_each(|note| writeln!(out, "> {}\n", plain(note)))
}

fn one(finding: &Finding, out: &mut impl Write) -> fmt::Result {
    let severity = match (finding.confirmed_at, finding.severity) {
        (None, _) => "Suspected",
        (_, Severity::Critical) => "Critical",
        (_, Severity::Warning) => "Warning",
        (_, Severity::Info) => "Info",
    };
    writeln!(out, "## {severity}: {}\n", plain(&headline(finding)))?;
    let sentences = [Some(extent(finding)), field_is(finding), changed_by(finding)];
    for sentence in sentences.iter().flatten() {
        writeln!(out, "- {}", in_markdown(sentence))?;
    }
    for fact in &finding.evidence {
        writeln!(out, "- {} {}", clock(fact.at), code(&fact.what))?;
    }
    if let Some(doubt) = doubt(finding) {
        writeln!(out, "- {}", plain(&doubt))?;
    }
    writeln!(out)?;
    for line in remedies::lines(finding).iter().take(1) {
        let label = line.label.word();
        if line.is_command {
            writeln!(out, "{label}:\n\n```sh\n{}\n```\n", line.text)?;
        } else {
            writeln!(out, "{label}: {}\n", plain(&line.text))?;
        }
    }
    Ok(())
}

/// `2026-11-22 14:04:10`
pub fn stamp(at: Time) -> String {
    let text = at.to_string();
    format!("{} {}", text.get(..10).unwrap_or_default(), clock(at))
}

//! `scan`: shows what loops now and why, once: in a cluster, or in a dump.

mod dump;
mod live;

mod target;

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::args::{Color, Least, Scan, Scope, Shown};
use super::error::Error;
use super::incidents::MAX_CASES;
use super::{html, print, terminal};
use crate::engine::{Finding, Severity};
use crate::report::case::Case;
use crate::report::html::Report;
use crate::report::scan::{Document, markdown, names, stamp};
use crate::report::text::scan::{Depth, findings, restarted};
use crate::report::text::{Look, wrapped};
use crate::scan::{Counts, Looked, Restarted};
use crate::text::escape::visible;
pub use target::{Target, target};

/// The exit code if there are findings and `--exit-code` is set.
const FINDINGS: u8 = 3;

/// What was looked at.
#[derive(Debug)]
struct Read {
    looked: Looked,
    /// What the input lacks, or could not be looked up, in words.
    lacks: Vec<String>,
    /// Whether all of it could be read.
    complete: bool,
    /// Number of findings below the requested severity.
    milder: usize,
}

/// The state of a cluster or a dump, and what of it is unknown, in words.
pub fn running(args: &Scan) -> Result<(Looked, Vec<String>), Error> {
    let read = if args.files.is_empty() { live::read(args)? } else { dump::read(args)? };
    Ok((read.looked, read.lacks))
}

/// Looks, and prints the result; returns the exit code.
pub fn run(args: &Scan, color: Color) -> Result<u8, Error> {
    let mut read = if args.files.is_empty() { live::read(args)? } else { dump::read(args)? };
    let seen = read.looked.counts;
    narrow(&mut read, args)?;
    if let Some(file) = &args.html {
        report(file, &read, args)?;
    }
    let look = terminal::look(&io::stdout(), color);
    print(rendered(&read, seen, args, look)?.as_bytes())?;
    if !read.complete {
        return Err(Error::Incomplete);
    }
    let fails = args.exit_code && !read.looked.findings.is_empty();
    Ok(if fails { FINDINGS } else { 0 })
}

/// Writes the findings as a report.
fn report(file: &Path, read: &Read, args: &Scan) -> Result<(), Error> {
    let case = |finding: &Arc<Finding>| {
        let incident = read.looked.incidents.get(&finding.identity()).cloned().unwrap_or_default();
        Case { finding: Arc::clone(finding), incident, told: Vec::new() }
    };
    let cases: Vec<Case> = read.looked.findings.iter().take(MAX_CASES).map(case).collect();
    let source = match &args.files[..] {
        [] => "a scan of the cluster".to_owned(),
        files => html::source(files, args.anonymize),
    };
    html::write(file, &Report { source: &source, at: read.looked.at, cases: &cases, notes: &read.lacks })
}

/// Keeps only what was requested.
fn narrow(read: &mut Read, args: &Scan) -> Result<(), Error> {
    let looked = &mut read.looked;
    looked.findings.retain(|finding| args.scope.includes(&finding.namespace, &finding.labels));
    looked.restarted.retain(|one| args.scope.includes(&one.namespace, &one.labels));
    if let Some(target) = &args.target {
        only(target, looked, &args.scope)?;
    }
    let before = looked.findings.len();
    if let Some(least) = args.severity {
        looked.findings.retain(|finding| severity(finding) >= least);
    }
    read.milder = before - looked.findings.len();
    Ok(())
}

/// Keeps only what concerns that workload or pod.
fn only(target: &Target, looked: &mut Looked, scope: &Scope) -> Result<(), Error> {
    let is_there = looked.owners.iter().any(|owner| scope.has(&owner.namespace) && target.is_of_owner(owner));
    if !is_there {
        return Err(Error::NoTarget(target.to_string()));
    }
    let owners: Vec<_> = looked.owners.iter().filter(|owner| target.is_of_owner(owner)).cloned().collect();
    let is_meant = |namespace: &str, workload: &str| {
        owners.iter().any(|owner| *owner.namespace == *namespace && owner.workload == workload)
    };
    looked.findings.retain(|finding: &Arc<Finding>| {
        target.is_workload(&finding.workload) || is_meant(&finding.namespace, &finding.workload)
    });
    looked
        .restarted
        .retain(|one: &Restarted| target.is_workload(&one.workload()) || is_meant(&one.namespace, &one.workload()));
    Ok(())
}

const fn severity(finding: &Finding) -> Least {
    match finding.severity {
        Severity::Info => Least::Info,
        Severity::Warning => Least::Warning,
        Severity::Critical => Least::Critical,
    }
}

fn rendered(read: &Read, seen: Counts, args: &Scan, look: Look) -> Result<String, Error> {
    let failed = |error: &dyn std::error::Error| Error::Start(error.to_string());
    let document = Document::new(&read.looked, read.complete, &read.lacks);
    let mut text = String::new();
    match args.output {
        Shown::Json => text = document.json().map_err(|error| failed(&error))?,
        Shown::Yaml => text = document.yaml().map_err(|error| failed(&error))?,
        Shown::Name => text = names(&read.looked),
        Shown::Markdown => {
            let notes: Vec<String> = std::iter::once(verdict(read, seen)).chain(read.lacks.iter().cloned()).collect();
            markdown(&read.looked, &notes, &mut text).map_err(|error| failed(&error))?;
        }
        Shown::Text | Shown::Wide => {
            let full = args.output == Shown::Wide || args.target.is_some();
            let depth = if full { Depth::Full } else { Depth::Short };
            prose(read, seen, depth, look, &mut text).map_err(|error| failed(&error))?;
        }
    }
    Ok(text)
}

fn prose(read: &Read, seen: Counts, depth: Depth, look: Look, text: &mut String) -> std::fmt::Result {
    findings(&read.looked, depth, look, text)?;
    restarted(&read.looked, look, text)?;
    note(&verdict(read, seen), look, text)?;
    for lack in &read.lacks {
        note(lack, look, text)?;
    }
    Ok(())
}

/// Writes a paragraph. A command at its end gets a line of its own.
fn note(text: &str, look: Look, out: &mut impl std::fmt::Write) -> std::fmt::Result {
    let (words, command) = match text.split_once(": kubectl ") {
        Some((words, command)) => (format!("{words}:"), Some(format!("kubectl {command}"))),
        None => (text.to_owned(), None),
    };
    for line in wrapped(&visible(&words), look.width) {
        writeln!(out, "{line}")?;
    }
    command.map_or(Ok(()), |command| writeln!(out, "{}", visible(&command)))
}

/// What was looked at, and the conclusion, which claims no more than the input supports.
fn verdict(read: &Read, seen: Counts) -> String {
    let looked = &read.looked;
    let mut text = match (looked.findings.len(), read.complete, looked.restarted.is_empty()) {
        (0, false, _) => "No findings in what could be read, which is not all".to_owned(),
        (0, true, _) if read.milder > 0 => format!("No findings that bad, and {} milder", read.milder),
        (0, true, true) if seen.left_out == 0 => {
            "No findings: nothing here restarts, and nothing is held up by a probe".to_owned()
        }
        (0, true, _) => "No findings yet".to_owned(),
        (1, ..) => "1 finding".to_owned(),
        (many, ..) => format!("{many} findings"),
    };
    let (pods, events) = (count(seen.pods, "pod"), count(seen.events, "event"));
    let _ = write!(text, ". Looked at {pods} and {events}, as of {} UTC.", stamp(looked.at));
    if seen.left_out > 0 {
        let _ = write!(text, " {} more were too many to look at.", seen.left_out);
    }
    text
}

fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

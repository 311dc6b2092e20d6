//! `lint`: finds what will loop or protect nothing in a manifest.

#[cfg(feature = "operator")]
use std::cell::Cell;
use std::fs::File;
use std::io;
use std::path::Path;

use super::args::{Color, Lint, Linted};
#[cfg(feature = "operator")]
use super::args::{Scan, Scope};
use super::error::Error;
use super::notes::Complaints;
#[cfg(feature = "operator")]
use super::scan;
use super::{print, terminal};
#[cfg(feature = "operator")]
use crate::lint::Running;
use crate::lint::forms::{annotations, blocks, document, log};
use crate::lint::{Counts, Finding, Object, Report, Severity};
#[cfg(feature = "operator")]
use crate::report::scan::stamp;
use crate::report::text::Look;
use crate::source::manifest::{self, Found};

/// The exit code if there is an error or a warning.
const FINDINGS: u8 = 1;

/// Lints the manifests, and writes the report; returns the exit code.
pub fn run(args: &Lint, color: Color) -> Result<u8, Error> {
    let mut report = compared(args)?;
    report.findings.retain(|told| told.finding.severity >= args.severity.severity());
    let look = terminal::look(&io::stdout(), color);
    print(rendered(&report, args.output, look)?.as_bytes())?;
    let stands = report.findings.iter().any(|told| told.finding.severity >= Severity::Warning);
    match (report.complete, stands) {
        (false, _) => Err(Error::Incomplete),
        (true, true) => Ok(FINDINGS),
        (true, false) => Ok(0),
    }
}

#[cfg(not(feature = "operator"))]
fn compared(args: &Lint) -> Result<Report, Error> {
    read(args, &|_| Vec::new())
}

/// Lints the manifests, and compares them with what is running.
#[cfg(feature = "operator")]
fn compared(args: &Lint) -> Result<Report, Error> {
    let Some(against) = &args.against else { return read(args, &|_| Vec::new()) };
    let is_cluster = against == Path::new("cluster");
    let scan = Scan {
        files: if is_cluster { Vec::new() } else { vec![against.clone()] },
        kubeconfig: args.kubeconfig.clone(),
        context: args.context.clone(),
        scope: Scope { namespace: args.namespace.iter().filter(|_| is_cluster).cloned().collect(), ..Scope::default() },
        ..Scan::default()
    };
    let (looked, _) = scan::running(&scan)?;
    let pods = looked.counts.pods;
    let running = Running { tried: looked.tried, findings: looked.findings, namespace: args.namespace.clone() };
    let missing = Cell::new(0);
    let mut report = read(args, &|object| {
        running.compare(object).unwrap_or_else(|| {
            missing.set(missing.get() + 1);
            Vec::new()
        })
    })?;
    report.notes.push(match missing.get() {
        0 => format!("Compared with {pods} pods, as of {} UTC.", stamp(looked.at)),
        some => format!(
            "Compared with {pods} pods, as of {} UTC; of {some} objects of the manifests none runs there.",
            stamp(looked.at)
        ),
    });
    Ok(report)
}

fn read(args: &Lint, more: &dyn Fn(&Object<'_>) -> Vec<Finding>) -> Result<Report, Error> {
    let mut report = Report::default();
    let mut complaints = Complaints::default();
    let mut take = |place: &_, found| match found {
        Found::Document(document) => report.take(&document, more),
        Found::Other(what) => complaints.odd(place, &what),
        Found::Trouble(trouble) => complaints.tell(place, &trouble),
    };
    for path in &args.files {
        let name = path.display().to_string();
        let failed = |cause| Error::Open { file: name.clone(), cause };
        if path == Path::new("-") {
            manifest::read(&name, io::stdin(), &mut take);
        } else if path.is_dir() {
            manifest::read_folder(path, &mut take).map_err(failed)?;
        } else {
            manifest::read(&name, File::open(path).map_err(failed)?, &mut take);
        }
    }
    complaints.finish();
    if report.counts == Counts::default() && !complaints.lossy() {
        let names: Vec<String> = args.files.iter().map(|file| file.display().to_string()).collect();
        return Err(Error::NothingToLint(names.join(", ")));
    }
    report.complete = !complaints.lossy();
    Ok(report)
}

fn rendered(report: &Report, form: Linted, look: Look) -> Result<String, Error> {
    let failed = |error: &dyn std::error::Error| Error::Write(io::Error::other(error.to_string()));
    Ok(match form {
        Linted::Text => {
            let mut text = String::new();
            blocks(report, look, &mut text).map_err(|error| failed(&error))?;
            text
        }
        Linted::Json => document(report).map_err(|error| failed(&error))?,
        Linted::Sarif => log(report).map_err(|error| failed(&error))?,
        Linted::Github => annotations(report),
    })
}

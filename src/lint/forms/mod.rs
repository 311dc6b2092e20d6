//! What of manifests is told: for people, for programs, and for code hosts.

mod github;
mod json;
mod sarif;
mod text;

pub use github::annotations;
pub use json::document;
pub use sarif::log;
pub use text::blocks;

use crate::lint::{Severity, Told};

/// How an input without a name is called where a file has to be named.
const STDIN: &str = "stdin";

/// The file that a code host knows, and whether the place is one of it: what Helm rendered is told of
/// the template, whose lines are others.
fn known_file(told: &Told) -> (&str, bool) {
    match (&*told.file, told.source.as_deref()) {
        ("-", Some(source)) => (source, false),
        ("-", None) => (STDIN, true),
        (file, _) => (file, true),
    }
}

/// How many there are of a severity.
pub fn count(findings: &[Told], severity: Severity) -> usize {
    findings.iter().filter(|told| told.finding.severity == severity).count()
}

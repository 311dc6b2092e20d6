//! Output formats of lint: for people, for programs, and for code hosts.

mod github;
mod json;
mod sarif;
mod text;

pub use github::annotations;
pub use json::document;
pub use sarif::log;
pub use text::blocks;

use crate::lint::{Severity, Told};

/// The name of standard input in formats that require a file.
const STDIN: &str = "stdin";

/// The file known to a code host, and whether the position is in it: for rendered Helm output this is the
/// template, whose lines differ.
fn known_file(told: &Told) -> (&str, bool) {
    match (&*told.file, told.source.as_deref()) {
        ("-", Some(source)) => (source, false),
        ("-", None) => (STDIN, true),
        (file, _) => (file, true),
    }
}

/// The number of findings of a severity.
pub fn count(findings: &[Told], severity: Severity) -> usize {
    findings.iter().filter(|told| told.finding.severity == severity).count()
}

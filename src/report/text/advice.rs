//! The remedies of each finding as lines that can be piped into a shell.

use std::fmt::{self, Write};

use super::Look;
use crate::engine::Finding;
use crate::report::headline::headline;
use crate::report::remedies::{Label, Line, lines};
use crate::report::when::span;
use crate::text::escape::terminal;

/// Maximum length of a comment line, in columns.
const LINE: usize = 400;

/// Writes the remedies of the confirmed findings. Anything that is not a command is a comment, and so are
/// the remedies of resolved findings: all of it can be pasted.
///
/// # Errors
/// Those of `out`.
pub fn write<'a>(findings: impl Iterator<Item = &'a Finding>, look: Look, out: &mut impl Write) -> fmt::Result {
    let mut first = true;
    for finding in findings.filter(|finding| finding.confirmed_at.is_some() && !finding.remedy.is_empty()) {
        if !first {
            writeln!(out)?;
        }
        first = false;
        one(finding, look, out)?;
    }
    Ok(())
}

fn one(finding: &Finding, look: Look, out: &mut impl Write) -> fmt::Result {
    let (faint, style) = (look.palette.faint, look.palette.remedy);
    writeln!(out, "{faint}# {}{faint:#}", terminal(&headline(finding), LINE))?;
    if let Some(resolved_at) = finding.resolved_at {
        let lasted = span(resolved_at.since(finding.opened_at));
        writeln!(out, "{faint}# resolved after {lasted}; until then it was:{faint:#}")?;
    }
    for Line { label, text, is_command } in lines(finding) {
        let label = match label {
            Label::Fix | Label::Next => String::new(),
            Label::Or | Label::Then => format!("{}: ", label.word()),
        };
        if label.is_empty() && finding.resolved_at.is_none() && is_command {
            writeln!(out, "{style}{text}{style:#}")?;
        } else {
            writeln!(out, "{faint}# {label}{}{faint:#}", terminal(&text, LINE))?;
        }
    }
    Ok(())
}

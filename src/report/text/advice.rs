//! What to type: the remedies of each finding, as lines that a shell can be given.

use std::fmt::{self, Write};

use super::Look;
use crate::engine::Finding;
use crate::report::escape::terminal;
use crate::report::headline::headline;
use crate::report::when::span;

/// Longest line of a comment, in columns.
const LINE: usize = 400;

/// Writes the remedies of the confirmed findings. What is no command is a comment, and so is what
/// belongs to a finding that is over: the whole can be pasted.
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
    for (index, remedy) in finding.remedy.iter().enumerate() {
        let or = if index == 0 { "" } else { "or: " };
        if index == 0 && finding.resolved_at.is_none() && is_command(remedy) {
            writeln!(out, "{style}{remedy}{style:#}")?;
        } else {
            writeln!(out, "{faint}# {or}{}{faint:#}", terminal(remedy, LINE))?;
        }
    }
    Ok(())
}

/// Whether a remedy is a `kubectl` command of plain words and single-quoted strings only.
///
/// The names in it come from a cluster. A character that means something to a shell, or that a
/// terminal would act upon, makes the line a text to read instead of a command to paste.
pub fn is_command(remedy: &str) -> bool {
    let mut quoted = false;
    let plain = remedy.chars().all(|character| match character {
        '\'' => {
            quoted = !quoted;
            true
        }
        ' '..='~' if quoted => true,
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        _ => " -_./=:,@%+".contains(character),
    });
    remedy.starts_with("kubectl ") && plain && !quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_kubectl_lines_are_commands() {
        assert!(is_command("kubectl -n prod rollout undo deployment/web --to-revision=7"));
        assert!(is_command(r#"kubectl -n prod patch deploy/web --type=json -p '[{"op":"replace"}]'"#));
        assert!(!is_command("set livenessProbe.httpGet.path back to /health"));
        assert!(!is_command("kubectl delete pod $(reboot)"));
        assert!(!is_command("kubectl get pod; reboot"));
        assert!(!is_command("kubectl get pod 'web"));
        assert!(!is_command("kubectl get pod 'a\u{1b}[2J'"));
        assert!(!is_command("kubectl get pod a\nreboot"));
    }
}

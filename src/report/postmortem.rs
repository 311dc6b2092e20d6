//! The draft of a postmortem, in Markdown: what is known is filled in, what only people know is asked.

use std::fmt::{self, Write};

use super::case::{Case, Side};
use super::headline::headline;
use super::markdown::{code, in_markdown, plain};
use super::prevention;
use super::remedies;
use super::when::{clock, day, lasted, span};
use super::wording::{changed_by, doubt, extent, field_is, over, worst};
use crate::engine::Standing;
use crate::time::Time;

/// A draft for each finding, as of `now`.
pub fn write(cases: &[Case], now: Time) -> String {
    let mut text = String::new();
    if cases.is_empty() {
        text.push_str("No findings: nothing here restarts in a loop or is held up by a probe.\n");
    }
    for (place, case) in cases.iter().enumerate() {
        if place > 0 {
            text.push_str("\n---\n\n");
        }
        // Writing to a `String` cannot fail.
        let _ = one(case, now, &mut text);
    }
    text
}

fn one(case: &Case, now: Time, out: &mut String) -> fmt::Result {
    let finding = &*case.finding;
    writeln!(out, "# Postmortem: {}\n", plain(&headline(finding)))?;
    let state = if finding.resolved_at.is_some() { "resolved" } else { "goes on" };
    let (began, long) = (finding.opened_at, span(lasted(finding, now)));
    writeln!(out, "{} {} UTC, {long}, {state}. Severity: {}.\n", day(began), clock(began), finding.severity)?;
    summary(case, out)?;
    timeline(case, out)?;
    cause(case, out)?;
    told(case, out)?;
    mended(case, out)?;
    heading("What would have prevented it", out)?;
    for advice in prevention::advice(finding) {
        writeln!(out, "- {}", plain(&advice))?;
    }
    heading("To be filled in", out)?;
    for question in ["Who was affected, and what did they see?", "What went well?", "Actions, with an owner and a date"]
    {
        writeln!(out, "- {question}")?;
    }
    Ok(())
}

fn heading(text: &str, out: &mut String) -> fmt::Result {
    writeln!(out, "\n## {text}\n")
}

fn summary(case: &Case, out: &mut String) -> fmt::Result {
    let finding = &*case.finding;
    writeln!(out, "## Summary\n")?;
    let ended = finding.resolved_at.map(|at| over(finding, at).words(" ").and(worst(finding)));
    let sentences = [Some(ended.unwrap_or_else(|| extent(finding))), field_is(finding), changed_by(finding)];
    sentences.iter().flatten().try_for_each(|sentence| writeln!(out, "- {}", in_markdown(sentence)))
}

fn timeline(case: &Case, out: &mut String) -> fmt::Result {
    heading("Timeline (UTC)", out)?;
    writeln!(out, "| time | what |\n|---|---|")?;
    for entry in case.timeline() {
        let who = if entry.of == Side::Said { "probehound: " } else { "" };
        writeln!(out, "| {} | {who}{} |", clock(entry.at), plain(&entry.what))?;
    }
    Ok(())
}

fn cause(case: &Case, out: &mut String) -> fmt::Result {
    let finding = &*case.finding;
    heading("Cause and evidence", out)?;
    writeln!(out, "{} ({}), confidence {}.\n", finding.cause, finding.effect, finding.confidence)?;
    for fact in &finding.evidence {
        writeln!(out, "- {} {}", clock(fact.at), code(&fact.what))?;
    }
    if let Some(doubt) = doubt(finding) {
        writeln!(out, "- {}", plain(&doubt))?;
    }
    for one in finding.considered.iter().filter(|one| one.standing == Standing::Contradicted) {
        let against: Vec<String> = one.against.iter().map(|text| code(text)).collect();
        writeln!(out, "- not {}: {}", one.cause, against.join("; "))?;
    }
    Ok(())
}

fn told(case: &Case, out: &mut String) -> fmt::Result {
    heading("What was told", out)?;
    if case.told.is_empty() {
        return writeln!(out, "Nobody was told of it.");
    }
    let line = |told: &super::case::Told| format!("- {} {}: {}", clock(told.at), plain(&told.to), plain(&told.what));
    case.told.iter().try_for_each(|told| writeln!(out, "{}", line(told)))
}

fn mended(case: &Case, out: &mut String) -> fmt::Result {
    heading("How it was mended", out)?;
    match case.mended() {
        Some(mended) => writeln!(out, "{}.\n", plain(&super::wording::capitalised(&mended)))?,
        None if case.finding.resolved_at.is_some() => writeln!(out, "It was resolved; by what was not seen.\n")?,
        None => writeln!(out, "Not yet.\n")?,
    }
    for line in remedies::lines(&case.finding) {
        let label = line.label.word();
        if line.is_command {
            writeln!(out, "{label}:\n\n```sh\n{}\n```\n", line.text)?;
        } else {
            writeln!(out, "{label}: {}\n", plain(&line.text))?;
        }
    }
    Ok(())
}

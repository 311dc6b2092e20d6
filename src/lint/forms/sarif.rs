//! SARIF 2.1.0, as code hosts import it into their lists of alerts.

use std::fmt::Write;

use serde_json::{Value, json};

use super::known_file;
use crate::lint::{Report, Rule, Severity, Told};
use crate::report::json;
use crate::text::escape::visible;

/// The schema.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The documentation of the rules.
const HELP: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/lint.md");

/// A log with one run.
///
/// # Errors
/// Does not fail for plain data.
pub fn log(report: &Report) -> serde_json::Result<String> {
    let standing = report.findings.iter().map(|told| result(told, None));
    let ignored = report.ignored.iter().map(|(told, reason)| result(told, Some(reason)));
    json::pretty(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "probehound",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": Rule::ALL.iter().map(|rule| describe(*rule)).collect::<Vec<_>>(),
            }},
            "invocations": [{"executionSuccessful": report.complete}],
            "columnKind": "unicodeCodePoints",
            "results": standing.chain(ignored).collect::<Vec<_>>(),
        }],
    }))
}

fn describe(rule: Rule) -> Value {
    json!({
        "id": rule.id(),
        "shortDescription": {"text": rule.what()},
        "helpUri": HELP,
        "defaultConfiguration": {"level": level(rule.severity())},
    })
}

fn result(told: &Told, ignored: Option<&str>) -> Value {
    let finding = &told.finding;
    let (file, is_exact) = known_file(told);
    let mut place = json!({"artifactLocation": {"uri": uri(file)}});
    if is_exact {
        place["region"] = json!({"startLine": finding.at.line, "startColumn": finding.at.column});
    }
    let name = format!("{}: {}", told.who(), finding.field);
    let mut result = json!({
        "ruleId": finding.rule.id(),
        "ruleIndex": Rule::ALL.iter().position(|rule| *rule == finding.rule),
        "level": level(finding.severity),
        "message": {"text": visible(&told.message())},
        "locations": [{
            "physicalLocation": place,
            "logicalLocations": [{"fullyQualifiedName": visible(&name), "kind": "resource"}],
        }],
        // The same for the same finding, even if the lines above it change.
        "partialFingerprints": {"field/v1": visible(&format!("{}/{name}", finding.rule.id()))},
    });
    if let Some(reason) = ignored {
        result["suppressions"] = json!([{"kind": "inSource", "justification": visible(reason)}]);
    }
    result
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// A path as a URI, relative if the path is.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'\\' => uri.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => uri.push(char::from(byte)),
            _ => _ = write!(uri, "%{byte:02X}"),
        }
    }
    uri
}

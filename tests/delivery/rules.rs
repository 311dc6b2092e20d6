//! Checks Prometheus' rules, the dashboard, the runbook and the schema against the program.

use std::collections::BTreeSet;

use probehound::finding::{Cause, Fault};
use probehound::report::alertmanager;
use serde_json::Value;

const METRICS: &str = include_str!("../../docs/metrics.md");
const RUNBOOK: &str = include_str!("../../docs/runbook.md");
const RULES: &str = "manifests/rules/probehound.rules.yaml";

#[test]
fn the_rules_of_the_prometheus_operator_are_the_same() {
    let operator = yaml("manifests/rules/prometheusrule.yaml");
    assert_eq!(operator["kind"], "PrometheusRule");
    assert_eq!(operator["spec"]["groups"], yaml(RULES)["groups"]);
}

#[test]
fn each_alert_says_what_it_is_and_has_a_section_in_the_runbook() {
    for alert in alerts() {
        let name = alert["alert"].as_str().expect("it has a name");
        let text = |key: &str| alert["annotations"][key].as_str().unwrap_or_else(|| panic!("{name} has no {key}"));
        assert!(text("summary").ends_with('.') && !text("summary").contains("{{"), "{name}: a constant sentence");
        assert!(!text("description").is_empty());
        assert_eq!(text("runbook_url"), format!("{}#{}", alertmanager::RUNBOOK, name.to_lowercase()));
        assert!(RUNBOOK.contains(&format!("\n## {name}\n")), "docs/runbook.md has no section {name}");
        let findings = alert["expr"].as_str().is_some_and(|expr| expr.contains("probehound_findings{"));
        assert!(findings || alert["labels"]["severity"].is_string(), "{name} does not say how bad it is");
    }
    let sections: Vec<&str> = RUNBOOK.split("\n## ").skip(1).collect();
    assert!(RUNBOOK.contains(&format!("\n## {}\n", alertmanager::WATCHDOG)), "which no rule makes");
    assert_eq!(sections.len(), alerts().len() + 1, "a section for each, and no other");
    for section in sections {
        for part in ["**What it means.**", "**What to do.**", "**How to see that it is over.**"] {
            assert!(section.contains(part), "{part} is missing in {}", section.lines().next().unwrap_or_default());
        }
    }
}

#[test]
fn an_alertmanager_is_told_by_the_names_of_the_rules() {
    let names: BTreeSet<String> =
        alerts().iter().filter_map(|alert| Some(alert["alert"].as_str()?.to_owned())).collect();
    for name in [alertmanager::PROBE_MISCONFIGURED, alertmanager::CONTAINER_LOOPING, alertmanager::PROBE_INEFFECTIVE] {
        assert!(names.contains(name), "{name}");
    }
}

#[test]
fn the_causes_of_a_misconfigured_probe_are_those_that_are_the_probes_fault() {
    let causes: Vec<String> =
        Cause::ALL.iter().filter(|cause| cause.fault() == Some(Fault::Probe)).map(ToString::to_string).collect();
    let causes = causes.join("|");
    let expr = |name: &str| {
        let alert = alerts().into_iter().find(|alert| alert["alert"] == name).expect("it is there");
        alert["expr"].as_str().expect("it has an expression").to_owned()
    };
    assert!(expr(alertmanager::PROBE_MISCONFIGURED).contains(&format!("cause=~\"{causes}\"")), "{causes}");
    assert!(expr(alertmanager::CONTAINER_LOOPING).contains(&format!("cause!~\"{causes}\"")), "{causes}");
}

#[test]
fn every_metric_and_label_that_is_asked_for_there_is() {
    let dashboard: Value = serde_json::from_str(&read("manifests/dashboard/probehound.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("there are panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let mut queries: Vec<String> = targets.map(|target| target["expr"].as_str().expect("a query").to_owned()).collect();
    assert!(queries.len() > 20, "{queries:?}");
    queries.extend(alerts().iter().filter_map(|alert| Some(alert["expr"].as_str()?.to_owned())));
    for query in &queries {
        for name in metrics(query) {
            let known = METRICS.contains(&format!("\n| `{name}` |")) || name.starts_with("process_");
            assert!(known, "there is no {name}: {query}");
        }
    }
    let ids: BTreeSet<u64> = panels.iter().filter_map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
}

#[test]
fn the_schema_of_the_webhook_is_the_one_of_the_program() {
    let schema = serde_json::to_string_pretty(&probehound::report::webhook::schema()).expect("plain data") + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path("docs/webhook.schema.json"), &schema).expect("it can be written");
    }
    assert!(read("docs/webhook.schema.json") == schema, "UPDATE_SCHEMA=1 cargo test --test all schema");
}

fn alerts() -> Vec<Value> {
    let rules = yaml(RULES);
    let groups = rules["groups"].as_array().expect("there are groups").clone();
    groups.iter().flat_map(|group| group["rules"].as_array().expect("there are rules").clone()).collect()
}

/// The names of metrics in a query, a histogram's without its suffix.
fn metrics(query: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = query.split(|c| !word(c));
    let ours = words.filter(|word| word.starts_with("probehound_") || word.starts_with("process_"));
    ours.map(|name| name.trim_end_matches("_bucket").to_owned()).collect()
}

fn yaml(file: &str) -> Value {
    serde_saphyr::from_str(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn read(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn path(file: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

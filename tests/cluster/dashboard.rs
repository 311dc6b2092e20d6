//! The dashboard, read by Grafana's own definition of dashboards, panels and queries.

use std::process::{Command, Output};

use serde_json::Value;

use crate::harness::Folder;
use crate::harness::control_plane::program;
use crate::installed::manifests;

#[test]
fn grafana_knows_every_field_of_the_dashboard() {
    let file = manifests("dashboard/probehound.json");
    let read = read(file.to_str().expect("a path"));
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));

    let text = std::fs::read_to_string(file).expect("readable");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").len();
    assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), panels.to_string());
}

#[test]
fn a_field_that_grafana_does_not_know_would_be_found() {
    let text = std::fs::read_to_string(manifests("dashboard/probehound.json")).expect("readable");
    let wrong = text.replacen("\"colorMode\"", "\"colourMode\"", 1);
    assert_ne!(wrong, text);
    let folder = Folder::new("dashboard");
    let file = folder.write("wrong.json", &wrong);
    let read = read(file.to_str().expect("a path"));
    let said = String::from_utf8_lossy(&read.stderr);
    assert!(!read.status.success() && said.contains("unexpected field 'colourMode'"), "{said}");
}

fn read(file: &str) -> Output {
    Command::new(program("dashboard")).arg(file).output().expect("it is built")
}

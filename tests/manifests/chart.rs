//! The Helm chart, as far as it can be checked without Helm; `make e2e` has Helm render and install it.

use std::collections::BTreeSet;

use probehound::config::raw::Raw;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{documents, read};

const VALUES: &str = "charts/probehound/values.yaml";
const SCHEMA: &str = "charts/probehound/values.schema.json";

#[test]
fn what_the_chart_has_of_others_is_as_they_have_it() {
    for (original, copy) in [
        ("manifests/crd/crd.yaml", "crd.yaml"),
        ("config/probehound.yaml", "probehound.yaml"),
        ("manifests/rules/probehound.rules.yaml", "probehound.rules.yaml"),
        ("manifests/dashboard/probehound.json", "dashboard.json"),
        ("manifests/policies/events-of-kubelets.yaml", "policies/events-of-kubelets.yaml"),
        ("manifests/policies/changed-probes.yaml", "policies/changed-probes.yaml"),
        ("manifests/policies/hasty-probes.yaml", "policies/hasty-probes.yaml"),
    ] {
        held(&format!("charts/probehound/files/{copy}"), &read(original));
    }
}

#[test]
fn the_rights_of_the_chart_are_those_of_the_manifests() {
    let text = read("charts/probehound/templates/_helpers.tpl");
    let (_, rules) = text.split_once("{{- define \"probehound.rules\" -}}\n").expect("they are there");
    let (rules, _) = rules.split_once("{{- end -}}").expect("they end");
    let rules: Value = serde_saphyr::from_str(rules).expect("YAML");
    assert_eq!(rules, documents("manifests/base/rights.yaml")[0]["rules"]);
}

#[test]
fn the_rights_of_an_overlay_are_those_that_the_chart_adds() {
    for name in ["guard", "namespace-annotations"] {
        let text = read(&format!("charts/probehound/templates/{name}.yaml"));
        let (_, rules) = text.split_once("rules:\n").expect("they are there");
        let (rules, _) = rules.split_once("---").expect("they end");
        let rules: Value = serde_saphyr::from_str(rules).expect("YAML");
        assert_eq!(rules, documents(&format!("manifests/overlays/{name}/rights.yaml"))[0]["rules"]);
    }
}

#[test]
fn the_chart_is_of_this_version() {
    let chart = &documents("charts/probehound/Chart.yaml")[0];
    for key in ["version", "appVersion"] {
        assert_eq!(chart[key], env!("CARGO_PKG_VERSION"), "{key}");
    }
}

#[test]
fn each_value_has_its_place_in_the_schema_and_no_other() {
    let values = &documents(VALUES)[0];
    let schema: Value = serde_json::from_str(&read(SCHEMA)).expect("JSON");
    assert_eq!(schema["additionalProperties"], false);
    let mut known = keys(&schema["properties"]);
    assert!(known.remove("global"), "what charts share");
    assert_eq!(keys(values), known);
    for (key, part) in schema["properties"].as_object().expect("properties") {
        if part["additionalProperties"] == false {
            let documented = keys(&values[key]);
            let missing: Vec<_> = documented.difference(&keys(&part["properties"])).cloned().collect();
            assert!(missing.is_empty(), "{key}: {missing:?}");
        }
        assert!(part["description"].is_string() || key == "config", "{key} does not say what it is");
    }
}

/// So that `helm install` reports what is wrong, and not a pod that does not start.
#[test]
fn the_chart_knows_the_settings_as_the_program_does() {
    let mut settings = SchemaSettings::draft07().into_generator().into_root_schema_for::<Raw>().to_value();
    let mut parts = settings["definitions"].take();
    settings.as_object_mut().expect("a schema").retain(|key, _| !["$schema", "definitions"].contains(&key.as_str()));
    parts["settings"] = settings;
    take_null(&mut parts);
    let mut schema: Value = serde_json::from_str(&read(SCHEMA)).expect("JSON");
    schema["definitions"] = parts;
    held(SCHEMA, &(serde_json::to_string_pretty(&schema).expect("plain data") + "\n"));
}

/// A key without a value gets its default.
fn take_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get_mut("properties") {
                properties.values_mut().for_each(or_null);
            }
            members.values_mut().for_each(take_null);
        }
        Value::Array(items) => items.iter_mut().for_each(take_null),
        _ => {}
    }
}

fn or_null(property: &mut Value) {
    if let Some(kind @ Value::String(_)) = property.get_mut("type") {
        *kind = json!([kind, "null"]);
    } else if property.get("anyOf").is_none() {
        let own = property.take();
        *property = json!({ "anyOf": [own, { "type": "null" }] });
    }
}

/// Checks a file against its source.
fn held(path: &str, wanted: &str) {
    if std::env::var_os("UPDATE_CHART").is_some() {
        let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, wanted).expect("it can be written");
        return;
    }
    assert!(read(path) == wanted, "{path} is old: UPDATE_CHART=1 cargo test --test all chart");
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

//! `probehound lint`, as users and pipelines run it.

use std::path::{Path, PathBuf};

use crate::support::binary::{Outcome, probehound};
use serde_json::{Value, json};

const WEB: &str = include_str!("lint/web.yaml");

#[test]
fn each_finding_is_told_with_its_place_its_arithmetic_and_what_to_write() {
    let outcome = lint(&[], WEB);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    let text = text(&outcome);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn json_has_the_same_with_what_is_ignored() {
    let document = document(&lint(&["-o", "json"], WEB));
    let rules: Vec<&str> =
        document["findings"].as_array().unwrap().iter().map(|one| one["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["kill-budget", "port-name", "command-in-one-word"]);
    assert_eq!(document["ignored"][0]["reason"], "it starts in 200 ms, measured");
    assert_eq!(document["ignored"][0]["rule"], "kill-budget");
    assert_eq!((&document["objects"], &document["complete"]), (&json!(2), &json!(true)));
    let port = &document["findings"][1];
    assert_eq!((&port["line"], &port["column"], &port["file"]), (&json!(26), &json!(37), &json!("-")));
    assert_eq!(port["source"], "web/templates/deployment.yaml");
    assert_eq!(port["namespace"], "shop");
}

#[test]
fn sarif_has_what_a_code_host_asks_for() {
    let file = written("sarif", "a b.yaml", WEB);
    let outcome = probehound(&["lint", "-o", "sarif", file.to_str().unwrap()], b"");
    let log = document(&outcome);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.iter().all(|rule| rule["id"].is_string() && rule["shortDescription"]["text"].is_string()));
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    for result in results {
        assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["artifactLocation"]["uri"].as_str().unwrap().ends_with("a%20b.yaml"), "{place}");
        assert!(place["region"]["startLine"].as_u64().unwrap() > 0);
    }
    assert_eq!(results[3]["suppressions"][0]["kind"], "inSource");
    // For a stream the template is known, whose lines differ.
    let place =
        document(&lint(&["-o", "sarif"], WEB))["runs"][0]["results"][0]["locations"][0]["physicalLocation"].clone();
    assert_eq!(place, json!({"artifactLocation": {"uri": "web/templates/deployment.yaml"}}));
}

#[test]
fn annotations_are_lines_that_the_runner_reads() {
    let file = written("github", "web.yaml", WEB);
    let outcome = probehound(&["lint", "-o", "github", file.to_str().unwrap()], b"");
    let text = text(&outcome);
    assert_eq!(text.lines().count(), 3);
    let place = format!("::warning file={},line=24,col=13,title=probehound%3A kill-budget::", file.display());
    assert!(text.starts_with(&place), "{text}");
    assert!(text.lines().all(|line| line.starts_with("::error ") || line.starts_with("::warning ")), "{text}");
}

#[test]
fn infos_fail_nothing_and_can_be_left_out() {
    let info = WEB
        .split("---\n")
        .nth(1)
        .unwrap()
        .replace("port: metrics", "port: http")
        .replace("failureThreshold: 2", "failureThreshold: 9");
    let outcome = lint(&[], &info);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(text(&outcome).contains("0 errors, 0 warnings, 1 info in 1 object with pods."), "{outcome:?}");
    assert!(text(&outcome).contains("fix     minReadySeconds: 50"), "{}", text(&outcome));
    assert_eq!(text(&lint(&["--severity", "warning"], &info)), "No findings in 1 object with pods.\n");
}

#[test]
fn the_form_of_the_text_changes_nothing() {
    let rules = |input: &[u8]| {
        let outcome = probehound(&["lint", "-o", "json", "-"], input);
        let document: Value =
            serde_json::from_slice(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
        let all = document["findings"].as_array().unwrap().clone();
        all.iter().map(|one| format!("{} {}:{}", one["rule"], one["line"], one["column"])).collect::<Vec<_>>()
    };
    let plain = rules(WEB.as_bytes());
    assert_eq!(plain.len(), 3);
    assert_eq!(rules(WEB.replace('\n', "\r\n").as_bytes()), plain);
    assert_eq!(rules(format!("\u{feff}{WEB}").as_bytes()), plain);
    let wide: Vec<u8> = format!("\u{feff}{WEB}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(rules(&wide), plain);
    // As `kubectl get -o json` prints it.
    let object: Value = json!({"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "i",
        "livenessProbe": {"httpGet": {"port": "http"}}}]}}]});
    assert_eq!(rules(serde_json::to_string_pretty(&object).unwrap().as_bytes()), ["\"port-name\" 16:17"]);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_linted() {
    let broken = format!("a: [\n{WEB}");
    let outcome = lint(&["-o", "json"], &broken);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.starts_with("-:1: it is not YAML: "), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("error: not all of the input could be read"), "{}", outcome.stderr);
    let document = document(&outcome);
    assert_eq!((document["findings"].as_array().unwrap().len(), &document["complete"]), (3, &json!(false)));
}

#[test]
fn nothing_at_all_is_no_all_clear() {
    for input in ["", "# Source: a.yaml\n", "---\n---\n"] {
        let outcome = lint(&[], input);
        assert_eq!(outcome.code, Some(1), "{input:?}");
        assert!(outcome.stderr.starts_with("error: there are no manifests in -\nhint: "), "{}", outcome.stderr);
    }
    assert_eq!(
        text(&lint(&[], "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n")),
        "No findings in 0 objects with pods.\n"
    );
}

#[test]
fn templates_and_patches_are_passed_over_and_told() {
    let folder = fresh("chart");
    std::fs::create_dir_all(folder.join("chart/templates")).unwrap();
    std::fs::write(folder.join("chart/Chart.yaml"), "name: web\n").unwrap();
    std::fs::write(folder.join("chart/templates/web.yaml"), "{{- if .Values.on }}\n").unwrap();
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: app, \
                 livenessProbe: {failureThreshold: 1}}]}}}\n";
    std::fs::write(folder.join("patch.yml"), patch).unwrap();
    std::fs::write(folder.join("notes.txt"), "kind: Pod\n").unwrap();
    let outcome = probehound(&["lint", folder.to_str().unwrap()], b"");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(
        outcome.stderr.contains("templates: these are templates of a chart; lint what they render"),
        "{}",
        outcome.stderr
    );
    assert!(text(&outcome).contains("Passed over 1 part of an object"), "{}", text(&outcome));
}

#[test]
fn hostile_names_touch_neither_the_terminal_nor_the_runner() {
    let hostile = WEB.replace("name: web\n", "name: \"w\\e[2J\\nweb::error::x\"\n");
    for form in ["text", "json", "sarif", "github"] {
        let outcome = lint(&["-o", form], &hostile);
        let text = text(&outcome);
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(
            form != "github"
                || text.lines().all(|line| line.starts_with("::warning file=") || line.starts_with("::error file=")),
            "{text}"
        );
    }
}

#[test]
fn a_path_that_was_never_seen_to_pass_is_told_with_the_one_that_passes() {
    let outcome = against(&dump("passing"), &web("shop", "/v2/health", "web:1"));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let document = document(&outcome);
    let found = finding(&document, "never-passed");
    assert_eq!((&found["field"], &found["current"]), (&json!("livenessProbe.httpGet.path"), &json!("/v2/health")));
    assert_eq!(found["why"], "/v2/health was never seen to pass with image web:1; /health passes in 3 pods now");
    assert_eq!(document["notes"], json!(["Compared with 4 pods, as of 2026-11-22 13:30:00 UTC."]));
}

#[test]
fn a_readiness_probe_that_asks_the_same_shows_what_passes_from_the_first_minute_on() {
    let path = dump("young");
    let young = std::fs::read_to_string(&path).expect("it was written");
    std::fs::write(&path, young.replace("/ready", "/health").replace("T13:00:0", "T13:29:0")).expect("writable");
    let found = document(&against(&path, &web("shop", "/v2/health", "web:1")));
    let why = &finding(&found, "never-passed")["why"];
    assert_eq!(why, "/v2/health was never seen to pass with image web:1; /health passes in 3 pods now");
}

#[test]
fn what_passes_there_is_not_flagged_and_of_a_new_image_nothing_is_known() {
    let dump = dump("known");
    for (path, image, rules) in [
        ("/health", "web:1", vec!["min-ready"]),
        // The readiness probe makes the same request, and passes.
        ("/ready", "web:1", vec![]),
        ("/health", "web:2", vec!["min-ready"]),
        ("/v2/health", "web:2", vec!["min-ready", "new-image"]),
    ] {
        let document = document(&against(&dump, &web("shop", path, image)));
        let said: Vec<&str> =
            document["findings"].as_array().unwrap().iter().map(|one| one["rule"].as_str().unwrap()).collect();
        assert_eq!(said, rules, "{path} {image}");
    }
    let elsewhere = document(&against(&dump, &web("staging", "/v2/health", "web:1")));
    assert!(elsewhere["notes"][0].as_str().unwrap().contains("none runs there"), "{elsewhere}");
}

#[test]
fn what_loops_there_and_is_left_as_it_is_is_told() {
    let name = "liveness-http-404-wrong-path";
    let whole = crate::support::incident("liveness-http-404-wrong-path-k130").recording();
    let recording = crate::support::Recording { lines: whole.lines[..220].to_vec() };
    let path = fresh("looping").join("cut.jsonl");
    std::fs::write(&path, recording.bytes()).expect("writable");
    let document = document(&against(&path, &web(name, "/v2/health", "rig.local/app:1")));
    let found = finding(&document, "loops-now");
    assert_eq!((&found["severity"], &found["field"]), (&json!("error"), &json!("livenessProbe.httpGet.path")));
    let cure = against(&path, &web(name, "/health", "rig.local/app:1"));
    assert!(!text(&cure).contains("loops-now"), "{cure:?}");
}

fn finding<'a>(document: &'a Value, rule: &str) -> &'a Value {
    let all = document["findings"].as_array().expect("a list");
    all.iter().find(|one| one["rule"] == rule).unwrap_or_else(|| panic!("no {rule}: {document}"))
}

fn against(what: &Path, manifest: &str) -> Outcome {
    lint(&["-o", "json", "--against", what.to_str().expect("a path")], manifest)
}

/// Three pods that have run well for half an hour, and one that provides the time.
fn dump(folder: &str) -> PathBuf {
    let pod = |number: u32| {
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": format!("web-5d8-{number}"), "namespace": "shop", "uid": format!("u{number}"),
                "creationTimestamp": "2026-11-22T13:00:00Z", "labels": {"app": "web", "pod-template-hash": "5d8"},
                "ownerReferences": [{"kind": "ReplicaSet", "name": "web-5d8", "uid": "r", "controller": true}]},
            "spec": {"nodeName": "n", "containers": [{"name": "app", "image": "web:1",
                "ports": [{"name": "http", "containerPort": 8080}],
                "livenessProbe": {"httpGet": {"path": "/health", "port": 8080, "scheme": "HTTP"}},
                "readinessProbe": {"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"}}}]},
            "status": {"phase": "Running", "startTime": "2026-11-22T13:00:00Z", "containerStatuses": [{"name": "app",
                "restartCount": 0, "ready": true, "started": true, "containerID": format!("c{number}"),
                "state": {"running": {"startedAt": "2026-11-22T13:00:05Z"}}}]}})
    };
    let late = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "late", "namespace": "shop", "uid": "l",
        "creationTimestamp": "2026-11-22T13:30:00Z"}, "spec": {"containers": [{"name": "a", "image": "i"}]},
        "status": {"phase": "Pending"}});
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [pod(1), pod(2), pod(3), late]});
    written(folder, "dump.json", &list.to_string())
}

/// A Deployment with that path and image.
fn web(namespace: &str, path: &str, image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: {namespace}}}\nspec:\n  selector: {{}}\n  \
         template:\n    spec:\n      containers:\n      - name: app\n        image: {image}\n        \
         ports: [{{name: http, containerPort: 8080}}]\n        livenessProbe: {{httpGet: {{path: {path}, port: http}}}}\n        \
         readinessProbe: {{httpGet: {{path: /ready, port: http}}}}\n"
    )
}

fn lint(words: &[&str], input: &str) -> Outcome {
    probehound(&[&["lint"], words, &["-"]].concat(), input.as_bytes())
}

fn text(outcome: &Outcome) -> String {
    String::from_utf8(outcome.stdout.clone()).expect("text")
}

fn document(outcome: &Outcome) -> Value {
    serde_json::from_slice(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

fn written(folder: &str, name: &str, text: &str) -> PathBuf {
    let path = fresh(folder).join(name);
    std::fs::write(&path, text).expect("writable");
    path
}

fn fresh(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lint").join(name);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

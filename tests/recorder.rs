//! The contents of a recording: enough to find the same again, and no secret.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::recording::Type;
use crate::support::replay::continue_with;
use crate::support::{Document, Finding, Line, Recording, assert_none, corpus, incident, replay};
use probehound::engine::{ChangeKind, Engine};
use probehound::source::recorder::{Disclosure, Redactor, Resource};
use probehound::source::recording::WATCH_LOST;
use serde_json::{Value, json};

const KEY: [u8; 32] = [7; 32];

/// The prefix of every planted secret; the rest says where it was planted.
const SECRET: &str = "hunter2";

#[test]
fn what_is_recorded_of_an_incident_gives_the_same_findings() {
    let mut different = Vec::new();
    for incident in corpus() {
        let was = replay(incident.recording());
        let is = replay(&redacted(incident.recording(), Disclosure::Named));
        if was != is {
            different.push(format!("{}: {:#?} instead of {:#?}", incident.name, gist(&is), gist(&was)));
        }
    }
    assert_none("incidents with other findings", &different);
}

#[test]
fn an_anonymous_recording_gives_the_same_findings_and_names_nobody() {
    let mut failures = Vec::new();
    for incident in corpus() {
        let anonymous = redacted(incident.recording(), Disclosure::Anonymous);
        let (was, is) = (gist(&replay(incident.recording())), gist(&replay(&anonymous)));
        if was != is {
            failures.push(format!("{}: {is:#?} instead of {was:#?}", incident.name));
        }
        let text = String::from_utf8(anonymous.bytes()).expect("JSON is text");
        let strings: BTreeSet<&str> = text.split('"').collect();
        let names: BTreeSet<&str> = incident.recording().lines.iter().map(|line| line.object.name.as_str()).collect();
        let told = names.intersection(&strings).filter(|name| !name.is_empty());
        failures.extend(told.map(|name| format!("{}: {name} is named", incident.name)));
    }
    assert_none("anonymous recordings", &failures);
}

#[test]
fn no_secret_is_recorded_wherever_it_is() {
    let mut recorded = Vec::new();
    for story in
        ["liveness-exec-nonzero", "liveness-http-404-wrong-path-k130", "crash-exit-1", "daemonset-liveness-404"]
    {
        let planted: Vec<Line> = incident(story).recording().lines.iter().map(plant).collect();
        for disclosure in [Disclosure::Named, Disclosure::Anonymous] {
            let text = String::from_utf8(redacted(&Recording { lines: planted.clone() }, disclosure).bytes());
            let text = text.expect("JSON is text");
            for (at, _) in text.match_indices(SECRET) {
                recorded.push(format!("{story}: {}", &text[at..text.floor_char_boundary(at + 40)]));
            }
        }
    }
    assert_none("secrets that are recorded", &recorded);
}

#[test]
fn a_secret_that_changed_is_seen_to_have_changed() {
    let container = |password: &str, variable: &str| {
        let mut redactor = Redactor::new(&KEY, Disclosure::Named);
        let container =
            json!({"name": "app", "args": ["--password", password], "env": [{"name": "A", "value": variable}]});
        let pod = json!({"metadata": {"name": "web"}, "spec": {"containers": [container]}});
        redactor.redact(Resource::Pods, &pod)
    };
    let before = container("one", "x");
    assert_eq!(before, container("one", "x"));
    for after in [container("two", "x"), container("one", "y")] {
        assert_ne!(before, after);
    }
    let of_another = Redactor::new(&[8; 32], Disclosure::Named).redact(
        Resource::Pods,
        &json!({"metadata": {"name": "web"}, "spec": {"containers": [
            {"name": "app", "args": ["--password", "one"], "env": [{"name": "A", "value": "x"}]}]}}),
    );
    assert_ne!(before, of_another, "marks of two recordings must not be compared");
}

#[test]
fn who_changed_a_template_is_recorded_without_the_fields() {
    let deployment = json!({"metadata": {"name": "web", "managedFields": [
        {"manager": "kubectl-edit", "operation": "Update", "time": "2026-01-01T00:00:00Z", "fieldsV1":
            {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"hunter2\"}": {}}}}}}},
        {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}},
    ]}});
    let mut redactor = Redactor::new(&KEY, Disclosure::Named);
    assert_eq!(
        redactor.redact(Resource::Deployments, &deployment)["metadata"]["managedFields"],
        json!([{"manager": "kubectl-edit", "operation": "Update", "time": "2026-01-01T00:00:00Z",
            "fieldsV1": {"f:spec": {"f:template": {}}}}])
    );
}

#[test]
fn what_is_of_another_type_than_the_api_has_it_is_left_out() {
    let mut redactor = Redactor::new(&KEY, Disclosure::Named);
    let odd = json!({"metadata": {"name": ["hunter2"], "labels": "hunter2"}, "spec": {"containers": {"hunter2": 1}}});
    assert_eq!(redactor.redact(Resource::Pods, &odd), json!({"metadata": {}, "spec": {}}));
    assert_eq!(redactor.redact(Resource::Pods, &json!("hunter2")), Value::Null);
}

#[test]
fn silence_while_pods_are_not_seen_is_no_recovery() {
    let whole = incident("daemonset-liveness-404").recording();
    // From the third incarnation of a container on, nothing is observed for three minutes.
    let again = whole.lines.iter().find(|line| line.is_pod() && line.object.restarts == 2).expect("it loops");
    let start = again.at.plus(Duration::from_millis(1));
    let gap = start..start.plus(Duration::from_mins(3));
    let meanwhile = whole.lines.iter().rfind(|line| line.is_pod() && gap.contains(&line.at)).expect("it goes on");
    let listed = Line::new(gap.end, "pods", Type::Added, &meanwhile.value());
    let resolved = |marked: bool| {
        let mut seen = whole.filtered(|_, line| !gap.contains(&line.at));
        seen.lines.push(listed.clone());
        if marked {
            let mark = |at, object| Line::new(at, "pods", Type::Bookmark, &object);
            seen.lines.push(mark(gap.start, json!({"metadata": {"annotations": {WATCH_LOST: ""}}})));
            seen.lines.push(mark(gap.end.plus(Duration::from_secs(2)), json!({})));
        }
        seen.lines.sort_by_key(|line| line.at);
        let (_, changes) = continue_with(&mut Engine::default(), &seen);
        changes.iter().any(|change| change.kind == ChangeKind::Resolved)
    };
    assert!(!resolved(true));
    assert!(resolved(false), "else this test proves nothing");
}

/// The findings, without names and without text written by people.
fn gist(document: &Document) -> Vec<String> {
    let gist = |finding: &Finding| {
        let Finding { effect, probe, cause, field, confidence, severity, pods, restarts, .. } = finding;
        let change = finding.change.as_ref().map(|change| (change.revision, change.at, change.from.is_some()));
        let times = (finding.opened_at, finding.confirmed_at, finding.resolved_at);
        let advice = (finding.suggested.is_some(), finding.remedy.len(), finding.evidence.len());
        format!(
            "{effect} {probe:?} {cause} {field:?} {confidence} {severity} {pods:?} {restarts} {change:?} {times:?} {advice:?}"
        )
    };
    let mut all: Vec<String> = document.findings.iter().map(gist).collect();
    all.sort();
    all
}

fn redacted(recording: &Recording, disclosure: Disclosure) -> Recording {
    let mut redactor = Redactor::new(&KEY, disclosure);
    let lines = recording.lines.iter().map(|line| redact(&mut redactor, line)).collect();
    Recording { lines }
}

fn redact(redactor: &mut Redactor, line: &Line) -> Line {
    let resource = Resource::ALL.into_iter().find(|resource| *resource.plural() == *line.resource);
    match resource {
        Some(resource) => line.with(|object| *object = redactor.redact(resource, object)),
        None => line.clone(),
    }
}

/// The line with secrets in every place where people have been seen to put them, and where nobody would
/// look.
fn plant(line: &Line) -> Line {
    line.with(|object| {
        for pointer in ["/spec", "/spec/template/spec", "/data/spec/template/spec"] {
            let Some(spec) = object.pointer_mut(pointer).filter(|spec| spec["containers"].is_array()) else { continue };
            spec["volumes"] = json!([{"csi": {"volumeAttributes": {"key": "hunter2volume"}}}]);
            spec["imagePullSecrets"] = json!([{"name": "hunter2pull"}]);
            spec["hostAliases"] = json!([{"ip": "hunter2ip"}]);
            spec["containers"].as_array_mut().into_iter().flatten().for_each(plant_in_container);
        }
        object["metadata"]["annotations"] = json!({
            "kubectl.kubernetes.io/last-applied-configuration": "{\"x\": \"hunter2applied\"}",
            "vault.hashicorp.com/agent-inject-token": "hunter2annotation",
            "checksum/secret": "hunter2checksum",
        });
        object["metadata"]["managedFields"] = json!([{"manager": "x", "fieldsV1": {"f:hunter2": {}}}]);
        object["hunter2unknown"] = json!("hunter2unknown");
        if object["kind"] == "Event" {
            object["message"] = json!(
                "Liveness probe failed: curl -H \"Authorization: Bearer hunter2bearer\" http://me:hunter2url@x/?t=hunter2query --password=hunter2word"
            );
        }
    })
}

fn plant_in_container(container: &mut Value) {
    container["command"] = json!(["app", "--password", "hunter2command", "-phunter2glued", "--listen=:8080"]);
    container["args"] =
        json!(["--db-password=hunter2args", "sh -c 'mysql --password=hunter2shell'", "postgres://a:hunter2dsn@db/x"]);
    container["env"] =
        json!([{"name": "DB_PASSWORD", "value": "hunter2env"}, {"name": "PLAIN", "value": "hunter2plain"}]);
    container["securityContext"] = json!({"hunter2": "hunter2context"});
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.get_mut(probe) else { continue };
        if probe["httpGet"].is_object() {
            probe["httpGet"]["path"] = json!("/health?token=hunter2query");
            probe["httpGet"]["httpHeaders"] = json!([{"name": "Authorization", "value": "hunter2header"}]);
        }
        if probe["exec"].is_object() {
            probe["exec"]["command"] =
                json!(["mysqladmin", "ping", "-u", "root", "-phunter2p", "--password", "hunter2long"]);
        }
    }
}

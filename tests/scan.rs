//! Dumps in the forms that people have: the same findings as a first look at the same objects.

mod forms;
use std::path::PathBuf;

use crate::support::binary::{Outcome, probehound};
use crate::support::random::Random;
use forms::{Form, Objects};
use serde_json::Value;

/// A pod whose container ended by itself once.
const POD: &str = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"shop","uid":"u",
        "creationTimestamp":"2026-11-22T13:00:00Z"},"spec":{"nodeName":"n","containers":[{"name":"app","image":"i"}]},
        "status":{"phase":"Running","startTime":"2026-11-22T13:00:00Z","containerStatuses":[{"name":"app",
        "restartCount":1,"ready":true,"started":true,"containerID":"c2","state":{"running":{"startedAt":"2026-11-22T13:30:00Z"}},
        "lastState":{"terminated":{"exitCode":1,"reason":"Error","containerID":"c1","startedAt":"2026-11-22T13:00:02Z",
        "finishedAt":"2026-11-22T13:29:59Z"}}}]}}"#;

/// Incidents of different kinds: a rollout, a crash, an out-of-memory kill, a start that is blocked, two
/// containers, a Job, a sidecar, a StatefulSet or DaemonSet.
const SOME: [&str; 6] = [
    "auth-service-outage",
    "crash-exit-1",
    "liveness-http-404-wrong-path",
    "daemonset-liveness-404",
    "multi-container-second-liveness",
    "image-pull-not-found",
];

#[test]
fn a_dump_in_any_form_gives_what_the_engine_says_at_a_first_look() {
    for name in SOME {
        let objects = Objects::at_a_look(crate::support::incident(name).recording(), 120);
        let expected = objects.first_look();
        assert!(!expected.is_empty(), "{name}: nothing to compare");
        for form in Form::ALL {
            let said = scanned(name, &objects, form);
            assert_eq!(told(&said), expected, "{name} as {form:?}");
        }
    }
}

#[test]
fn what_is_cut_at_any_byte_is_never_an_all_clear() {
    let objects = Objects::at_a_look(crate::support::incident("liveness-http-404-wrong-path").recording(), 120);
    let mut random = Random::new(14);
    for form in [Form::List, Form::Yaml, Form::Gzip, Form::Zstd, Form::TarGz, Form::ClusterInfo] {
        let whole = objects.bytes(form);
        for _ in 0..12 {
            let end = 1 + random.below(whole.len() as u64 - 2) as usize;
            let outcome = scan(&["-o", "json"], &whole[..end]);
            let what = format!("{form:?} cut at {end} of {}: {outcome:?}", whole.len());
            // If only white space is missing it is complete.
            if whole[end..].iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            assert_eq!(outcome.code, Some(1), "{what}");
            assert!(!outcome.stderr.is_empty() && !outcome.stderr.contains("panicked"), "{what}");
            if !outcome.stdout.is_empty() {
                assert_eq!(json(&outcome)["complete"], false, "{what}");
            }
        }
    }
}

#[test]
fn a_folder_names_what_it_passes_over_and_uses_the_rest() {
    let objects = Objects::at_a_look(crate::support::incident("liveness-http-404-wrong-path").recording(), 120);
    let folder = fresh("passed-over");
    objects.write_inspect_folder(&folder);
    std::fs::write(folder.join("broken.json"), "{\"kind\": \"Pod\", }").expect("writable");
    std::fs::write(folder.join("README"), "nothing of interest\n").expect("writable");
    let log =
        r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"forged","namespace":"shop"},"spec":{"containers":[]}}"#;
    std::fs::write(folder.join("app.log"), log).expect("writable");
    let outcome = probehound(&["scan", "-o", "json", "-f", folder.to_str().expect("a path")], b"");
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("broken.json:1: "), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("1 file without Kubernetes objects passed over: README"), "{}", outcome.stderr);
    assert_eq!(told(&json(&outcome)), objects.first_look());
}

#[test]
fn text_that_is_no_dump_says_what_to_run_instead() {
    let describe = "Name:             web-5d8\nNamespace:        shop\nPriority:         0\n";
    for (text, words) in [
        (describe, "kubectl -n shop get pod web-5d8 -o json"),
        ("NAME   READY   STATUS\nweb    0/1     Running\n", "add -o json"),
        ("hello\n", "there are no pods to look at"),
        ("", "there are no pods to look at"),
        ("PK\u{3}\u{4}rest", "unpack it"),
    ] {
        let outcome = scan(&[], text.as_bytes());
        assert_eq!(outcome.code, Some(1), "{text}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(words), "{text}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty());
    }
}

#[test]
fn what_restarted_is_never_called_fine() {
    let outcome = scan(&[], POD.as_bytes());
    let text = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(text.contains("No findings yet. Looked at 1 pod and 0 events, as of 2026-11-22 13:30:00 UTC."), "{text}");
    assert!(text.contains("shop Pod/web, container app: 1 restart in 1 pod"), "{text}");
    assert!(text.contains("There are no events of kubelets in it"), "{text}");
}

#[test]
fn the_answer_can_be_narrowed_and_has_an_exit_code() {
    let objects = Objects::at_a_look(crate::support::incident("liveness-http-404-wrong-path").recording(), 120);
    let bytes = objects.bytes(Form::List);
    let all = json(&scan(&["-o", "json"], &bytes));
    let finding = &all["findings"][0];
    let (workload, namespace) =
        (finding["workload"].as_str().expect("text"), finding["namespace"].as_str().expect("text"));
    assert!(finding["remedy"][0].as_str().is_some_and(|first| first.contains("rollout undo")), "{finding}");
    assert_eq!(scan(&["--exit-code"], &bytes).code, Some(3));
    assert_eq!(scan(&["--exit-code", "-n", "elsewhere"], &bytes).code, Some(0));
    let one = scan(&[workload, "-n", namespace], &bytes);
    let text = String::from_utf8_lossy(&one.stdout).into_owned();
    assert!(text.contains("causes  ") && text.contains("(named)"), "{text}");
    assert_eq!(scan(&["deployment/nowhere"], &bytes).code, Some(1));
    let name = scan(&["-o", "name"], &bytes);
    let line = format!("-n {namespace} {}", workload.replacen("Deployment", "deployment", 1));
    assert!(String::from_utf8_lossy(&name.stdout).lines().any(|said| said == line), "{name:?}");
}

#[test]
fn a_dump_without_its_names_says_the_same_of_others() {
    const KEPT: [&str; 9] =
        ["effect", "probe", "cause", "field", "confidence", "severity", "restarts", "pods", "opened_at"];
    for (name, form) in SOME.into_iter().zip([Form::List, Form::Yaml, Form::NewEvents, Form::TarGz, Form::Bundle]) {
        let bytes = Objects::at_a_look(crate::support::incident(name).recording(), 120).bytes(form);
        let named = scan(&["-o", "json", "--html", "-"], &bytes);
        let other = scan(&["-o", "json", "--html", "-", "--anonymize"], &bytes);
        let [named, other] = [named, other].map(|outcome| String::from_utf8_lossy(&outcome.stdout).into_owned());
        let [mine, theirs] = [&named, &other].map(|text| {
            let (_, document) = text.split_once("</html>").expect("a document behind the report");
            serde_json::from_str::<Value>(document).expect("JSON")
        });
        let findings = |document: &Value| document["findings"].as_array().expect("a list").clone();
        let kept = |document: &Value| {
            let of = |finding: &Value| KEPT.map(|field| format!("{field}={}", finding[field])).join(" ");
            let mut all: Vec<String> = findings(document).iter().map(of).collect();
            all.sort();
            all
        };
        assert!(!findings(&mine).is_empty(), "{name}");
        assert_eq!(kept(&mine), kept(&theirs), "{name} as {form:?}");
        for finding in findings(&mine) {
            let workload = finding["workload"].as_str().expect("text");
            assert!(named.contains(workload) && !other.contains(workload), "{name} as {form:?}: {workload}");
            // Words of Kubernetes itself, of which other namespaces consist, stay.
            assert!(!other.contains("auth-"), "{name} as {form:?}");
        }
    }
}

#[test]
fn names_are_replaced_in_all_of_a_dump_or_in_nothing() {
    for words in [&["-n", "shop"][..], &["-l", "app=web"], &["deployment/web"]] {
        let outcome = scan(&[words, &["--anonymize"]].concat(), POD.as_bytes());
        assert_eq!((outcome.code, outcome.stdout.is_empty()), (Some(2), true), "{words:?}: {}", outcome.stderr);
    }
    let outcome = scan(&["--anonymize"], POD.as_bytes());
    let text = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert!(outcome.code == Some(0) && text.contains("1 restart in 1 pod") && !text.contains("shop"), "{text}");
}

#[test]
fn no_line_of_the_text_but_a_command_is_wider_than_80_columns() {
    for name in SOME {
        let objects = Objects::at_a_look(crate::support::incident(name).recording(), 120);
        let outcome = scan(&[], &objects.bytes(Form::List));
        for line in String::from_utf8_lossy(&outcome.stdout).lines() {
            assert!(line.starts_with("kubectl ") || line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn replay_of_a_dump_names_the_command_that_reads_it() {
    let objects = Objects::at_a_look(crate::support::incident("crash-exit-1").recording(), 120);
    for form in [Form::List, Form::Yaml, Form::TarGz] {
        let outcome = probehound(&["replay", "-"], &objects.bytes(form));
        assert_eq!(outcome.code, Some(1), "{form:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("hint: see what loops in it with: probehound scan -f -"), "{}", outcome.stderr);
    }
    let outcome = probehound(&["replay", "-"], b"hello\n7\n");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("error: no line of - could be used") && !outcome.stderr.contains("struct"));
}

#[test]
fn a_recording_is_scanned_as_it_ends() {
    let incident = crate::support::incident("liveness-http-404-wrong-path-k130");
    let path = incident.path.to_str().expect("a path");
    let outcome = probehound(&["scan", "-o", "json", "-f", path], b"");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let replayed = probehound(&["replay", "-o", "json", path], b"");
    let open = |findings: &Value| {
        findings.as_array().map_or(0, |all| all.iter().filter(|one| one["resolved_at"].is_null()).count())
    };
    assert!(json(&outcome)["findings"].as_array().expect("a list").len() >= open(&json(&replayed)["findings"]));
    let remedies = |document: &Value| -> Vec<Value> {
        let all = document["findings"].as_array().expect("a list").iter();
        all.filter(|finding| finding["resolved_at"].is_null()).map(|finding| finding["remedy"].clone()).collect()
    };
    assert_eq!(remedies(&json(&outcome)), remedies(&json(&replayed)), "what to type is in both");
}

#[test]
fn an_event_of_the_future_does_not_make_all_else_old() {
    let event = r#"{"kind":"Event","apiVersion":"v1","metadata":{"name":"e","namespace":"shop","uid":"e",
        "creationTimestamp":"2026-11-22T13:20:00Z"},"involvedObject":{"kind":"Pod","name":"web","namespace":"shop","uid":"u",
        "fieldPath":"spec.containers{app}"},"reason":"Unhealthy","source":{"component":"kubelet"},"type":"Warning",
        "message":"Liveness probe failed: HTTP probe failed with statuscode: 404","count":3,
        "firstTimestamp":"2026-11-22T13:20:00Z","lastTimestamp":"2027-11-22T13:20:00Z"}"#;
    let outcome = scan(&[], format!("{POD}\n{event}\n").as_bytes());
    let text = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert!(text.contains("Looked at 1 pod and 1 event, as of 2026-11-22 13:30:00 UTC."), "{text}");
}

/// The findings, one line each, sorted.
fn told(document: &Value) -> Vec<String> {
    let findings = document["findings"].as_array().expect("a list of findings");
    let mut all: Vec<String> = findings.iter().map(forms::brief).collect();
    all.sort();
    all
}

fn scanned(name: &str, objects: &Objects, form: Form) -> Value {
    let outcome = match form {
        Form::InspectFolder => {
            let folder = fresh(&format!("{name}-inspect"));
            objects.write_inspect_folder(&folder);
            probehound(&["scan", "-o", "json", "-f", folder.to_str().expect("a path")], b"")
        }
        _ => scan(&["-o", "json"], &objects.bytes(form)),
    };
    assert_eq!(outcome.code, Some(0), "{name} as {form:?}: {}", outcome.stderr);
    json(&outcome)
}

fn scan(words: &[&str], input: &[u8]) -> Outcome {
    probehound(&[&["scan", "-f", "-"], words].concat(), input)
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_slice(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

fn fresh(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("scan").join(name);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

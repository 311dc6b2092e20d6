//! Credentials in a probe or its output never appear in anything that is printed.

use crate::support::binary::probehound;
use crate::support::forms;
use crate::support::replay::continue_with;
use crate::support::{Line, Recording, assert_none, incident, replay};
use probehound::engine::{Engine, Settings};
use serde_json::{Value, json};

/// The prefix of every planted secret; the rest says where it was planted.
const SECRET: &str = "hunter2";

#[test]
fn secrets_of_http_probes_appear_nowhere() {
    let mut printed_secrets = Vec::new();
    for story in ["liveness-http-404-wrong-path-k130", "liveness-http-wrong-port", "readiness-http-404"] {
        let planted = mutated(story, |line| with_templates(line, &http_secrets));
        printed_secrets.extend(leaks(&format!("{story}, specs"), &planted));
    }
    assert_none("secrets printed", &printed_secrets);
}

#[test]
fn secrets_in_the_kubelets_messages_appear_nowhere() {
    let mut printed_secrets = Vec::new();
    for message in [
        r#"Liveness probe failed: Get "http://admin:hunter2userinfo@10.0.0.7:8080/health?token=hunter2query&a=hunter2second": dial tcp 10.0.0.7:8080: connect: connection refused"#,
        r#"Liveness probe failed: Get "https://hunter2user@10.0.0.7:8443/?verbose": http: server gave HTTP response to HTTPS client"#,
        r#"Liveness probe failed: Get "http://10.0.0.7:8080/login?next=%2Fa&session=hunter2session#f": stopped after 10 redirects"#,
        "Liveness probe failed: psql: error: postgres://app:hunter2dsn@db/app?password=hunter2dsnquery: refused",
        "Liveness probe failed: > GET /health HTTP/1.1\n> Authorization: Bearer hunter2bearer\n> Cookie: sid=hunter2cookie",
        "Liveness probe failed: usage: check --token hunter2word --password=hunter2glued",
        r#"Liveness probe failed: command timed out: "mysqladmin ping -u root -p hunter2p --password=hunter2long" timed out after 1s"#,
        r#"Liveness probe failed: command "sh -c curl -u me:hunter2u http://localhost" timed out"#,
        r#"Liveness probe errored and resulted in unknown state: rpc error: code = Unknown desc = exec: "check --token hunter2exec": stat check: no such file or directory"#,
    ] {
        for story in ["liveness-http-wrong-port", "liveness-exec-nonzero"] {
            let planted = mutated(story, |line| with_message(line, message));
            printed_secrets.extend(leaks(&format!("{story}, {message}"), &planted));
        }
    }
    assert_none("secrets printed", &printed_secrets);
}

#[test]
fn secrets_of_exec_probes_appear_nowhere() {
    let mut printed_secrets = Vec::new();
    let words: [&[&str]; 9] = [
        &["mysqladmin", "ping", "-u", "hunter2u", "-p", "hunter2p"],
        &["mysqladmin", "ping", "-uroot", "-phunter2glued"],
        &["check", "--password", "hunter2password"],
        &["check", "--password=hunter2equals"],
        &["check", "--token", "hunter2token", "--api-key", "hunter2key", "--secret=hunter2secret"],
        &["redis-cli", "-a", "hunter2a", "ping"],
        &["curl", "-H", "Authorization: Bearer hunter2header", "http://me:hunter2url@localhost/?k=hunter2query"],
        &["sh", "-c", "mysqladmin ping -u root --password=hunter2shell -p hunter2shellp"],
        &["env", "PGPASSWORD=hunter2env", "pg_isready"],
    ];
    for command in words {
        for story in ["liveness-exec-nonzero", "liveness-exec-timeout", "liveness-exec-missing-binary", "fulfil-k134"] {
            let planted = mutated(story, |line| {
                with_templates(line, &|container| {
                    for_probes(container, |probe| probe["exec"]["command"] = json!(command));
                })
            });
            printed_secrets.extend(leaks(&format!("{story}, {command:?}"), &planted));
        }
    }
    assert_none("secrets printed", &printed_secrets);
}

#[test]
fn secrets_of_containers_appear_nowhere() {
    let mut printed_secrets = Vec::new();
    for story in ["crash-exit-1", "liveness-http-404-wrong-path-k130", "create-container-config-error"] {
        let planted = mutated(story, |line| with_templates(line, &container_secrets));
        printed_secrets.extend(leaks(story, &planted));
    }
    assert_none("secrets printed", &printed_secrets);
}

#[test]
fn what_is_said_of_a_bad_line_repeats_no_secret() {
    let mut printed_secrets = Vec::new();
    let good = incident("liveness-http-404-wrong-path-k130").recording();
    let pod = good.lines.iter().find(|line| line.is_pod()).expect("there are pods");
    let spoil = |pointer: &str, value: Value| {
        let spoilt = pod.with(|pod| *pod.pointer_mut(pointer).expect("a pod has it") = value);
        spoilt.text()
    };
    for line in [
        spoil("/spec/containers/0/livenessProbe/httpGet", json!("http://me:hunter2a@x/?t=hunter2b")),
        spoil("/spec/containers/0/livenessProbe/periodSeconds", json!("hunter2period")),
        spoil("/spec/containers/0/livenessProbe", json!("hunter2probe")),
        spoil("/spec/containers/0/livenessProbe", json!({"exec": {"command": "mysql -phunter2command"}})),
        spoil("/spec/containers/0/livenessProbe/httpGet/path", json!({"hunter2key": "hunter2value"})),
        spoil("/spec/containers/0/name", json!(["hunter2name"])),
        format!("{} PASSWORD=hunter2tail", pod.text()),
        pod.text().replacen("\"path\":", "\"hunter2path\" ", 1),
    ] {
        let text = [line.as_bytes(), b"\n", &good.bytes()].concat();
        let outcome = probehound(&["replay", "-o", "json", "-"], &text);
        let printed = String::from_utf8_lossy(&outcome.stdout).into_owned() + &outcome.stderr;
        let leaks = printed.lines().filter(|line| line.contains(SECRET));
        printed_secrets.extend(leaks.map(str::to_owned));
        assert!(!outcome.stderr.is_empty(), "{line} is not reported");
    }
    assert_none("secrets printed", &printed_secrets);
}

fn http_secrets(container: &mut Value) {
    for_probes(container, |probe| {
        let path = probe["httpGet"]["path"].as_str().unwrap_or("/").to_owned();
        probe["httpGet"]["path"] = json!(format!("{path}?verbose&token=hunter2query&x=hunter2second"));
        probe["httpGet"]["httpHeaders"] = json!([
            {"name": "Authorization", "value": "Bearer hunter2header"},
            {"name": "X-Health", "value": "hunter2custom"},
        ]);
    });
}

fn container_secrets(container: &mut Value) {
    container["command"] = json!(["app", "--password", "hunter2command", "--listen=:8080"]);
    container["args"] = json!(["--db-password=hunter2args", "--token", "hunter2token", "postgres://a:hunter2dsn@db/x"]);
    container["env"] =
        json!([{"name": "DB_PASSWORD", "value": "hunter2env"}, {"name": "PLAIN", "value": "hunter2plain"}]);
}

/// The line with `plant` applied to each container of a pod or of a template, and to the manifest that
/// `kubectl apply` keeps.
fn with_templates(line: &Line, plant: &dyn Fn(&mut Value)) -> Line {
    line.with(|object| {
        for pointer in ["/spec/containers", "/spec/template/spec/containers"] {
            let containers = object.pointer_mut(pointer).and_then(Value::as_array_mut);
            containers.into_iter().flatten().for_each(plant);
        }
        if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            let applied = json!({"spec": {"hunter2applied": "hunter2manifest"}}).to_string();
            annotations.insert("kubectl.kubernetes.io/last-applied-configuration".to_owned(), json!(applied));
        }
    })
}

fn with_message(line: &Line, message: &str) -> Line {
    if !line.is_event_of("Unhealthy") {
        return line.clone();
    }
    line.with(|event| event["message"] = json!(message))
}

fn for_probes(container: &mut Value, change: impl Fn(&mut Value)) {
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        container.get_mut(probe).into_iter().for_each(&change);
    }
}

fn mutated(story: &str, change: impl Fn(&Line) -> Line) -> Recording {
    let lines = incident(story).recording().lines.iter();
    Recording { lines: lines.map(change).collect() }
}

/// There is a finding, and no secret is printed, whatever the output format; otherwise the problem.
fn leaks(name: &str, planted: &Recording) -> Vec<String> {
    let bytes = planted.bytes();
    assert!(replay(planted).confirmed().count() > 0, "{name}: nothing is found");
    let json = printed(&bytes, "json");
    let text = printed(&bytes, "text");
    let mut leaks = Vec::new();
    let mut outputs = vec![("json", json), ("text", text)];
    outputs.extend(told(planted));
    for (form, output) in outputs {
        let lines = output.lines().filter(|line| line.contains(SECRET));
        leaks.extend(lines.map(|line| format!("{name}: {form}: {}", line.trim())));
    }
    leaks
}

/// The messages to receivers, and the contents of its objects and metrics.
fn told(planted: &Recording) -> Vec<(&'static str, String)> {
    let mut engine = Engine::new(Settings::default());
    let (replayed, _) = continue_with(&mut engine, planted);
    let now = replayed.last.expect("it has an end");
    engine.findings().iter().flat_map(|finding| forms::all(finding, now)).collect()
}

/// Everything that is printed, on standard output and standard error.
fn printed(recording: &[u8], form: &str) -> String {
    let outcome = probehound(&["replay", "-o", form, "-"], recording);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    String::from_utf8_lossy(&outcome.stdout).into_owned() + &outcome.stderr
}

//! No file content makes probehound panic, hang or change its other results.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::support::binary::{Outcome, probehound};
use crate::support::recording::Type;
use crate::support::{Line, Recording, incident};
use serde_json::{Value, json};

/// Far more than an API server sends.
const TEN_MEGABYTES: usize = 10 << 20;

#[test]
fn a_corrupt_line_is_reported_and_affects_nothing_else() {
    for (name, line) in [
        ("half", sample().text()[..300].to_owned()),
        ("prose", "the cluster was fine when I left".to_owned()),
        ("list", "[]".to_owned()),
        ("number", "42".to_owned()),
        ("null", "null".to_owned()),
        ("no-object", line_of("pods", &Value::Null)),
        ("nul-bytes", "\0\0\0\0".to_owned()),
        ("two-on-one", format!("{}{}", sample().text(), sample().text())),
    ] {
        is_skipped(&format!("corrupt-{name}"), line.as_bytes(), &[]);
    }
}

#[test]
fn an_object_of_another_kind_is_reported_and_affects_nothing_else() {
    let node = json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "node-1", "uid": "n"}});
    is_skipped("node-as-pod", line_of("pods", &node).as_bytes(), &["Node", "kind"]);
    is_skipped("pod-as-event", line_of("events", &sample().value()).as_bytes(), &["Pod", "kind"]);
    is_skipped("string-as-pod", line_of("pods", &json!("web")).as_bytes(), &[]);
    is_skipped("list-as-pod", line_of("pods", &json!([])).as_bytes(), &[]);
}

#[test]
fn lists_that_kubernetes_writes_as_null_are_read_as_empty() {
    let fresh = changed_pod(|pod| {
        pod["metadata"]["namespace"] = json!("elsewhere");
        pod["metadata"]["uid"] = json!("ca4733a7-ebb3-4375-84f3-cede8f0f173c");
        for list in ["ownerReferences", "labels", "annotations", "managedFields", "finalizers"] {
            pod["metadata"][list] = Value::Null;
        }
        for list in ["initContainers", "volumes", "tolerations", "imagePullSecrets"] {
            pod["spec"][list] = Value::Null;
        }
        for list in ["containerStatuses", "initContainerStatuses", "conditions", "podIPs", "hostIPs"] {
            pod["status"][list] = Value::Null;
        }
    });
    is_read("null-lists", fresh.as_bytes());
    let bare = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "bare", "namespace": "elsewhere", "uid": "b"},
        "spec": {"containers": [{"name": "app", "image": "app:1", "ports": null, "env": null, "args": null, "command": null}]}});
    is_read("bare-pod", line_of("pods", &bare).as_bytes());
    let slice = json!({"kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1", "addressType": "IPv4",
        "metadata": {"name": "void", "namespace": "elsewhere", "uid": "e"}, "endpoints": null, "ports": null});
    is_read("null-endpoints", line_of("endpointslices", &slice).as_bytes());
}

#[test]
fn a_pod_without_containers_is_reported_and_affects_nothing_else() {
    let hollow = changed_pod(|pod| pod["spec"]["containers"] = Value::Null);
    is_skipped("null-containers", hollow.as_bytes(), &[]);
}

#[test]
fn numbers_written_as_strings_are_reported_and_read() {
    let restarts = changed_pod(|pod| {
        let count = status(pod)["restartCount"].to_string();
        status(pod)["restartCount"] = json!(count);
    });
    is_used("restarts-as-string", &restarts, "status.containerStatuses[0].restartCount");
    let period = changed_pod(|pod| {
        let period = container(pod)["livenessProbe"]["periodSeconds"].to_string();
        container(pod)["livenessProbe"]["periodSeconds"] = json!(period);
    });
    is_used("period-as-string", &period, "spec.containers[0].livenessProbe.periodSeconds");
    let count = changed_event(|event| {
        let count = event["count"].to_string();
        event["count"] = json!(count);
    });
    is_used("count-as-string", &count, "count");
}

#[test]
fn restart_counts_that_cannot_be_are_reported_and_affect_nothing_else() {
    for count in [-1, i64::from(i32::MAX), i64::MIN, i64::MAX] {
        let pod = changed_pod(|pod| status(pod)["restartCount"] = json!(count));
        is_used(&format!("restarts{count}"), &pod, "restartCount");
    }
}

#[test]
fn times_that_cannot_be_are_reported_and_affect_nothing_else() {
    for time in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "yesterday"] {
        let name = |field: &str| format!("{field}-{}", &time[..4]);
        let seen = sample().text().replacen(&sample().at.to_string(), time, 1);
        is_skipped(&name("ts"), seen.as_bytes(), &[]);
        let created = changed_pod(|pod| pod["metadata"]["creationTimestamp"] = json!(time));
        is_used(&name("creationTimestamp"), &created, "metadata.creationTimestamp");
        let last = changed_event(|event| event["lastTimestamp"] = json!(time));
        is_used(&name("lastTimestamp"), &last, "lastTimestamp");
    }
}

#[test]
fn an_odd_field_of_a_status_is_reported_and_affects_nothing_else() {
    for (name, field, value) in [
        ("ip", "podIP", json!(["10.0.0.1"])),
        ("started", "startTime", json!(12)),
        ("phase", "phase", json!({})),
        ("reason", "reason", json!(0)),
        ("init", "initContainerStatuses", json!("none")),
    ] {
        let pod = changed_pod(|pod| pod["status"][field] = value);
        is_used(name, &pod, &format!("status.{field}"));
    }
    let unread = changed_pod(|pod| pod["status"]["qosClass"] = json!(["not", "read"]));
    is_read("qos", unread.as_bytes());
}

#[test]
fn a_line_of_ten_megabytes_is_reported_and_affects_nothing_else() {
    is_skipped("long-rubbish", &vec![b'x'; TEN_MEGABYTES], &[]);
    let talkative = changed_event(|event| event["message"] = json!("x".repeat(TEN_MEGABYTES)));
    is_skipped("long-event", talkative.as_bytes(), &[]);
}

#[test]
fn invalid_utf_8_is_reported_and_affects_nothing_else() {
    let mut text = sample().text().into_bytes();
    let place = text.windows(5).position(|five| five == b"image").expect("a pod has an image");
    text[place..place + 3].copy_from_slice(b"\xff\xfe\x80");
    is_skipped("utf-8", &text, &["UTF-8", "unicode"]);
    is_skipped("utf-8-alone", b"\xff\xfe\xfd", &[]);
}

#[test]
fn deep_nesting_is_reported_and_affects_nothing_else() {
    for depth in [1_000, 100_000] {
        let nest = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        is_skipped(&format!("nest-{depth}"), nest.as_bytes(), &[]);
        is_skipped(&format!("open-{depth}"), "[{\"a\":".repeat(depth).as_bytes(), &[]);
        let annotated = changed_pod(|pod| pod["metadata"]["annotations"] = json!({"deep": "NEST"}));
        is_skipped(&format!("within-{depth}"), annotated.replace("\"NEST\"", &nest).as_bytes(), &[]);
    }
}

#[test]
fn unknown_resources_are_passed_over() {
    let map = json!({"kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b", "uid": "c"}, "data": null});
    is_read("configmap", line_of("configmaps", &map).as_bytes());
    is_read("odd", line_of("widgets.example.com", &json!({"what": [1, "2", null]})).as_bytes());
}

#[test]
fn many_bad_lines_are_all_counted() {
    let good = recording().bytes();
    let mut text = "rubbish\n".repeat(50_000).into_bytes();
    text.extend_from_slice(&good);
    let outcome = replay_file(&written("many-bad.jsonl", &text));
    assert_eq!((outcome.code, document(&outcome)["skipped"].as_u64()), (Some(0), Some(50_000)));
    assert_eq!(document(&outcome)["findings"], untouched()["findings"]);
}

#[test]
fn a_cut_gzip_ends_with_what_was_read_and_why_it_ended() {
    let whole = fs::read(&incident(STORY).path).expect("the recording can be read");
    for share in [30, 60, 95] {
        let cut = &whole[..whole.len() * share / 100];
        let path = written(&format!("cut-{share}.jsonl.gz"), cut);
        let outcome = replay_file(&path);
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        names(&outcome, &path);
        let said = document(&outcome);
        assert!(said["skipped"].as_u64() >= Some(1), "{said}");
        let readable = replay_file(&written(&format!("cut-{share}.jsonl"), &readable_lines(cut)));
        assert_eq!(said["findings"], document(&readable)["findings"], "cut at {share} %");
    }
}

#[test]
fn a_damaged_gzip_is_reported() {
    let mut whole = fs::read(&incident(STORY).path).expect("the recording can be read");
    let middle = whole.len() / 2;
    whole[middle..middle + 20].fill(0x55);
    let path = written("damaged.jsonl.gz", &whole);
    let outcome = replay_file(&path);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    names(&outcome, &path);
    document(&outcome);
}

#[test]
fn gzip_is_recognised_by_content_and_read_member_after_member() {
    let text = recording().bytes();
    let (first, second) = text.split_at(text.len() / 2);
    let members = [gzipped(first), gzipped(second)].concat();
    let outcome = replay_file(&written("members-without-an-ending", &members));
    assert_eq!(document(&outcome), *untouched());
    let piped = probehound(&["replay", "-o", "json", "-"], &members);
    assert_eq!(document(&piped), *untouched());
}

#[test]
fn a_last_line_without_an_end_is_read() {
    let mut text = recording().bytes();
    text.pop();
    assert_eq!(document(&replay_file(&written("no-newline.jsonl", &text))), *untouched());
}

#[test]
fn an_empty_file_has_no_findings() {
    let outcome = replay_file(&written("empty.jsonl", b""));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(document(&outcome), json!({"findings": [], "observations": 0, "skipped": 0}));
}

#[test]
fn what_cannot_be_read_ends_with_1_and_says_why() {
    let missing = scratch().join("there-is-no-such-file.jsonl");
    for path in [missing, scratch()] {
        let outcome = replay_file(&path);
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        names(&outcome, &path);
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    let wrong: [&[&str]; 5] = [
        &["replay"],
        &["replay", "--no-such-option", "-"],
        &["replay", "-o", "xml", "-"],
        &["replay", "--speed", "backwards", "-"],
        &["no-such-command"],
    ];
    for words in wrong {
        let outcome = probehound(words, b"");
        assert_eq!(outcome.code, Some(2), "{words:?}: {}", outcome.stderr);
        assert!(!outcome.stderr.is_empty() && outcome.stdout.is_empty(), "{words:?}");
    }
}

#[test]
fn help_is_no_error() {
    for words in [&["--help"][..], &["replay", "--help"], &["--version"]] {
        assert_eq!(probehound(words, b"").code, Some(0), "{words:?}");
    }
}

const STORY: &str = "liveness-http-404-wrong-path-k130";

fn recording() -> &'static Recording {
    incident(STORY).recording()
}

/// A line of the story with a running pod, from the middle.
fn sample() -> Line {
    let lines = recording().lines.iter().skip(recording().lines.len() / 2);
    let mut running = lines.filter(|line| line.is_pod() && line.object.json.contains(r#""running""#));
    running.next().expect("pods run in the story").clone()
}

/// That line with only the pod in it changed.
fn changed_pod(change: impl FnOnce(&mut Value)) -> String {
    sample().with(change).text()
}

/// A line of the story with an event in it changed.
fn changed_event(change: impl FnOnce(&mut Value)) -> String {
    let lines = recording().lines.iter().skip(recording().lines.len() / 2);
    let mut failures = lines.filter(|line| line.is_event_of("Unhealthy"));
    failures.next().expect("probes fail in the story").with(change).text()
}

fn status(pod: &mut Value) -> &mut Value {
    &mut pod["status"]["containerStatuses"][0]
}

fn container(pod: &mut Value) -> &mut Value {
    &mut pod["spec"]["containers"][0]
}

fn line_of(resource: &str, object: &Value) -> String {
    Line::new(sample().at, resource, Type::Added, object).text()
}

/// The findings are those of the story without the line; it is counted, and reported with its file and
/// number and one of `words`.
fn is_skipped(name: &str, line: &[u8], words: &[&str]) {
    let (outcome, path, number) = with_line(name, line);
    let said = document(&outcome);
    assert_eq!(said["findings"], untouched()["findings"], "{name}: other findings");
    assert_eq!(said["skipped"], json!(1), "{name}: {}", outcome.stderr);
    names(&outcome, &path);
    let report = outcome.stderr.lines().find(|report| mentions(report, number));
    let report = report.unwrap_or_else(|| panic!("{name}: line {number} is not named: {}", outcome.stderr));
    let told = words.is_empty() || words.iter().any(|word| report.contains(word));
    assert!(told, "{name}: none of {words:?} in {report}");
    assert!(report.chars().count() < 1_000, "{name}: {} characters", report.chars().count());
}

/// The findings are those of the story without the line, which is used without that field; this is reported
/// with file and number.
fn is_used(name: &str, line: &str, field: &str) {
    let (outcome, path, number) = with_line(name, line.as_bytes());
    let said = document(&outcome);
    assert_eq!(said["findings"], untouched()["findings"], "{name}: other findings");
    assert_eq!(said["skipped"], json!(0), "{name}: {}", outcome.stderr);
    names(&outcome, &path);
    let report = outcome.stderr.lines().find(|report| mentions(report, number));
    let report = report.unwrap_or_else(|| panic!("{name}: line {number} is not named: {}", outcome.stderr));
    assert!(report.contains("used without ") && report.contains(field), "{name}: {report}");
}

/// The findings are those of the story without the line, and nothing is reported.
fn is_read(name: &str, line: &[u8]) {
    let (outcome, ..) = with_line(name, line);
    let said = document(&outcome);
    assert_eq!(said["findings"], untouched()["findings"], "{name}: other findings");
    assert_eq!((&said["skipped"], outcome.stderr.as_str()), (&json!(0), ""), "{name}");
}

/// Replays the story with an additional line where [`sample`] comes from.
fn with_line(name: &str, line: &[u8]) -> (Outcome, PathBuf, usize) {
    let sample = sample();
    let lines = &recording().lines;
    let place = lines.iter().position(|line| line.at == sample.at).expect("it is one of them") + 1;
    let (before, after) = lines.split_at(place);
    let half = |lines: &[Line]| Recording { lines: lines.to_vec() }.bytes();
    let text = [&half(before), line, b"\n", &half(after)].concat();
    let path = written(&format!("{name}.jsonl"), &text);
    let outcome = replay_file(&path);
    assert_eq!(outcome.code, Some(0), "{name}: {}", outcome.stderr);
    (outcome, path, place + 1)
}

fn untouched() -> &'static Value {
    static UNTOUCHED: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| {
        let outcome = replay_file(&written("untouched.jsonl", &recording().bytes()));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        document(&outcome)
    });
    &UNTOUCHED
}

fn replay_file(path: &Path) -> Outcome {
    let words = ["replay".as_ref(), "-o".as_ref(), "json".as_ref(), path.as_os_str()];
    probehound(&words, b"")
}

fn document(outcome: &Outcome) -> Value {
    let text = String::from_utf8_lossy(&outcome.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}\n{}", outcome.stderr))
}

/// The report contains the file name.
fn names(outcome: &Outcome, path: &Path) {
    let name = path.file_name().expect("a path of a file").to_string_lossy();
    assert!(outcome.stderr.contains(&*name), "{name} is not named: {}", outcome.stderr);
}

/// Whether the text contains that number on its own.
fn mentions(text: &str, number: usize) -> bool {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    numbers.any(|digits| digits == number.to_string())
}

fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let path = scratch().join(name);
    fs::write(&path, bytes).expect("the scratch folder can be written");
    path
}

fn scratch() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bad_input");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("a Vec takes everything");
    encoder.finish().expect("a Vec takes everything")
}

/// The complete lines in the readable part of a gzip file.
fn readable_lines(cut: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    // It ends with an error, as intended.
    drop(flate2::read::GzDecoder::new(cut).read_to_end(&mut text));
    let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    text.truncate(whole);
    text
}

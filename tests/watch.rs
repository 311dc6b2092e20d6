//! `probehound watch` without a terminal, and its messages about what it cannot watch.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

#[test]
fn a_recording_is_a_line_for_each_change_that_somebody_wants() {
    let output = watch(&["-f", &outage(), "--speed", "max"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let words: Vec<&str> = text.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    assert_eq!(words.first(), Some(&"SUSPECTED"), "{text}");
    assert_eq!(words.iter().filter(|word| **word == "CONFIRMED").count(), 1, "{text}");
    assert_eq!(words.last(), Some(&"RESOLVED"), "{text}");
    let confirmed = text.lines().find(|line| line.contains(" CONFIRMED ")).expect("it is confirmed");
    assert!(confirmed.starts_with("2026-11-23 07:18:"), "{confirmed}");
    assert!(
        confirmed.contains("auth-service (Deployment, namespace auth-prod): the liveness probe asks"),
        "{confirmed}"
    );
    assert!(confirmed.contains("suggested: /health"), "{confirmed}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}

#[test]
fn a_recording_can_be_narrowed() {
    let all = ["-f", &outage(), "--speed", "max"];
    assert!(stdout(&watch(&[&all[..], &["-n", "elsewhere"]].concat())).is_empty());
    assert!(stdout(&watch(&[&all[..], &["-l", "app=elsewhere"]].concat())).is_empty());
    assert!(!stdout(&watch(&[&all[..], &["-n", "auth-prod,elsewhere"]].concat())).is_empty());
}

#[test]
fn a_file_that_is_no_recording_is_told_as_replay_tells_it() {
    let dump = file("watched-dump.json", r#"{"apiVersion": "v1", "kind": "List", "items": []}"#);
    let words = file("watched-words.jsonl", "no json\n");
    let cases: [(&str, &str); 4] = [
        ("no/such.jsonl", "error: cannot open no/such.jsonl: there is no such file\nhint: check the path"),
        (env!("CARGO_TARGET_TMPDIR"), "it is a directory\nhint: name the files in it"),
        (&dump, "is no recording but a dump of objects\nhint: see what loops in it"),
        (&words, "watched-words.jsonl:1: "),
    ];
    for (path, told) in cases {
        let output = watch(&["-f", path, "--speed", "max"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{path}: {text}");
        assert!(text.contains(told), "{path}: {text}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn without_a_cluster_it_says_so_as_scan_does() {
    let errors = ["watch", "scan"].map(|command| {
        let mut command = binary(&[command]);
        let output = command.env("KUBECONFIG", "/nowhere/config").output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).expect("text")
    });
    assert!(errors[0].starts_with("error: "), "{}", errors[0]);
    assert_eq!(errors[0], errors[1]);
}

#[test]
fn what_is_of_a_recording_alone_needs_one() {
    for (args, what) in [
        (&["--speed", "3"][..], "--filename <FILE>"),
        (&["-f", "x", "--kubeconfig", "y"], "cannot be used with"),
        (&["-f", "x", "--speed", "slow"], "neither max nor a number above 0"),
        (&["-A", "-n", "prod"], "cannot be used with"),
    ] {
        let output = watch(args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text.contains(what), "{args:?}: {text}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child = binary(&["watch", "-f", &outage(), "--speed", "max"]).stdout(Stdio::piped()).spawn().expect("runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn told_to_end_it_ends_well() {
    let mut child = binary(&["watch", "-f", &outage(), "--speed", "200"]).stdout(Stdio::piped()).spawn().expect("runs");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut first = String::new();
    out.read_line(&mut first).expect("a line comes while it goes on");
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("there is a kill");
    assert!(killed.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("the pipe is closed");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert!(!rest.contains(" RESOLVED "), "it did not go on to the end: {rest}");
}

fn outage() -> String {
    path("tests/incidents/auth-service-outage.jsonl.gz").display().to_string()
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn file(name: &str, content: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).expect("the folder can be written");
    path.display().to_string()
}

fn watch(args: &[&str]) -> Output {
    binary(&[&["watch"], args].concat()).output().expect("the binary runs")
}

fn binary(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_probehound"));
    command.args(args).stdin(Stdio::null()).env_remove("PROBEHOUND_CONTEXT").env_remove("NO_COLOR");
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

//! `probehound run` and `crd`, as users and Deployments run them.
#![expect(clippy::disallowed_methods, reason = "what a person would wait for is measured on the clock")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn right_settings_are_said_to_be_so() {
    let file =
        written("right.yaml", "watch: {namespaces: [shop]}\nsilences: [{cause: Crash, until: 2020-01-01T00:00:00Z}]\n");
    let output = checked(
        &file,
        &[("PROBEHOUND_SELECTOR", "app=web"), ("PROBEHOUND_LISTEN", ":1"), ("PROBEHOUND_NAMESPACE", "pay,shop")],
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text.starts_with(&format!("ok: {file}\n  watches   namespaces pay, shop, pods with app=web\n")), "{text}");
    assert!(text.contains("1, 1 of them expired") && text.contains("listens   :1\n"), "{text}");
    assert!(output.stderr.is_empty());
}

#[test]
fn a_flag_wins_over_its_variable() {
    let output = probehound(&["run", "--check-config", "--listen", ":2", "--leader-elect"])
        .env("PROBEHOUND_LISTEN", ":1")
        .env("PROBEHOUND_LEADER_ELECT", "false")
        .output()
        .expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("listens   :2\n") && text.contains("the holder of Lease probehound"), "{text}");
}

#[test]
fn wrong_settings_are_said_with_their_places_and_hints() {
    let file = written("wrong.yaml", "detection:\n  window: 0s\nwatch:\n  namespaces: [A]\n");
    let output = checked(&file, &[]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[0], format!("error: {file}:2:11: detection.window: \"0s\" is not from 1s to 24h"));
    assert_eq!(lines[1], "hint: the default is 15m");
    assert!(lines[2].starts_with(&format!("error: {file}:4:16: watch.namespaces: ")), "{text}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_file_of_settings_that_is_not_there_is_said() {
    let output = checked("no/such.yaml", &[]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.starts_with("error: cannot read no/such.yaml: No such file"), "{text}");
    assert!(text.contains("\nhint: check the path of --config"), "{text}");
}

#[test]
fn the_definition_is_printed_for_kubectl() {
    let output = probehound(&["crd"]).output().expect("the binary runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text.contains("kind: CustomResourceDefinition") && text.contains("name: findings.probehound.dev"),
        "{text}"
    );
}

#[test]
fn a_changed_file_is_taken_or_refused_while_it_runs() {
    let file = written("reloaded.yaml", "http: {listen: '127.0.0.1:0'}\n");
    let mut running = Running::start(&["run", "--config", &file, "--kubeconfig", &away(), "--log-format", "json"]);
    let address = running.wait_for("Listening for metrics and health", "address");
    assert!(get(&address, "/metrics").contains("\nprobehound_config_last_reload_successful 1\n"));
    written("reloaded.yaml", "detection: {widnow: 1m}\n");
    let problem = running.wait_for("Changed settings are refused, the old ones go on", "problem");
    assert!(problem.contains("reloaded.yaml:1:13: unknown key \"widnow\" in detection"), "{problem}");
    assert!(get(&address, "/metrics").contains("\nprobehound_config_last_reload_successful 0\n"));
    written("reloaded.yaml", "detection: {window: 1m}\n");
    let keys = running.wait_for("Some settings changed that need a restart", "keys");
    assert_eq!(keys, "http.listen");
    running.end("TERM");
}

#[test]
fn while_the_api_server_is_away_it_lives_says_so_and_ends_when_it_is_told_to() {
    for signal in ["TERM", "INT"] {
        let (kubeconfig, began) = (away(), Instant::now());
        let flags = ["--listen", "127.0.0.1:0", "--kubeconfig", &kubeconfig, "--log-format", "json"];
        let mut running = Running::start(&[&["run"], &flags[..]].concat());
        let address = running.wait_for("Listening for metrics and health", "address");
        assert!(get(&address, "/livez").ends_with("\r\n\r\nok\n"));
        assert!(get(&address, "/readyz").contains("waiting for the API server"));
        let hint = running.wait_for("Cannot reach the cluster; trying again", "hint");
        assert!(hint.contains("whether https://127.0.0.1:1 is the right address"), "{hint}");
        running.end(signal);
        assert!(began.elapsed() < Duration::from_secs(15));
    }
}

#[test]
fn without_a_cluster_it_says_what_to_do_and_fails_at_once() {
    let kubeconfig =
        written("context.yaml", "apiVersion: v1\nkind: Config\ncontexts: [{name: dev, context: {cluster: c}}]\n");
    for (flags, wanted) in [
        (&["--kubeconfig", "no/such"][..], ["error: cannot read the kubeconfig no/such", "hint: check the path"]),
        (&["--kubeconfig", &kubeconfig, "--context", "prod"], ["has no context \"prod\"", "hint: "]),
        (&[], ["error: no kubeconfig was found", "hint: name a kubeconfig with --kubeconfig FILE"]),
    ] {
        let mut command = probehound(&[&["run", "--listen", "127.0.0.1:0"], flags].concat());
        command.env_remove("KUBECONFIG").env_remove("KUBERNETES_SERVICE_HOST").env("HOME", env!("CARGO_TARGET_TMPDIR"));
        let output = command.output().expect("the binary runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(wanted.iter().all(|words| text.contains(words)), "{text}");
    }
}

/// A kubeconfig whose API server does not exist.
fn away() -> String {
    let text = "apiVersion: v1\nkind: Config\ncurrent-context: away\n\
                clusters: [{name: away, cluster: {server: 'https://127.0.0.1:1'}}]\n\
                users: [{name: me, user: {token: t}}]\n\
                contexts: [{name: away, context: {cluster: away, user: me}}]\n";
    written("away.yaml", text)
}

fn checked(file: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = probehound(&["run", "--check-config", "--config", file]);
    command.envs(variables.iter().copied()).output().expect("the binary runs")
}

fn probehound(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_probehound"));
    command.args(args).stdin(Stdio::null());
    // Nothing from the machine's own environment reaches it.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PROBEHOUND_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    command
}

fn written(name: &str, text: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("the folder can be written");
    path.display().to_string()
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a time");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Running {
    fn start(args: &[&str]) -> Self {
        let mut child = probehound(args).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        Self { child, log }
    }

    /// Reads the log up to that message; returns one of its fields.
    fn wait_for(&mut self, message: &str, field: &str) -> String {
        let started = Instant::now();
        loop {
            let mut line = String::new();
            assert!(self.log.read_line(&mut line).expect("a log") > 0, "it ended without {message:?}");
            let entry: serde_json::Value = serde_json::from_str(&line).expect("a JSON object a line");
            if entry["message"] == message {
                return entry[field].as_str().expect("a text").to_owned();
            }
            assert!(started.elapsed() < LIMIT, "{message:?} does not come");
        }
    }

    fn end(mut self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().expect("there is a kill").success());
        let status = self.child.wait().expect("it ends");
        let mut rest = String::new();
        let _ = self.log.read_to_string(&mut rest);
        assert!(status.success(), "{status}\n{rest}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended if the test succeeded.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

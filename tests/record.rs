//! `record`, against a minimal API server on loopback.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::Recording;
use crate::support::recording::Type;
use serde_json::{Value, json};

#[test]
fn a_recording_holds_what_was_listed_and_what_happened_then() {
    let (file, output) = recorded("whole.jsonl.gz", &["--for", "2s"], Rights::All);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("recorded 2s to "), "{}", stderr(&output));
    let recording = Recording::read(&file);
    let brief = |line: &crate::support::Line| format!("{} {:?} {}", line.resource, line.change, line.object.name);
    let lines: Vec<String> = recording.lines.iter().map(brief).collect();
    assert_eq!(
        lines,
        ["deployments Added web", "pods Added web-1", "pods Modified web-1", "events Added e", "pods Bookmark "]
    );
    let text = String::from_utf8(recording.bytes()).expect("JSON is text");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("/health?token=***"), "{text}");
}

#[test]
fn a_recording_without_names_names_nobody() {
    let (file, output) = recorded("anonymous.jsonl.gz", &["--for", "2s", "--anonymize"], Rights::All);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(Recording::read(&file).bytes()).expect("JSON is text");
    for name in ["web", "shop", "registry", "10.1.2.3"] {
        assert!(!text.contains(name), "{name}: {text}");
    }
    assert!(text.contains("Container n1 failed liveness probe, will be restarted"), "{text}");
}

#[test]
fn an_interrupt_ends_a_recording_well() {
    let server = Server::start(Rights::All);
    let file = path("interrupted.jsonl.gz");
    let child = record(&server, &file, &[]);
    let recorder = until_it_says(child, "recording ");
    let interrupt = format!("kill -INT {}", recorder.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().expect("a shell").success());
    let output = recorder.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(Recording::read(&file).lines.last().is_some_and(|line| line.change == Type::Bookmark));
}

#[test]
fn what_may_not_be_watched_is_said_and_the_rest_recorded() {
    let (file, output) = recorded("partly.jsonl.gz", &["--for", "2s"], Rights::WithoutDeployments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("not recorded now: deployments (forbidden)"), "{}", stderr(&output));
    assert!(!Recording::read(&file).lines.iter().any(|line| &*line.resource == "deployments"));
    let (_, output) = recorded("blind.jsonl.gz", &["--for", "2s"], Rights::WithoutPods);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("error: no pods could be recorded (forbidden)"), "{}", stderr(&output));
}

#[test]
fn a_file_that_is_there_is_not_overwritten() {
    let server = Server::start(Rights::All);
    let file = path("there.jsonl");
    std::fs::write(&file, "mine").expect("the folder can be written");
    let output = record(&server, &file, &["--for", "1s"]).wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("it is there already\nhint: no recording is overwritten"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(&file).expect("it is still there"), "mine");
}

/// The permissions on the server.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Rights {
    All,
    WithoutDeployments,
    WithoutPods,
}

/// An API server of a cluster with one Deployment, one pod and one event.
struct Server {
    port: u16,
}

impl Server {
    fn start(rights: Rights) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = listener.local_addr().expect("a bound address").port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || answer_all(stream, rights));
            }
        });
        Self { port }
    }
}

fn answer_all(mut stream: TcpStream, rights: Rights) {
    let mut reader = BufReader::new(stream.try_clone().expect("a socket can be cloned"));
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {}
        if answer(&mut stream, &target, rights).is_err() {
            return;
        }
    }
}

fn answer(stream: &mut TcpStream, target: &str, rights: Rights) -> std::io::Result<()> {
    let path = target.split('?').next().unwrap_or_default();
    let resource = path.rsplit('/').next().unwrap_or_default();
    let forbidden = match rights {
        Rights::All => "",
        Rights::WithoutDeployments => "deployments",
        Rights::WithoutPods => "pods",
    };
    if resource == forbidden {
        return whole(
            stream,
            "403 Forbidden",
            &json!({"kind": "Status", "code": 403, "status": "Failure", "message": "no"}),
        );
    }
    if resource == "version" {
        return whole(stream, "200 OK", &json!({"major": "1", "minor": "30"}));
    }
    if target.contains("watch=true") {
        return watch(stream, resource);
    }
    let items: Vec<Value> = match resource {
        "deployments" => {
            vec![json!({"metadata": {"name": "web", "namespace": "shop", "uid": "d", "resourceVersion": "1"}})]
        }
        "pods" => vec![pod(0)],
        "events" => vec![event()],
        _ => Vec::new(),
    };
    whole(stream, "200 OK", &json!({"kind": "List", "metadata": {"resourceVersion": "5"}, "items": items}))
}

fn whole(stream: &mut TcpStream, status: &str, body: &Value) -> std::io::Result<()> {
    let body = body.to_string();
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// A watch with one change of the pod, and then nothing for a while.
fn watch(stream: &mut TcpStream, resource: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")?;
    if resource == "pods" {
        let line = format!("{}\n", json!({"type": "MODIFIED", "object": pod(1)}));
        write!(stream, "{:x}\r\n{line}\r\n", line.len())?;
    }
    thread::sleep(Duration::from_secs(8));
    write!(stream, "0\r\n\r\n")
}

fn pod(restarts: u32) -> Value {
    json!({"kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop", "uid": "p", "resourceVersion": "6",
            "annotations": {"x": "hunter2"}},
        "spec": {"nodeName": "registry-node", "containers": [{"name": "web", "image": "registry.shop/web:1",
            "env": [{"name": "A", "value": "hunter2"}],
            "livenessProbe": {"httpGet": {"path": "/health?token=hunter2", "port": 80}}}]},
        "status": {"podIP": "10.1.2.3", "containerStatuses": [{"name": "web", "restartCount": restarts}]}})
}

fn event() -> Value {
    json!({"kind": "Event", "metadata": {"name": "e", "namespace": "shop", "uid": "e", "resourceVersion": "7"},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1", "uid": "p"}, "reason": "Killing",
        "message": "Container web failed liveness probe, will be restarted", "source": {"component": "kubelet"}})
}

fn recorded(name: &str, words: &[&str], rights: Rights) -> (PathBuf, Output) {
    let server = Server::start(rights);
    let file = path(name);
    let output = record(&server, &file, words).wait_with_output().expect("it ends");
    (file, output)
}

fn record(server: &Server, file: &PathBuf, words: &[&str]) -> Child {
    let kubeconfig = path("kubeconfig");
    let text = json!({"apiVersion": "v1", "kind": "Config", "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}], "users": [{"name": "it", "user": {}}],
        "clusters": [{"name": "it", "cluster": {"server": format!("http://127.0.0.1:{}", server.port)}}]});
    std::fs::write(&kubeconfig, text.to_string()).expect("the folder can be written");
    Command::new(env!("CARGO_BIN_EXE_probehound"))
        .arg("record")
        .args(words)
        .arg("--kubeconfig")
        .arg(&kubeconfig)
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts")
}

/// Reads its output until it contains these words.
fn until_it_says(mut child: Child, words: &str) -> Child {
    let mut reader = BufReader::new(child.stderr.take().expect("piped"));
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert!(reader.read_line(&mut line).expect("a pipe can be read") > 0, "it ended without {words:?}");
    }
    thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    child
}

/// A path that no other test and no earlier run has used.
fn path(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("record-{}-{count}-{name}", std::process::id()));
    // A run long ago may have had the same process id.
    let _ = std::fs::remove_file(&path);
    path
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

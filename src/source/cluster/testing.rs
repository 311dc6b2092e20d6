//! A scripted API server in this process, for tests under paused time.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use http::{Request, Response};
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use tower::service_fn;

use super::settings::Watch;
use super::{Access, WatchHealth, watch};
use crate::engine::Seen;
use crate::source::Input;
use crate::source::objects::{EventLite, PodLite};
use crate::time::Time;

/// A request as the server sees it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Seconds since the server was created.
    pub at: f64,
    /// `/api/v1/pods`
    pub path: String,
    /// What follows the question mark.
    pub query: BTreeMap<String, String>,
    /// The media types that it asks for.
    pub accept: String,
}

impl Asked {
    /// `list`, `page`, `stream` (a list as one), `watch` or `get`, of the last part of the path.
    pub fn what(&self) -> String {
        let has = |key: &str| self.query.contains_key(key);
        let verb = match () {
            () if has("sendInitialEvents") => "stream",
            () if has("watch") => "watch",
            () if has("continue") => "page",
            () if has("limit") => "list",
            () => "get",
        };
        format!("{verb} {}", self.path.rsplit('/').next().unwrap_or_default())
    }

    /// A parameter; empty if it is absent.
    pub fn get(&self, key: &str) -> &str {
        self.query.get(key).map_or("", String::as_str)
    }
}

/// The server's answer.
pub struct Answer {
    code: u16,
    media: &'static str,
    body: Vec<Step>,
}

/// A part of a body.
#[derive(Clone)]
pub enum Step {
    /// This text.
    Bytes(String),
    /// These bytes.
    Raw(Vec<u8>),
    /// Nothing for a while.
    Wait(Duration),
    /// Nothing, forever.
    Hang,
    /// The connection breaks.
    Break(io::ErrorKind),
}

impl Answer {
    /// JSON.
    pub fn json(value: &Value) -> Self {
        Self::steps(vec![Step::Bytes(value.to_string())])
    }

    /// A status of that code.
    pub fn status(code: u16) -> Self {
        // kube recognises 404 by the reason alone.
        let reason = if code == 404 { "NotFound" } else { "Because" };
        let status = json!({"kind": "Status", "status": "Failure", "code": code, "message": "no", "reason": reason});
        Self::json(&status).with_code(code)
    }

    /// A list of objects as of a version.
    pub fn list(version: u32, items: &[Value]) -> Self {
        Self::page(version, items, "")
    }

    /// A page, with the token for the next one.
    pub fn page(version: u32, items: &[Value], next: &str) -> Self {
        let metadata = json!({"resourceVersion": version.to_string(), "continue": next});
        Self::json(&json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items}))
    }

    /// These lines, and then the end after ten seconds, as by the server's timeout.
    pub fn watch(lines: &[String]) -> Self {
        let lines = lines.iter().map(|line| Step::Bytes(format!("{line}\n")));
        Self::steps(lines.chain([Step::Wait(Duration::from_secs(10))]).collect())
    }

    /// A body in parts.
    pub fn steps(body: Vec<Step>) -> Self {
        Self { code: 200, media: "application/json", body }
    }

    /// The same of another media type.
    pub fn of_type(self, media: &'static str) -> Self {
        Self { media, ..self }
    }

    /// The same with another code.
    pub fn with_code(self, code: u16) -> Self {
        Self { code, ..self }
    }

    fn into_response(self) -> Response<StreamBody<impl Stream<Item = io::Result<Frame<Bytes>>>>> {
        let frames = stream::iter(self.body).filter_map(|step| async {
            match step {
                Step::Bytes(text) => Some(Ok(Frame::data(Bytes::from(text)))),
                Step::Raw(bytes) => Some(Ok(Frame::data(Bytes::from(bytes)))),
                Step::Break(kind) => Some(Err(io::Error::from(kind))),
                Step::Hang => std::future::pending().await,
                Step::Wait(span) => {
                    sleep(span).await;
                    None
                }
            }
        });
        let answer = Response::builder().status(self.code).header("content-type", self.media);
        answer.body(StreamBody::new(frames)).expect("valid")
    }
}

/// The requests so far.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Asked>>>);

impl Log {
    /// All of it.
    pub fn all(&self) -> Vec<Asked> {
        self.0.lock().expect("no panic").clone()
    }

    /// The requests as text, without the version.
    pub fn words(&self) -> Vec<String> {
        self.all().iter().filter(|asked| asked.path != "/version").map(Asked::what).collect()
    }

    /// How often that was requested.
    pub fn count(&self, what: &str) -> usize {
        self.words().iter().filter(|word| *word == what).count()
    }
}

/// A server of Kubernetes 1.37 whose answers come from a function, and access to it.
pub fn server(answer: impl FnMut(&Asked) -> Answer + Send + 'static) -> (Access, Log) {
    server_of_version("34", answer)
}

/// A server of that minor version.
pub fn server_of_version(minor: &str, answer: impl FnMut(&Asked) -> Answer + Send + 'static) -> (Access, Log) {
    let (start, log) = (Instant::now(), Log::default());
    let (answer, version, noted) = (Arc::new(Mutex::new(answer)), version(minor), log.clone());
    let service = service_fn(move |request: Request<Body>| {
        let asked = asked(&request, start.elapsed().as_secs_f64());
        noted.0.lock().expect("no panic").push(asked.clone());
        let answer = match &*asked.path {
            "/version" => Answer::json(&version),
            _ => (answer.lock().expect("no panic"))(&asked),
        };
        async move { Ok::<_, Infallible>(answer.into_response()) }
    });
    (Access::through(Client::new(service, "default"), || NOW), log)
}

/// The time of the clock in these tests: 2026-11-24T10:00:00Z.
pub const NOW: Time = Time::from_millis(1_795_514_400_000);

fn version(minor: &str) -> Value {
    let mut version = json!({"major": "1", "minor": minor, "gitVersion": format!("v1.{minor}.0")});
    for field in ["gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"] {
        version[field] = json!("");
    }
    version
}

fn asked(request: &Request<Body>, at: f64) -> Asked {
    let pairs = request.uri().query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let query = pairs.map(|(key, value)| (key.to_owned(), decoded(value))).collect();
    let accept = request.headers().get("accept").map_or("", |accept| accept.to_str().expect("a text")).to_owned();
    Asked { at, path: request.uri().path().to_owned(), query, accept }
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push(char::from(u8::from_str_radix(&part[..2], 16).expect("two digits")));
        out.push_str(&part[2..]);
    }
    out
}

/// What arrives within that many seconds, as text with times.
pub async fn seen_for(seconds: u64, access: &Access, what: &Watch) -> (Vec<(f64, String)>, Arc<WatchHealth>) {
    let health = Arc::new(WatchHealth::new(|| NOW));
    let (start, mut seen) = (Instant::now(), Vec::new());
    let mut inputs = Box::pin(watch(access, what, &health));
    let all = async {
        while let Some(input) = inputs.next().await {
            seen.push((start.elapsed().as_secs_f64(), words(&input)));
        }
    };
    _ = timeout(Duration::from_secs(seconds), all).await;
    // The health of a dropped watch no longer shows whether it is up.
    std::mem::forget(inputs);
    (seen, health)
}

fn words(input: &Input) -> String {
    let name = |name: Option<&String>| name.cloned().unwrap_or_default();
    let of_pod = |pod: &PodLite| name(pod.metadata.ok().and_then(|meta| meta.name.ok()));
    let of_event = |event: &EventLite| name(event.metadata.ok().and_then(|meta| meta.name.ok()));
    match input {
        Input::ListStarted(scope) => format!("list {scope:?}"),
        Input::ListFinished(scope) => format!("listed {scope:?}"),
        Input::Pod(pod, Seen::Listed) => format!("listed {}", of_pod(pod)),
        Input::Pod(pod, Seen::Changed) => format!("changed {}", of_pod(pod)),
        Input::PodGone(pod) => format!("gone {}", of_pod(pod)),
        Input::Event(event) => format!("event {}", of_event(event)),
    }
}

/// The same without the times.
pub fn all_words(seen: &[(f64, String)]) -> Vec<&str> {
    seen.iter().map(|(_, word)| word.as_str()).collect()
}

/// A pod.
pub fn pod(name: &str, version: u32) -> Value {
    json!({"kind": "Pod", "metadata": {"name": name, "namespace": "n", "uid": name,
        "resourceVersion": version.to_string()}, "spec": {"containers": [{"name": "app"}]}})
}

/// An event of that name.
pub fn event(name: &str, version: u32) -> Value {
    json!({"kind": "Event", "metadata": {"name": name, "namespace": "n", "uid": name,
        "resourceVersion": version.to_string()}, "reason": "Unhealthy", "lastTimestamp": "2026-11-24T09:59:58Z"})
}

/// A line of a watch.
pub fn line(kind: &str, object: &Value) -> String {
    json!({"type": kind, "object": object}).to_string()
}

/// The line that ends the initial list of a stream.
pub fn initial_end(version: u32) -> String {
    bookmark(version, &json!({"k8s.io/initial-events-end": "true"}))
}

/// A line that only reports how far the watch has come.
pub fn bookmark(version: u32, annotations: &Value) -> String {
    let metadata = json!({"resourceVersion": version.to_string(), "annotations": annotations});
    line("BOOKMARK", &json!({"kind": "Pod", "apiVersion": "v1", "metadata": metadata}))
}

/// The line that reports that a version is too old.
pub fn gone() -> String {
    line(
        "ERROR",
        &json!({"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"}),
    )
}

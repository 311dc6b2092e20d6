//! Records a cluster's watches.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{AsyncBufReadExt, StreamExt};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::task::JoinHandle;

use super::resource::{ALL, Resource};
use crate::harness::Api;
use crate::harness::clock;
use crate::support::Recording;
use crate::support::recording::{Line, Type};

/// A recorder that runs until its recording is taken.
pub struct Recorder {
    tape: Arc<Tape>,
    watches: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Tape {
    lines: Mutex<Vec<Line>>,
    /// How many of the watched resources that only explain others, such as owners and Services, are
    /// currently watched.
    explaining: AtomicUsize,
}

/// The resources that the others explain.
const EXPLAINED: [&str; 2] = ["pods", "events"];

#[derive(Deserialize)]
struct Seen<'a> {
    r#type: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

impl Recorder {
    /// Records all that probehound reads, in all namespaces, from now on.
    pub fn start(api: &Api) -> Self {
        let tape = Arc::new(Tape::default());
        let watch = |resource| tokio::spawn(keep_watching(api.clone(), resource, Arc::clone(&tape)));
        Self { watches: ALL.into_iter().map(watch).collect(), tape }
    }

    /// The recording so far.
    pub fn stop(self) -> Recording {
        self.watches.iter().for_each(JoinHandle::abort);
        let mut lines = std::mem::take(&mut *self.tape.lines.lock().unwrap_or_else(PoisonError::into_inner));
        lines.push(Line::new(clock::now(), "pods", Type::Bookmark, &Value::Object(serde_json::Map::new())));
        Recording { lines }
    }
}

/// Pods and events are read after the resources that explain them: after an outage, an operator that looks
/// these up gets their current state, and a replay has to find it.
///
/// Like kube's watcher it resumes where it was, and relists only if that has expired.
async fn keep_watching(api: Api, resource: Resource, tape: Arc<Tape>) {
    const PAUSE: Duration = Duration::from_millis(200);
    let explains = !EXPLAINED.contains(&resource.name);
    let mut from = None;
    loop {
        let is_its_turn = explains || tape.explaining.load(Ordering::SeqCst) == ALL.len() - EXPLAINED.len();
        if is_its_turn {
            if from.is_none() {
                from = list(&api, resource, &tape.lines).await;
            }
            if let Some(version) = from.take() {
                from = watch(&api, resource, version, &tape).await;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Records the existing objects; returns the version to watch from.
async fn list(api: &Api, resource: Resource, lines: &Mutex<Vec<Line>>) -> Option<String> {
    let answer = api.get(&resource.everywhere()).await;
    for object in answer.body["items"].as_array().into_iter().flatten() {
        add(lines, Line::new(clock::now(), resource.name, Type::Added, object));
    }
    Some(answer.body["metadata"]["resourceVersion"].as_str()?.to_owned())
}

/// Records changes until the connection breaks; returns the version to resume from, if that is kept.
async fn watch(api: &Api, resource: Resource, mut version: String, tape: &Tape) -> Option<String> {
    let path = |version: &str| {
        format!("{}?watch=true&allowWatchBookmarks=true&resourceVersion={version}", resource.everywhere())
    };
    let mut known = None;
    loop {
        let request = http::Request::get(path(&version)).body(Vec::new()).expect("a request");
        let stream = match api.client().request_stream(request).await {
            Ok(stream) => stream,
            Err(kube::Error::Api(status)) if status.code < 500 => return None,
            Err(_) => return Some(version),
        };
        known.get_or_insert_with(|| Known::of(resource, tape));
        let mut stream = std::pin::pin!(stream.lines());
        while let Some(Ok(text)) = stream.next().await {
            let Ok(seen) = serde_json::from_str::<Seen<'_>>(&text) else { break };
            if seen.r#type == "ERROR" {
                return None;
            }
            version = version_of(seen.object).unwrap_or(version);
            if let Some(line) = line(resource, &seen) {
                add(&tape.lines, line);
            }
        }
    }
}

/// While it exists, a resource is watched that explains others.
struct Known<'a>(&'a Tape, usize);

impl<'a> Known<'a> {
    fn of(resource: Resource, tape: &'a Tape) -> Self {
        let share = usize::from(!EXPLAINED.contains(&resource.name));
        tape.explaining.fetch_add(share, Ordering::SeqCst);
        Self(tape, share)
    }
}

impl Drop for Known<'_> {
    fn drop(&mut self) {
        self.0.explaining.fetch_sub(self.1, Ordering::SeqCst);
    }
}

fn line(resource: Resource, seen: &Seen<'_>) -> Option<Line> {
    let change = match seen.r#type {
        "ADDED" => Type::Added,
        "MODIFIED" => Type::Modified,
        "DELETED" => Type::Deleted,
        _ => return None,
    };
    Some(Line::raw(clock::now(), resource.name, change, seen.object.get()))
}

fn version_of(object: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Lean {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        #[serde(rename = "resourceVersion")]
        version: String,
    }
    serde_json::from_str::<Lean>(object.get()).ok().map(|lean| lean.metadata.version)
}

fn add(lines: &Mutex<Vec<Line>>, line: Line) {
    lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
}

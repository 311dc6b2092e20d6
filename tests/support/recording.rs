//! A recording as lines that can be changed, left out and reordered.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use probehound::time::Time;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A recording: lines in chronological order.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The lines.
    pub lines: Vec<Line>,
}

/// One line: an object in a watch event.
#[derive(Clone, Debug)]
pub struct Line {
    /// When it was observed.
    pub at: Time,
    /// `pods`, `events`, …
    pub resource: Arc<str>,
    /// The type of the watch event.
    pub change: Type,
    /// The object; shared between the mutations of a recording.
    pub object: Arc<Object>,
}

/// A watch event's type.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Type {
    Added,
    Modified,
    Deleted,
    Bookmark,
}

/// An object, mostly as text.
#[derive(Debug)]
pub struct Object {
    /// The JSON itself.
    pub json: String,
    /// `metadata.uid`; empty for a bookmark.
    pub uid: String,
    /// `metadata.name`
    pub name: String,
    /// The UID of the pod that it is or is about, if any.
    pub pod: Option<String>,
    /// An event's reason.
    pub reason: Option<String>,
    /// The sum of the containers' `restartCount`.
    pub restarts: i64,
}

impl Recording {
    /// Reads a gzipped recording that is known to be valid.
    pub fn read(path: &Path) -> Self {
        let file = std::fs::File::open(path).expect("the recording can be opened");
        let mut text = String::new();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("the recording is whole");
        Self::parse(&text)
    }

    /// A recording that is known to be valid, from its text.
    pub fn parse(text: &str) -> Self {
        Self { lines: text.lines().map(Line::parse).collect() }
    }

    /// The text of the recording, one JSON object per line.
    pub fn bytes(&self) -> Vec<u8> {
        let mut text = String::with_capacity(self.lines.iter().map(|line| line.object.json.len() + 120).sum());
        for line in &self.lines {
            line.write(&mut text);
            text.push('\n');
        }
        text.into_bytes()
    }

    /// The lines accepted by `keep`, which is passed the index of each.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(usize, &Line) -> bool) -> Self {
        let lines = self.lines.iter().enumerate().filter(|(place, line)| keep(*place, line));
        Self { lines: lines.map(|(_, line)| line.clone()).collect() }
    }

    /// The time of its first line.
    pub fn start(&self) -> Time {
        self.lines.first().map(|line| line.at).unwrap_or_default()
    }

    /// The time of its last line.
    pub fn end(&self) -> Time {
        self.lines.last().map(|line| line.at).unwrap_or_default()
    }
}

impl Line {
    /// A line about `object`.
    pub fn new(at: Time, resource: &str, change: Type, object: &Value) -> Self {
        Self::raw(at, resource, change, &object.to_string())
    }

    /// A line about the object with that JSON.
    pub fn raw(at: Time, resource: &str, change: Type, json: &str) -> Self {
        Self { at, resource: resource.into(), change, object: Arc::new(Object::new(json.to_owned())) }
    }

    /// The object as a tree.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.object.json).expect("an object of a good recording")
    }

    /// The same line with its object changed.
    #[must_use]
    pub fn with(&self, change: impl FnOnce(&mut Value)) -> Self {
        let mut value = self.value();
        change(&mut value);
        Self::new(self.at, &self.resource, self.change, &value)
    }

    /// Whether it is about a pod.
    pub fn is_pod(&self) -> bool {
        &*self.resource == "pods" && self.change != Type::Bookmark
    }

    /// Whether it is an event.
    pub fn is_event(&self) -> bool {
        &*self.resource == "events"
    }

    /// Whether it is an event of that reason.
    pub fn is_event_of(&self, reason: &str) -> bool {
        self.is_event() && self.object.reason.as_deref() == Some(reason)
    }

    /// The line as text, without a line break.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        let Self { at, resource, .. } = self;
        let change = match self.change {
            Type::Added => "ADDED",
            Type::Modified => "MODIFIED",
            Type::Deleted => "DELETED",
            Type::Bookmark => "BOOKMARK",
        };
        let json = &self.object.json;
        write!(text, r#"{{"ts":"{at}","resource":"{resource}","type":"{change}","object":{json}}}"#)
            .expect("a String takes everything");
    }

    fn parse(text: &str) -> Self {
        #[derive(Deserialize)]
        struct Raw<'a> {
            ts: Time,
            resource: &'a str,
            r#type: Type,
            #[serde(borrow)]
            object: &'a RawValue,
        }
        let raw: Raw = serde_json::from_str(text).expect("a line of a good recording");
        Self {
            at: raw.ts,
            resource: raw.resource.into(),
            change: raw.r#type,
            object: Arc::new(Object::new(raw.object.get().to_owned())),
        }
    }
}

impl Object {
    fn new(json: String) -> Self {
        let lean: Lean = serde_json::from_str(&json).unwrap_or_default();
        let pod = match (lean.kind.as_str(), &lean.involved) {
            ("Pod", _) => Some(lean.metadata.uid.clone()),
            ("Event", Some(about)) if about.kind == "Pod" => Some(about.uid.clone()),
            _ => None,
        };
        let statuses = lean.status.unwrap_or_default();
        let statuses = statuses.containers.iter().chain(&statuses.init).flatten();
        Self {
            uid: lean.metadata.uid,
            name: lean.metadata.name,
            pod,
            reason: lean.reason,
            restarts: statuses.map(|status| status.restarts).sum(),
            json,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Lean {
    kind: String,
    metadata: Metadata,
    #[serde(rename = "involvedObject")]
    involved: Option<About>,
    reason: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    uid: String,
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct About {
    kind: String,
    uid: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    #[serde(rename = "containerStatuses")]
    containers: Option<Vec<ContainerStatus>>,
    #[serde(rename = "initContainerStatuses")]
    init: Option<Vec<ContainerStatus>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ContainerStatus {
    #[serde(rename = "restartCount")]
    restarts: i64,
}

//! One line of a recording.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::source::objects::{
    ControllerRevisionLite, CronJobLite, DaemonSetLite, DeploymentLite, EndpointSliceLite, EventLite, JobLite, PodLite,
    ReplicaSetLite, RolloutLite, ServiceLite, StatefulSetLite,
};
use crate::time::Time;

/// Maximum nesting of lists and objects in a line; the API server's own objects have some twenty levels.
const MAX_DEPTH: u32 = 100;

/// The annotation of a bookmark that records the loss of the watch of pods.
pub const WATCH_LOST: &str = "probehound.dev/watch-lost";

/// A record.
#[derive(Debug)]
pub struct Record {
    /// The line's number, from 1.
    pub line: u64,
    /// When it was observed.
    pub at: Time,
    /// The type of the record.
    pub kind: RecordKind,
    /// The observed object.
    pub object: Object,
}

/// The type of a record.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum RecordKind {
    /// A list item, or a new object.
    Added,
    /// A changed object.
    Modified,
    /// A deleted object.
    Deleted,
    /// Only time has passed; pods are observed again, if they were not.
    Bookmark,
    /// A bookmark with [`WATCH_LOST`]: pods are not observed from here to the next bookmark, so silence
    /// proves nothing.
    Blind,
}

/// The object of a record.
#[derive(Debug)]
pub enum Object {
    /// No object: only time has passed.
    Nothing,
    /// An object of an unsupported resource.
    Foreign,
    /// A pod.
    Pod(Box<PodLite>),
    /// An event.
    Event(Box<EventLite>),
    /// A Deployment.
    Deployment(Box<DeploymentLite>),
    /// An Argo Rollout.
    Rollout(Box<RolloutLite>),
    /// A `ReplicaSet`.
    ReplicaSet(Box<ReplicaSetLite>),
    /// A `StatefulSet`.
    StatefulSet(Box<StatefulSetLite>),
    /// A `DaemonSet`.
    DaemonSet(Box<DaemonSetLite>),
    /// A `ControllerRevision`.
    ControllerRevision(Box<ControllerRevisionLite>),
    /// A Job.
    Job(Box<JobLite>),
    /// A `CronJob`.
    CronJob(Box<CronJobLite>),
    /// A Service.
    Service(Box<ServiceLite>),
    /// An `EndpointSlice`.
    EndpointSlice(Box<EndpointSliceLite>),
}

#[derive(Deserialize)]
struct RawLine<'a> {
    #[serde(borrow)]
    ts: Cow<'a, str>,
    #[serde(borrow)]
    resource: Cow<'a, str>,
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    object: Option<&'a RawValue>,
}

/// Decodes a line; `None` for an empty one.
///
/// # Errors
/// The error in words.
pub fn decode(line: u64, bytes: &[u8]) -> Result<Option<Record>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the line is not UTF-8".to_owned())?;
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    if is_nested_deeper(bytes, MAX_DEPTH) {
        return Err(format!("nested deeper than {MAX_DEPTH} levels"));
    }
    let raw: RawLine<'_> =
        serde_json::from_str(text).map_err(|error| format!("not a line of a recording: {}", words(&error)))?;
    let known = is_known(&raw.resource);
    let at = match Time::parse(&raw.ts) {
        Ok(at) => at,
        Err(_) if !known => return Ok(None),
        Err(error) => return Err(format!("ts: {error}")),
    };
    let kind = match &*raw.r#type {
        "ADDED" => RecordKind::Added,
        "MODIFIED" => RecordKind::Modified,
        "DELETED" => RecordKind::Deleted,
        "BOOKMARK" if raw.resource == "pods" && says_lost(raw.object) => RecordKind::Blind,
        "BOOKMARK" => RecordKind::Bookmark,
        _ if !known => RecordKind::Bookmark,
        other => return Err(format!("the type {:?} is unknown", crate::text::cut(other, 40))),
    };
    let object = match kind {
        _ if !known => Object::Foreign,
        RecordKind::Bookmark | RecordKind::Blind => Object::Nothing,
        _ => object(&raw.resource, raw.object.map_or("null", RawValue::get))
            .map_err(|error| format!("object: {}", words(&error)))?,
    };
    Ok(Some(Record { line, at, kind, object }))
}

/// Whether the object of a bookmark has [`WATCH_LOST`].
fn says_lost(object: Option<&RawValue>) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Bookmark<'a> {
        #[serde(borrow)]
        metadata: Metadata<'a>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Metadata<'a> {
        #[serde(borrow)]
        annotations: BTreeMap<Cow<'a, str>, &'a RawValue>,
    }
    let bookmark: Option<Bookmark<'_>> = object.and_then(|object| serde_json::from_str(object.get()).ok());
    bookmark.is_some_and(|bookmark| bookmark.metadata.annotations.contains_key(WATCH_LOST))
}

/// The error without its position in the text, which nobody can see, and without type names, which nobody
/// knows.
pub fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.contains("expected struct") {
        return "expected a JSON object".to_owned();
    }
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words);
    crate::text::cut(text, 200).to_owned()
}

/// The object of a resource.
///
/// # Errors
/// The text is not JSON, or not an object.
pub fn object(resource: &str, json: &str) -> serde_json::Result<Object> {
    Ok(match resource {
        "pods" => Object::Pod(serde_json::from_str(json)?),
        "events" => Object::Event(serde_json::from_str(json)?),
        "deployments" => Object::Deployment(serde_json::from_str(json)?),
        "rollouts" => Object::Rollout(serde_json::from_str(json)?),
        "replicasets" => Object::ReplicaSet(serde_json::from_str(json)?),
        "statefulsets" => Object::StatefulSet(serde_json::from_str(json)?),
        "daemonsets" => Object::DaemonSet(serde_json::from_str(json)?),
        "controllerrevisions" => Object::ControllerRevision(serde_json::from_str(json)?),
        "jobs" => Object::Job(serde_json::from_str(json)?),
        "cronjobs" => Object::CronJob(serde_json::from_str(json)?),
        "services" => Object::Service(serde_json::from_str(json)?),
        "endpointslices" => Object::EndpointSlice(serde_json::from_str(json)?),
        _ => Object::Foreign,
    })
}

fn is_known(resource: &str) -> bool {
    matches!(
        resource,
        "pods"
            | "events"
            | "deployments"
            | "rollouts"
            | "replicasets"
            | "statefulsets"
            | "daemonsets"
            | "controllerrevisions"
            | "jobs"
            | "cronjobs"
            | "services"
            | "endpointslices"
    )
}

/// Whether a JSON text is nested deeper than this.
fn is_nested_deeper(text: &[u8], most: u32) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

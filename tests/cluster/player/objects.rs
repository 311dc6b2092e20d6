//! The objects of a scene, and how they are written.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::resource::Resource;
use super::translation::Translation;
use super::uids::Uids;
use crate::harness::Api;
use crate::harness::api::Answer;
use crate::support::recording::{Line, Type};

/// The field manager for writes without a recorded one.
const CONTROLLERS: &str = "kube-controller-manager";

/// What the server decides, or what needs a missing component: a finalizer waits for its controller.
const SERVERS_OWN: [&str; 9] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
    "finalizers",
];

/// Writes objects one after the other, each as often as it changes.
pub struct Writer {
    api: Api,
    translation: Translation,
    uids: Arc<Uids>,
    known: BTreeMap<String, Known>,
    /// The server's refusals.
    pub refused: Vec<String>,
}

/// An object as last written.
struct Known {
    path: String,
    main: Value,
    status: Value,
    /// When a field manager last changed a part of it, according to the recording.
    touched: Option<String>,
    terminating: bool,
}

impl Known {
    /// Whether a deleted pod waits for its kubelet; without a node, or terminated, it is gone at once.
    fn stays_when_told_to_end(&self) -> bool {
        let has_ended = matches!(self.status["phase"].as_str(), Some("Succeeded" | "Failed"));
        self.main["spec"]["nodeName"].is_string() && !has_ended
    }
}

impl Writer {
    /// A writer that has written nothing yet.
    pub fn new(api: Api, translation: Translation, uids: Arc<Uids>) -> Self {
        Self { api: api.persistent(), translation, uids, known: BTreeMap::new(), refused: Vec::new() }
    }

    /// Writes a line, and waits for the server.
    pub async fn write(&mut self, line: &Line) {
        let Some(resource) = Resource::named(&line.resource) else {
            return;
        };
        let uid = &line.object.uid;
        match line.change {
            Type::Bookmark => {}
            Type::Deleted => {
                if let Some(known) = self.known.remove(uid) {
                    self.delete(&known.path, 0).await;
                }
            }
            Type::Added | Type::Modified => {
                let mut object = line.value();
                self.translation.translate(&mut object);
                self.uids.put_into(&mut object, uid).await;
                match self.known.remove(uid) {
                    Some(known) => self.change(resource, uid, known, &object).await,
                    None => self.create(resource, uid, &object).await,
                }
            }
        }
    }

    async fn create(&mut self, resource: Resource, uid: &str, object: &Value) {
        let main = main_part(resource.name, object);
        let touched = last_touch(object);
        let manager = touched.map_or(CONTROLLERS, |(_, manager)| manager);
        let collection = resource.within(self.translation.namespace());
        let path = format!("{collection}/{}", object["metadata"]["name"].as_str().unwrap_or_default());
        let mut made = self.api.create(&format!("{collection}?fieldManager={manager}"), &main).await;
        if made.code == 409 {
            // The answer was lost: it exists already.
            made = self.api.get(&path).await;
        }
        if !self.accepts(&made, &path) {
            return;
        }
        self.uids.give(uid, made.body["metadata"]["uid"].as_str().unwrap_or_default());
        let known = Known {
            path,
            main,
            status: made.body["status"].clone(),
            touched: touched.map(|(at, _)| at.to_owned()),
            terminating: false,
        };
        self.change(resource, uid, known, object).await;
    }

    /// Writes the differences to what was last written.
    async fn change(&mut self, resource: Resource, uid: &str, mut known: Known, object: &Value) {
        let noted = self.change_main(resource, &mut known, object).await;
        let metadata = &object["metadata"];
        let ends = resource.name == "pods" && !known.terminating && metadata["deletionTimestamp"].is_string();
        // The last line of a terminating pod may have a grace period of zero: it would be gone before its
        // last status is written.
        let grace = metadata["deletionGracePeriodSeconds"].as_u64().unwrap_or_default().max(1);
        let stays = known.stays_when_told_to_end();
        if ends && stays {
            self.delete(&known.path, grace).await;
        }
        if resource.has_status {
            self.change_status(&mut known, &object["status"], noted).await;
        }
        if ends && !stays {
            self.delete(&known.path, grace).await;
        }
        known.terminating |= ends;
        self.known.insert(uid.to_owned(), known);
    }

    /// Returns the metadata to be written along with the status.
    async fn change_main(&mut self, resource: Resource, known: &mut Known, object: &Value) -> Option<Value> {
        let main = main_part(resource.name, object);
        let mut patch = difference(&known.main, &main)?;
        let touched = last_touch(object);
        let by_whom = touched.filter(|(at, _)| Some(*at) != known.touched.as_deref());
        known.main = main;
        known.touched = touched.map(|(at, _)| at.to_owned());
        match resource.name {
            "pods" => self.bind(&known.path, &mut patch).await,
            // As its controller does: another way would count as a change of the Deployment.
            "deployments" if by_whom.is_none() && patch["spec"].is_null() => return Some(patch["metadata"].take()),
            _ => {}
        }
        self.patch(&known.path, by_whom.map_or(CONTROLLERS, |(_, manager)| manager), &patch).await;
        None
    }

    async fn change_status(&mut self, known: &mut Known, status: &Value, noted: Option<Value>) {
        let mut patch = Map::new();
        if let Some(difference) = difference(&known.status, status) {
            known.status = status.clone();
            patch.insert("status".to_owned(), difference);
        }
        if let Some(metadata) = noted {
            patch.insert("metadata".to_owned(), metadata);
        }
        self.patch(&format!("{}/status", known.path), CONTROLLERS, &Value::Object(patch)).await;
    }

    /// Binds a pod to its node, if that is what changed: only a scheduler may write it.
    async fn bind(&mut self, path: &str, change: &mut Value) {
        let node = change["spec"].as_object_mut().and_then(|spec| spec.remove("nodeName"));
        let Some(node) = node.filter(Value::is_string) else {
            return;
        };
        let (_, name) = path.rsplit_once('/').expect("a path has parts");
        let binding = json!({"metadata": {"name": name}, "target": {"kind": "Node", "name": node}});
        let path = format!("{path}/binding");
        let answer = self.api.create(&path, &binding).await;
        self.accepts(&answer, &path);
    }

    async fn patch(&mut self, path: &str, manager: &str, change: &Value) {
        if is_empty(change) {
            return;
        }
        let answer = self.api.patch(path, manager, change).await;
        self.accepts(&answer, path);
    }

    async fn delete(&mut self, path: &str, grace_seconds: u64) {
        let answer = self.api.delete(path, grace_seconds).await;
        // A pod without a node is gone at once, whatever its grace period.
        if answer.code != 404 {
            self.accepts(&answer, path);
        }
    }

    fn accepts(&mut self, answer: &Answer, path: &str) -> bool {
        if !answer.is_success() {
            self.refused.push(format!("{path}: {}", answer.refusal()));
        }
        answer.is_success()
    }
}

/// An object without its status and without what the server decides.
pub fn main_part(resource: &str, object: &Value) -> Value {
    let mut main = object.clone();
    if let Some(fields) = main.as_object_mut() {
        fields.remove("status");
    }
    remove(&mut main["metadata"], &SERVERS_OWN);
    match resource {
        // Addresses that others in the same cluster may have by now.
        "services" => {
            if main["spec"]["clusterIP"] != "None" {
                remove(&mut main["spec"], &["clusterIP", "clusterIPs"]);
            }
            remove(&mut main["spec"], &["healthCheckNodePort"]);
            for port in main["spec"]["ports"].as_array_mut().into_iter().flatten() {
                remove(port, &["nodePort"]);
            }
        }
        // Set by the server from the UID that it assigns.
        "jobs" => {
            remove(&mut main["spec"], &["selector"]);
            let of_the_id = ["controller-uid", "batch.kubernetes.io/controller-uid"];
            remove(&mut main["metadata"]["labels"], &of_the_id);
            remove(&mut main["spec"]["template"]["metadata"]["labels"], &of_the_id);
        }
        _ => {}
    }
    main
}

fn remove(value: &mut Value, fields: &[&str]) {
    if let Some(object) = value.as_object_mut() {
        object.retain(|field, _| !fields.contains(&field.as_str()));
    }
}

/// The last change by a field manager outside of the status.
fn last_touch(object: &Value) -> Option<(&str, &str)> {
    let fields = object["metadata"]["managedFields"].as_array()?;
    let main = fields.iter().filter(|entry| entry["subresource"].as_str().unwrap_or_default().is_empty());
    main.filter_map(|entry| Some((entry["time"].as_str()?, entry["manager"].as_str()?))).max()
}

/// The JSON merge patch that makes `old` into `new`; `None` if they are the same.
fn difference(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let mut patch = Map::new();
    for (field, value) in after {
        match before.get(field) {
            None if value.is_null() => {}
            None => drop(patch.insert(field.clone(), value.clone())),
            Some(old) => patch.extend(difference(old, value).map(|value| (field.clone(), value))),
        }
    }
    let gone = before.keys().filter(|field| !after.contains_key(*field));
    patch.extend(gone.map(|field| (field.clone(), Value::Null)));
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// Whether a patch changes nothing any more.
fn is_empty(patch: &Value) -> bool {
    patch.as_object().is_some_and(|fields| fields.values().all(is_empty))
}

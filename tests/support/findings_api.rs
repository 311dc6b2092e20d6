//! The part of an API server that delivery needs, in this process: `Finding` objects, Events, the metadata
//! of workloads.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::{Stream, StreamExt, stream};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use kube::Client;
use kube::client::Body;
use probehound::engine::Finding;
use probehound::report::object::{FindingObject, FindingState, Notification, object_name};
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tower::service_fn;

const FINDINGS: &str = "/apis/probehound.dev/v1alpha1/findings";

/// The server; cheap to clone, and outlives the runtimes of its clients.
#[derive(Clone)]
pub struct FindingsApi {
    state: Arc<Mutex<State>>,
    changes: broadcast::Sender<(u64, Value)>,
}

#[derive(Default)]
struct State {
    version: u64,
    findings: BTreeMap<String, Value>,
    events: BTreeMap<String, Value>,
    written: usize,
    refusals: Vec<StatusCode>,
    out: bool,
    missing: bool,
}

impl Default for FindingsApi {
    fn default() -> Self {
        Self { state: Arc::default(), changes: broadcast::channel(4096).0 }
    }
}

impl FindingsApi {
    /// A client of it.
    pub fn client(&self) -> Client {
        let api = self.clone();
        let answer = move |request: Request<Body>| {
            let api = api.clone();
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        };
        Client::new(service_fn(answer), "default")
    }

    /// Writes a finding like the operator's keeper: recorded notifications stay.
    pub fn put(&self, finding: &Finding, state: FindingState) {
        let object = FindingObject::from_finding(finding, state, None);
        let mut value = serde_json::to_value(&object).expect("plain data");
        let mut all = self.locked();
        let name = object_name(&finding.identity());
        let known = all.findings.get(&name);
        let told = known.and_then(|known| known["status"]["notifications"].as_array()).cloned();
        value["status"]["notifications"] = json!(told.unwrap_or_default());
        let kind = if known.is_some() { "MODIFIED" } else { "ADDED" };
        self.change(&mut all, kind, &name, value);
    }

    /// Writes an object as it is, as another version did.
    pub fn put_object(&self, object: &Value) {
        let mut all = self.locked();
        let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
        self.change(&mut all, "ADDED", &name, object.clone());
    }

    /// The notifications recorded in a finding's object.
    pub fn told(&self, finding: &Finding) -> Vec<Notification> {
        let all = self.locked();
        let object = all.findings.get(&object_name(&finding.identity()));
        let told = object.map(|object| object["status"]["notifications"].clone());
        told.and_then(|told| serde_json::from_value(told).ok()).unwrap_or_default()
    }

    /// Records notifications in an object, as another leader would have.
    pub fn tell(&self, finding: &Finding, told: &[Notification]) {
        let mut all = self.locked();
        let name = object_name(&finding.identity());
        let mut value = all.findings[&name].clone();
        value["status"]["notifications"] = json!(told);
        self.change(&mut all, "MODIFIED", &name, value);
    }

    /// Deletes an object, as a person would.
    pub fn delete(&self, finding: &Finding) {
        let mut all = self.locked();
        let name = object_name(&finding.identity());
        let Some(value) = all.findings.remove(&name) else { return };
        all.version += 1;
        drop(self.changes.send((all.version, json!({"type": "DELETED", "object": value}))));
    }

    /// The answers to the next writes.
    pub fn refuse(&self, statuses: impl IntoIterator<Item = u16>) {
        let statuses = statuses.into_iter().map(|status| StatusCode::from_u16(status).expect("a status"));
        self.locked().refusals.extend(statuses);
    }

    /// While it is down no write is accepted.
    pub fn set_out(&self, out: bool) {
        self.locked().out = out;
    }

    /// While the CRD is missing there are no findings.
    pub fn set_missing(&self, missing: bool) {
        self.locked().missing = missing;
    }

    /// How often notifications were written.
    pub fn written(&self) -> usize {
        self.locked().written
    }

    /// Everything that is currently stored.
    pub fn all(&self) -> String {
        let all = self.locked();
        format!("{:?} {:?}", all.findings, all.events)
    }

    /// All Events.
    pub fn events(&self) -> Vec<Value> {
        self.locked().events.values().cloned().collect()
    }

    async fn answer(&self, request: Request<Body>) -> Response<StreamBody<Frames>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let query = head.uri.query().unwrap_or_default().to_owned();
        match (head.method, head.uri.path()) {
            (Method::GET, path) if path == FINDINGS && self.locked().missing => status(StatusCode::NOT_FOUND),
            (Method::GET, path) if path == FINDINGS && query.contains("watch=true") => self.watch(&query),
            (Method::GET, path) if path == FINDINGS => self.list(),
            (Method::GET, path) if path.contains("/findings/") => self.one(path),
            (Method::PATCH, path) if path.contains("/findings/") => self.patch(path, &query, &body),
            (Method::POST, path) if path.ends_with("/events") => self.event(&body),
            (Method::GET, path) if path.starts_with("/apis/apps/v1/namespaces/") => json_of(
                StatusCode::OK,
                &json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {"name": "web", "uid": "u-1"}}),
            ),
            _ => status(StatusCode::NOT_FOUND),
        }
    }

    fn one(&self, path: &str) -> Response<StreamBody<Frames>> {
        let all = self.locked();
        let known = path.rsplit('/').next().and_then(|name| all.findings.get(name));
        known.map_or_else(|| status(StatusCode::NOT_FOUND), |object| json_of(StatusCode::OK, object))
    }

    fn list(&self) -> Response<StreamBody<Frames>> {
        let all = self.locked();
        let items: Vec<&Value> = all.findings.values().collect();
        let list = json!({
            "apiVersion": "probehound.dev/v1alpha1",
            "kind": "FindingList",
            "metadata": {"resourceVersion": all.version.to_string()},
            "items": items,
        });
        json_of(StatusCode::OK, &list)
    }

    fn watch(&self, query: &str) -> Response<StreamBody<Frames>> {
        let all = self.locked();
        let after = query.split('&').find_map(|part| part.strip_prefix("resourceVersion="));
        let after: u64 = after.and_then(|version| version.parse().ok()).unwrap_or(0);
        let version = |object: &Value| object["metadata"]["resourceVersion"].as_str().and_then(|it| it.parse().ok());
        let missed: Vec<Value> = all
            .findings
            .values()
            .filter(|object| version(object).unwrap_or(0_u64) > after)
            .map(|object| json!({"type": "MODIFIED", "object": object}))
            .collect();
        let live = stream::unfold(self.changes.subscribe(), |mut changes| async move {
            Some((changes.recv().await.ok()?.1, changes))
        });
        let lines = stream::iter(missed).chain(live).map(|event| Ok(Frame::data(Bytes::from(format!("{event}\n")))));
        Response::new(StreamBody::new(lines.boxed()))
    }

    /// Writes like the keeper: the object, its status, and with another field manager the notifications.
    fn patch(&self, path: &str, query: &str, body: &[u8]) -> Response<StreamBody<Frames>> {
        let mut all = self.locked();
        let records = query.contains("fieldManager=probehound-delivery");
        if all.out && records {
            return status(StatusCode::SERVICE_UNAVAILABLE);
        }
        if records && !all.refusals.is_empty() {
            let refusal = all.refusals.remove(0);
            return status(refusal);
        }
        if all.missing {
            return status(StatusCode::NOT_FOUND);
        }
        let of_status = path.ends_with("/status");
        let name = path.trim_end_matches("/status").rsplit('/').next().unwrap_or_default().to_owned();
        let wanted: Value = serde_json::from_slice(body).expect("a patch is JSON");
        let known = all.findings.get(&name).cloned();
        let kind = if known.is_some() { "MODIFIED" } else { "ADDED" };
        let Some(mut value) = known.or_else(|| (!of_status).then(|| wanted.clone())) else {
            return status(StatusCode::NOT_FOUND);
        };
        if of_status && records {
            value["status"]["notifications"] = wanted["status"]["notifications"].clone();
            all.written += 1;
        } else if of_status {
            let told = value["status"]["notifications"].take();
            value["status"] = wanted["status"].clone();
            value["status"]["notifications"] = if told.is_null() { json!([]) } else { told };
        }
        let same = all.findings.get(&name).is_some_and(|before| {
            let bare = |object: &Value| (object["spec"].clone(), object["status"].clone());
            bare(before) == bare(&value)
        });
        if !same {
            self.change(&mut all, kind, &name, value);
        }
        json_of(StatusCode::OK, &all.findings[&name].clone())
    }

    fn event(&self, body: &[u8]) -> Response<StreamBody<Frames>> {
        let event: Value = serde_json::from_slice(body).expect("an Event is JSON");
        let name = event["metadata"]["name"].as_str().expect("it has a name").to_owned();
        let mut all = self.locked();
        if all.events.contains_key(&name) {
            return status(StatusCode::CONFLICT);
        }
        all.events.insert(name, event.clone());
        json_of(StatusCode::CREATED, &event)
    }

    fn change(&self, all: &mut State, kind: &str, name: &str, mut value: Value) {
        all.version += 1;
        value["metadata"]["resourceVersion"] = json!(all.version.to_string());
        value["metadata"]["uid"] = json!(format!("uid-of-{name}"));
        all.findings.insert(name.to_owned(), value.clone());
        // There may be no watch yet.
        drop(self.changes.send((all.version, json!({"type": kind, "object": value}))));
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic holds it")
    }
}

type Frames = std::pin::Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>;

fn json_of(status: StatusCode, value: &Value) -> Response<StreamBody<Frames>> {
    let bytes = Bytes::from(value.to_string());
    let mut response = Response::new(StreamBody::new(stream::once(async { Ok(Frame::data(bytes)) }).boxed() as Frames));
    *response.status_mut() = status;
    response
}

fn status(code: StatusCode) -> Response<StreamBody<Frames>> {
    let reason = match code {
        StatusCode::NOT_FOUND => "NotFound",
        StatusCode::CONFLICT => "AlreadyExists",
        StatusCode::FORBIDDEN => "Forbidden",
        _ => "Because",
    };
    json_of(
        code,
        &json!({"kind": "Status", "status": "Failure", "code": code.as_u16(), "message": "no", "reason": reason}),
    )
}

//! An API server that has only `Finding` objects, with as much server-side apply as two field managers with
//! disjoint fields can observe.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use kube::Client;
use kube::client::Body;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tower::service_fn;

use crate::operator::testing::at;

/// How the server answers.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Mood {
    #[default]
    Good,
    NoApi,
    NoNamespace,
    NamespaceEnds,
    Silent,
    Away,
    NoWrites,
    /// The watch sees a write long before it is answered.
    Late,
}

#[derive(Clone)]
pub struct Server {
    state: Arc<Mutex<State>>,
    news: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    mood: Mood,
    version: u64,
    objects: BTreeMap<String, Value>,
    /// The fields of each status that each field manager applied last.
    applied: BTreeMap<(String, String), Vec<String>>,
    /// Watch events, each with its version.
    lines: Vec<(u64, String)>,
    writes: usize,
    requests: usize,
}

type Frames = BoxStream<'static, io::Result<Frame<Bytes>>>;

impl Default for Server {
    fn default() -> Self {
        let (news, _) = watch::channel(0);
        Self { state: Arc::default(), news }
    }
}

impl Server {
    pub fn client(&self) -> Client {
        let server = self.clone();
        let service = service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        Client::new(service, "default")
    }

    pub fn turn(&self, mood: Mood) {
        let mut state = self.state();
        state.mood = mood;
        if mood == Mood::NoApi {
            state.objects.clear();
        }
    }

    pub fn writes(&self) -> usize {
        self.state().writes
    }

    pub fn requests(&self) -> usize {
        self.state().requests
    }

    /// The object whose name begins like this.
    pub fn object(&self, name: &str) -> Value {
        let name = self.full(name);
        self.state().objects[&name].clone()
    }

    pub fn status(&self, name: &str) -> Value {
        self.object(name)["status"].clone()
    }

    pub fn edit(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        let mut object = self.object(name);
        edit(&mut object["status"]);
        self.put("MODIFIED", &self.full(name), object);
    }

    pub fn delete(&self, name: &str) {
        let (name, object) = (self.full(name), self.object(name));
        self.put("DELETED", &name, object);
        self.state().objects.remove(&name);
    }

    fn full(&self, name: &str) -> String {
        let state = self.state();
        state.objects.keys().find(|key| key.starts_with(name)).cloned().unwrap_or_else(|| panic!("no object {name}"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panicked")
    }

    async fn answer(&self, request: Request<Body>) -> Response<StreamBody<Frames>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
        self.state().requests += 1;
        let mood = self.state().mood;
        let reads = parts.method == Method::GET;
        match mood {
            Mood::Silent => std::future::pending().await,
            Mood::Away => return respond(503, "away"),
            Mood::NoApi => return respond(404, "404 page not found"),
            Mood::NoNamespace if !reads => return refuse(404, &json!({"kind": "namespaces", "name": "prod"})),
            Mood::NamespaceEnds if !reads => {
                return refuse(403, &json!({"causes": [{"reason": "NamespaceTerminating"}]}));
            }
            _ => {}
        }
        if reads && query.contains("watch=true") {
            return Response::new(StreamBody::new(self.watch(&query)));
        }
        if let Some(name) = path.split("/findings/").nth(1).filter(|_| reads) {
            let known = self.state().objects.get(name).cloned();
            let missing = || refuse(404, &json!({"kind": "findings", "name": name}));
            return known.map_or_else(missing, |object| respond(200, object.to_string()));
        }
        if reads {
            let state = self.state();
            let items: Vec<&Value> = state.objects.values().collect();
            let metadata = json!({"resourceVersion": state.version.to_string()});
            let list = json!({"apiVersion": "v1", "kind": "List", "metadata": metadata, "items": items});
            return respond(200, list.to_string());
        }
        self.state().writes += 1;
        let name = path.split("/findings/").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
        if mood == Mood::NoWrites {
            return respond(500, "a webhook fails");
        }
        if parts.method == Method::DELETE {
            self.delete(name);
            return respond(200, "{\"kind\":\"Status\",\"status\":\"Success\"}");
        }
        let applied: Value = serde_json::from_slice(&body).expect("JSON");
        let manager = query.split('&').find_map(|pair| pair.strip_prefix("fieldManager=")).unwrap_or_default();
        let manager = query.contains("force=true").then_some(manager);
        let written = self.patch(name, &applied, path.ends_with("/status"), manager);
        if mood == Mood::Late {
            sleep(Duration::from_secs(2)).await;
        }
        written
    }

    fn patch(&self, name: &str, patch: &Value, of_status: bool, applies: Option<&str>) -> Response<StreamBody<Frames>> {
        let known = self.state().objects.get(name).cloned();
        let Some(mut object) = known.or_else(|| (!of_status).then(|| made(name, patch))) else {
            return refuse(404, &json!({"kind": "findings", "name": name}));
        };
        if of_status {
            let fields = patch["status"].as_object().cloned().unwrap_or_default();
            let names: Vec<String> = fields.keys().cloned().collect();
            let status = object.as_object_mut().expect("an object").entry("status").or_insert_with(|| json!({}));
            let status = status.as_object_mut().expect("an object");
            if let Some(manager) = applies {
                let before = self.state().applied.insert((name.to_owned(), manager.to_owned()), names);
                status.retain(|field, _| !before.iter().flatten().any(|applied| applied == field));
            }
            merge(status, fields);
        }
        respond(200, self.put("MODIFIED", name, object).to_string())
    }

    fn put(&self, what: &str, name: &str, mut object: Value) -> Value {
        let mut state = self.state();
        let unchanged = state.objects.get(name) == Some(&object) && what == "MODIFIED";
        if !unchanged {
            state.version += 1;
            object["metadata"]["resourceVersion"] = json!(state.version.to_string());
            let line = format!("{}\n", json!({"type": what, "object": object}));
            let version = state.version;
            state.lines.push((version, line));
            state.objects.insert(name.to_owned(), object.clone());
            self.news.send_replace(version);
        }
        object
    }

    /// The events after a version, for ten seconds.
    fn watch(&self, query: &str) -> Frames {
        let from = query.split('&').find_map(|pair| pair.strip_prefix("resourceVersion="));
        let from: u64 = from.and_then(|from| from.parse().ok()).unwrap_or(0);
        let (server, news) = (self.clone(), self.news.subscribe());
        let next = move |(server, mut news, seen): (Self, watch::Receiver<u64>, u64)| async move {
            loop {
                let next = server.state().lines.iter().find(|(version, _)| *version > seen).cloned();
                if let Some((version, line)) = next {
                    return Some((Ok(Frame::data(Bytes::from(line))), (server, news, version)));
                }
                timeout(Duration::from_secs(10), news.changed()).await.ok()?.ok()?;
            }
        };
        stream::unfold((server, news, from), next).boxed()
    }
}

fn made(name: &str, applied: &Value) -> Value {
    let mut object = applied.clone();
    object["metadata"]["uid"] = json!(format!("uid of {name}"));
    object["metadata"]["creationTimestamp"] = json!(at(0));
    object
}

/// A JSON merge patch.
fn merge(into: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        if value.is_null() {
            into.remove(&name);
        } else {
            into.insert(name, value);
        }
    }
}

fn refuse(code: u16, details: &Value) -> Response<StreamBody<Frames>> {
    respond(code, json!({"kind": "Status", "status": "Failure", "code": code, "details": details}).to_string())
}

fn respond(code: u16, body: impl Into<String>) -> Response<StreamBody<Frames>> {
    let frame = Ok(Frame::data(Bytes::from(body.into())));
    let body = StreamBody::new(stream::iter([frame]).boxed());
    Response::builder().status(code).body(body).expect("a response")
}

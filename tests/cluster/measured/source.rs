//! An API server of a hundred pods whose kubelets emit events continuously.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{ACCEPT, CONTENT_TYPE};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::clock::Stopwatch;
use crate::proxy::Server;
use crate::proxy::http::refusal;
use crate::proxy::serve::{Body, whole};
use crate::support::protobuf;

/// Number of pods that the events are about.
const PODS: u64 = 100;

/// The resource version of the list; that of an event is this plus its number, from 1.
const LISTED: u64 = 1_000;

/// How often a watch sends what is due.
const BEAT: Duration = Duration::from_millis(10);

/// The server.
pub struct Source {
    server: Server,
    plan: Arc<Plan>,
}

/// When which event is due: it follows from its number, so that a watch can be resumed anywhere.
struct Plan {
    a_second: u64,
    total: u64,
    begun: OnceLock<Stopwatch>,
}

impl Source {
    /// A server that will send `total` events at that rate per second.
    pub fn start(a_second: u64, total: u64) -> Self {
        let plan = Arc::new(Plan { a_second, total, begun: OnceLock::new() });
        let known = Arc::clone(&plan);
        Self { server: Server::start(move |request| std::future::ready(answer(&known, &request))), plan }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Sends the first event now.
    pub fn begin(&self) {
        self.plan.begun.get_or_init(Stopwatch::start);
    }
}

impl Plan {
    /// The number of the last event that is due.
    fn due(&self) -> u64 {
        let Some(begun) = self.begun.get() else {
            return 0;
        };
        (begun.elapsed().as_millis() as u64 * self.a_second / 1000).min(self.total)
    }
}

fn answer(plan: &Arc<Plan>, request: &Request<Incoming>) -> Response<Body> {
    let (query, encoding) = (Query::of(request), Encoding::asked(request));
    let length = Duration::from_secs(query.number("timeoutSeconds", 300));
    match request.uri().path() {
        "/api/v1/events" if query.is_watch() => {
            let after = query.number("resourceVersion", LISTED).saturating_sub(LISTED);
            watch(plan, after, length, encoding)
        }
        "/api/v1/pods" if query.is_watch() => {
            watch(&Arc::new(Plan { a_second: 0, total: 0, begun: OnceLock::new() }), 0, length, encoding)
        }
        "/api/v1/pods" => list("Pod", "", &(0..PODS).map(pod).collect::<Vec<_>>(), encoding),
        "/api/v1/events" => list("Event", "", &[], encoding),
        "/version" => version(),
        _ => refusal(StatusCode::NOT_FOUND, "there is nothing here").map(whole),
    }
}

/// What a request asks for.
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    pub(super) fn of(request: &Request<Incoming>) -> Self {
        let pairs = request.uri().query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    pub(super) fn is_watch(&self) -> bool {
        self.0.get("watch").is_some_and(|value| value == "true" || value == "1")
    }

    pub(super) fn number(&self, key: &str, default: u64) -> u64 {
        self.0.get(key).and_then(|value| value.parse().ok()).unwrap_or(default)
    }
}

/// What answers are written in.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Protobuf,
}

impl Encoding {
    /// The one that a request asks for first.
    pub(super) fn asked(request: &Request<Incoming>) -> Self {
        let accepted = request.headers().get(ACCEPT).and_then(|accepted| accepted.to_str().ok());
        match accepted {
            Some(accepted) if accepted.starts_with("application/vnd.kubernetes.protobuf") => Self::Protobuf,
            _ => Self::Json,
        }
    }

    /// The media type of a watch.
    pub(super) const fn of_watch(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Protobuf => "application/vnd.kubernetes.protobuf;stream=watch",
        }
    }
}

/// The answer to who asks for the server's version.
pub(super) fn version() -> Response<Body> {
    json_answer(
        &json!({"major": "1", "minor": "37", "gitVersion": "v1.37.2", "gitCommit": "", "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "", "platform": ""}),
    )
}

/// A list of objects of that kind, and where the next page of it begins; empty if it ends here.
pub(super) fn list(kind: &str, rest: &str, items: &[Value], encoding: Encoding) -> Response<Body> {
    let version = LISTED.to_string();
    if encoding == Encoding::Protobuf {
        let response = Response::builder().header(CONTENT_TYPE, "application/vnd.kubernetes.protobuf");
        return response.body(whole(protobuf::list(kind, &version, rest, items))).expect("a response");
    }
    let metadata = json!({"resourceVersion": version, "continue": rest});
    json_answer(&json!({"kind": format!("{kind}List"), "apiVersion": "v1", "metadata": metadata, "items": items}))
}

fn json_answer(value: &Value) -> Response<Body> {
    let response = Response::builder().header("content-type", "application/json");
    response.body(whole(value.to_string())).expect("a response")
}

/// Sends the events after that number as they become due, until the watch has lasted that long.
fn watch(plan: &Arc<Plan>, after: u64, length: Duration, encoding: Encoding) -> Response<Body> {
    let since = Stopwatch::start();
    let plan = Arc::clone(plan);
    let frames = stream::unfold(after, move |sent| {
        let plan = Arc::clone(&plan);
        async move {
            while since.elapsed() < length {
                let due = plan.due();
                if due > sent {
                    return Some((Ok(Frame::data(events(sent + 1, due, encoding))), due));
                }
                tokio::time::sleep(BEAT).await;
            }
            None
        }
    });
    let response = Response::builder().header(CONTENT_TYPE, encoding.of_watch());
    response.body(StreamBody::new(frames.boxed()).boxed_unsync()).expect("a response")
}

fn events(first: u64, last: u64, encoding: Encoding) -> Bytes {
    (first..=last).flat_map(|number| change(number, encoding)).collect()
}

/// The n-th event as a message of a watch.
fn change(number: u64, encoding: Encoding) -> Vec<u8> {
    let change = if number <= PODS { "ADDED" } else { "MODIFIED" };
    match encoding {
        Encoding::Protobuf => protobuf::watched(change, "Event", &event(number)),
        Encoding::Json => format!("{{\"type\":\"{change}\",\"object\":{}}}\n", event(number)).into_bytes(),
    }
}

/// The n-th event of the kubelet about a pod, with all that the API server adds.
fn event(number: u64) -> Value {
    const AT: &str = "2026-11-24T08:00:00Z";
    let (pod, count) = ((number - 1) % PODS, (number - 1) / PODS + 1);
    let fields = json!({
        "f:count": {}, "f:firstTimestamp": {}, "f:involvedObject": {}, "f:lastTimestamp": {}, "f:message": {},
        "f:reason": {}, "f:reportingComponent": {}, "f:reportingInstance": {},
        "f:source": {"f:component": {}, "f:host": {}}, "f:type": {},
    });
    json!({
        "kind": "Event", "apiVersion": "v1",
        "metadata": {
            "name": format!("web-{pod}.18ea9b5806e0f176"), "namespace": "shop",
            "uid": format!("f41a4410-1cfa-43f5-94c8-{pod:012}"), "resourceVersion": (LISTED + number).to_string(),
            "creationTimestamp": AT,
            "managedFields": [{
                "manager": "kubelet", "operation": "Update", "apiVersion": "v1", "time": AT, "fieldsType": "FieldsV1",
                "fieldsV1": fields,
            }],
        },
        "involvedObject": {
            "kind": "Pod", "namespace": "shop", "name": format!("web-{pod}"),
            "uid": format!("00000000-0000-4000-8000-{pod:012}"), "apiVersion": "v1", "resourceVersion": "1000",
            "fieldPath": "spec.containers{web}",
        },
        "reason": "Unhealthy", "message": "Readiness probe failed: HTTP probe failed with statuscode: 503",
        "source": {"component": "kubelet", "host": "node-1"},
        "firstTimestamp": AT, "lastTimestamp": AT, "count": count, "type": "Warning", "eventTime": null,
        "reportingComponent": "kubelet", "reportingInstance": "node-1",
    })
}

fn pod(number: u64) -> Value {
    const SINCE: &str = "2026-11-24T07:00:00Z";
    json!({
        "metadata": {
            "name": format!("web-{number}"), "namespace": "shop", "uid": format!("00000000-0000-4000-8000-{number:012}"),
            "resourceVersion": LISTED.to_string(), "creationTimestamp": SINCE, "labels": {"app": "web"},
        },
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": "web", "image": "web:1", "ports": [{"name": "http", "containerPort": 8080}],
                "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 10, "failureThreshold": 3}}],
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": SINCE}],
            "containerStatuses": [{"name": "web", "ready": false, "started": true, "restartCount": 0, "image": "web:1", "imageID": "",
                "containerID": format!("containerd://{number:064x}"), "state": {"running": {"startedAt": SINCE}}, "lastState": {}}],
        },
    })
}

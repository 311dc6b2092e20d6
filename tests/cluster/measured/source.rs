//! An API server of a hundred pods whose kubelets emit events continuously.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::clock::Stopwatch;
use crate::proxy::Server;
use crate::proxy::http::refusal;
use crate::proxy::serve::{Body, whole};

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
    let query = Query::of(request);
    match request.uri().path() {
        "/api/v1/events" if query.is_watch() => {
            let after = query.number("resourceVersion", LISTED).saturating_sub(LISTED);
            watch(plan, after, Duration::from_secs(query.number("timeoutSeconds", 300)))
        }
        "/api/v1/pods" if query.is_watch() => watch(
            &Arc::new(Plan { a_second: 0, total: 0, begun: OnceLock::new() }),
            0,
            Duration::from_secs(query.number("timeoutSeconds", 300)),
        ),
        "/api/v1/pods" => list("PodList", "", &(0..PODS).map(pod).collect::<Vec<_>>()),
        "/api/v1/events" => list("EventList", "", &[]),
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

/// The answer to who asks for the server's version.
pub(super) fn version() -> Response<Body> {
    json_answer(
        &json!({"major": "1", "minor": "37", "gitVersion": "v1.37.2", "gitCommit": "", "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "", "platform": ""}),
    )
}

/// A list, and where the next page of it begins; empty if it ends here.
pub(super) fn list(kind: &str, rest: &str, items: &[Value]) -> Response<Body> {
    let metadata = json!({"resourceVersion": LISTED.to_string(), "continue": rest});
    json_answer(&json!({"kind": kind, "apiVersion": "v1", "metadata": metadata, "items": items}))
}

fn json_answer(value: &Value) -> Response<Body> {
    let response = Response::builder().header("content-type", "application/json");
    response.body(whole(value.to_string())).expect("a response")
}

/// Sends the events after that number as they become due, until the watch has lasted that long.
fn watch(plan: &Arc<Plan>, after: u64, length: Duration) -> Response<Body> {
    let since = Stopwatch::start();
    let plan = Arc::clone(plan);
    let frames = stream::unfold(after, move |sent| {
        let plan = Arc::clone(&plan);
        async move {
            while since.elapsed() < length {
                let due = plan.due();
                if due > sent {
                    return Some((Ok(Frame::data(events(sent + 1, due))), due));
                }
                tokio::time::sleep(BEAT).await;
            }
            None
        }
    });
    let response = Response::builder().header("content-type", "application/json");
    response.body(StreamBody::new(frames.boxed()).boxed_unsync()).expect("a response")
}

fn events(first: u64, last: u64) -> Bytes {
    let mut text = String::new();
    for number in first..=last {
        event(&mut text, number);
    }
    text.into()
}

/// The n-th event of the kubelet about a pod, with all that the API server adds.
fn event(text: &mut String, number: u64) {
    let pod = (number - 1) % PODS;
    let count = (number - 1) / PODS + 1;
    let change = if count == 1 { "ADDED" } else { "MODIFIED" };
    let version = LISTED + number;
    writeln!(
        text,
        concat!(
            r#"{{"type":"{change}","object":{{"kind":"Event","apiVersion":"v1","metadata":{{"name":"web-{pod}.18ea9b5806e0f176","namespace":"shop","#,
            r#""uid":"f41a4410-1cfa-43f5-94c8-{pod:012}","resourceVersion":"{version}","creationTimestamp":"2026-11-24T08:00:00Z","#,
            r#""managedFields":[{{"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"2026-11-24T08:00:00Z","fieldsType":"FieldsV1","#,
            r#""fieldsV1":{{"f:count":{{}},"f:firstTimestamp":{{}},"f:involvedObject":{{}},"f:lastTimestamp":{{}},"f:message":{{}},"f:reason":{{}},"#,
            r#""f:reportingComponent":{{}},"f:reportingInstance":{{}},"f:source":{{"f:component":{{}},"f:host":{{}}}},"f:type":{{}}}}}}]}},"#,
            r#""involvedObject":{{"kind":"Pod","namespace":"shop","name":"web-{pod}","uid":"00000000-0000-4000-8000-{pod:012}","apiVersion":"v1","#,
            r#""resourceVersion":"1000","fieldPath":"spec.containers{{web}}"}},"reason":"Unhealthy","#,
            r#""message":"Readiness probe failed: HTTP probe failed with statuscode: 503","source":{{"component":"kubelet","host":"node-1"}},"#,
            r#""firstTimestamp":"2026-11-24T08:00:00Z","lastTimestamp":"2026-11-24T08:00:00Z","count":{count},"type":"Warning","eventTime":null,"#,
            r#""reportingComponent":"kubelet","reportingInstance":"node-1"}}}}"#,
        ),
        change = change, pod = pod, version = version, count = count,
    )
    .expect("a String takes everything");
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

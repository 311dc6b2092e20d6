use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::advance;
use tower::service_fn;

use super::*;
use crate::operator::http::review::PATIENCE;
use crate::operator::http::tokens::MAX_CALLERS;

#[tokio::test(start_paused = true)]
async fn who_may_get_metrics_is_admitted_and_nobody_else() {
    let (gate, _) = gate();
    for (header, verdict) in [
        ("Bearer prometheus", Verdict::Admitted),
        ("bearer  prometheus", Verdict::Admitted),
        ("Bearer tenant", Verdict::Forbidden),
        ("Bearer denied", Verdict::Forbidden),
        ("Bearer made-up", Verdict::Unknown),
        ("Bearer ", Verdict::Unknown),
        ("Basic cHJvbWV0aGV1cw==", Verdict::Unknown),
        ("prometheus", Verdict::Unknown),
    ] {
        assert_eq!(ask(&gate, header).await, verdict, "{header}");
    }
    assert_eq!(gate.ask(None).await, Verdict::Unknown);
}

#[tokio::test(start_paused = true)]
async fn an_answer_holds_for_a_minute() {
    let (gate, server) = gate();
    for _ in 0..100 {
        assert_eq!(ask(&gate, "Bearer prometheus").await, Verdict::Admitted);
        assert_eq!(ask(&gate, "Bearer made-up").await, Verdict::Unknown);
    }
    assert_eq!(server.asked(), 3, "two of one that is known, one of one that is not");
    advance(FRESH).await;
    server.forbids.store(true, Ordering::Relaxed);
    assert_eq!(ask(&gate, "Bearer prometheus").await, Verdict::Forbidden);
}

#[tokio::test(start_paused = true)]
async fn who_was_admitted_reads_on_while_the_api_server_is_away_and_nobody_else_does() {
    let (gate, server) = gate();
    ask(&gate, "Bearer prometheus").await;
    ask(&gate, "Bearer tenant").await;
    server.out.store(true, Ordering::Relaxed);
    advance(FRESH).await;
    assert_eq!(ask(&gate, "Bearer prometheus").await, Verdict::Admitted);
    assert_eq!(ask(&gate, "Bearer tenant").await, Verdict::Unanswered);
    assert_eq!(ask(&gate, "Bearer made-up").await, Verdict::Unanswered);
    advance(TRUSTED).await;
    assert_eq!(ask(&gate, "Bearer prometheus").await, Verdict::Unanswered);
}

#[tokio::test(start_paused = true)]
async fn thousands_of_made_up_tokens_take_no_memory_and_push_out_nobody_who_was_admitted() {
    let (gate, server) = gate();
    ask(&gate, "Bearer prometheus").await;
    for number in 0..10 * MAX_CALLERS {
        ask(&gate, &format!("Bearer made-up-{number}")).await;
    }
    assert!(gate.known.count() <= MAX_CALLERS);
    let before = server.asked();
    assert_eq!(ask(&gate, "Bearer prometheus").await, Verdict::Admitted);
    assert_eq!(server.asked(), before, "it is still known");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_waited_for_by_few_and_not_for_long() {
    let (gate, server) = gate();
    server.hangs.store(true, Ordering::Relaxed);
    let began = Instant::now();
    let headers: Vec<String> = (0..50).map(|number| format!("Bearer made-up-{number}")).collect();
    let all = futures::future::join_all(headers.iter().map(|header| ask(&gate, header))).await;
    assert!(all.iter().all(|verdict| *verdict == Verdict::Unanswered));
    assert_eq!((server.asked(), began.elapsed()), (STRANGERS, PATIENCE));
}

/// An API server that knows the tokens `prometheus`, `tenant` and `denied`.
#[derive(Default)]
struct Server {
    asked: AtomicUsize,
    forbids: AtomicBool,
    out: AtomicBool,
    hangs: AtomicBool,
}

impl Server {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let path = request.uri().path().to_owned();
        let body = request.into_body().collect().await.expect("a body in memory").to_bytes();
        let mut review: Value = serde_json::from_slice(&body).expect("JSON");
        if self.out.load(Ordering::Relaxed) {
            return respond(StatusCode::SERVICE_UNAVAILABLE, &json!({"kind": "Status", "code": 503}));
        }
        review["status"] = match &*path {
            "/apis/authentication.k8s.io/v1/tokenreviews" => whose(&review),
            "/apis/authorization.k8s.io/v1/subjectaccessreviews" => self.right(&review),
            other => panic!("{other} is not asked for"),
        };
        respond(StatusCode::CREATED, &review)
    }

    fn right(&self, review: &Value) -> Value {
        let spec = &review["spec"];
        assert_eq!(spec["nonResourceAttributes"], json!({"path": "/metrics", "verb": "get"}));
        assert_eq!(spec["groups"], json!(["system:serviceaccounts"]), "what the token says is passed on");
        let may = spec["user"] != "tenant" && !self.forbids.load(Ordering::Relaxed);
        json!({"allowed": may, "denied": spec["user"] == "denied"})
    }
}

fn whose(review: &Value) -> Value {
    let token = review["spec"]["token"].as_str().expect("a token");
    if !["prometheus", "tenant", "denied"].contains(&token) {
        // A user sent along with it does not count.
        return json!({"authenticated": false, "user": {"username": "prometheus"}, "error": "unknown"});
    }
    json!({"authenticated": true, "user": {"username": token, "groups": ["system:serviceaccounts"]}})
}

fn respond(status: StatusCode, body: &Value) -> Response<Body> {
    Response::builder().status(status).body(Body::from(body.to_string().into_bytes())).expect("a response")
}

fn gate() -> (Gate, Arc<Server>) {
    let server = Arc::<Server>::default();
    let answers = Arc::clone(&server);
    let answer = move |request: Request<Body>| {
        let server = Arc::clone(&answers);
        async move { Ok::<_, Infallible>(server.answer(request).await) }
    };
    (Gate::new(Client::new(service_fn(answer), "default")), server)
}

async fn ask(gate: &Gate, header: &str) -> Verdict {
    gate.ask(Some(&HeaderValue::from_str(header).expect("a header"))).await
}

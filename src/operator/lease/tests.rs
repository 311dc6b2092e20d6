use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::*;
use crate::runtime::leadership::Leadership;

#[tokio::test(start_paused = true)]
async fn a_lease_of_nobody_is_made_or_taken() {
    let now = Instant::now();
    assert_eq!(evaluate(None, "me", now), Verdict::Create);
    assert_eq!(evaluate(Some(&seen(None, 4, now)), "me", now), Verdict::Acquire { transitions: 5 });
    assert_eq!(evaluate(Some(&seen(None, -4, now)), "me", now), Verdict::Acquire { transitions: 1 });
    assert_eq!(evaluate(Some(&seen(None, i32::MAX, now)), "me", now), Verdict::Acquire { transitions: i32::MAX });
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_ones_own_is_renewed_however_old() {
    let now = Instant::now();
    let observed = seen(Some("me"), 4, now);
    assert_eq!(evaluate(Some(&observed), "me", now), Verdict::Renew);
    assert_eq!(evaluate(Some(&observed), "me", now + Duration::from_hours(1)), Verdict::Renew);
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_another_is_left_alone_until_it_has_not_changed_for_its_duration() {
    let now = Instant::now();
    let observed = seen(Some("other"), 4, now);
    assert_eq!(evaluate(Some(&observed), "me", now + Duration::from_millis(9_999)), Verdict::Standby);
    assert_eq!(evaluate(Some(&observed), "me", now + DURATION), Verdict::Acquire { transitions: 5 });
}

#[tokio::test(start_paused = true)]
async fn a_duration_that_nobody_can_mean_keeps_nobody_out() {
    let now = Instant::now();
    let mut observed = seen(Some("other"), 0, now);
    for (duration, taken_after) in [(None, 10), (Some(0), 1), (Some(1_000_000), 60)] {
        observed.record.duration = duration.map(Duration::from_secs);
        let early = now + Duration::from_secs(taken_after) - Duration::from_millis(1);
        assert_eq!(evaluate(Some(&observed), "me", early), Verdict::Standby, "{duration:?}");
        let due = now + Duration::from_secs(taken_after);
        assert_eq!(evaluate(Some(&observed), "me", due), Verdict::Acquire { transitions: 1 }, "{duration:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_replicas_one_leads_and_keeps_leading() {
    let server = Server::default();
    let (one, _stop_one) = replica(&server, "one");
    let (two, _stop_two) = replica(&server, "two");
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(one.holds() != two.holds());
    }
    assert_eq!(server.lease()["spec"]["leaseTransitions"], json!(0));
}

#[tokio::test(start_paused = true)]
async fn a_lease_given_back_is_taken_within_one_round() {
    let server = Server::default();
    let (one, stop) = replica(&server, "one");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (two, _stop) = replica(&server, "two");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(one.holds() && !two.holds());
    stop.send(()).expect("it runs");
    tokio::time::sleep(RETRY + Duration::from_millis(100)).await;
    assert!(!one.holds() && two.holds());
    assert_eq!(server.lease()["spec"]["leaseTransitions"], json!(1));
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_is_cut_off_stops_before_another_one_takes_over() {
    let server = Server::default();
    let (one, _stop_one) = replica(&server, "one");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (two, _stop_two) = replica(&server, "two");
    tokio::time::sleep(Duration::from_secs(20)).await;
    server.cut_off("one");
    let cut = Instant::now();
    while one.holds() {
        assert!(!two.holds());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(cut.elapsed() <= RENEWAL + Duration::from_millis(100));
    let stopped = Instant::now();
    while !two.holds() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(stopped.elapsed() >= Duration::from_millis(1500), "nothing is left for writes on their way");
    assert!(cut.elapsed() <= Duration::from_secs(15));
    assert!(!one.holds());
}

#[tokio::test(start_paused = true)]
async fn an_edit_by_a_person_does_not_cost_the_lead() {
    let server = Server::default();
    let (one, _stop) = replica(&server, "one");
    tokio::time::sleep(Duration::from_secs(1)).await;
    for _ in 0..10 {
        server.edit(|lease| lease["metadata"]["labels"] = json!({"team": "platform"}));
        tokio::time::sleep(Duration::from_secs(7)).await;
        assert!(one.holds());
    }
    assert_eq!(server.lease()["metadata"]["labels"]["team"], json!("platform"));
}

fn seen(holder: Option<&str>, transitions: i32, since: Instant) -> Observed {
    let record =
        Record { holder: holder.map(str::to_owned), duration: Some(DURATION), transitions, renewed: Some(1_000) };
    Observed { record, since }
}

fn replica(server: &Server, name: &'static str) -> (Leadership, oneshot::Sender<()>) {
    let (sender, receiver) = watch::channel(None);
    let (stop, stopped) = oneshot::channel();
    let lease = VersionedLease::new(server.client(name), "probehound", "probehound");
    tokio::spawn(Candidate::new(lease, name.to_owned(), sender).run(async move {
        let _ = stopped.await;
    }));
    (Leadership::new(receiver), stop)
}

/// An API server that has one Lease, or none.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lease: Option<Value>,
    version: u64,
    cut_off: Option<&'static str>,
}

impl Server {
    fn client(&self, of: &'static str) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move {
                if server.state().cut_off == Some(of) {
                    std::future::pending::<()>().await;
                }
                Ok::<_, Infallible>(server.answer(request).await)
            }
        });
        Client::new(service, "default")
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let method = request.method().clone();
        let body = request.into_body().collect().await.expect("a body").to_bytes();
        let mut state = self.state();
        let known = state.lease.clone();
        let (code, answer) = match (method, known) {
            (Method::GET, None) => (404, json!({"code": 404, "reason": "NotFound"})),
            (Method::GET, Some(lease)) => (200, lease),
            (Method::POST, None) => (201, state.put(serde_json::from_slice(&body).expect("JSON"))),
            (Method::PUT, Some(known)) => {
                let next: Value = serde_json::from_slice(&body).expect("JSON");
                if next["metadata"]["resourceVersion"] == known["metadata"]["resourceVersion"] {
                    (200, state.put(next))
                } else {
                    (409, json!({"code": 409, "reason": "Conflict"}))
                }
            }
            _ => (409, json!({"code": 409, "reason": "AlreadyExists"})),
        };
        let body = Body::from(answer.to_string().into_bytes());
        Response::builder().status(code).body(body).expect("a response")
    }

    fn lease(&self) -> Value {
        self.state().lease.clone().expect("there is one")
    }

    fn edit(&self, edit: impl FnOnce(&mut Value)) {
        let mut lease = self.lease();
        edit(&mut lease);
        self.state().put(lease);
    }

    fn cut_off(&self, name: &'static str) {
        self.state().cut_off = Some(name);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("nobody panicked")
    }
}

impl State {
    fn put(&mut self, mut lease: Value) -> Value {
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(lease.clone());
        lease
    }
}

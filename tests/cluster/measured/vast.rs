//! A hundred and fifty thousand pods, from an API server that only lists them, page by page.

use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use serde_json::json;

use super::crowd;
use super::source::{Encoding, Query, list, version};
use super::stream::kubeconfig;
use super::usage::{self, mebibytes};
use crate::harness::Folder;
use crate::harness::clock::Stopwatch;
use crate::operator::Settings;
use crate::proxy::Server;
use crate::proxy::http::refusal;
use crate::proxy::serve::{Body, whole};

/// How many pods.
const PODS: usize = 150_000;
/// How long to wait for things to settle.
const SETTLING: Duration = Duration::from_mins(1);
/// Far more than their list takes.
const READY: Duration = Duration::from_mins(10);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures for minutes: make bench-cluster"]
async fn a_hundred_and_fifty_thousand_pods() {
    let folder = Folder::new("vast");
    let server = Server::start(|request| std::future::ready(answer(&request)));
    let since = Stopwatch::start();
    let operator = Settings::new("vast", folder.write("vast.kubeconfig", &kubeconfig(&server.url())))
        .with("watch", json!({"initialList": "list"}))
        .start(&folder);
    operator.until_ready_within(READY).await;
    let until_ready = since.elapsed();
    tokio::time::sleep(SETTLING).await;

    assert_eq!(operator.metrics().await.sum("probehound_tracked_pods", &[]), Some(PODS as u64));
    let settled = usage::of(operator.pid());
    println!("\n{PODS} pods of {} bytes: ready after {until_ready:.1?}", crowd::running(0).to_string().len());
    println!("processor: {:.1?}", settled.processor);
    println!(
        "memory: {} settled (goal: 90 MiB), {} a pod",
        mebibytes(settled.resident),
        settled.resident / PODS as u64
    );
    println!("peak, of settled: {:.2} (goal: 1.25)\n", settled.peak as f64 / settled.resident as f64);
}

fn answer(request: &Request<Incoming>) -> Response<Body> {
    let (query, encoding) = (Query::of(request), Encoding::asked(request));
    match request.uri().path() {
        "/api/v1/pods" | "/api/v1/events" if query.is_watch() => {
            // Nothing happens.
            let body = http_body_util::StreamBody::new(futures::stream::pending());
            let response = Response::builder().header("content-type", encoding.of_watch());
            response.body(http_body_util::BodyExt::boxed_unsync(body)).expect("a response")
        }
        "/api/v1/pods" => {
            let (from, limit) = (query.number("continue", 0), query.number("limit", PODS as u64));
            page(from as usize, limit as usize, encoding)
        }
        "/api/v1/events" => list("Event", "", &[], encoding),
        "/version" => version(),
        _ => refusal(StatusCode::NOT_FOUND, "there is nothing here").map(whole),
    }
}

/// The pods from that one on, so many at most.
fn page(from: usize, limit: usize, encoding: Encoding) -> Response<Body> {
    let until = from.saturating_add(limit).min(PODS);
    let pods: Vec<_> = (from..until).map(crowd::running).collect();
    let rest = if until < PODS { until.to_string() } else { String::new() };
    list("Pod", &rest, &pods, encoding)
}

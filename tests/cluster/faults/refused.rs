//! A server that answers with errors.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::StatusCode;
use hyper::http::request::Parts;

use super::{has_finding, play, short, watch_is};
use crate::harness::clock::Stopwatch;
use crate::harness::waiting;
use crate::installed::Installed;
use crate::proxy::http::refusal;
use crate::proxy::{HttpProxy, Rule};

/// The delay requested by a refusal.
const RETRY_AFTER: u64 = 4;

#[tokio::test]
async fn a_server_that_asks_for_patience_is_given_it() {
    const LENGTH: Duration = Duration::from_secs(13);
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    installed.cluster.admin().create_namespace("throttled").await;
    let since = OnceLock::new();
    let refused = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&refused);
    let proxy = HttpProxy::start(&installed.cluster.url(), installed.cluster.ca(), move |request| {
        if !is_about(request, "pods") || since.get_or_init(Stopwatch::start).elapsed() > LENGTH {
            return Rule::Pass;
        }
        counted.fetch_add(1, Ordering::Relaxed);
        let mut response = refusal(StatusCode::TOO_MANY_REQUESTS, "the server is busy");
        response.headers_mut().insert("retry-after", RETRY_AFTER.into());
        Rule::Answer(response)
    });
    let settings = installed.settings_at("throttled", &proxy.url()).await.watching(&["throttled"]);

    let operator = settings.start(installed.cluster.folder());
    operator.until_ready().await;

    let refused = refused.load(Ordering::Relaxed);
    let most = LENGTH.as_secs() / RETRY_AFTER + 2;
    assert!(
        (1..=most).contains(&refused),
        "asked {refused} times within {LENGTH:?}, though told to wait {RETRY_AFTER} s"
    );
    let counted = operator.metrics().await.sum("probehound_api_throttled_total", &["code=\"429\""]);
    assert_eq!(counted, Some(refused));
}

#[tokio::test]
async fn without_events_it_goes_on_with_statuses_and_says_so() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    api.create_namespace("no-events").await;
    let proxy = HttpProxy::start(&installed.cluster.url(), installed.cluster.ca(), |request| {
        if is_about(request, "events") {
            Rule::Answer(refusal(
                StatusCode::FORBIDDEN,
                "events is forbidden: User \"probehound\" cannot list resource \"events\"",
            ))
        } else {
            Rule::Pass
        }
    });
    let settings = installed.settings_at("no-events", &proxy.url()).await.watching(&["no-events"]);
    let operator = settings.start(installed.cluster.folder());
    waiting::eventually("pods are watched", Duration::from_mins(1), async || watch_is(&operator, "pods", true).await)
        .await;

    play(&api, &short("no-events", Duration::from_secs(40))).await;

    waiting::eventually("the loop is found by statuses", Duration::from_mins(1), async || {
        let told = crate::told::by_objects(&api, &["no-events".to_owned()]).await;
        if told.iter().any(|told| told.effect == "RestartLoop") { Ok(()) } else { Err(told) }
    })
    .await;
    watch_is(&operator, "events", false).await.expect("the watch of events is down");
    let metrics = operator.metrics().await;
    let forbidden = metrics.sum("probehound_watch_errors_total", &["resource=\"events\"", "error=\"forbidden\""]);
    assert!(forbidden.is_some_and(|count| count >= 1), "{forbidden:?}");
    let log = operator.log();
    assert!(log.contains("events") && log.contains("forbidden"), "{log}");
}

/// Whether a request is for the objects of a resource of core/v1.
fn is_about(request: &Parts, resource: &str) -> bool {
    request.uri.path().starts_with("/api/v1/") && request.uri.path().ends_with(&format!("/{resource}"))
}

#[tokio::test]
async fn the_proxy_itself_disturbs_nothing() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    api.create_namespace("undisturbed").await;
    let proxy = HttpProxy::start(&installed.cluster.url(), installed.cluster.ca(), |_| Rule::Pass);
    let settings = installed.settings_at("undisturbed", &proxy.url()).await.watching(&["undisturbed"]);
    let operator = settings.start(installed.cluster.folder());
    operator.until_ready().await;

    play(&api, &short("undisturbed", Duration::from_secs(20))).await;

    waiting::eventually("it is found", Duration::from_mins(1), async || {
        has_finding(&api, "undisturbed", "WrongPort").await
    })
    .await;
}

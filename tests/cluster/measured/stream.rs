//! Five thousand events a second for a minute, from an API server that does nothing else.

use std::time::Duration;

use serde_json::json;

use super::source::Source;
use super::usage::{self, mebibytes};
use crate::harness::{Folder, waiting};
use crate::operator::Settings;

/// Events a second.
const RATE: u64 = 5_000;

/// How long.
const LENGTH: Duration = Duration::from_mins(1);

#[tokio::test]
#[ignore = "it measures for minutes: make bench-cluster"]
async fn five_thousand_events_a_second() {
    let total = RATE * LENGTH.as_secs();
    let folder = Folder::new("stream");
    let source = Source::start(RATE, total);
    let operator = Settings::new("stream", folder.write("stream.kubeconfig", &kubeconfig(&source.url())))
        .with("watch", json!({"initialList": "list"}))
        .start(&folder);
    operator.until_ready().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = usage::of(operator.pid());

    source.begin();
    tokio::time::sleep(LENGTH).await;

    let after = usage::of(operator.pid());
    let share = (after.processor.saturating_sub(before.processor)).as_secs_f64() / LENGTH.as_secs_f64();
    println!("\n{RATE} events a second for {LENGTH:.0?}: {:.1} % of a core (goal: 25 %)", share * 100.0);
    println!(
        "memory: {} before, {} after, {} at most",
        mebibytes(before.resident),
        mebibytes(after.resident),
        mebibytes(after.peak)
    );
    for (counted, labels) in [
        ("probehound_watch_events_total", &["resource=\"events\""][..]),
        ("probehound_probe_failures_total", &["workload=\"web", "probe=\"readiness\""]),
    ] {
        let arrived = waiting::eventually("all of them arrive", Duration::from_secs(30), async || {
            let arrived = operator.metrics().await.sum(counted, labels);
            arrived.filter(|arrived| *arrived >= total).ok_or(arrived)
        })
        .await;
        println!("{counted}: {arrived} of {total}\n");
    }
}

/// A kubeconfig of the server at `url`, without credentials.
pub(super) fn kubeconfig(url: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "it", "cluster": {"server": url}}],
        "users": [{"name": "it", "user": {}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "current-context": "it",
    })
    .to_string()
}

//! Two replicas, of which one writes.

use std::time::Duration;

use serde_json::Value;

use super::{has_finding, play, short};
use crate::harness::clock::Stopwatch;
use crate::harness::{Api, Signal, waiting};
use crate::installed::{Installed, NAMESPACE};
use crate::operator::Operator;
use crate::told;

/// Within this another one takes over from a leader that is gone.
const TAKEN_OVER: Duration = Duration::from_secs(15);

/// Within this where the leader let go: the pause between two looks, and some.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn another_replica_takes_over_from_a_leader_that_dies_stops_or_ends() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    for namespace in ["replicas-1", "replicas-2", "replicas-3"] {
        api.create_namespace(namespace).await;
    }
    let settings = installed.settings("replica").await;
    let settings = settings.watching(&["replicas-1", "replicas-2", "replicas-3"]).electing(NAMESPACE, "probehound");
    let start = |name: &str| settings.clone().called(name).env("POD_NAME", name).start(installed.cluster.folder());
    let (mut a, mut b) = (start("replica-a"), start("replica-b"));
    for replica in [&a, &b] {
        replica.until_ready().await;
    }
    until_leads(&[&a, &b], TAKEN_OVER).await;
    if leads(&b).await {
        std::mem::swap(&mut a, &mut b);
    }

    // Killed: the other one waits for the Lease to run out, and goes on with what it has seen too.
    play(&api, &short("replicas-1", Duration::from_secs(15))).await;
    waiting::eventually("the leader writes", Duration::from_secs(20), async || {
        has_finding(&api, "replicas-1", "WrongPort").await
    })
    .await;
    a.kill();
    let after = until_leads(&[&b], TAKEN_OVER).await;
    println!("a leader that dies is replaced after {after:.1?}");
    play(&api, &short("replicas-2", Duration::from_secs(15))).await;
    waiting::eventually("the new one writes", Duration::from_secs(20), async || {
        has_finding(&api, "replicas-2", "WrongPort").await
    })
    .await;

    // Stopped: the same; and when it wakes it knows that it leads no longer, and writes nothing.
    let c = start("replica-c");
    c.until_ready().await;
    b.signal(Signal::Stop);
    let after = until_leads(&[&c], TAKEN_OVER).await;
    println!("a leader that stops is replaced after {after:.1?}");
    play(&api, &short("replicas-3", Duration::from_secs(15))).await;
    waiting::eventually("the new one writes", Duration::from_secs(20), async || {
        has_finding(&api, "replicas-3", "WrongPort").await
    })
    .await;
    let before = written(&api).await;
    b.signal(Signal::Continue);
    waiting::eventually("it knows that it leads no longer", AT_ONCE, async || {
        if leads(&b).await { Err("it leads") } else { Ok(()) }
    })
    .await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(written(&api).await, before, "who woke wrote something");
    assert!(leads(&c).await);

    // Ended in order: the Lease is let go, and the other one takes it at its next look.
    let mut c = c;
    c.signal(Signal::Terminate);
    let since = Stopwatch::start();
    assert!(c.ended(Duration::from_secs(5)).await.success());
    until_leads(&[&b], AT_ONCE).await;
    println!("a leader that ends is replaced after {:.1?}", since.elapsed());
}

/// Waits until one of them leads; returns how long that took.
async fn until_leads(replicas: &[&Operator], limit: Duration) -> Duration {
    let since = Stopwatch::start();
    waiting::eventually("a replica leads", limit, async || {
        for replica in replicas {
            if leads(replica).await {
                return Ok(());
            }
        }
        Err("none leads")
    })
    .await;
    since.elapsed()
}

async fn leads(replica: &Operator) -> bool {
    replica.metrics().await.sum("probehound_leader", &[]) == Some(1)
}

/// Which versions of which objects there are.
async fn written(api: &Api) -> Vec<(Value, Value)> {
    let objects = told::objects(api).await;
    let ours = objects.iter().map(|object| &object["metadata"]);
    let ours = ours.filter(|metadata| metadata["namespace"].as_str().is_some_and(|name| name.starts_with("replicas-")));
    ours.map(|metadata| (metadata["name"].clone(), metadata["resourceVersion"].clone())).collect()
}

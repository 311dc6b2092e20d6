//! Two replicas, only one of which writes and sends.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use probehound::time::Time;

use super::{has_finding, play, short};
use crate::channel::{Channel, Tiding};
use crate::harness::{Api, Signal, clock, waiting};
use crate::installed::{Installed, NAMESPACE};
use crate::operator::{Operator, Settings};
use crate::proxy::{HttpProxy, Rule};

/// Time within which another replica takes over from a dead leader.
const TAKEN_OVER: Duration = Duration::from_secs(15);

/// The same if the leader released the Lease: the interval of two checks, and some.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Time within which a leader ends when asked to.
const ENDED: Duration = Duration::from_secs(5);

/// Time within which something is visible from outside, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long incidents are played: to the second restart.
const LENGTH: Duration = Duration::from_secs(12);

const NAMESPACES: [&str; 3] = ["replicas-1", "replicas-2", "replicas-3"];

#[tokio::test]
async fn another_replica_takes_over_from_a_leader_that_dies_stops_or_ends() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    for namespace in NAMESPACES {
        api.create_namespace(namespace).await;
    }
    let (mut a, mut b) = (Replica::start(installed, "replica-a").await, Replica::start(installed, "replica-b").await);
    for replica in [&a, &b] {
        replica.operator.until_ready().await;
    }
    until_leads(&[&a, &b]).await;
    if b.leads().await {
        std::mem::swap(&mut a, &mut b);
    }

    // Killed: the other one waits for the Lease to expire, and continues with what it has seen too. What
    // was written is not notified yet, since initial findings are gathered.
    play(&api, &short("replicas-1", LENGTH)).await;
    until_written(&api, "replicas-1").await;
    a.operator.kill();
    let since = clock::now();
    until_leads(&[&b]).await;
    taken_over(&api, since, TAKEN_OVER, "dies").await;
    b.channel.until_recorded(&api, &[Tiding::opened("replicas-1")], PATIENCE).await;
    assert!(a.channel.messages() + b.channel.messages() <= 2, "a death repeats one message at most");
    play(&api, &short("replicas-2", LENGTH)).await;
    until_written(&api, "replicas-2").await;
    b.channel.until_recorded(&api, &[Tiding::opened("replicas-2")], PATIENCE).await;

    // Stopped: the same; and when it resumes it knows that it no longer leads, and writes nothing.
    let c = Replica::start(installed, "replica-c").await;
    c.operator.until_ready().await;
    b.operator.signal(Signal::Stop);
    let since = clock::now();
    until_leads(&[&c]).await;
    taken_over(&api, since, TAKEN_OVER, "stops").await;
    play(&api, &short("replicas-3", LENGTH)).await;
    until_written(&api, "replicas-3").await;
    c.channel.until_recorded(&api, &[Tiding::opened("replicas-3")], PATIENCE).await;
    let before = (b.writes(), b.channel.messages());
    b.operator.signal(Signal::Continue);
    waiting::eventually("it knows that it leads no longer", PATIENCE, async || {
        if b.leads().await { Err("it leads") } else { Ok(()) }
    })
    .await;
    // Time to do what it must not.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!((b.writes(), b.channel.messages()), before, "who woke wrote or told something");
    assert!(c.leads().await);

    // Shut down in order: the Lease is released, and the other one acquires it at its next check.
    let mut c = c;
    c.operator.signal(Signal::Terminate);
    let since = clock::now();
    assert!(c.operator.ended(PATIENCE).await.success());
    let after = clock::now().since(since);
    assert!(after <= ENDED, "it ends after {after:.1?}");
    until_leads(&[&b]).await;
    taken_over(&api, since, ENDED + AT_ONCE, "ends").await;
    let told = [&a, &b, &c].map(|replica| replica.channel.update());
    let told: Vec<Tiding> = told.into_iter().flatten().map(|(tiding, _)| tiding).collect();
    let once: BTreeSet<&Tiding> = told.iter().collect();
    assert_eq!(once.len(), told.len(), "a change of the leader repeats nothing: {told:#?}");
}

/// An operator, its notifications, and its requests to the API server.
struct Replica {
    operator: Operator,
    channel: Channel,
    writes: Arc<AtomicU64>,
    _proxy: HttpProxy,
}

impl Replica {
    async fn start(installed: &Installed, name: &str) -> Self {
        let channel = Channel::open(installed.cluster.folder(), name).await;
        let writes = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&writes);
        let proxy = HttpProxy::start(&installed.cluster.url(), installed.cluster.ca(), move |request| {
            if request.method != hyper::Method::GET && request.uri.path().contains("/findings") {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            Rule::Pass
        });
        let settings: Settings = installed.settings_at(name, &proxy.url()).await;
        let settings = settings.watching(&NAMESPACES).electing(NAMESPACE, "probehound").env("POD_NAME", name);
        let operator = settings.with("notifications", channel.settings(5)).start(installed.cluster.folder());
        Self { operator, channel, writes, _proxy: proxy }
    }

    async fn leads(&self) -> bool {
        self.operator.metrics().await.sum("probehound_leader", &[]) == Some(1)
    }

    /// How often it requested a `Finding` to be written.
    fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }
}

async fn until_leads(replicas: &[&Replica]) {
    waiting::eventually("a replica leads", PATIENCE, async || {
        for replica in replicas {
            if replica.leads().await {
                return Ok(());
            }
        }
        Err("none leads")
    })
    .await;
}

async fn until_written(api: &Api, namespace: &str) {
    waiting::eventually("the leader writes", PATIENCE, async || has_finding(api, namespace, "WrongPort").await).await;
}

/// The Lease shows when it was acquired.
async fn taken_over(api: &Api, since: Time, limit: Duration, how: &str) {
    let lease = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/probehound");
    let lease = api.get(&lease).await.expect("a Lease");
    let at = lease["spec"]["acquireTime"].as_str().and_then(|at| Time::parse(at).ok()).expect("a time");
    let after = at.since(since);
    println!("a leader that {how} is replaced after {after:.1?}");
    assert!(at > since && after <= limit, "{lease:#}");
}

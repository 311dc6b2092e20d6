//! Everything at once, as in a cluster: the story, the zoo, what is well, and what goes wrong around
//! them.

use std::time::Duration;

use probehound::report::object::FindingObject;
use tokio::time::sleep;

use crate::control;
use crate::deployed::{Deployed, Usage};
use crate::harness::clock::{Stopwatch, now};
use crate::harness::{Api, ControlPlane, waiting};
use crate::kubectl::Kubectl;
use crate::milestones::{Course, Milestones};
use crate::node::{self, Node};
use crate::prometheus::Prometheus;
use crate::recorder::Recorder;
use crate::slack::Channel;
use crate::story;
use crate::support::{Document, assert_none, replay};
use crate::told;
use crate::zoo::{self, Fault};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_is_told_rightly_and_once_through_every_disturbance() {
    let since = Stopwatch::start();
    let plane = ControlPlane::start_for_node("node", &Node::address()).await;
    let _witness = plane.witness();
    let mut node = Node::start(&plane).await;
    let (kubectl, api) = (Kubectl::new(&plane), plane.admin());
    let channel = Channel::open(&Node::address()).await;
    let recorder = Recorder::start(&plane);
    let deployed = Deployed::install(&kubectl, &plane).await;
    let prometheus = Prometheus::start(&plane).await;

    story::begin(&kubectl, &api).await;
    sleep(Duration::from_secs(15)).await;
    let broken = story::break_it(&kubectl).await;
    let milestones = Milestones::watch(&deployed, &api, &channel, &prometheus, Duration::from_mins(2)).await;
    println!("{:?} {milestones:?}", since.elapsed());

    let faults = zoo::faults();
    for fault in &faults {
        fault.begin(&kubectl).await;
    }
    control::begin(&kubectl).await;
    println!("{:?} {:?}", since.elapsed(), Deployed::usage());
    sleep(Duration::from_mins(1)).await;
    for fault in &faults {
        fault.go_on(&kubectl).await;
    }
    tokio::join!(control::go_on(&kubectl, node::NAME), disturb(&mut node, &plane, &deployed));
    println!("{:?} {:?}", since.elapsed(), Deployed::usage());

    let mended = story::mend_it(&kubectl, &api).await;
    let deadline = Duration::from_mins(2);
    sleep(deadline).await;
    println!("{:?} {:?}", since.elapsed(), Deployed::usage());

    let said = findings(&api).await;
    for message in channel.messages() {
        println!("------ {}\n{}", crate::slack::wall_clock(message.at), message.page());
    }
    println!("{}", kubectl.run(&["get", "findings", "-A", "-o", "wide"]).await);
    std::fs::write("target/cluster/findings.json", kubectl.run(&["get", "findings", "-A", "-o", "json"]).await)
        .unwrap();
    std::fs::write("target/cluster/metrics.txt", deployed.metrics().await.unwrap()).unwrap();
    let recording = recorder.finish();
    std::fs::copy(plane.folder().file("node.jsonl.gz"), "target/cluster/node.jsonl.gz").unwrap();
    let course = Course::of(&recording, broken, milestones.object.unwrap_or(broken));
    println!("{course:?} {mended:?}");
    let problems: Vec<String> = faults.iter().flat_map(|fault| fault.problems(&said)).collect();
    assert_none("what was said", &problems);
}

/// What goes wrong around them, one after the other.
async fn disturb(node: &mut Node, plane: &ControlPlane, deployed: &Deployed) {
    sleep(Duration::from_secs(20)).await;
    node.restart_kubelet(plane).await;
    sleep(Duration::from_secs(30)).await;
    plane.stop_api_server();
    sleep(Duration::from_secs(30)).await;
    plane.start_api_server().await;
    sleep(Duration::from_secs(30)).await;
    deployed.kill();
    sleep(Duration::from_secs(2)).await;
    deployed.until_ready().await;
}

/// What the objects of the cluster say.
async fn findings(api: &Api) -> Document {
    let objects = told::objects(api).await;
    let objects = objects.into_iter().filter(|object| object["status"]["state"] != "Withdrawn");
    let objects = objects.map(|object| serde_json::from_value::<FindingObject>(object).expect("a Finding"));
    let findings: Vec<_> = objects.filter_map(|object| object.finding()).map(std::sync::Arc::new).collect();
    crate::support::replay::document(&findings, 0, 0)
}

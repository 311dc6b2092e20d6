//! Everything at once, as in a cluster: the story, the zoo, what is well, and what goes wrong around
//! them.

use std::time::Duration;

use probehound::time::Time;
use tokio::time::sleep;

use crate::cost::Meter;
use crate::deployed::Deployed;
use crate::goals::{self, Deeds};
use crate::harness::clock::Stopwatch;
use crate::harness::{Api, ControlPlane};
use crate::judged;
use crate::kubectl::Kubectl;
use crate::milestones::{Course, Milestones};
use crate::node::{self, Node};
use crate::prometheus::Prometheus;
use crate::recorder::Recorder;
use crate::slack::{Channel, Kind};
use crate::support::{Recording, assert_none};
use crate::zoo::{self, Fault};
use crate::{control, story};

/// The last of what is to be said: an image that cannot be had counts after two minutes, and what
/// is mended is well again a minute after its last restart.
const LAST_WORD: Duration = Duration::from_mins(4);

/// A cluster of one node, probehound in it, and who listens to it.
struct Stage {
    since: Stopwatch,
    kubectl: Kubectl,
    api: Api,
    channel: Channel,
    prometheus: Prometheus,
    deployed: Deployed,
    recorder: Recorder,
    meter: Meter,
    node: Node,
    faults: Vec<Fault>,
    story: Fault,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_is_told_rightly_and_once_through_every_disturbance() {
    let plane = ControlPlane::start_for_node("node", &Node::address()).await;
    let _witness = plane.witness();
    let mut stage = Stage::set(&plane).await;

    let (broken, seen) = stage.tell_the_story().await;
    stage.let_the_zoo_loose().await;
    stage.disturb(&plane).await;
    let mended = story::mend_it(&stage.kubectl, &stage.api).await;
    stage.say("the story is mended");
    let problems = stage.judge_at_last().await;

    let deeds = Deeds { broken, mended };
    let recording = stage.finish(&plane, &deeds, &seen).await;
    let again = judged::recording(&plane.admin(), &recording).await;
    assert_none("what is said", &[problems, again].concat());
}

impl Stage {
    async fn set(plane: &ControlPlane) -> Self {
        let since = Stopwatch::start();
        let node = Node::start(plane).await;
        let (kubectl, api) = (Kubectl::new(plane), plane.admin());
        let channel = Channel::open(&Node::address()).await;
        let recorder = Recorder::start(plane);
        let deployed = Deployed::install(&kubectl, plane).await;
        let prometheus = Prometheus::start(plane, deployed.address()).await;
        let (meter, faults, story) = (Meter::start(), zoo::faults(), zoo::story());
        Self { since, kubectl, api, channel, prometheus, deployed, recorder, meter, node, faults, story }
    }

    fn say(&self, what: &str) {
        println!("{:>6.1} s: {what}", self.since.elapsed().as_secs_f64());
    }

    /// The story up to the alert.
    async fn tell_the_story(&self) -> (Time, Milestones) {
        story::begin(&self.kubectl, &self.api).await;
        self.say("the story's pods are well");
        sleep(Duration::from_secs(20)).await;
        let broken = story::break_it(&self.kubectl).await;
        self.say("the wrong path is rolled out");
        let limit = Duration::from_secs(90);
        let seen = Milestones::watch(&self.deployed, &self.api, &self.channel, &self.prometheus, limit).await;
        self.say("the story is known everywhere");
        (broken, seen)
    }

    async fn let_the_zoo_loose(&self) {
        for fault in &self.faults {
            fault.begin(&self.kubectl).await;
        }
        control::begin(&self.kubectl).await;
        self.say("the zoo is loose");
        sleep(Duration::from_secs(50)).await;
        for fault in &self.faults {
            fault.go_on(&self.kubectl).await;
        }
    }

    /// What goes wrong around all of them, one after the other.
    async fn disturb(&mut self, plane: &ControlPlane) {
        let kubelet = async |node: &mut Node| {
            sleep(Duration::from_secs(30)).await;
            node.restart_kubelet(plane).await;
        };
        tokio::join!(control::go_on(&self.kubectl, node::NAME), kubelet(&mut self.node));
        self.say("the control was scaled, rolled and drained, the kubelet started again");
        plane.stop_api_server();
        sleep(Duration::from_secs(30)).await;
        plane.start_api_server().await;
        self.say("the API server was away for 30 s");
        sleep(Duration::from_secs(20)).await;
        Deployed::kill();
        sleep(Duration::from_secs(1)).await;
        self.deployed.until_ready().await;
        self.say("probehound was killed, and is ready again");
    }

    /// What is wrong when all should have been said.
    async fn judge_at_last(&self) -> Vec<String> {
        let since = Stopwatch::start();
        loop {
            let problems = self.judge().await;
            if problems.is_empty() || since.elapsed() > LAST_WORD {
                self.say("all is said");
                return problems;
            }
            sleep(Duration::from_secs(2)).await;
        }
    }

    async fn judge(&self) -> Vec<String> {
        let said = judged::said(&self.api).await;
        let mut all: Vec<&Fault> = self.faults.iter().collect();
        all.push(&self.story);
        let mut problems = judged::findings(&all, &said);
        problems.extend(judged::tidings(&said, &self.channel.tidings()));
        problems.extend(judged::metrics(&said, &self.deployed.metrics().await.unwrap_or_default()));
        problems.extend(self.channel.refused());
        problems
    }

    /// Prints what was measured, and gives back what was recorded.
    async fn finish(self, plane: &ControlPlane, deeds: &Deeds, seen: &Milestones) -> Recording {
        let said = judged::said(&self.api).await;
        println!("\n{}", self.kubectl.run(&["get", "findings", "-A", "-o", "wide"]).await);
        // Kept beside the logs.
        plane.folder().write("channel.log", &self.channel.pages());
        plane.folder().write("metrics.log", &self.deployed.metrics().await.unwrap_or_default());
        let cost = self.meter.finish().await;
        let recording = self.recorder.finish();
        let course = Course::of(&recording, deeds.broken);
        let story = said.findings.iter().find(|finding| finding.namespace == story::NAMESPACE);
        let over = self
            .channel
            .tidings()
            .into_iter()
            .find(|told| told.of.starts_with(story::WORKLOAD) && told.kind == Kind::Over);
        goals::print(deeds, seen, &course, story.expect("the story was told"), over.map(|told| told.at), &cost);
        recording
    }
}

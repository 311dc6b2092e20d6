//! Everything at once, as in a cluster: the story, the zoo, healthy workloads, and faults around them.

use std::time::Duration;

use probehound::time::Time;
use tokio::time::sleep;

use crate::cost::Meter;
use crate::deployed::Deployed;
use crate::example::Transcript;
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
use crate::support::assert_none;
use crate::zoo::{self, Fault};
use crate::{control, story};

/// Time until the last notification: an image that cannot be pulled counts after two minutes, and what is
/// fixed counts as healthy a minute after its last restart.
const LAST_WORD: Duration = Duration::from_mins(4);

/// Time in which no further notification may come.
const SILENCE: Duration = Duration::from_secs(45);

/// A cluster of one node, probehound in it, and its receivers.
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
    transcript: Transcript,
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
    let more = stage.finish(&plane, &deeds, &seen).await;
    assert_none("what is said", &[problems, more].concat());
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
        let (meter, faults, transcript) = (Meter::start(), zoo::faults(), Transcript::default());
        Self { since, kubectl, api, channel, prometheus, deployed, recorder, meter, node, faults, transcript }
    }

    fn say(&self, what: &str) {
        println!("{:>6.1} s: {what}", self.since.elapsed().as_secs_f64());
    }

    /// The example, and the story up to the alert.
    async fn tell_the_story(&mut self) -> (Time, Milestones) {
        story::begin(&self.kubectl, &self.api).await;
        self.say("the story's pods are well");
        self.transcript = Transcript::begin(&self.kubectl, &self.api).await;
        self.say("the example is known to loop");
        let broken = story::break_it(&self.kubectl).await;
        self.say("the wrong path is rolled out");
        let limit = Duration::from_secs(90);
        let seen = Milestones::watch(&self.deployed, &self.api, &self.channel, &self.prometheus, limit).await;
        self.say("the story is known everywhere");
        story::look_at_it(&self.kubectl, broken).await;
        self.say("a scan names it");
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

    /// Faults around all of them, one after the other.
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

    /// The problems when everything should have been notified, and a while later: nothing wrong may be
    /// added then.
    async fn judge_at_last(&self) -> Vec<String> {
        let problems = self.judge_within(LAST_WORD).await;
        if !problems.is_empty() {
            return problems;
        }
        self.say("all is said");
        sleep(SILENCE).await;
        // Objects and metrics are not read at the same moment.
        self.judge_within(Duration::from_secs(10)).await
    }

    /// The problems at the end of the time limit, unless there are none at a moment before.
    async fn judge_within(&self, limit: Duration) -> Vec<String> {
        let since = Stopwatch::start();
        loop {
            let problems = self.judge().await;
            if problems.is_empty() || since.elapsed() > limit {
                return problems;
            }
            sleep(Duration::from_secs(2)).await;
        }
    }

    async fn judge(&self) -> Vec<String> {
        let said = judged::said(&self.api).await;
        let told_first = [zoo::story(), zoo::example()];
        let all: Vec<&Fault> = self.faults.iter().chain(&told_first).collect();
        let mut problems = judged::findings(&all, &said);
        problems.extend(judged::update(&said, &self.channel.update()));
        problems.extend(judged::metrics(&said, &self.deployed.metrics().await.unwrap_or_default()));
        problems.extend(self.channel.refused());
        problems
    }

    /// Prints the measurements; returns the differences to a replay of the recording.
    async fn finish(self, plane: &ControlPlane, deeds: &Deeds, seen: &Milestones) -> Vec<String> {
        println!("\n{}", self.kubectl.run(&["get", "findings", "-A", "-o", "wide"]).await);
        // Kept beside the logs.
        plane.folder().write("channel.log", &self.channel.pages());
        plane.folder().write("metrics.log", &self.deployed.metrics().await.unwrap_or_default());
        let cost = self.meter.finish().await;
        let recording = self.recorder.finish();
        let problems = judged::recording(&self.api, &recording).await;
        let course = Course::of(&recording, deeds.broken);
        let said = judged::said(&self.api).await;
        let told = said.findings.iter().find(|finding| finding.namespace == story::NAMESPACE);
        let update = self.channel.update();
        let over = update.iter().find(|told| told.of.starts_with(story::WORKLOAD) && told.kind == Kind::Over);
        goals::print(deeds, seen, &course, told.expect("the story was told"), over.map(|told| told.at), &cost);
        self.transcript.finish(&self.kubectl).await;
        // Last, since its finding is none of the story's or the zoo's.
        self.deployed.test().await;
        problems
    }
}

//! A simulated cluster: kubelets, controllers and apps as a discrete-event model without a clock.
//!
//! The same manifests, steps and seed give the same recording. What the kubelet does follows
//! `pkg/kubelet/prober` and the measured timing of real kubelets.

pub mod app;
pub mod chance;
pub mod controllers;
mod events;
pub mod manifest;
mod node;
mod pod;
mod prober;
mod services;
pub mod stream;
mod troubles;
pub mod truth;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde_json::{Value, json};

use chance::Chance;
use controllers::Live;
use events::{About, Said};
use manifest::{Kind, Workload};
use node::Node;
use pod::Pod;
use prober::Outcome;
use stream::{Line, Stream, stamp};

/// An action of a person, or a fault.
#[derive(Clone, Debug)]
pub enum Step {
    Apply(Workload),
    Delete(&'static str),
    Scale(&'static str, usize),
    /// The kubelet of a node, by number from 0.
    RestartKubelet(usize),
    Reboot(usize),
    /// Everything on a node is sent a signal from outside, within seconds.
    Strike(usize),
    /// `kubectl rollout restart`.
    Restart(&'static str),
    /// A node's clock is ahead by that many milliseconds; pods are affected from their start.
    Skew(usize, i64),
    /// A node's writes are observed that many milliseconds later.
    Lag(usize, i64),
    /// For that many milliseconds nothing on a node answers its probes in time.
    Overload(usize, i64),
}

/// Something due at a time. Actions of a kubelet carry its epoch and become void with it.
#[derive(Clone, Debug)]
enum Action {
    Step(Box<Step>),
    Reconcile(usize),
    Admit(usize),
    Launch { at: Place, epoch: u32 },
    Relist { pod: usize, epoch: u32 },
    Dies { at: Place, id: String, code: i32, reason: &'static str },
    Tick { at: Place, kind: Kind, epoch: u32, lattice: i64, once: bool },
    Result { at: Place, kind: Kind, epoch: u32, run: u32, outcome: Outcome },
    AfterKill { at: Place, epoch: u32 },
    Wait { at: Place, epoch: u32, seconds: i64 },
    Retry { at: Place, epoch: u32 },
    Unblock { at: Place, epoch: u32, delay: i64 },
    Gone(usize),
    KubeletUp { node: usize, epoch: u32 },
}

/// A container of a pod, by number.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pod: usize,
    container: usize,
}

/// What really happened to a container.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// A probe made the kubelet kill it.
    Killed(Kind),
    /// It terminated by itself, or by a signal from outside.
    Ended(i32),
}

/// What really happened, and where.
#[derive(Clone, Debug)]
pub struct Done {
    /// Milliseconds since the story's start.
    pub at: i64,
    /// `Deployment/web`.
    pub workload: String,
    pub pod: String,
    pub container: &'static str,
    /// The revision of the pod, by its hash.
    pub revision: String,
    pub deed: Deed,
}

/// A recording, and what really happened meanwhile.
#[derive(Debug)]
pub struct Played {
    pub stream: Stream,
    pub done: Vec<Done>,
    /// The existing pods at the end: workload, and whether they are ready.
    pub left: Vec<(String, bool)>,
}

/// Nodes, controllers and pods, and what was observed of them.
pub struct Cluster {
    now: i64,
    due: BinaryHeap<Reverse<(i64, u64)>>,
    actions: std::collections::BTreeMap<u64, Action>,
    numbered: u64,
    chance: Chance,
    nodes: Vec<Node>,
    lives: Vec<Live>,
    pods: Vec<Pod>,
    lines: Vec<Line>,
    done: Vec<Done>,
    /// When events were first written, by UID.
    created: std::collections::BTreeMap<String, String>,
}

/// Plays a story for that many seconds, and records it.
pub fn record(seed: u64, steps: &[(i64, Step)], seconds: i64) -> Stream {
    play(seed, steps, seconds).stream
}

/// The same, with what really happened.
pub fn play(seed: u64, steps: &[(i64, Step)], seconds: i64) -> Played {
    let mut cluster = Cluster::new(seed);
    for (at, step) in steps {
        cluster.schedule(at * 1000, Action::Step(Box::new(step.clone())));
    }
    cluster.run(seconds * 1000);
    let left = cluster.left();
    let mut lines = cluster.lines;
    lines.sort_by_key(|line| line.at);
    lines.retain(|line| line.at <= seconds * 1000);
    let mut stream = services::beside(lines, &mut cluster.chance);
    stream.push(Line {
        at: seconds * 1000,
        resource: "pods".to_owned(),
        kind: "BOOKMARK",
        object: json!({"metadata": {}}),
    });
    Played { stream: Stream(stream), done: cluster.done, left }
}

impl Cluster {
    fn new(seed: u64) -> Self {
        Self {
            now: 0,
            due: BinaryHeap::new(),
            actions: std::collections::BTreeMap::new(),
            numbered: 0,
            chance: Chance::new(seed),
            nodes: vec![Node::default(); 8],
            lives: Vec::new(),
            pods: Vec::new(),
            lines: Vec::new(),
            done: Vec::new(),
            created: std::collections::BTreeMap::new(),
        }
    }

    fn schedule(&mut self, at: i64, action: Action) {
        self.numbered += 1;
        self.due.push(Reverse((at.max(self.now), self.numbered)));
        self.actions.insert(self.numbered, action);
    }

    fn after(&mut self, low: i64, high: i64, action: Action) {
        let at = self.now + self.chance.between(low, high);
        self.schedule(at, action);
    }

    fn run(&mut self, until: i64) {
        while let Some(Reverse((at, number))) = self.due.pop() {
            if at > until {
                break;
            }
            self.now = at;
            if let Some(action) = self.actions.remove(&number) {
                self.act(action);
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Step(step) => self.step(*step),
            Action::Reconcile(live) => self.reconcile(live),
            Action::Admit(pod) => self.admit(pod),
            Action::Dies { at, id, code, reason } => self.dies(at, &id, code, reason),
            Action::Gone(pod) => self.gone(pod),
            Action::Launch { at, epoch } if self.is_current(at.pod, epoch) => self.launch(at),
            Action::Relist { pod, epoch } if self.is_current(pod, epoch) => self.relist(pod),
            Action::Tick { at, kind, epoch, lattice, once } if self.is_current(at.pod, epoch) => {
                self.probe_tick(at, kind, lattice, once);
            }
            Action::Result { at, kind, epoch, run, outcome } if self.is_current(at.pod, epoch) => {
                self.probed(at, kind, run, &outcome);
            }
            Action::AfterKill { at, epoch } if self.is_current(at.pod, epoch) => self.after_kill(at),
            Action::Wait { at, epoch, seconds } if self.is_current(at.pod, epoch) => self.wait(at, seconds),
            Action::Retry { at, epoch } if self.is_current(at.pod, epoch) => self.retry(at),
            Action::Unblock { at, epoch, delay } if self.is_current(at.pod, epoch) => self.unblock(at, delay),
            Action::KubeletUp { node, epoch } if self.nodes[node].epoch == epoch => self.kubelet_up(node),
            _ => {}
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Apply(workload) => self.apply(workload),
            Step::Delete(name) => self.delete(name),
            Step::Scale(name, replicas) => self.scale(name, replicas),
            Step::RestartKubelet(node) => self.restart_kubelet(node),
            Step::Reboot(node) => self.reboot(node),
            Step::Strike(node) => self.strike(node),
            Step::Restart(name) => self.rollout_restart(name),
            Step::Skew(node, millis) => self.skew(node, millis),
            Step::Lag(node, millis) => self.lag(node, millis),
            Step::Overload(node, millis) => self.overload(node, millis),
        }
    }

    /// Whether an action of a kubelet is still valid: the kubelet is the same, and it still has the pod.
    fn is_current(&self, pod: usize, epoch: u32) -> bool {
        let it = &self.pods[pod];
        !it.gone && self.nodes[it.node].epoch == epoch
    }

    fn epoch(&self, pod: usize) -> u32 {
        self.nodes[self.pods[pod].node].epoch
    }

    /// Notes what really happened.
    fn note(&mut self, at: Place, deed: Deed) {
        let pod = &self.pods[at.pod];
        if pod.deleted.is_some() {
            return;
        }
        self.done.push(Done {
            at: self.now,
            workload: self.lives[pod.workload].top(),
            pod: pod.name.clone(),
            container: pod.spec.containers[at.container].name,
            revision: pod.revision.clone(),
            deed,
        });
    }

    fn left(&self) -> Vec<(String, bool)> {
        let pods = self.pods.iter().filter(|pod| !pod.gone && !pod.is_over() && pod.deleted.is_none());
        pods.map(|pod| (self.lives[pod.workload].top(), pod.is_ready())).collect()
    }

    fn emit(&mut self, at: i64, resource: &str, kind: &'static str, object: Value) {
        self.lines.push(Line { at, resource: resource.to_owned(), kind, object });
    }

    /// The kubelet reports something about a pod's container.
    fn say(&mut self, at: Place, kind: &'static str, reason: &'static str, message: String) {
        let pod = &mut self.pods[at.pod];
        let spec = &pod.spec.containers[at.container];
        let list = if spec.sidecar { "initContainers" } else { "containers" };
        let said = Said { kind, reason, message, field: format!("spec.{list}{{{}}}", spec.name) };
        let node = format!("node-{}", pod.node + 1);
        let about = About { name: &pod.name, uid: &pod.uid, node: &node, skew: pod.skew };
        let Some((kind, mut object)) = pod.recorder.say(said, &about, self.now, &mut self.chance) else {
            return;
        };
        let slow = self.chance.happens(1, 7);
        let delay = if slow { self.chance.between(60, 1800) } else { self.chance.between(4, 60) };
        let node = &mut self.nodes[pod.node];
        node.said = node.said.max(self.now + delay + node.lag) + 1;
        let at = node.said;
        let uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let created = self.created.entry(uid).or_insert_with(|| stamp(at));
        object["metadata"]["creationTimestamp"] = json!(created);
        self.emit(at, "events", kind, object);
    }

    /// Writes a pod's status, 0.1 to 1 s after the fact, if it differs from the last one.
    fn show(&mut self, pod: usize) {
        let delay = self.chance.between(100, 1000);
        self.write(pod, delay);
    }

    fn write(&mut self, pod: usize, delay: i64) {
        let it = &mut self.pods[pod];
        let mut object = it.json(0);
        if object == it.written {
            return;
        }
        let kind = if it.written.is_null() { "ADDED" } else { "MODIFIED" };
        it.written = object.clone();
        it.written_at = it.written_at.max(self.now + delay + self.nodes[it.node].lag) + 1;
        let at = it.written_at;
        object["metadata"]["resourceVersion"] = json!(at.to_string());
        self.emit(at, "pods", kind, object);
    }
}

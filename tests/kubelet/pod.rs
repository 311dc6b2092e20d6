//! A pod: its containers in reality, as known to the kubelet, and as shown by the API.

use serde_json::{Value, json};

use super::Place;
use super::app::{Answer, Ask};
use super::events::Recorder;
use super::manifest::{Handler, Kind, Workload};
use super::prober::Worker;
use super::stream::stamp;

/// How a run terminated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
    pub id: String,
    pub code: i32,
    pub reason: &'static str,
    pub started: i64,
    pub finished: i64,
}

impl Ended {
    fn json(&self, skew: i64) -> Value {
        json!({"terminated": {
            "exitCode": self.code, "reason": self.reason, "startedAt": stamp(self.started + skew),
            "finishedAt": stamp(self.finished + skew), "containerID": self.id,
        }})
    }
}

/// The process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Process {
    None,
    Running { id: String, run: u32, started: i64 },
    Ended(Ended),
}

/// The container's state according to the kubelet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    Creating,
    Running { id: String, run: u32, started: i64 },
    Terminated(Ended),
    BackOff { seconds: i64 },
    Blocked { reason: &'static str, message: &'static str },
}

/// A container of a pod.
#[derive(Clone, Debug)]
pub struct Slot {
    pub process: Process,
    pub shown: Shown,
    /// The termination shown as the last one.
    pub last: Option<Ended>,
    /// The newest termination known to the kubelet.
    pub exited: Option<Ended>,
    /// Number of runs so far; the restart count shown belongs to the run shown.
    pub runs: u32,
    pub restarts: u32,
    pub ready: bool,
    pub started: bool,
    /// Whether it is being killed.
    pub dying: bool,
    pub workers: Vec<Worker>,
    /// The delay, and when it was last set.
    pub back_off: Option<(i64, i64)>,
}

impl Slot {
    pub fn is_running(&self) -> bool {
        matches!(self.process, Process::Running { .. })
    }
}

/// A pod.
#[derive(Clone, Debug)]
pub struct Pod {
    pub workload: usize,
    pub spec: Workload,
    /// The revision's object.
    pub revision: String,
    pub owner: Value,
    pub labels: Value,
    pub name: String,
    pub uid: String,
    pub ip: String,
    pub node: usize,
    /// How far the node's clock is ahead, in milliseconds.
    pub skew: i64,
    pub created: i64,
    pub admitted: bool,
    pub deleted: Option<i64>,
    pub gone: bool,
    pub phase: &'static str,
    pub containers: Vec<Slot>,
    pub recorder: Recorder,
    pub written: Value,
    pub written_at: i64,
}

impl Pod {
    pub fn is_ready(&self) -> bool {
        self.deleted.is_none() && self.phase == "Running" && self.containers.iter().all(|it| it.ready)
    }

    pub fn is_over(&self) -> bool {
        matches!(self.phase, "Failed" | "Succeeded")
    }

    pub fn new_workers(&mut self) {
        for (it, spec) in self.containers.iter_mut().zip(&self.spec.containers) {
            it.workers = Kind::ALL.into_iter().filter(|kind| spec.probed(*kind).is_some()).map(Worker::new).collect();
        }
    }

    pub fn new_containers(&self) -> Vec<Slot> {
        let new = || Slot {
            process: Process::None,
            shown: Shown::Creating,
            last: None,
            exited: None,
            runs: 0,
            restarts: 0,
            ready: false,
            started: false,
            dying: false,
            workers: Vec::new(),
            back_off: None,
        };
        self.spec.containers.iter().map(|_| new()).collect()
    }

    /// The whole object in the API.
    pub fn json(&self, version: i64) -> Value {
        let mut meta = json!({
            "name": self.name, "namespace": "prod", "uid": self.uid, "resourceVersion": version.to_string(),
            "creationTimestamp": stamp(self.created), "labels": self.labels,
        });
        if !self.owner.is_null() {
            meta["ownerReferences"] = json!([self.owner]);
        }
        if let Some(deleted) = self.deleted {
            meta["deletionTimestamp"] = json!(stamp(deleted + self.spec.grace * 1000));
            meta["deletionGracePeriodSeconds"] = json!(self.spec.grace);
        }
        let mut spec = self.spec.pod_spec();
        if self.admitted {
            spec["nodeName"] = json!(format!("node-{}", self.node + 1));
        }
        json!({"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": spec, "status": self.status()})
    }

    fn status(&self) -> Value {
        if !self.admitted {
            return json!({"phase": "Pending", "qosClass": "Burstable"});
        }
        let ready = if self.is_ready() { "True" } else { "False" };
        let mut status = json!({
            "phase": self.phase, "qosClass": "Burstable", "hostIP": format!("192.0.2.{}", self.node + 2),
            "podIP": self.ip, "startTime": stamp(self.created + self.skew),
            "conditions": [{"type": "Ready", "status": ready}, {"type": "ContainersReady", "status": ready}],
        });
        for sidecars in [true, false] {
            let them = self.spec.containers.iter().zip(&self.containers).filter(|(spec, _)| spec.sidecar == sidecars);
            let them: Vec<_> = them.map(|(spec, it)| self.container(spec.name, spec.image, it)).collect();
            if !them.is_empty() {
                let field = if sidecars { "initContainerStatuses" } else { "containerStatuses" };
                status[field] = json!(them);
            }
        }
        status
    }

    fn container(&self, name: &str, image: &str, it: &Slot) -> Value {
        let (state, id) = match &it.shown {
            Shown::Creating => (json!({"waiting": {"reason": "ContainerCreating"}}), None),
            Shown::Running { id, started, .. } => {
                (json!({"running": {"startedAt": stamp(*started + self.skew)}}), Some(id))
            }
            Shown::Terminated(ended) => (ended.json(self.skew), Some(&ended.id)),
            Shown::Blocked { reason, message } => (json!({"waiting": {"reason": reason, "message": message}}), None),
            Shown::BackOff { seconds } => {
                let delay =
                    if *seconds >= 60 { format!("{}m{}s", seconds / 60, seconds % 60) } else { format!("{seconds}s") };
                let message =
                    format!("back-off {delay} restarting failed container={name} pod={}_prod({})", self.name, self.uid);
                let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
                (waiting, it.last.as_ref().map(|last| &last.id))
            }
        };
        let running = matches!(it.shown, Shown::Running { .. });
        let mut status = json!({
            "name": name, "image": image, "imageID": "sha256:533f52461a0f", "restartCount": it.restarts,
            "ready": it.ready && running, "started": it.started && running, "state": state,
            "lastState": it.last.as_ref().map_or_else(|| json!({}), |last| last.json(self.skew)),
        });
        if let Some(id) = id {
            status["containerID"] = json!(id);
        }
        status
    }
}

impl Pod {
    /// The answer to a probe of a container. The pod's containers share a network: another one may listen
    /// on the port.
    pub fn answer(&self, at: Place, handler: &Handler, port: u16, now: i64) -> Answer {
        let of = |container: usize| match &self.containers[container].process {
            Process::Running { started, run, .. } => {
                let (node, pod, uptime, run) = (self.node, at.pod, now - started, *run);
                self.spec.containers[container].app.answer(&Ask { uptime, now, run, node, pod, handler, port })
            }
            _ => Answer::Refused,
        };
        let own = of(at.container);
        if own != Answer::Refused || matches!(handler, Handler::Exec(_)) {
            return own;
        }
        let others = (0..self.containers.len()).filter(|other| *other != at.container);
        others.map(of).find(|answer| *answer != Answer::Refused).unwrap_or(own)
    }

    /// The run that a worker would probe now; `None` if there is nothing to probe.
    pub fn due_probe(&mut self, container: usize, kind: Kind, now: i64) -> Option<u32> {
        let probe = self.spec.containers[container].probed(kind)?;
        let delay = probe.delay * 1000;
        let it = &mut self.containers[container];
        let Shown::Running { run, started, .. } = &it.shown else {
            return None;
        };
        let (run, started) = (*run, started.div_euclid(1000) * 1000);
        let worker = it.workers.iter_mut().find(|worker| worker.kind == kind)?;
        worker.meet(run);
        let turn = it.started != (kind == Kind::Startup);
        (!worker.on_hold && turn && now - started >= delay).then_some(run)
    }
}

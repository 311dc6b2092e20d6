//! What a kubelet does with its pods: starts, probes, kills, restarts, backs off.

use super::app::{Answer, End, Term};
use super::manifest::Kind;
use super::pod::{Ended, Process, Shown};
use super::prober::{self, Outcome};
use super::{Action, Cluster, Deed, Place};

/// A node and its kubelet.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// The number of the kubelet's run.
    pub epoch: u32,
    /// When its last event was written.
    pub said: i64,
    /// How far its clock is ahead, in milliseconds.
    pub skew: i64,
    /// How late its writes are observed, in milliseconds.
    pub lag: i64,
    /// Until when no probe is answered in time.
    pub overloaded: i64,
}

/// The first back-off and the maximum, in milliseconds.
const BACK_OFF: (i64, i64) = (10_000, 300_000);

/// The back-off is reset after this time.
const FORGOTTEN: i64 = 600_000;

impl Cluster {
    pub fn admit(&mut self, pod: usize) {
        self.pods[pod].admitted = true;
        self.pods[pod].skew = self.nodes[self.pods[pod].node].skew;
        self.pods[pod].new_workers();
        self.write(pod, 10);
        let epoch = self.epoch(pod);
        // A kubelet that has run for long starts its workers at once; their ticks are aligned.
        self.start_workers(pod, false);
        for container in 0..self.pods[pod].containers.len() {
            self.after(400, 1500, Action::Launch { at: Place { pod, container }, epoch });
        }
    }

    pub fn start_workers(&mut self, pod: usize, spread: bool) {
        let epoch = self.epoch(pod);
        for container in 0..self.pods[pod].containers.len() {
            for kind in Kind::ALL {
                let Some(probe) = self.pods[pod].spec.containers[container].probed(kind) else {
                    continue;
                };
                let spread = if spread { probe.period * 1000 } else { 40 };
                let lattice = self.now + self.chance.between(0, spread);
                let at = Place { pod, container };
                self.schedule(lattice, Action::Tick { at, kind, epoch, lattice, once: false });
            }
        }
    }

    pub fn launch(&mut self, at: Place) {
        let pod = &self.pods[at.pod];
        if pod.deleted.is_some() || pod.is_over() || pod.containers[at.container].is_running() {
            return;
        }
        if let Some(why) = pod.spec.containers[at.container].blocked {
            return self.blocked(at, why, 10_000);
        }
        let (name, image) = (pod.spec.containers[at.container].name, pod.spec.containers[at.container].image);
        self.say(at, "Normal", "Pulled", format!("Container image \"{image}\" already present on machine"));
        self.say(at, "Normal", "Created", format!("Created container: {name}"));
        self.say(at, "Normal", "Started", format!("Started container {name}"));
        let id = format!("containerd://{:016x}{:016x}", self.chance.next(), self.chance.next());
        let started = self.now + self.chance.between(20, 200);
        let it = &mut self.pods[at.pod].containers[at.container];
        let run = it.runs;
        it.runs += 1;
        it.process = Process::Running { id: id.clone(), run, started };
        let app = &self.pods[at.pod].spec.containers[at.container].app;
        if let Some((uptime, end)) = app.end_of(run) {
            let (code, reason) = match end {
                End::Code(0) => (0, "Completed"),
                End::Code(code) => (code, "Error"),
                End::OutOfMemory => (137, "OOMKilled"),
            };
            self.schedule(started + uptime, Action::Dies { at, id, code, reason });
        }
        let epoch = self.epoch(at.pod);
        self.after(250, 1100, Action::Relist { pod: at.pod, epoch });
    }

    pub fn dies(&mut self, at: Place, dying: &str, code: i32, reason: &'static str) {
        let epoch = self.epoch(at.pod);
        let it = &mut self.pods[at.pod].containers[at.container];
        let Process::Running { id, started, .. } = &it.process else {
            return;
        };
        if id != dying {
            return;
        }
        let ended = Ended { id: id.clone(), code, reason, started: *started, finished: self.now };
        it.process = Process::Ended(ended);
        if it.dying {
            self.after(20, 300, Action::AfterKill { at, epoch });
        } else {
            self.note(at, Deed::Ended(code));
            self.after(100, 1100, Action::Relist { pod: at.pod, epoch });
        }
    }

    /// The kubelet notices what its containers do.
    pub fn relist(&mut self, pod: usize) {
        for container in 0..self.pods[pod].containers.len() {
            let at = Place { pod, container };
            let it = &self.pods[pod].containers[container];
            match it.process.clone() {
                Process::Running { id, run, started } => {
                    let shown = Shown::Running { id, run, started };
                    if it.shown != shown && !it.dying {
                        self.sees_running(at, shown, run);
                    }
                }
                Process::Ended(ended) if it.exited.as_ref() != Some(&ended) && !it.dying => self.sees_end(at, &ended),
                _ => {}
            }
        }
    }

    fn sees_running(&mut self, at: Place, shown: Shown, run: u32) {
        let pod = &mut self.pods[at.pod];
        pod.phase = "Running";
        let spec = &pod.spec.containers[at.container];
        let (readiness, startup) = (spec.probed(Kind::Readiness), spec.probed(Kind::Startup));
        let it = &mut pod.containers[at.container];
        it.shown = shown;
        it.restarts = run;
        it.last = it.exited.clone();
        it.started = startup.is_none();
        it.ready = readiness.is_none() && startup.is_none();
        let triggers = readiness.is_some();
        self.show(at.pod);
        if triggers {
            let epoch = self.epoch(at.pod);
            let lattice = self.now;
            self.after(5, 80, Action::Tick { at, kind: Kind::Readiness, epoch, lattice, once: true });
        }
    }

    fn sees_end(&mut self, at: Place, ended: &Ended) {
        let seen = self.chance.happens(54, 59);
        let it = &mut self.pods[at.pod].containers[at.container];
        it.exited = Some(ended.clone());
        it.shown = Shown::Terminated(ended.clone());
        it.ready = false;
        it.started = false;
        if self.pods[at.pod].deleted.is_some() {
            return;
        }
        let restarts = match self.pods[at.pod].spec.restart_of(at.container) {
            "Never" => false,
            "OnFailure" => ended.code != 0,
            _ => true,
        };
        if !restarts {
            self.settle_phase(at.pod);
        }
        if seen || !restarts {
            self.show(at.pod);
        }
        if restarts {
            self.start_or_wait(at, Some(ended.finished), 900);
        }
    }

    fn settle_phase(&mut self, pod: usize) {
        let it = &mut self.pods[pod];
        let ended = |process: &Process| matches!(process, Process::Ended(_));
        let apps = || it.spec.containers.iter().zip(&it.containers).filter(|(spec, _)| !spec.sidecar);
        if apps().all(|(_, slot)| ended(&slot.process)) {
            let clean = apps().all(|(_, slot)| matches!(&slot.process, Process::Ended(end) if end.code == 0));
            it.phase = if clean { "Succeeded" } else { "Failed" };
        }
    }

    /// `doBackOff` of the kubelet: measured from the termination that it saw last before this sync.
    fn start_or_wait(&mut self, at: Place, seen: Option<i64>, after: i64) {
        let epoch = self.epoch(at.pod);
        let now = self.now;
        let it = &mut self.pods[at.pod].containers[at.container];
        let Some(seen) = seen else {
            return self.after(50, 500, Action::Launch { at, epoch });
        };
        let entry = it.back_off.filter(|(_, set)| seen - set <= FORGOTTEN);
        if let Some((delay, _)) = entry.filter(|(delay, _)| now - seen < *delay) {
            let seconds = delay / 1000;
            if self.is_done(at) {
                return self.show_done(at);
            }
            return self.schedule(now + after, Action::Wait { at, epoch, seconds });
        }
        let delay = entry.map_or(BACK_OFF.0, |(delay, _)| (delay * 2).min(BACK_OFF.1));
        it.back_off = Some((delay, now));
        self.after(50, 500, Action::Launch { at, epoch });
    }

    /// Whether the kubelet does not restart it once it is dead: `OnFailure` after an exit with 0.
    fn is_done(&self, at: Place) -> bool {
        let pod = &self.pods[at.pod];
        let clean = pod.containers[at.container].exited.as_ref().is_some_and(|ended| ended.code == 0);
        pod.spec.restart_of(at.container) == "OnFailure" && clean
    }

    fn show_done(&mut self, at: Place) {
        let it = &mut self.pods[at.pod].containers[at.container];
        if let Some(ended) = it.exited.clone() {
            it.shown = Shown::Terminated(ended);
        }
        it.ready = false;
        it.started = false;
        self.settle_phase(at.pod);
        self.show(at.pod);
    }

    pub fn wait(&mut self, at: Place, seconds: i64) {
        let epoch = self.epoch(at.pod);
        let pod = &mut self.pods[at.pod];
        if pod.deleted.is_some() {
            return;
        }
        let name = pod.spec.containers[at.container].name;
        let message = format!("Back-off restarting failed container {name} in pod {}_prod({})", pod.name, pod.uid);
        let it = &mut pod.containers[at.container];
        it.last = it.exited.clone();
        it.shown = Shown::BackOff { seconds };
        it.ready = false;
        it.started = false;
        let finished = it.exited.as_ref().map_or(self.now, |ended| ended.finished);
        self.say(at, "Warning", "BackOff", message);
        self.show(at.pod);
        let late = self.chance.between(200, 3000);
        self.schedule(finished + seconds * 1000 + late, Action::Retry { at, epoch });
    }

    pub fn retry(&mut self, at: Place) {
        let finished = self.pods[at.pod].containers[at.container].exited.as_ref().map(|ended| ended.finished);
        self.start_or_wait(at, finished, 0);
    }

    pub fn probe_tick(&mut self, at: Place, kind: Kind, lattice: i64, once: bool) {
        let (epoch, now) = (self.epoch(at.pod), self.now);
        let pod = &mut self.pods[at.pod];
        if pod.deleted.is_some() || pod.is_over() {
            return;
        }
        let Some(probe) = pod.spec.containers[at.container].probed(kind).cloned() else {
            return;
        };
        let overloaded = now < self.nodes[pod.node].overloaded;
        let took = pod.due_probe(at.container, kind, now).map(|run| {
            let spec = &pod.spec.containers[at.container];
            let (took, outcome) = prober::probe(spec, &probe, &pod.ip, |handler, port| {
                let answer = pod.answer(at, handler, port, now);
                if overloaded && answer != Answer::Refused { Answer::Hang } else { answer }
            });
            (run, took, outcome)
        });
        let mut done = now;
        if let Some((run, took, outcome)) = took {
            done += took;
            self.schedule(done, Action::Result { at, kind, epoch, run, outcome });
        }
        if !once {
            let mut lattice = lattice + probe.period * 1000;
            while lattice + probe.period * 1000 <= done {
                lattice += probe.period * 1000;
            }
            self.schedule(lattice.max(done), Action::Tick { at, kind, epoch, lattice, once });
        }
    }

    pub fn probed(&mut self, at: Place, kind: Kind, run: u32, outcome: &Outcome) {
        let tail = match outcome {
            Outcome::Passed => None,
            Outcome::Failed(what) => Some(format!("{} probe failed: {what}", kind.title())),
            Outcome::Errored(what) => {
                Some(format!("{} probe errored and resulted in unknown state: {what}", kind.title()))
            }
        };
        if let Some(message) = tail {
            self.say(at, "Warning", "Unhealthy", message);
        }
        let pod = &mut self.pods[at.pod];
        if matches!(outcome, Outcome::Errored(_)) || pod.deleted.is_some() {
            return;
        }
        let spec = &pod.spec.containers[at.container];
        let failures = spec.probed(kind).map_or(1, |probe| probe.failures);
        let no_readiness = spec.probed(Kind::Readiness).is_none();
        let it = &mut pod.containers[at.container];
        let Some(worker) = it.workers.iter_mut().find(|worker| worker.kind == kind) else {
            return;
        };
        let Some(passed) = worker.count(*outcome == Outcome::Passed, failures) else {
            return;
        };
        if !matches!(it.shown, Shown::Running { run: shown, .. } if shown == run) || it.dying {
            return;
        }
        let before = (it.ready, it.started);
        match (kind, passed) {
            (Kind::Readiness, _) => it.ready = passed && it.started,
            (Kind::Startup, true) => {
                it.started = true;
                it.ready = no_readiness;
            }
            (Kind::Liveness, true) => {}
            (Kind::Liveness | Kind::Startup, false) => return self.kill(at, kind),
        }
        let changed = before != (it.ready, it.started);
        // Drawn in any case: the randomness of a seed does not depend on how often a probe passes.
        let delay = self.chance.between(100, 1000);
        if changed {
            self.write(at.pod, delay);
        }
    }

    fn kill(&mut self, at: Place, kind: Kind) {
        let pod = &mut self.pods[at.pod];
        let spec = &pod.spec.containers[at.container];
        let (name, probe) = (spec.name, kind.title().to_lowercase());
        let message = match pod.spec.restart_of(at.container) {
            "Never" if pod.spec.containers.len() == 1 => format!("Stopping container {name}"),
            "Never" => format!("Container {name} failed {probe} probe"),
            _ if spec.sidecar => format!("Init container {name} failed {probe} probe"),
            _ => format!("Container {name} failed {probe} probe, will be restarted"),
        };
        pod.containers[at.container].dying = true;
        let grace = spec.probed(kind).and_then(|probe| probe.grace).unwrap_or(pod.spec.grace);
        self.say(at, "Normal", "Killing", message);
        self.note(at, Deed::Killed(kind));
        self.terminate(at, grace);
    }

    /// SIGTERM, and SIGKILL when the grace period is over. Returns the maximum time that takes.
    fn terminate(&mut self, at: Place, grace: i64) -> i64 {
        let (epoch, now) = (self.epoch(at.pod), self.now);
        let pod = &self.pods[at.pod];
        let term = pod.spec.containers[at.container].app.term;
        let grace = grace * 1000;
        let Process::Running { id, .. } = &pod.containers[at.container].process else {
            self.after(50, 300, Action::AfterKill { at, epoch });
            return 0;
        };
        let (code, after) = match term {
            Term::Exits(code, after) if after < grace => (code, after),
            _ => (137, grace),
        };
        let reason = if code == 0 { "Completed" } else { "Error" };
        let id = id.clone();
        self.schedule(now + after, Action::Dies { at, id, code, reason });
        after
    }

    pub fn after_kill(&mut self, at: Place) {
        let pod = &mut self.pods[at.pod];
        if pod.deleted.is_some() {
            return;
        }
        let sidecar = pod.spec.containers[at.container].sidecar;
        let never = pod.spec.restart_of(at.container) == "Never";
        let it = &mut pod.containers[at.container];
        let Process::Ended(ended) = it.process.clone() else {
            return;
        };
        it.dying = false;
        let before = it.exited.replace(ended.clone()).map(|ended| ended.finished);
        if never || sidecar {
            it.shown = Shown::Terminated(ended);
            it.ready = false;
            it.started = false;
            if never {
                self.settle_phase(at.pod);
            }
            self.show(at.pod);
        }
        if !never {
            self.start_or_wait(at, before, 0);
        }
    }

    pub fn stop(&mut self, pod: usize) {
        let it = &mut self.pods[pod];
        if it.deleted.is_some() || it.gone {
            return;
        }
        it.deleted = Some(self.now);
        let mut longest = 0;
        self.write(pod, 5);
        for container in 0..self.pods[pod].containers.len() {
            let at = Place { pod, container };
            if self.pods[pod].containers[container].is_running() {
                self.pods[pod].containers[container].dying = true;
                let name = self.pods[pod].spec.containers[container].name;
                self.say(at, "Normal", "Killing", format!("Stopping container {name}"));
                let grace = self.pods[pod].spec.grace;
                longest = longest.max(self.terminate(at, grace));
            }
        }
        self.after(longest + 300, longest + 2000, Action::Gone(pod));
    }

    pub fn gone(&mut self, pod: usize) {
        for it in &mut self.pods[pod].containers {
            if let Process::Ended(ended) = &it.process {
                it.shown = Shown::Terminated(ended.clone());
            }
            it.ready = false;
        }
        self.settle_phase(pod);
        self.write(pod, 5);
        let it = &mut self.pods[pod];
        it.gone = true;
        let at = it.written_at + 5;
        let object = it.json(at);
        self.emit(at, "pods", "DELETED", object);
    }
}

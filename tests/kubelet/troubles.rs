//! Faults of nodes: kubelet restarts, reboots, clock skew, lag, overload.

use super::manifest::Kind;
use super::node::Node;
use super::pod::{Ended, Process, Shown};
use super::{Action, Cluster, Place};

impl Cluster {
    /// The clock of a node is ahead by that many milliseconds, for pods admitted from now on.
    pub fn skew(&mut self, node: usize, millis: i64) {
        self.nodes[node].skew = millis;
    }

    /// A node's writes from now on are observed that much later.
    pub fn lag(&mut self, node: usize, millis: i64) {
        self.nodes[node].lag = millis;
    }

    /// A container that cannot start: retried again and again, with doubling delays.
    pub fn blocked(&mut self, at: Place, [first, between, message]: [&'static str; 3], delay: i64) {
        let epoch = self.epoch(at.pod);
        let pod = &self.pods[at.pod];
        if pod.deleted.is_some() || pod.is_over() {
            return;
        }
        let again = matches!(pod.containers[at.container].shown, Shown::Blocked { .. });
        if first.contains("Image") {
            self.say(at, "Warning", "Failed", message.to_owned());
        }
        self.say(at, "Warning", "Failed", format!("Error: {first}"));
        let reason = if again { between } else { first };
        self.pods[at.pod].containers[at.container].shown = Shown::Blocked { reason, message };
        self.show(at.pod);
        self.schedule(self.now + delay, Action::Unblock { at, epoch, delay });
    }

    /// The next attempt of a container that could not start.
    pub fn unblock(&mut self, at: Place, delay: i64) {
        if let Some(why) = self.pods[at.pod].spec.containers[at.container].blocked {
            self.blocked(at, why, (delay * 2).min(300_000));
        }
    }

    /// For that many milliseconds nothing on a node answers its probes in time.
    pub fn overload(&mut self, node: usize, millis: i64) {
        let until = self.now + millis;
        let Node { overloaded, .. } = &mut self.nodes[node];
        *overloaded = until;
    }

    pub fn restart_kubelet(&mut self, node: usize) {
        self.nodes[node].epoch += 1;
        let epoch = self.nodes[node].epoch;
        self.after(1500, 6000, Action::KubeletUp { node, epoch });
    }

    pub fn reboot(&mut self, node: usize) {
        self.nodes[node].epoch += 1;
        let epoch = self.nodes[node].epoch;
        let up = self.now + self.chance.between(30_000, 60_000);
        for pod in self.pods.iter_mut().filter(|pod| pod.node == node && !pod.gone) {
            for it in &mut pod.containers {
                if let Process::Running { id, started, .. } = &it.process {
                    let (id, started) = (id.clone(), *started);
                    it.process = Process::Ended(Ended { id, code: 255, reason: "Unknown", started, finished: up });
                }
            }
        }
        self.schedule(up, Action::KubeletUp { node, epoch });
    }

    /// Something on the node kills the containers, one after the other.
    pub fn strike(&mut self, node: usize) {
        for pod in 0..self.pods.len() {
            if self.pods[pod].node != node || self.pods[pod].gone {
                continue;
            }
            for container in 0..self.pods[pod].containers.len() {
                let Process::Running { id, .. } = &self.pods[pod].containers[container].process else { continue };
                let (id, at) = (id.clone(), Place { pod, container });
                self.after(0, 4_000, Action::Dies { at, id, code: 137, reason: "Error" });
            }
        }
    }

    /// The kubelet is back: new event objects, full rate limits, no back-offs, terminations shown again.
    pub fn kubelet_up(&mut self, node: usize) {
        let epoch = self.nodes[node].epoch;
        let pods = (0..self.pods.len()).filter(|pod| self.pods[*pod].node == node && !self.pods[*pod].gone);
        for pod in pods.collect::<Vec<_>>() {
            let it = &mut self.pods[pod];
            if !it.admitted || it.is_over() || it.deleted.is_some() {
                continue;
            }
            it.recorder = super::events::Recorder::default();
            it.new_workers();
            for container in 0..self.pods[pod].containers.len() {
                let at = Place { pod, container };
                let readiness = self.pods[pod].spec.containers[container].probed(Kind::Readiness).is_some();
                let it = &mut self.pods[pod].containers[container];
                it.back_off = None;
                it.dying = false;
                match it.process.clone() {
                    Process::Ended(ended) => {
                        if ended.code != 255 {
                            it.shown = Shown::Terminated(ended.clone());
                            it.last = None;
                            it.ready = false;
                            it.started = false;
                        }
                        it.exited = Some(ended);
                        self.after(300, 10_000, Action::Launch { at, epoch });
                    }
                    Process::None => self.after(300, 3000, Action::Launch { at, epoch }),
                    // It treats earlier containers as started, whether their startup probe passed or not.
                    Process::Running { .. } if !it.started => {
                        it.started = true;
                        it.ready = !readiness;
                    }
                    Process::Running { .. } => {}
                }
            }
            self.show(pod);
            self.start_workers(pod, true);
            self.after(500, 1500, Action::Relist { pod, epoch });
        }
    }
}

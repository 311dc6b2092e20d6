//! Pods and events → what is remembered of them.

pub(super) mod container_status;
pub(super) mod events;
pub(super) mod lists;
pub(super) mod unmatched_events;

use std::sync::Arc;

use crate::diagnosis::CameUp;
use crate::engine::counts::Counted;
use crate::engine::effects::never_ready::{UNREADY, is_unready};
use crate::engine::memory::history::MAX_INCARNATIONS;
use crate::engine::memory::pods::{Container, Phase, Pod};
use crate::engine::memory::template_record::Tally;
use crate::engine::observation::{ContainerSnapshot, KubeletEvent, PodId, PodSnapshot, Scope, State};
use crate::engine::view::container::LATE_ENOUGH;
use crate::engine::view::probe_passed::Incarnations;
use crate::engine::view::termination::{fell, judge, judge_all};
use crate::engine::{Engine, Seen};
use crate::kubelet::ProbeKind;
use crate::template::{ContainerSpec, RestartAction};
use crate::time::Time;
use container_status::Sight;

impl Engine {
    pub(super) fn pod(&mut self, snapshot: &PodSnapshot) {
        let known = self.pods.find(snapshot.id.uid);
        match (snapshot.seen, known) {
            (Seen::Changed, _) => self.lists.changed(&snapshot.id.namespace, self.now),
            (Seen::Listed, Some(_)) => self.lists.listed_again(&snapshot.id.namespace, self.now),
            (Seen::Listed, None) => {}
        }
        match known {
            Some(place) => self.pod_again(place, snapshot),
            None => self.new_pod(snapshot),
        }
    }

    fn new_pod(&mut self, snapshot: &PodSnapshot) {
        let id = self.workload_of(snapshot);
        let mut pod = Box::new(record(snapshot, id, self.lists.number(), self.now));
        let workload = self.workloads.get_mut(&id);
        pod.owner = workload.and_then(|workload| workload.shared_owner(snapshot.owner.as_ref()));
        let place = self.pods.insert(pod, snapshot.event_uid);
        if let Some(workload) = self.workloads.get_mut(&id) {
            workload.pods.insert(place);
            workload.empty_since = None;
        }
        let mut matters = self.statuses(place, snapshot);
        for event in self.unmatched.take(&snapshot.id, snapshot.event_uid) {
            matters |= self.heard(place, &event);
        }
        self.note_passes(place);
        self.after(id, matters);
    }

    fn pod_again(&mut self, place: u32, snapshot: &PodSnapshot) {
        let (list, now) = (self.lists.number(), self.now);
        let Some(pod) = self.pods.get_mut(place) else { return };
        pod.list = list;
        let id = pod.workload;
        let older = snapshot.version != 0 && snapshot.version < pod.version;
        let moved = !crate::template::is_same(&pod.template, &snapshot.template);
        if moved && !pod.template.has_containers_of(&snapshot.template) {
            // No API server allows the containers of a pod to change: the known state is useless for it.
            if !older {
                self.remove(place);
                self.new_pod(snapshot);
            }
            return;
        }
        if older {
            let late = |status: &&super::ContainerSnapshot| {
                pod.containers
                    .get_mut(status.index)
                    .is_some_and(|container| container_status::take_in_late(container, status))
            };
            let matters = snapshot.containers.iter().filter(late).count() > 0;
            self.after(id, matters);
            return;
        }
        let changed = snapshot.deleting != pod.deleting || pod.ended != snapshot.ended_by.is_some();
        pod.version = snapshot.version;
        if snapshot.seen == Seen::Changed {
            pod.observed = now;
        }
        pod.node.clone_from(&snapshot.node);
        pod.ip = snapshot.ip.or(pod.ip);
        pod.start_time = snapshot.start_time.or(pod.start_time);
        if moved {
            pod.template = Arc::clone(&snapshot.template);
        }
        if changed {
            self.note_passes(place);
        }
        let matters = self.statuses(place, snapshot);
        if let Some(pod) = self.pods.get_mut(place) {
            pod.deleting = snapshot.deleting;
            pod.ended = snapshot.ended_by.is_some();
        }
        self.note_passes(place);
        self.after(id, matters || changed);
    }

    /// Takes in the statuses of a pod's containers; returns whether a finding may rest on what is new.
    fn statuses(&mut self, place: u32, snapshot: &PodSnapshot) -> bool {
        let sight = Sight {
            seen: snapshot.seen,
            with_pod: snapshot.deleting || snapshot.ended_by.is_some(),
            now: self.now,
            clock: self.nodes.seen_from(&snapshot.id.namespace).clock(snapshot.node.as_ref(), self.now),
        };
        let mut matters = false;
        for status in &snapshot.containers {
            self.make_room(place, status.index);
            let Some(pod) = self.pods.get_mut(place) else { continue };
            let template = Arc::clone(&pod.template);
            let (Some(container), Some(spec)) =
                (pod.containers.get_mut(status.index), template.containers.get(status.index))
            else {
                continue;
            };
            let (first, ran) = (container.phase == Phase::Absent, container.phase == Phase::Running);
            let with_pod = sight.with_pod || ended_by_a_rule(snapshot, status);
            let news = container_status::take_in(container, spec, status, Sight { with_pod, ..sight });
            if let Some(history) = container.history.as_mut()
                && history.pod.is_none()
            {
                history.pod = Some(Arc::clone(&snapshot.id.name));
            }
            matters |= news.matters || spec.has_probe_that_cannot_run();
            let begins_unready = !ran && container.history.is_none() && is_unready(spec, container);
            let id = pod.workload;
            if begins_unready {
                // There may be no event when it does not become ready.
                self.wake(id, Some(self.now.plus(UNREADY)));
            }
            if let Some((node, stamp)) = snapshot.node.as_ref().zip(news.stamp) {
                self.nodes.status(node, stamp, self.now);
            }
            if news.matters {
                self.note_shared(place, status.index);
            }
            if first {
                self.restarted(id, spec, status.restarts);
            } else {
                self.restarted(id, spec, news.restarts);
                self.count(id, &spec.name, Counted::Restart, news.restarts);
            }
            if let Some(took) = news.came_up {
                self.came_up(id, &template, status.index, took);
            }
        }
        matters
    }

    /// Folds the oldest incarnation of a container if there is no room for the next two.
    fn make_room(&mut self, place: u32, index: usize) {
        while self.runs_of(place, index) + 2 > MAX_INCARNATIONS {
            self.fold(place, index, Some(0));
            let Some(history) = self.pods.get_mut(place).and_then(|pod| pod.containers[index].history.as_mut()) else {
                return;
            };
            let oldest = history.incarnations.pop_front();
            history.cut = oldest.and_then(|run| run.end).and_then(|end| end.ended.finished).or(history.cut);
        }
    }

    fn runs_of(&self, place: u32, index: usize) -> usize {
        let container = self.pods.get(place).and_then(|pod| pod.containers.get(index));
        container.and_then(|container| container.history.as_ref()).map_or(0, |history| history.incarnations.len())
    }

    /// Adds what a container has shown to its template's record: one incarnation, or all of it.
    fn fold(&mut self, place: u32, index: usize, run: Option<usize>) {
        let Some(pod) = self.pods.get(place) else { return };
        let (Some(container), Some(spec)) = (pod.containers.get(index), pod.template.containers.get(index)) else {
            return;
        };
        let Some(workload) = self.workloads.get_mut(&pod.workload) else { return };
        let namespace = Arc::clone(&workload.namespace);
        let node = self.nodes.seen_from(&namespace).at(pod.node.as_ref(), self.now);
        let subject = Incarnations::new(pod, spec, container, node, None, self.now);
        let Some(subject) = subject else { return };
        let Some(horizon) = workload.cases.get(&spec.name).map(|case| case.horizon) else {
            return;
        };
        let mut tally = Tally::default();
        // Later events about it will not be counted.
        let judged = self.now.plus(LATE_ENOUGH);
        match run {
            Some(run) => tally.add_run(&subject, run, judge(&subject, run, judged), horizon),
            None => tally.add(&subject, &judge_all(&subject, judged), horizon),
        }
        let passed = subject.passed();
        let known = &mut workload.record_mut(&pod.template, &self.pods, self.now).containers[index];
        known.passed = known.passed.with(passed);
        known.looped |= tally.looped();
        known.folded.get_or_insert_default().absorb(&tally);
    }

    fn count(&mut self, id: usize, container: &Arc<str>, what: Counted, by: u32) {
        if let Some(workload) = self.workloads.get(&id) {
            self.counts.add(workload, container, what, by);
        }
    }

    fn restarted(&mut self, id: usize, spec: &ContainerSpec, restarts: u32) {
        if restarts == 0 {
            return;
        }
        let now = self.now;
        let Some(workload) = self.workloads.get_mut(&id) else {
            return;
        };
        let case = workload.cases.entry(Arc::clone(&spec.name)).or_default();
        case.restarts = case.restarts.saturating_add(u64::from(restarts));
        case.last_restart = Some(now);
    }

    fn came_up(&mut self, id: usize, template: &Arc<crate::template::PodTemplate>, index: usize, took: CameUp) {
        let Some(workload) = self.workloads.get_mut(&id) else {
            return;
        };
        let known = &mut workload.record_mut(template, &self.pods, self.now).containers[index];
        known.add_came_up(Some(took));
    }

    /// Notes which probes of a pod have passed.
    fn note_passes(&mut self, place: u32) {
        let Some(pod) = self.pods.get(place) else { return };
        if let Some(workload) = self.workloads.get_mut(&pod.workload) {
            let (namespace, node) = (Arc::clone(&workload.namespace), pod.node.as_ref());
            let clock = || self.nodes.seen_from(&namespace).clock(node, self.now);
            workload.note_passes_of(pod, &self.pods, clock, self.lists.alive(&namespace));
        }
    }

    pub(super) fn pod_gone(&mut self, id: &PodId) {
        let Some(place) = self.pods.find(id.uid) else { return };
        self.remove(place);
    }

    fn remove(&mut self, place: u32) {
        self.note_passes(place);
        let containers = self.pods.get(place).map_or(0, |pod| pod.containers.len());
        for index in 0..containers {
            self.fold(place, index, None);
        }
        let Some(pod) = self.pods.remove(place) else { return };
        let id = pod.workload;
        let Some(workload) = self.workloads.get_mut(&id) else {
            return;
        };
        if let Some(chronicle) = &mut self.chronicle {
            chronicle.pod_gone(&pod, workload, &self.nodes, self.now);
        }
        workload.pods.remove(place);
        if workload.pods.is_empty() {
            workload.empty_since = Some(self.now);
        }
        self.after(id, true);
    }

    /// Pods in the scope not seen since its list began are gone.
    pub(super) fn list_finished(&mut self, scope: &Scope) {
        let Some(number) = self.lists.finish(scope) else { return };
        let unseen = |place: &u32| self.pods.get(*place).is_some_and(|pod| pod.list < number);
        let listed = || self.workloads.values().filter(|workload| scope.includes(&workload.namespace));
        let gone: Vec<_> = listed().flat_map(|workload| workload.pods.iter()).filter(unseen).collect();
        for place in gone {
            self.remove(place);
        }
        let held = self.workloads.iter().filter(|(_, workload)| scope.includes(&workload.namespace));
        let held: Vec<_> = held.filter(|(_, workload)| workload.is_unwell()).map(|(id, _)| *id).collect();
        for id in held {
            self.look(id);
        }
    }

    pub(super) fn event(&mut self, event: KubeletEvent) {
        match self.pods.addressed(&event.pod) {
            Some(place) => {
                let id = self.pods.get(place).map(|pod| pod.workload);
                let matters = self.heard(place, &event);
                if let Some(id) = id {
                    self.after(id, matters);
                }
            }
            None => self.unmatched.push(event, self.now),
        }
    }

    fn heard(&mut self, place: u32, event: &KubeletEvent) -> bool {
        let Some(pod) = self.pods.get_mut(place) else {
            return false;
        };
        let heard = events::take_in(pod, event, &self.settings);
        let Some(index) = heard.container else { return false };
        if let Some(node) = pod.node.clone() {
            self.nodes.event(&node, event, self.born, self.now);
        }
        let Some(pod) = self.pods.get_mut(place) else { return false };
        if let Some(history) = pod.containers[index].history.as_mut() {
            history.pod.get_or_insert_with(|| Arc::clone(&event.pod.name));
        }
        let said_anew = pod.containers[index].history.as_ref().and_then(|history| history.said_anew());
        if let Some((node, at)) = pod.node.as_ref().zip(said_anew) {
            self.nodes.kubelet_restarted(node, &event.pod.namespace, at, self.now);
        }
        let (id, template) = (pod.workload, Arc::clone(&pod.template));
        let Some(workload) = self.workloads.get_mut(&id) else {
            return false;
        };
        let name = &template.containers[index].name;
        if let Some((probe, by)) = heard.failed {
            self.counts.add(workload, name, Counted::ProbeFailure(probe), by);
        }
        if let Some(probe) = heard.errored {
            let known = &mut workload.record_mut(&template, &self.pods, self.now).containers[index];
            // Then it proves nothing that it never killed.
            known.passed.remove(probe);
            known.errored.add(probe);
        }
        workload.cases.entry(Arc::clone(name)).or_default();
        self.note_shared(place, index);
        true
    }

    /// Notes what may have happened to others at the same time, as far as known by now: that probes that
    /// had passed began to fail, and that the container was terminated from outside.
    fn note_shared(&mut self, place: u32, index: usize) {
        let Some(pod) = self.pods.get(place) else { return };
        let (spec, state) = (&pod.template.containers[index], &pod.containers[index]);
        let Some(workload) = self.workloads.get(&pod.workload) else { return };
        let node = self.nodes.seen_from(&workload.namespace).at(pod.node.as_ref(), self.now);
        let Some(subject) = Incarnations::new(pod, spec, state, node, None, self.now) else { return };
        let horizon = workload.cases.get(&spec.name).map(|case| case.horizon).unwrap_or_default();
        for run in 0..subject.history.incarnations.len() {
            // A readiness probe that fails below its threshold is only a blip.
            let is_ready = state.is_ready() && run + 1 == subject.history.incarnations.len();
            let probes = ProbeKind::ALL.into_iter().filter(|probe| !is_ready || *probe != ProbeKind::Readiness);
            let onsets = probes.filter_map(|probe| subject.onset_in(run, probe));
            let onsets = onsets.map(|at| subject.clock.ours(at)).filter(|at| *at >= horizon);
            onsets.for_each(|at| self.onsets.note(workload.who(&spec.name), pod.node.as_ref(), at));
        }
        let Some(node) = &pod.node else { return };
        let falls = (0..subject.history.incarnations.len()).filter_map(|run| fell(&subject, run, self.now));
        let falls: Vec<_> = falls.collect();
        for at in falls {
            self.nodes.fell(node, (Arc::clone(&workload.namespace), workload.label()), at);
        }
    }
}

/// Whether a restart rule of another container was restarting the whole pod when this one terminated.
fn ended_by_a_rule(snapshot: &PodSnapshot, status: &ContainerSnapshot) -> bool {
    let State::Terminated(ended) = &status.state else { return false };
    let mut others = snapshot.containers.iter().filter(|other| other.index != status.index);
    others.any(|other| {
        let (State::Terminated(first), Some(spec)) = (&other.state, snapshot.template.containers.get(other.index))
        else {
            return false;
        };
        let mut rules = spec.restart_rules.iter();
        let restarts_all = rules.any(|rule| rule.action == RestartAction::All && rule.fits(first.exit));
        restarts_all && first.finished <= ended.finished
    })
}

fn record(snapshot: &PodSnapshot, workload: usize, list: u32, now: Time) -> Pod {
    Pod {
        uid: snapshot.id.uid,
        called: snapshot.id.called(),
        owner: None,
        workload,
        template: Arc::clone(&snapshot.template),
        node: snapshot.node.clone(),
        ip: snapshot.ip,
        created: snapshot.created,
        start_time: snapshot.start_time,
        deleting: snapshot.deleting,
        ended: snapshot.ended_by.is_some(),
        is_static: snapshot.is_static,
        observed: now,
        version: snapshot.version,
        list,
        state: 0,
        containers: snapshot.template.containers.iter().map(|_| Container::default()).collect(),
    }
}

//! Which workloads are looked at, when, and what is asked about them.

use std::sync::Arc;
use std::time::Duration;

use super::observation::{Need, Owner, PodSnapshot, ServicesFacts, WorkloadFacts};
use super::pods::{Container, Phase};
use super::scene::Scene;
use super::speak::{self, Outcome};
use super::workload::Workload;
use super::{Engine, quiet};
use crate::finding::{Change, ChangeKind, Finding};
use crate::kubelet::ProbeKind;
use crate::template::ContainerSpec;
use crate::time::Time;

/// Owners whose place in a chain of controllers is remembered.
const MOST_TOPS: usize = 50_000;
/// A workload is asked for no more often.
const CURIOSITY: Duration = Duration::from_secs(1);
/// A workload without pods of which there was something to say is forgotten after this long.
const FORGET: Duration = Duration::from_hours(24);
/// One of which there was not, or a Job, which never comes again, after this long.
const FORGET_SOON: Duration = Duration::from_mins(10);
/// A bare pod, which is gone with its only pod, after this long: they come and go by the thousand.
const FORGET_POD: Duration = Duration::from_mins(1);
/// For each of its pods the next look at a workload waits this long: large ones storm.
const BREATH: Duration = Duration::from_micros(100);
/// And this long, where nothing came that a finding may rest on, or it has been told already.
const CALM: Duration = Duration::from_millis(5);
/// Longer no look waits, however many pods there are.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

impl Engine {
    /// After something of a workload was seen: look at it, or soon.
    pub(super) fn after(&mut self, id: usize, matters: bool) {
        let Some(workload) = self.workloads.get(&id) else {
            return;
        };
        let empty = workload.pods.is_empty();
        if !matters && !workload.is_unwell() && !empty {
            return;
        }
        let is_urgent = empty || matters && !workload.is_told();
        let for_each = if is_urgent { BREATH } else { CALM };
        let wait = for_each.saturating_mul(workload.pods.len() as u32).min(LONGEST_WAIT);
        let ready_at = workload.looked_at.map(|at| at.plus(wait));
        match ready_at {
            Some(at) if at > self.now => self.wake(id, Some(at)),
            _ => self.look(id),
        }
    }

    /// Looks at a workload: says what there is to say, and decides when to look again.
    pub(super) fn look(&mut self, id: usize) {
        let Some(mut workload) = self.workloads.remove(&id) else {
            return;
        };
        if let Some(at) = workload.wake.take() {
            self.wakes.remove(&(at, id));
        }
        workload.looked_at = Some(self.now);
        workload.note_passes(&self.pods, &self.nodes, self.lists.alive(&workload.namespace), self.now);
        note_spec_proofs(&mut workload, &self.pods);
        let outcome = self.look_at_cases(&mut workload);
        let again = outcome.again.into_iter().chain(pending(&workload, &self.pods, &self.nodes, self.now)).min();
        let forget = workload.empty_since.map(|since| since.plus(kept_without_pods(&workload)));
        let forgotten = forget.is_some_and(|at| at <= self.now);
        let wake = again.into_iter().chain(forget).min().filter(|at| *at > self.now);
        if outcome.curious {
            self.ask(&mut workload);
        }
        self.changes.extend(outcome.changes);
        if forgotten {
            self.by_name.remove(&(Arc::clone(&workload.namespace), workload.top.clone()));
            return;
        }
        self.workloads.insert(id, workload);
        self.wake(id, wake);
    }

    fn look_at_cases(&mut self, workload: &mut Workload) -> Outcome {
        let mut all = Outcome::default();
        let mut cases = std::mem::take(&mut workload.cases);
        for (name, case) in &mut cases {
            let horizon = case.horizon;
            let outcome = speak::look(&self.scene(workload, name), case);
            all.changes.extend(outcome.changes);
            all.again = all.again.into_iter().chain(outcome.again).min();
            all.curious |= outcome.curious;
            let idle = !case.episodes.values().any(|episode| episode.is_active());
            let ended = case.horizon != horizon;
            if ended {
                self.onsets.forget(&workload.who(name));
            }
            forget_folded(workload, name, ended, idle, self.now.minus(self.settings.window));
        }
        workload.cases = cases;
        all
    }

    /// A container of a workload as it is looked at now.
    pub(super) fn scene<'a>(&'a self, workload: &'a Workload, container: &'a Arc<str>) -> Scene<'a> {
        Scene {
            workload,
            container,
            pods: &self.pods,
            members: Vec::new(),
            settings: &self.settings,
            onsets: &self.onsets,
            nodes: &self.nodes,
            now: self.now,
            alive: self.lists.alive(&workload.namespace),
            listing: self.lists.is_listing(&workload.namespace),
            settled: self.settled,
        }
        .with_members()
    }

    pub(super) fn wake(&mut self, id: usize, at: Option<Time>) {
        let (Some(at), Some(workload)) = (at, self.workloads.get_mut(&id)) else {
            return;
        };
        if let Some(before) = workload.wake {
            if before <= at {
                return;
            }
            self.wakes.remove(&(before, id));
        }
        workload.wake = Some(at);
        self.wakes.insert((at, id));
    }

    /// Asks about a workload, where the answer may have changed.
    fn ask(&mut self, workload: &mut Workload) {
        let ready = workload.pods.iter().filter_map(|place| self.pods.get(*place));
        let (mut live, mut up) = (0, 0);
        for pod in ready {
            live += usize::from(pod.is_live());
            up += usize::from(pod.is_live() && pod.containers.iter().all(|container| container.ready));
        }
        let about = (live, up, workload.trials.len());
        let soon = workload.asked.is_some_and(|at| self.now < at.plus(CURIOSITY));
        if (workload.asked.is_some() && workload.asked_of == about) || soon {
            return;
        }
        workload.asked = Some(self.now);
        workload.asked_of = about;
        let pod = workload.pods.iter().next_back().and_then(|place| self.pods.get(*place));
        let owner = workload.owner.as_deref().unwrap_or(&workload.top).clone();
        let namespace = Arc::clone(&workload.namespace);
        if workload.owner.is_some() {
            self.needs.push(Need::Workload { namespace: Arc::clone(&namespace), owner: owner.clone() });
        }
        if let Some(pod) = pod {
            self.needs.push(Need::Services { namespace, owner, labels: Arc::clone(&pod.template.labels) });
        }
    }

    /// The workload that a pod belongs to, made where it is new.
    pub(super) fn workload_of(&mut self, snapshot: &PodSnapshot) -> usize {
        let namespace = &snapshot.id.namespace;
        let learnt = snapshot.owner.as_ref().and_then(|owner| self.tops.get(&(Arc::clone(namespace), owner.clone())));
        let top = learnt.cloned().unwrap_or_else(|| Workload::of(snapshot));
        self.workload_named(namespace, top)
    }

    fn workload_named(&mut self, namespace: &Arc<str>, top: Owner) -> usize {
        let key = (Arc::clone(namespace), top);
        if let Some(id) = self.by_name.get(&key) {
            return *id;
        }
        self.next_workload += 1;
        let id = self.next_workload;
        self.workloads.insert(id, Box::new(Workload::new(Arc::clone(namespace), key.1.clone())));
        self.by_name.insert(key, id);
        id
    }

    pub(super) fn workload_facts(&mut self, facts: WorkloadFacts) {
        if self.tops.len() < MOST_TOPS {
            self.tops.insert((Arc::clone(&facts.namespace), facts.owner.clone()), facts.top.clone());
        }
        let id = self.workload_named(&facts.namespace, facts.top.clone());
        self.move_pods(&facts, id);
        let Some(workload) = self.workloads.get_mut(&id) else { return };
        let is_new = workload.facts.as_deref() != Some(&facts);
        workload.facts = Some(Box::new(facts));
        self.after(id, is_new);
    }

    /// Moves the pods of an owner to the workload that turned out to be on top of it.
    fn move_pods(&mut self, facts: &WorkloadFacts, to: usize) {
        let named =
            |kind: &str, name: &str| (Arc::clone(&facts.namespace), Owner { kind: kind.into(), name: name.into() });
        let guesses = [
            Some(named(&facts.owner.kind, &facts.owner.name)),
            facts.owner.name.rsplit_once('-').map(|(name, _)| named("Deployment", name)),
        ];
        for from in guesses
            .into_iter()
            .flatten()
            .filter_map(|key| self.by_name.get(&key).copied())
            .filter(|from| *from != to)
            .collect::<Vec<_>>()
        {
            let Some(workload) = self.workloads.get_mut(&from) else {
                continue;
            };
            let owned =
                |place: &&u32| self.pods.get(**place).is_some_and(|pod| pod.owner.as_deref() == Some(&facts.owner));
            let places: Vec<u32> = workload.pods.iter().filter(owned).copied().collect();
            if places.is_empty() {
                continue;
            }
            let all = places.len() == workload.pods.len();
            workload.pods.retain(|place| !places.contains(place));
            for place in &places {
                if let Some(pod) = self.pods.get_mut(*place) {
                    pod.workload = to;
                }
            }
            let taken = all.then(|| self.workloads.remove(&from)).flatten();
            if let Some(taken) = &taken {
                self.by_name.remove(&(Arc::clone(&taken.namespace), taken.top.clone()));
                if let Some(at) = taken.wake {
                    self.wakes.remove(&(at, from));
                }
            }
            self.receive(to, places, taken);
        }
    }

    fn receive(&mut self, to: usize, places: Vec<u32>, taken: Option<Box<Workload>>) {
        let now = self.now;
        let Some(workload) = self.workloads.get_mut(&to) else {
            return;
        };
        for place in places {
            let Some(pod) = self.pods.get(place) else { continue };
            workload.owner = pod.owner.clone().or_else(|| workload.owner.take());
            workload.pods.insert(place);
            workload.trial_mut(&pod.template, &self.pods, now);
        }
        workload.empty_since = None;
        let Some(taken) = taken else { return };
        for container in taken.cases.keys() {
            self.onsets.rename(&taken.who(container), workload.who(container));
        }
        workload.services = workload.services.take().or(taken.services);
        workload.asked = workload.asked.max(taken.asked);
        for trial in taken.trials {
            let known = workload.trial_mut(&trial.template, &self.pods, now);
            for (mine, theirs) in known.containers.iter_mut().zip(trial.containers) {
                mine.absorb(theirs);
            }
        }
        let label: Arc<str> = workload.label().into();
        for (name, case) in taken.cases {
            let old = workload.cases.entry(name).or_default().absorb(*case, &label);
            self.changes.extend(old.into_iter().map(|finding| Change {
                kind: ChangeKind::Withdrawn,
                at: now,
                finding,
            }));
        }
    }

    pub(super) fn services_facts(&mut self, facts: ServicesFacts) {
        let top = self.tops.get(&(Arc::clone(&facts.namespace), facts.owner.clone())).unwrap_or(&facts.owner).clone();
        let Some(id) = self.by_name.get(&(facts.namespace, top)).copied() else {
            return;
        };
        let Some(workload) = self.workloads.get_mut(&id) else { return };
        let is_new = workload.services.as_ref() != Some(&facts.services);
        workload.services = Some(facts.services);
        workload.note_reach();
        self.after(id, is_new);
    }

    /// Takes up a finding that was said before a restart of the operator, or by another replica.
    pub(super) fn remember(&mut self, finding: &Finding) {
        let Some((kind, name)) = finding.workload.split_once('/') else {
            return;
        };
        let id = self.workload_named(&finding.namespace, Owner { kind: kind.into(), name: name.into() });
        let now = self.now;
        let Some(workload) = self.workloads.get_mut(&id) else {
            return;
        };
        if workload.pods.is_empty() {
            workload.empty_since = workload.empty_since.or(Some(now));
        }
        let case = workload.cases.entry(Arc::clone(&finding.container)).or_default();
        let said = case.remember(finding, now);
        let has_pods = !workload.pods.is_empty();
        self.changes.extend(said.map(|(kind, finding)| Change { kind, at: now, finding }));
        if has_pods {
            self.after(id, true);
        }
        self.wake(id, Some(now.plus(Duration::from_mins(1))));
    }
}

/// Containers whose specification alone proves that a probe of theirs cannot run have a case.
fn note_spec_proofs(workload: &mut Workload, pods: &super::pods::PodTable) {
    for pod in workload.pods.iter().filter_map(|place| pods.get(*place)) {
        for (spec, state) in pod.template.containers.iter().zip(&pod.containers) {
            let proven =
                [ProbeKind::Liveness, ProbeKind::Startup].into_iter().any(|probe| quiet::names_no_port(spec, probe));
            let unready = is_unready(spec, state) && pod.is_live();
            if (proven || unready || state.history.is_some()) && !workload.cases.contains_key(&spec.name) {
                workload.cases.insert(Arc::clone(&spec.name), Box::default());
            }
        }
    }
}

/// Whether it runs and its readiness probe does not pass.
pub(super) fn is_unready(spec: &ContainerSpec, state: &Container) -> bool {
    state.phase == Phase::Running && !state.ready && spec.readiness.is_some()
}

/// When the next end that waits for its event has waited long enough.
fn pending(workload: &Workload, pods: &super::pods::PodTable, nodes: &super::nodes::Nodes, now: Time) -> Option<Time> {
    let pods = workload.pods.iter().filter_map(|place| pods.get(*place));
    pods.filter_map(|pod| {
        let runs = pod.containers.iter().filter_map(|container| container.history.as_ref());
        let ends = runs.flat_map(|history| history.runs.iter()).filter_map(|run| run.end.as_ref());
        let latest = ends.map(|end| end.seen_at).max()?;
        let patience = super::judge::patience(nodes.seen_from(&workload.namespace).clock(pod.node.as_ref(), now));
        let by_rules = pod.template.containers.iter().any(ContainerSpec::has_restart_rules);
        let settled = by_rules.then(|| latest.plus(super::looping::UNTIL_SETTLED));
        [Some(latest.plus(patience)), settled].into_iter().flatten().filter(|due| *due > now).min()
    })
    .min()
}

/// How long a workload without pods is remembered.
fn kept_without_pods(workload: &Workload) -> Duration {
    let said = workload.cases.values().any(|case| !case.episodes.is_empty());
    match &*workload.top.kind {
        _ if workload.is_unwell() => FORGET,
        "Pod" => FORGET_POD,
        "Job" => FORGET_SOON,
        _ if said => FORGET,
        _ => FORGET_SOON,
    }
}

/// What was folded of pods that are gone belongs to the episode in which they were there.
fn forget_folded(workload: &mut Workload, name: &Arc<str>, ended: bool, idle: bool, window: Time) {
    for trial in &mut workload.trials {
        let at = trial.template.containers.iter().position(|container| container.name == *name);
        let Some(known) = at.and_then(|at| trial.containers.get_mut(at)) else {
            continue;
        };
        let stale = known.folded.as_ref().is_some_and(|folded| folded.last_bad.is_none_or(|last| last < window));
        if ended || (idle && stale) {
            known.folded = None;
        }
    }
}

//! Which workloads are looked at, when, and which look-ups they need.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::effects::never_ready::is_unready;
use crate::engine::episodes::{self, Outcome};
use crate::engine::memory::node_clock::Clock;
use crate::engine::memory::nodes::{Nodes, WithinALook};
use crate::engine::memory::pods::{Container, PodTable};
use crate::engine::memory::workload::Workload;
use crate::engine::observation::Need;
use crate::engine::view::container::ContainerView;
use crate::engine::view::termination::patience;
use crate::template::{ContainerSpec, PodTemplate};
use crate::time::Time;

/// Minimum time between two lookups of a workload's facts.
const LOOKUP_INTERVAL: Duration = Duration::from_secs(1);
/// Time between two lookups of a workload whose pods show no change of its template.
const MENDED_INTERVAL: Duration = Duration::from_secs(30);
/// How long a workload without pods is kept if it had findings.
const KEEP_WORKLOAD: Duration = Duration::from_hours(24);
/// The same without findings, or for a Job, which never comes back.
const KEEP_QUIET_WORKLOAD: Duration = Duration::from_mins(10);
/// The same for a bare pod: they come and go by the thousand.
const KEEP_BARE_POD: Duration = Duration::from_mins(1);
/// Minimum time between two looks at a workload, for each of its pods: large ones produce storms of changes.
const LOOK_DELAY_PER_POD: Duration = Duration::from_micros(100);
/// The same where nothing arrived that a finding may rest on, or the finding is already published.
const CALM_LOOK_DELAY_PER_POD: Duration = Duration::from_millis(5);
/// Of more pods than this something that only time brings is due nearly always: it waits for the next look.
const MANY_PODS: usize = 100;
/// Maximum delay of a look, however many pods there are.
const MAX_LOOK_DELAY: Duration = Duration::from_secs(1);

impl Engine {
    /// After an observation of a workload: looks at it now, or soon.
    pub(super) fn after(&mut self, id: usize, matters: bool) {
        let Some(workload) = self.workloads.get(&id) else {
            return;
        };
        let empty = workload.pods.is_empty();
        if let Some(chronicle) = self.chronicle.as_mut().filter(|chronicle| chronicle.is_of_all()) {
            chronicle.note(id, workload, &self.pods, &[], self.now);
        }
        if !matters && !workload.is_unwell() && !empty {
            return;
        }
        let is_urgent = empty || matters && !workload.is_published();
        let for_each = if is_urgent { LOOK_DELAY_PER_POD } else { CALM_LOOK_DELAY_PER_POD };
        let wait = for_each.saturating_mul(workload.pods.len() as u32).min(MAX_LOOK_DELAY);
        let ready_at = workload.looked_at.map(|at| at.plus(wait));
        match ready_at {
            Some(at) if at > self.now => self.wake(id, Some(at)),
            _ => self.look(id),
        }
    }

    /// Looks at a workload: publishes its changes, and decides when to look again.
    pub(super) fn look(&mut self, id: usize) {
        let Some(mut workload) = self.workloads.remove(&id) else {
            return;
        };
        if let Some(at) = workload.wake.take() {
            self.wakes.remove(&(at, id));
        }
        workload.looked_at = Some(self.now);
        let mut clocks = WithinALook::new();
        let alive = self.lists.alive(&workload.namespace);
        workload.note_passes(&self.pods, &self.nodes, &mut clocks, (alive, self.now));
        note_spec_proofs(&mut workload, &self.pods);
        let outcome = self.look_at_cases(&mut workload);
        let pending = pending(&workload, &self.pods, &self.nodes, &mut clocks, self.now);
        let again = outcome.again.into_iter().chain(pending).min().map(|at| self.not_too_soon(&workload, at));
        let forget = workload.empty_since.map(|since| since.plus(kept_without_pods(&workload)));
        let forgotten = forget.is_some_and(|at| at <= self.now);
        let wake = again.into_iter().chain(forget).min().filter(|at| *at > self.now);
        if outcome.wants_facts {
            self.ask(&mut workload);
        }
        if let Some(chronicle) = &mut self.chronicle {
            chronicle.note(id, &workload, &self.pods, &outcome.changes, self.now);
        }
        self.changes.extend(outcome.changes);
        if forgotten {
            self.past.keep(&workload);
            self.by_name.remove(id, &workload);
            return;
        }
        self.workloads.insert(id, workload);
        self.wake(id, wake);
    }

    /// When to look again for what only time brings: of many pods something is due all the time.
    fn not_too_soon(&self, workload: &Workload, at: Time) -> Time {
        let can_wait = workload.pods.len() > MANY_PODS && workload.is_published();
        if can_wait { at.max(self.now.plus(MAX_LOOK_DELAY)) } else { at }
    }

    fn look_at_cases(&mut self, workload: &mut Workload) -> Outcome {
        let mut all = Outcome::default();
        let mut cases = std::mem::take(&mut workload.cases);
        for (name, case) in &mut cases {
            let horizon = case.horizon;
            let view = self.view(workload, name).with_members(horizon, std::mem::take(&mut case.judged));
            let outcome = episodes::look(&view, case);
            case.judged = view.into_judgements(case.is_active());
            all.changes.extend(outcome.changes);
            all.again = all.again.into_iter().chain(outcome.again).min();
            all.wants_facts |= outcome.wants_facts;
            let idle = !case.is_active();
            let ended = case.horizon != horizon;
            if ended {
                self.onsets.forget(&workload.who(name));
            }
            forget_folded(workload, name, ended, idle, self.now.minus(self.settings.window));
        }
        workload.cases = cases;
        all
    }

    /// A container of a workload as of now, without its pods.
    pub(super) fn view<'a>(&'a self, workload: &'a Workload, container: &'a Arc<str>) -> ContainerView<'a> {
        ContainerView {
            workload,
            container,
            pods: &self.pods,
            members: Vec::new(),
            pod_templates: Vec::new(),
            templates: Vec::new(),
            settings: &self.settings,
            past: &self.past,
            onsets: &self.onsets,
            nodes: &self.nodes,
            now: self.now,
            alive: self.lists.alive(&workload.namespace),
            listing: self.lists.is_listing(&workload.namespace),
            settled: self.settled,
        }
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

    /// Requests look-ups for a workload if the answer may have changed.
    fn ask(&mut self, workload: &mut Workload) {
        let ready = workload.pods.iter().filter_map(|place| self.pods.get(place));
        let (mut live, mut up) = (0, 0);
        for pod in ready {
            live += usize::from(pod.is_live());
            up += usize::from(pod.is_live() && pod.containers.iter().all(Container::is_ready));
        }
        let about = (live, up, workload.templates.len());
        let soon = workload.asked.is_some_and(|at| self.now < at.plus(LOOKUP_INTERVAL));
        if (workload.asked.is_some() && workload.asked_of == about && !may_be_mended(workload, self.now)) || soon {
            return;
        }
        workload.asked = Some(self.now);
        workload.asked_of = about;
        let pod = workload.pods.iter().next_back().and_then(|place| self.pods.get(place));
        let owner = workload.owner.as_deref().unwrap_or(&workload.top).clone();
        let namespace = Arc::clone(&workload.namespace);
        if workload.owner.is_some() {
            self.needs.push(Need::Workload { namespace: Arc::clone(&namespace), owner: owner.clone() });
        }
        if let Some(pod) = pod {
            self.needs.push(Need::Services { namespace, owner, labels: Arc::clone(&pod.template.labels) });
        }
    }
}

/// Whether its template may have been mended without any change of its pods: those of an ordered `StatefulSet` stay.
fn may_be_mended(workload: &Workload, now: Time) -> bool {
    &*workload.top.kind == "StatefulSet" && workload.asked.is_some_and(|at| now >= at.plus(MENDED_INTERVAL))
}

/// Tracks containers whose specification alone proves that one of their probes cannot run.
fn note_spec_proofs(workload: &mut Workload, pods: &PodTable) {
    // Most pods have the template of the one before: nothing is left to note once all its containers are tracked.
    let mut tracked: Option<&Arc<PodTemplate>> = None;
    for pod in workload.pods.iter().filter_map(|place| pods.get(place)) {
        if tracked.is_some_and(|template| Arc::ptr_eq(template, &pod.template)) {
            continue;
        }
        let mut all = true;
        for (spec, state) in pod.template.containers.iter().zip(&pod.containers) {
            if workload.cases.contains_key(&spec.name) {
                continue;
            }
            let unready = is_unready(spec, state) && pod.is_live();
            if spec.has_probe_that_cannot_run() || unready || state.history.is_some() {
                workload.cases.insert(Arc::clone(&spec.name), Box::default());
            } else {
                all = false;
            }
        }
        tracked = all.then_some(&pod.template);
    }
}

/// When the next termination that waits for its event has waited long enough.
fn pending(
    workload: &Workload,
    pods: &PodTable,
    nodes: &Nodes,
    clocks: &mut WithinALook<Clock>,
    now: Time,
) -> Option<Time> {
    let nodes = nodes.seen_from(&workload.namespace);
    let pods = workload.pods.iter().filter_map(|place| pods.get(place));
    pods.filter_map(|pod| {
        let ends = pod.containers.iter().filter_map(|container| container.history.as_ref()?.last_seen_end());
        let latest = ends.max()?;
        let node = pod.node.as_ref();
        let patience = patience(clocks.of(node, || nodes.clock(node, now)));
        let by_rules = pod.template.containers.iter().any(ContainerSpec::has_restart_rules);
        let settled = by_rules.then(|| latest.plus(crate::engine::effects::restart_loop::UNTIL_SETTLED));
        [Some(latest.plus(patience)), settled].into_iter().flatten().filter(|due| *due > now).min()
    })
    .min()
}

/// How long a workload without pods is kept.
fn kept_without_pods(workload: &Workload) -> Duration {
    let said = workload.cases.values().any(|case| !case.episodes.is_empty());
    match &*workload.top.kind {
        _ if workload.is_unwell() => KEEP_WORKLOAD,
        "Pod" => KEEP_BARE_POD,
        "Job" => KEEP_QUIET_WORKLOAD,
        _ if said => KEEP_WORKLOAD,
        _ => KEEP_QUIET_WORKLOAD,
    }
}

/// The folded facts of deleted pods belong to the episode during which these existed.
fn forget_folded(workload: &mut Workload, name: &Arc<str>, ended: bool, idle: bool, window: Time) {
    for record in &mut workload.templates {
        let at = record.template.containers.iter().position(|container| container.name == *name);
        let Some(known) = at.and_then(|at| record.containers.get_mut(at)) else {
            continue;
        };
        let stale = known.folded.as_ref().is_some_and(|folded| folded.last_bad.is_none_or(|last| last < window));
        if ended || (idle && stale) {
            known.folded = None;
        }
    }
}

//! A workload: its pods, its templates, the answers about it, and its findings.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnosis::Strength;
use crate::engine::memory::node_clock::Clock;
use crate::engine::memory::nodes::{Nodes, WithinALook};
use crate::engine::memory::onsets::Who;
use crate::engine::memory::places::Places;
use crate::engine::memory::pods::{Phase, Pod, PodTable};
use crate::engine::memory::template_record::TemplateRecord;
use crate::engine::memory::tracked_container::{TrackedContainer, Wanted};
use crate::engine::observation::{Owner, Revision, ServiceFacts, WorkloadFacts};
use crate::engine::view::probe_passed::{is_beyond_doubt, silence_proves};
use crate::finding::ServiceState;
use crate::kubelet::ProbeKind;
use crate::template::{PodTemplate, is_same};
use crate::time::Time;

/// Maximum number of templates remembered of a workload.
const MAX_TEMPLATES: usize = 12;

/// The object that people edit, and everything known about it.
#[derive(Debug)]
pub struct Workload {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its kind and name.
    pub top: Owner,
    /// The controller of its pods by which it is looked up; that of the newest one.
    pub owner: Option<Arc<Owner>>,
    /// The answer to its look-up.
    pub facts: Option<Box<WorkloadFacts>>,
    /// Its Services, once looked up.
    pub services: Option<Vec<ServiceFacts>>,
    /// Its pods, by index.
    pub pods: Places,
    /// Its templates, in the order in which they were first seen.
    pub templates: Vec<TemplateRecord>,
    /// Its containers with any problem, by name; boxed, since a map has room for eleven as soon as it has
    /// one.
    pub cases: BTreeMap<Arc<str>, Box<TrackedContainer>>,
    /// When it was last looked up.
    pub asked: Option<Time>,
    /// What the last look-up depended on: when this changes, it is looked up again.
    pub asked_of: (usize, usize, usize),
    /// Since when it has no pods.
    pub empty_since: Option<Time>,
    /// When it was last looked at.
    pub looked_at: Option<Time>,
    /// When the next look at it is due.
    pub wake: Option<Time>,
}

impl Workload {
    /// A workload without any facts.
    pub fn new(namespace: Arc<str>, top: Owner) -> Self {
        Self {
            namespace,
            top,
            owner: None,
            facts: None,
            services: None,
            pods: Places::default(),
            templates: Vec::new(),
            cases: BTreeMap::new(),
            asked: None,
            asked_of: (0, 0, 0),
            empty_since: None,
            looked_at: None,
            wake: None,
        }
    }

    /// Registers a pod's controller as its own; returns the copy of it that its pods share.
    pub fn shared_owner(&mut self, owner: Option<&Owner>) -> Option<Arc<Owner>> {
        let owner = owner?;
        if self.owner.as_deref() != Some(owner) {
            self.owner = Some(Arc::new(owner.clone()));
        }
        self.owner.clone()
    }

    /// Whether any episode of it is open.
    pub fn is_unwell(&self) -> bool {
        self.cases.values().any(|case| case.is_active())
    }

    /// Whether its open episodes are published, so that changes can wait for a moment.
    pub fn is_published(&self) -> bool {
        let mut episodes = self.cases.values().flat_map(|case| case.episodes.values());
        episodes.any(|episode| episode.is_confirmed())
    }

    /// `Deployment/web`
    pub fn label(&self) -> String {
        format!("{}/{}", self.top.kind, self.top.name)
    }

    /// One of its containers, identified within its namespace.
    pub fn who(&self, container: &Arc<str>) -> Who {
        (Arc::clone(&self.namespace), self.label().into(), Arc::clone(container))
    }

    /// The record of that template, created if it is new.
    pub fn record_mut(&mut self, template: &Arc<PodTemplate>, pods: &PodTable, now: Time) -> &mut TemplateRecord {
        let at = self.templates.iter().position(|record| is_same(&record.template, template)).unwrap_or_else(|| {
            self.make_room(pods);
            // Most have only one, forever.
            self.templates.reserve_exact(usize::from(self.templates.is_empty()));
            self.templates.push(TemplateRecord::new(Arc::clone(template), now));
            self.templates.len() - 1
        });
        let record = &mut self.templates[at];
        record.last_seen = record.last_seen.max(now);
        record
    }

    /// The record of that template.
    pub fn record(&self, template: &Arc<PodTemplate>) -> Option<&TemplateRecord> {
        self.templates.iter().find(|record| is_same(&record.template, template))
    }

    fn make_room(&mut self, pods: &PodTable) {
        if self.templates.len() < MAX_TEMPLATES {
            return;
        }
        let used = |record: &TemplateRecord| {
            self.pods.iter().filter_map(|place| pods.get(place)).any(|pod| is_same(&pod.template, &record.template))
        };
        let oldest = (0..self.templates.len())
            .filter(|at| !used(&self.templates[*at]))
            .min_by_key(|at| self.templates[*at].last_seen);
        self.templates.remove(oldest.unwrap_or(0));
    }

    /// Notes which probes have passed, from pods that run well; absence of failures counts until `alive`.
    pub fn note_passes(
        &mut self,
        pods: &PodTable,
        nodes: &Nodes,
        clocks: &mut WithinALook<Clock>,
        (alive, now): (Time, Time),
    ) {
        let (places, namespace) = (std::mem::take(&mut self.pods), Arc::clone(&self.namespace));
        let nodes = nodes.seen_from(&namespace);
        for pod in places.iter().filter_map(|place| pods.get(place)) {
            let node = pod.node.as_ref();
            self.note_passes_of(pod, pods, || clocks.of(node, || nodes.clock(node, now)), alive);
        }
        self.pods = places;
    }

    /// Notes which probes of one pod have passed; the clock of its node is asked for if it matters.
    pub fn note_passes_of(&mut self, pod: &Pod, pods: &PodTable, clock: impl FnOnce() -> Clock, alive: Time) {
        let now = pod.observed.max(alive);
        let written = LazyCell::new(|| clock().written_by(now));
        let record = self.record_mut(&pod.template, pods, now);
        let specs = pod.template.containers.iter();
        for ((spec, state), known) in specs.zip(&pod.containers).zip(&mut record.containers) {
            if state.phase != Phase::Running {
                continue;
            }
            if state.is_ready() && spec.readiness.is_some() {
                known.passed.add(ProbeKind::Readiness, Strength::Seen);
            }
            let can_tell = || !known.errored.has(ProbeKind::Startup) && !state.came_up_after_kills();
            if state.started && spec.startup.is_some() && can_tell() {
                known.passed.add(ProbeKind::Startup, Strength::Seen);
            }
            let Some(since) = state.since.filter(|_| state.history.is_none()) else { continue };
            known.quiet = known.quiet.max(written.since(since));
            // What is beyond doubt stays so.
            if known.passed.strength(ProbeKind::Liveness) == Some(Strength::Seen) {
                continue;
            }
            let silent = !known.errored.has(ProbeKind::Liveness) && !known.errored.has(ProbeKind::Startup);
            if silent && silence_proves(spec, pod.template.grace, state.started, since, *written) {
                let long = is_beyond_doubt(spec, pod.template.grace, since, *written);
                known.passed.add(ProbeKind::Liveness, if long { Strength::Seen } else { Strength::Inferred });
            }
        }
    }

    /// The revision with the template's hash.
    pub fn revision(&self, template: &PodTemplate) -> Option<&Revision> {
        let hash = template.revision_hash.as_ref()?;
        self.facts.as_ref()?.revisions.iter().find(|revision| revision.hash.as_ref() == Some(hash))
    }

    /// The desired number of pods, or the existing one.
    pub fn desired(&self) -> u32 {
        self.facts.as_ref().and_then(|facts| facts.desired).unwrap_or(self.pods.len() as u32)
    }

    /// Its Services; `None` if they were not looked up.
    pub fn service_states(&self) -> Option<Vec<ServiceState>> {
        let state = |service: &ServiceFacts| ServiceState {
            name: Arc::clone(&service.name),
            ready: service.ready,
            total: service.total,
        };
        Some(self.services.as_ref()?.iter().map(state).collect())
    }

    /// Notes the extent of its open episodes: the worst moment may have passed by the next look.
    pub fn note_reach(&mut self) {
        let (wanted, services) = (self.wanted(), self.service_states());
        let episodes = self.cases.values_mut().flat_map(|case| case.episodes.values_mut());
        for episode in episodes.filter(|episode| episode.is_active()) {
            episode.reach(wanted, services.as_deref());
        }
    }

    /// The same, as episodes use it.
    pub fn wanted(&self) -> Wanted {
        Wanted { pods: self.desired(), may_be_more: matches!(&*self.top.kind, "Job" | "CronJob" | "Pod") }
    }
}

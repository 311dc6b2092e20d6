//! A workload at the time of a look: its pods, and the evidence about one of its containers.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::diagnosis::{BadNode, Blocked, Earlier, Evidence, OwnEnds, Passes, Population, ProbeRecord, Strength};
use crate::engine::memory::judged::{Basis, Judgements};
use crate::engine::memory::nodes::{Node, Nodes, WithinALook};
use crate::engine::memory::onsets::{FailureOnsets, Who};
use crate::engine::memory::past_episodes::PastEpisodes;
use crate::engine::memory::pods::{Phase, PodTable};
use crate::engine::memory::template_record::{ContainerRecord, Tally};
use crate::engine::memory::tracked_container::TrackedContainer;
use crate::engine::memory::workload::Workload;
use crate::engine::view::member::PodContainer;
use crate::engine::view::probe_passed::{Incarnations, LAG};
use crate::engine::view::termination::{PATIENCE, killing_probes};
use crate::engine::{Settings, Uid};
use crate::finding::Effect;
use crate::kubelet::ProbeKind;
use crate::template::{ContainerSpec, PodTemplate, RestartAction, is_same};
use crate::time::Time;

/// Number of other workloads that fail only on the same node, at the same time, above which the node is
/// suspect.
const OTHERS_ON_A_BAD_NODE: usize = 2;

/// After this long no event about a termination is waited for, however late a node's events are.
pub const LATE_ENOUGH: Duration = Duration::from_mins(5);

/// Of fewer pods nothing is kept: they are judged again sooner than they are remembered.
const WORTH_KEEPING: usize = 2;

/// A container of a workload, in all of its pods, at a time.
pub struct ContainerView<'a> {
    /// The workload.
    pub workload: &'a Workload,
    /// Its name.
    pub container: &'a Arc<str>,
    /// The existing pods.
    pub pods: &'a PodTable,
    /// The container in each of the pods that has it, in the order in which they were seen.
    pub members: Vec<PodContainer<'a>>,
    /// The templates of the pods.
    pub pod_templates: Vec<&'a Arc<PodTemplate>>,
    /// The templates with the container, those with pods last, the newest at the end.
    pub templates: Vec<&'a Arc<PodTemplate>>,
    /// The settings.
    pub settings: &'a Settings,
    /// The episodes of workloads that were forgotten.
    pub past: &'a PastEpisodes,
    /// Which workloads became unhealthy when.
    pub onsets: &'a FailureOnsets,
    /// What happened to nodes.
    pub nodes: &'a Nodes,
    /// The time of the look.
    pub now: Time,
    /// Until when the watch was certainly unbroken.
    pub alive: Time,
    /// Whether its pods are being relisted, so that their known state may be outdated.
    pub listing: bool,
    /// Whether there will be no more observations, so that nothing is waited for.
    pub settled: bool,
}

/// The node that has the file of a static pod, once it is known.
#[derive(Clone, Default)]
pub struct FileOf(pub Option<Arc<str>>);

/// A pod that can be named.
#[derive(Clone)]
pub struct KnownPod {
    /// Its name.
    pub name: Arc<str>,
    /// How often its container was restarted.
    pub restarts: u32,
    /// Whether `kubectl logs --previous` finds an incarnation of the container.
    pub has_previous: bool,
}

impl KnownPod {
    /// The one with the most restarts is the worst.
    pub fn worst_first(&self, other: &Self) -> Ordering {
        other.restarts.cmp(&self.restarts).then_with(|| self.name.cmp(&other.name))
    }
}

impl<'a> ContainerView<'a> {
    /// Adds the container in each of the pods, with what was judged of it where that still holds; earlier
    /// facts than `horizon` belong to a resolved episode.
    pub fn with_members(mut self, horizon: Time, judged: Judgements) -> Self {
        let nodes = self.nodes.seen_from(&self.workload.namespace);
        let pods = self.workload.pods.iter().filter_map(|place| Some((place, self.pods.get(place)?)));
        // Most of a workload's pods are on few nodes, and have few templates: for each its index of the container.
        let (mut known, mut templates) = (WithinALook::new(), Vec::<(&Arc<PodTemplate>, Option<usize>)>::new());
        let mut judged = judged.into_iter().peekable();
        let mut members = Vec::with_capacity(self.workload.pods.len());
        for (place, pod) in pods {
            let template = templates.iter().position(|(known, _)| is_same(known, &pod.template)).unwrap_or_else(|| {
                let mut names = pod.template.containers.iter().map(|container| &container.name);
                templates.push((&pod.template, names.position(|name| name == self.container)));
                templates.len() - 1
            });
            let Some(at) = templates[template].1 else { continue };
            let (spec, state) = (&pod.template.containers[at], &pod.containers[at]);
            let name = pod.node.as_ref();
            let (node, clock) = known.of(name, || nodes.at(name, self.now));
            let runs_until = (state.phase == Phase::Running).then(|| pod.observed.max(self.alive));
            let subject = Incarnations::new(pod, spec, state, (node, clock), runs_until, self.now);
            let node = node.map(Node::state).unwrap_or_default();
            let basis = Basis { pod: pod.state, clock, node, horizon };
            while judged.next_if(|(before, _)| *before < place).is_some() {}
            let before = judged.next_if(|(before, _)| *before == place);
            let subject_now = subject.as_ref().filter(|_| !self.settled);
            let kept = before.filter(|(_, judged)| subject_now.is_some_and(|it| judged.holds(it, basis, self.now)));
            let judged = kept.map_or_else(OnceCell::new, |(_, judged)| OnceCell::from(judged));
            let (judged_at, since_the_end) = (self.judged_at(), OnceCell::new());
            members.push(PodContainer {
                pod,
                spec,
                state,
                clock,
                subject,
                place,
                template,
                basis,
                judged_at,
                judged,
                since_the_end,
            });
        }
        self.members = members;
        self.pod_templates = templates.into_iter().map(|(template, _)| template).collect();
        self.templates = self.in_order();
        self
    }

    /// What was judged in this look, as far as it may be needed again: while an episode is open, or shortly
    /// after something happened.
    pub fn into_judgements(self, is_active: bool) -> Judgements {
        if self.settled || self.members.len() < WORTH_KEEPING {
            return Judgements::new();
        }
        let window = self.window();
        let kept = self.members.into_iter().filter_map(|member| Some((member.place, member.judged.into_inner()?)));
        kept.filter(|(_, judged)| is_active || judged.last_news() >= Some(window)).collect()
    }

    /// The container in the pods of a template.
    pub fn members(&self, template: &Arc<PodTemplate>) -> impl Iterator<Item = &PodContainer<'a>> {
        let place = self.pod_templates.iter().position(|known| is_same(known, template));
        self.members.iter().filter(move |member| Some(member.template) == place)
    }

    /// The templates with the container, those with pods last, the newest at the end.
    fn in_order(&self) -> Vec<&'a Arc<PodTemplate>> {
        let newest = |template: &Arc<PodTemplate>| {
            self.members(template).map(|member| member.pod.created.unwrap_or_default()).max()
        };
        let templates = self.workload.templates.iter().filter(|record| record.container(self.container).is_some());
        let mut templates: Vec<_> = templates.map(|record| (newest(&record.template), &record.template)).collect();
        templates.sort_by_key(|(created, _)| *created);
        templates.into_iter().map(|(_, template)| template).collect()
    }

    /// What the container has shown under a template since the last episode ended.
    pub fn tally(&self, template: &Arc<PodTemplate>, case: &TrackedContainer) -> Tally {
        let record = self.workload.record(template).and_then(|record| record.container(self.container));
        let folded = record.and_then(|(_, known)| known.folded.as_deref());
        let mut parts = Vec::with_capacity(self.members.len());
        parts.extend(self.members(template).filter_map(|member| member.part(case.horizon)));
        let mut tally = Tally::sum(folded, &parts);
        tally.settle_fitting();
        tally
    }

    /// The evidence about a probe (or the container itself) under a template.
    pub fn evidence(
        &self,
        template: &'a Arc<PodTemplate>,
        effect: Effect,
        probe: Option<ProbeKind>,
        tally: &Tally,
    ) -> Option<Evidence<'a>> {
        let (actual, known) = self.workload.record(template)?.container(self.container)?;
        let passed = known.passed.with(self.passed_in_runs(template));
        let (population, who) = (self.population(template, probe), self.workload.who(self.container));
        Some(Evidence {
            effect,
            container: self.as_written(template).unwrap_or(actual),
            actual,
            template,
            probe,
            record: probe.map_or_else(ProbeRecord::default, |probe| tally.probes[probe as usize].clone()),
            own: if probe.is_none() { tally.own.clone() } else { OwnEnds::default() },
            unexplained: tally.unexplained,
            passed,
            came_up: known.came_up,
            earlier: self.earlier(template),
            revisions: self.revisions_before(template),
            rolled_out: self.workload.revision(template).and_then(|revision| revision.at),
            population,
            fell_together: self.onsets.fell_together(&who),
            bad_node: self.bad_node(&who, population),
            blocked: self.blocked(template),
        })
    }

    /// The container in the workload's own template: if an injector modifies pods on admission, that is
    /// what people edit.
    fn as_written(&self, template: &PodTemplate) -> Option<&'a ContainerSpec> {
        let revision = self.workload.revision(template)?;
        revision.template.containers.iter().find(|container| container.name == *self.container)
    }

    /// The state of the probe in the pods of a template, and on how many nodes.
    fn population(&self, template: &Arc<PodTemplate>, probe: Option<ProbeKind>) -> Population {
        let Some(probe) = probe else { return Population::default() };
        let mut population = Population::default();
        let mut nodes: BTreeMap<Option<&Arc<str>>, bool> = BTreeMap::new();
        let (mut first_failing, mut others) = (None, Vec::new());
        for member in self.members(template) {
            let clock = member.clock;
            let failing = self.is_failing(member, probe);
            let passing = !failing && member.is_passing(probe, self.seen(member));
            let answered = member.reported(probe).answers;
            let spared = !answered && member.has_a_result(probe, self.seen(member));
            population.failing += u32::from(failing);
            population.passing += u32::from(passing);
            population.spared += u32::from(spared);
            population.well += u32::from(spared && passing && member.has_been_well(probe, self.seen(member)));
            if failing || passing {
                *nodes.entry(member.pod.node.as_ref()).or_default() |= failing;
            }
            if failing && (answered || member.state.restarts > 0) {
                first_failing = first_failing.into_iter().chain(member.began().map(|at| clock.ours(at))).min();
            } else if member.state.phase == Phase::Running && member.pod.is_live() {
                others.extend(member.state.since.map(|at| (clock.ours(at), failing)));
            }
        }
        let as_old = |(since, _): &&(Time, bool)| first_failing.is_some_and(|first| *since <= first.plus(LAG));
        population.unanswered = others.iter().filter(as_old).count() as u32;
        population.silent = others.iter().filter(as_old).filter(|(_, failing)| !failing).count() as u32;
        population.failing_nodes = nodes.values().filter(|failing| **failing).count() as u32;
        population.passing_nodes = nodes.values().filter(|failing| !**failing).count() as u32;
        population
    }

    /// Whether the probe passes in a container, and nothing recent contradicts it.
    pub fn is_passing(&self, member: &PodContainer, probe: ProbeKind) -> bool {
        !self.is_failing(member, probe) && member.is_passing(probe, self.seen(member))
    }

    /// Until when, on its node's clock, everything is known about a container.
    fn seen(&self, member: &PodContainer) -> Time {
        member.clock.known_until(member.pod.observed.max(self.alive), self.now)
    }

    /// Whether the container was restarted within the window, or its probe was reported to fail there: for
    /// a probe that kills, recently enough that it may still kill.
    fn is_failing(&self, member: &PodContainer, probe: ProbeKind) -> bool {
        let (Some(judged), from) = (member.judged(), Some(self.window())) else { return false };
        let last = judged.reports[probe as usize].last;
        let may_kill_yet = || {
            let kill = member.spec.probe(probe).filter(|_| probe.kills());
            let yet = kill.map(|spec| self.now.minus(spec.longest_kill(member.pod.template.grace)).minus(LAG));
            yet.is_none_or(|yet| last >= Some(yet.minus(member.clock.lag())))
        };
        judged.last_end >= from || last >= from && may_kill_yet()
    }

    /// The node on which alone this container began to fail, along with other workloads, while it passes on
    /// other nodes.
    fn bad_node(&self, who: &Who, population: Population) -> Option<BadNode> {
        let (node, others) = self.onsets.on_one_node(who)?;
        let alone = population.failing_nodes == 1 && population.passing_nodes > 0;
        (alone && others.len() >= OTHERS_ON_A_BAD_NODE).then_some(BadNode { name: node, others })
    }

    /// Probes that passed in a remembered incarnation.
    pub fn passed_in_runs(&self, template: &Arc<PodTemplate>) -> Passes {
        self.members(template).fold(Passes::default(), |passed, member| passed.with(member.passed()))
    }

    /// Whether a container of a template is remembered to have terminated badly.
    fn looped(&self, template: &Arc<PodTemplate>) -> bool {
        self.members(template).filter_map(PodContainer::judged).any(|judged| judged.looped)
    }

    /// The container under earlier templates, latest first.
    pub fn earlier(&self, template: &Arc<PodTemplate>) -> Vec<Earlier<'a>> {
        let revision = |template: &PodTemplate| self.workload.revision(template);
        let number = |template: &PodTemplate| revision(template).map(|revision| revision.number);
        let at =
            self.workload.templates.iter().position(|record| is_same(&record.template, template)).unwrap_or(usize::MAX);
        let mine = revision(template);
        let mut earlier: Vec<_> = self
            .workload
            .templates
            .iter()
            .enumerate()
            .filter(|(place, record)| match (mine, revision(&record.template)) {
                (Some(mine), Some(other)) => other.was_before(mine) || *place < at,
                _ => *place != at,
            })
            .filter_map(|(place, record)| {
                let (actual, known) = record.container(self.container)?;
                let revision = number(&record.template);
                let earlier = Earlier {
                    revision,
                    template: &record.template,
                    container: self.as_written(&record.template).unwrap_or(actual),
                    actual,
                    passed: known.passed.with(self.passed_in_runs(&record.template)).with(told_by_quiet(actual, known)),
                    came_up: known.came_up,
                    looped: known.looped || self.looped(&record.template),
                };
                Some((revision, place, earlier))
            })
            .collect();
        earlier.sort_by_key(|(revision, place, _)| std::cmp::Reverse((*revision, *place)));
        earlier.into_iter().map(|(_, _, earlier)| earlier).collect()
    }

    /// The container in the revisions before that of the template, latest first.
    pub fn revisions_before(&self, template: &PodTemplate) -> Vec<(u64, &'a ContainerSpec)> {
        let workload = self.workload;
        let Some(mine) = workload.revision(template) else { return Vec::new() };
        let revisions = workload.facts.as_ref().map(|facts| facts.revisions.as_slice()).unwrap_or_default();
        let mut before: Vec<_> = revisions
            .iter()
            .filter(|revision| revision.was_before(mine))
            .filter_map(|revision| {
                let container =
                    revision.template.containers.iter().find(|container| container.name == *self.container)?;
                Some((revision.number, container))
            })
            .collect();
        before.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        before
    }

    /// The container in the revision before that of the template.
    pub fn before(&self, template: &PodTemplate) -> Option<&'a ContainerSpec> {
        self.revisions_before(template).first().map(|(_, container)| *container)
    }

    /// Since when the container cannot start in any pod of the template, and why.
    pub fn blocked(&self, template: &Arc<PodTemplate>) -> Option<Blocked> {
        self.members(template)
            .filter_map(|member| member.state.history.as_ref()?.blocked.clone())
            .min_by_key(|blocked| blocked.since)
    }

    /// The time at which terminations are judged: if there are no more observations, a late one.
    pub fn judged_at(&self) -> Time {
        if self.settled { self.now.plus(LATE_ENOUGH) } else { self.now }
    }

    /// Since when terminations belong to a loop.
    pub fn window(&self) -> Time {
        self.now.minus(self.settings.window)
    }

    /// How long a container must run well until the finding is resolved: its kill budget, longer than any
    /// incarnation that terminated badly (up to 15 min), at least 60 s.
    pub fn proof_of_health(spec: &ContainerSpec, longest_bad: Duration) -> Duration {
        let budget = killing_probes(spec).map(|(_, probe)| probe.passed_after()).max().unwrap_or_default();
        let step = killing_probes(spec).map(|(_, probe)| probe.period.saturating_add(probe.timeout)).max();
        // The next termination may come a period later than the last one, and be reported late.
        let longest = longest_bad.saturating_add(step.unwrap_or_default()).saturating_add(PATIENCE);
        budget.max(longest.min(Duration::from_mins(15))).max(Duration::from_mins(1))
    }

    /// These pods, as far as their names are known; `some` of them are found sooner, if they come in order.
    pub fn named(&self, of: &BTreeSet<Uid>, some: &[Uid]) -> Vec<KnownPod> {
        let mut named = Vec::with_capacity(of.len().min(self.members.len()));
        let mut some = some.iter().peekable();
        let mut is_of = |uid: &Uid| some.next_if_eq(&uid).is_some() || of.contains(uid);
        let members = self.members.iter().filter(|member| is_of(&member.pod.uid));
        named.extend(members.filter_map(|member| {
            let (restarts, pod) = (member.state.restarts, member.state.history.as_ref()?.pod.as_ref()?);
            // A rule that restarts all containers of a pod leaves no trace of the previous incarnation.
            let restarts_all = member.spec.restart_rules.iter().any(|rule| rule.action == RestartAction::All);
            Some(KnownPod { name: Arc::clone(pod), restarts, has_previous: restarts > 0 && !restarts_all })
        }));
        named
    }

    /// The location of the manifest file, for a static pod.
    pub fn file(&self) -> Option<FileOf> {
        self.members.iter().find(|member| member.pod.is_static).map(|member| FileOf(member.pod.node.clone()))
    }
}

/// A liveness probe counts as passed in a container that ran, without any report about it, until it would
/// have been reported to fail as often as its threshold: true also for a later template.
fn told_by_quiet(container: &ContainerSpec, known: &ContainerRecord) -> Passes {
    let mut passed = Passes::default();
    let Some(spec) = container.liveness.as_ref().filter(|_| container.startup.is_none()) else { return passed };
    let needed = spec.first_result_by().saturating_add(spec.shortest_kill()).saturating_add(LAG);
    if known.quiet > needed && !known.errored.has(ProbeKind::Liveness) {
        passed.add(ProbeKind::Liveness, Strength::Inferred);
    }
    passed
}

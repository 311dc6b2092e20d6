//! A workload at the time of a look: its pods, and the evidence about one of its containers.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::diagnosis::{
    BadNode, Blocked, Earlier, Evidence, OwnEnds, Passes, Population, ProbeRecord, Strength, is_silence,
};
use crate::engine::Settings;
use crate::engine::memory::node_clock::Clock;
use crate::engine::memory::nodes::Nodes;
use crate::engine::memory::onsets::FailureOnsets;
use crate::engine::memory::past_episodes::PastEpisodes;
use crate::engine::memory::pods::{Container, Phase, Pod, PodTable};
use crate::engine::memory::template_record::{ContainerRecord, Tally};
use crate::engine::memory::tracked_container::TrackedContainer;
use crate::engine::memory::workload::Workload;
use crate::engine::view::probe_passed::{Incarnations, LAG, silence_proves};
use crate::engine::view::termination::{PATIENCE, TerminationKind, judge_all, killing_probes};
use crate::finding::Effect;
use crate::kubelet::ProbeKind;
use crate::template::{ContainerSpec, PodTemplate, RestartAction, is_same};
use crate::time::Time;

/// Number of other workloads that fail only on the same node, at the same time, above which the node is
/// suspect.
const OTHERS_ON_A_BAD_NODE: usize = 2;

/// After this long no event about a termination is waited for, however late a node's events are.
pub const LATE_ENOUGH: Duration = Duration::from_mins(5);

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

/// The container in one of the pods.
pub struct PodContainer<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// The container's specification.
    pub spec: &'a ContainerSpec,
    /// Its state.
    pub state: &'a Container,
    /// The clock of the pod's node.
    pub clock: Clock,
    /// Its incarnations, if any are remembered.
    pub subject: Option<Incarnations<'a>>,
    judged_at: Time,
    ends: OnceCell<Vec<Option<TerminationKind>>>,
}

/// The node that has the file of a static pod, once it is known.
#[derive(Clone, Default)]
pub struct FileOf(pub Option<Arc<str>>);

/// A pod that can be named.
#[derive(Clone)]
pub struct KnownPod {
    /// Its name.
    pub name: Arc<str>,
    /// Whether `kubectl logs --previous` finds an incarnation of the container.
    pub has_previous: bool,
}

impl PodContainer<'_> {
    /// How each of its incarnations terminated, if it did.
    pub fn ends(&self) -> &[Option<TerminationKind>] {
        self.ends
            .get_or_init(|| self.subject.as_ref().map_or_else(Vec::new, |subject| judge_all(subject, self.judged_at)))
    }

    /// The probes that passed in a remembered incarnation.
    fn passed(&self) -> Passes {
        self.subject.as_ref().map_or_else(Passes::default, Incarnations::passed)
    }

    /// Whether its pod has that template.
    pub fn is_under(&self, template: &Arc<PodTemplate>) -> bool {
        is_same(&self.pod.template, template)
    }

    /// Converts a time of the pod's node to ours.
    pub fn ours(&self, stamp: Time) -> Time {
        self.clock.ours(stamp)
    }
    /// Whether it has run for so long that its probe must have had a result.
    fn has_a_result(&self, probe: ProbeKind, seen: Time) -> bool {
        let (state, spec) = (self.state, self.spec);
        // It is not known when liveness began after a startup probe.
        let begins_later = probe == ProbeKind::Liveness && spec.startup.is_some();
        let runs = state.phase == Phase::Running && state.started && self.pod.is_live();
        let (true, Some(since), Some(asked)) = (runs && !begins_later, state.since, spec.probe(probe)) else {
            return false;
        };
        seen > since.plus(asked.first_result_by()).plus(LAG)
    }

    /// Whether a failure of its probe was reported that was not just a missing answer.
    fn hears_an_answer(&self, probe: ProbeKind) -> bool {
        let words = self.state.history.iter().flat_map(|history| &history.probe_events);
        words.filter(|words| words.probe == probe).any(|words| !is_silence(&words.failure))
    }

    /// Whether it has run well for twice as long as a kill takes.
    fn has_been_well(&self, probe: ProbeKind, seen: Time) -> bool {
        let (Some(asked), Some(since)) = (self.spec.probe(probe), self.state.since) else { return false };
        seen.since(since) > asked.longest_kill(self.pod.template.grace).saturating_mul(2)
    }

    /// When its first remembered incarnation started.
    fn began(&self) -> Option<Time> {
        self.state.history.as_ref()?.incarnations.front()?.started
    }

    /// Whether it runs, and its probe has passed in it.
    fn is_passing(&self, probe: ProbeKind, seen: Time) -> bool {
        let (state, spec) = (self.state, self.spec);
        if state.phase != Phase::Running || !self.pod.is_live() {
            return false;
        }
        match probe {
            ProbeKind::Readiness => state.ready,
            ProbeKind::Startup => state.started,
            ProbeKind::Liveness => {
                let proves = |since| silence_proves(spec, self.pod.template.grace, state.started, since, seen);
                state.since.is_some_and(proves)
            }
        }
    }
}

impl<'a> ContainerView<'a> {
    /// Adds the container in each of the pods.
    pub fn with_members(mut self) -> Self {
        let nodes = self.nodes.seen_from(&self.workload.namespace);
        let pods = self.workload.pods.iter().filter_map(|place| self.pods.get(*place));
        // Most of a workload's pods are on few nodes.
        let mut known = BTreeMap::new();
        let members = pods.filter_map(|pod| {
            let (_, spec, state) = pod.container(self.container)?;
            let name = pod.node.as_ref();
            let (node, clock) = *known.entry(name).or_insert_with(|| nodes.at(name, self.now));
            let runs_until = (state.phase == Phase::Running).then(|| pod.observed.max(self.alive));
            let subject = Incarnations::new(pod, spec, state, (node, clock), runs_until, self.now);
            Some(PodContainer { pod, spec, state, clock, subject, judged_at: self.judged_at(), ends: OnceCell::new() })
        });
        self.members = members.collect();
        self
    }

    /// The container in the pods of a template.
    pub fn members(&self, template: &Arc<PodTemplate>) -> impl Iterator<Item = &PodContainer<'a>> {
        self.members.iter().filter(move |member| member.is_under(template))
    }

    /// The templates with the container, those with pods last, the newest at the end.
    pub fn templates(&self) -> Vec<&'a Arc<PodTemplate>> {
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
        let mut tally = Tally::default();
        let record = self.workload.record(template).and_then(|record| record.container(self.container));
        if let Some(folded) = record.and_then(|(_, known)| known.folded.as_deref()) {
            tally.absorb(folded);
        }
        for member in self.members(template) {
            if let Some(subject) = &member.subject {
                tally.add(subject, member.ends(), case.horizon);
            }
        }
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
        let population = self.population(template, probe);
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
            fell_together: self.onsets.fell_together(&self.workload.who(self.container)),
            bad_node: self.bad_node(population),
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
            let seen = clock.known_until(member.pod.observed.max(self.alive), self.now);
            let failing = self.is_failing(member, probe);
            let passing = !failing && member.is_passing(probe, seen);
            let answered = member.hears_an_answer(probe);
            let spared = !answered && member.has_a_result(probe, seen);
            population.failing += u32::from(failing);
            population.passing += u32::from(passing);
            population.spared += u32::from(spared);
            population.well += u32::from(spared && passing && member.has_been_well(probe, seen));
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
        let seen = member.clock.known_until(member.pod.observed.max(self.alive), self.now);
        !self.is_failing(member, probe) && member.is_passing(probe, seen)
    }

    /// Whether the container was restarted within the window, or its probe was reported to fail there: for
    /// a probe that kills, recently enough that it may still kill.
    fn is_failing(&self, member: &PodContainer, probe: ProbeKind) -> bool {
        let clock = member.clock;
        let Some(history) = member.state.history.as_deref() else { return false };
        let from = self.window();
        let kill = member.spec.probe(probe).filter(|_| probe.kills());
        let yet = kill.map(|spec| self.now.minus(spec.longest_kill(member.pod.template.grace)).minus(LAG));
        let since = yet.map_or(from, |yet| yet.minus(clock.lag).max(from));
        let heard = history.probe_events.iter().any(|words| words.probe == probe && clock.ours(words.last) >= since);
        heard || history.incarnations.iter().filter_map(|run| run.end.as_ref()).any(|end| end.at(clock) >= from)
    }

    /// The node on which alone this container began to fail, along with other workloads, while it passes on
    /// other nodes.
    fn bad_node(&self, population: Population) -> Option<BadNode> {
        let (node, others) = self.onsets.on_one_node(&self.workload.who(self.container))?;
        let alone = population.failing_nodes == 1 && population.passing_nodes > 0;
        (alone && others.len() >= OTHERS_ON_A_BAD_NODE).then_some(BadNode { name: node, others })
    }

    /// Probes that passed in a remembered incarnation.
    pub fn passed_in_runs(&self, template: &Arc<PodTemplate>) -> Passes {
        self.members(template).fold(Passes::default(), |passed, member| passed.with(member.passed()))
    }

    /// Whether a container of a template is remembered to have terminated badly.
    fn looped(&self, template: &Arc<PodTemplate>) -> bool {
        self.members(template).flat_map(PodContainer::ends).flatten().any(|end| end.is_of_a_loop())
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

    /// These pods, as far as their names are known, those with the most restarts first.
    pub fn named(&self, of: &BTreeSet<crate::engine::Uid>) -> Vec<KnownPod> {
        let members = self.members.iter().filter(|member| of.contains(&member.pod.uid));
        let mut named: Vec<_> = members
            .filter_map(|member| {
                let (restarts, pod) = (member.state.restarts, member.state.history.as_ref()?.pod.as_ref()?);
                // A rule that restarts all containers of a pod leaves no trace of the previous incarnation.
                let restarts_all = member.spec.restart_rules.iter().any(|rule| rule.action == RestartAction::All);
                Some((restarts, KnownPod { name: Arc::clone(pod), has_previous: restarts > 0 && !restarts_all }))
            })
            .collect();
        named.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.name.cmp(&other.1.name)));
        named.into_iter().map(|(_, pod)| pod).collect()
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

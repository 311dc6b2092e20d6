//! A workload as it is looked at: its pods, and the evidence about one of its containers.

use std::sync::Arc;
use std::time::Duration;

use super::Settings;
use super::case::Case;
use super::nodes::Nodes;
use super::onsets::Onsets;
use super::passing::Subject;
use super::pods::{Container, Phase, Pod, PodTable};
use super::trial::Tally;
use super::workload::{Workload, is_same};
use crate::diagnosis::{Blocked, Earlier, Evidence, OwnEnds, ProbeRecord, ProbeSet};
use crate::finding::Effect;
use crate::kubelet::ProbeKind;
use crate::template::{ContainerSpec, PodTemplate};
use crate::time::Time;

/// A workload at a time.
pub(super) struct Scene<'a> {
    /// Who is looked at.
    pub workload: &'a Workload,
    /// Where its pods are.
    pub pods: &'a PodTable,
    /// What can be set.
    pub settings: &'a Settings,
    /// Which workloads became unwell when.
    pub onsets: &'a Onsets,
    /// What happened to nodes.
    pub nodes: &'a Nodes,
    /// When.
    pub now: Time,
    /// Until when the watch was surely unbroken.
    pub alive: Time,
    /// Whether its pods are being listed anew, so that what is known of them may be old.
    pub listing: bool,
}

/// A container of one of its pods.
#[derive(Copy, Clone)]
pub(super) struct Member<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// What the container is told to be.
    pub spec: &'a ContainerSpec,
    /// What it does.
    pub state: &'a Container,
}

impl<'a> Scene<'a> {
    /// The containers of that name in the workload's pods, in the order in which they were seen.
    pub fn members(&self, name: &'a str) -> impl Iterator<Item = Member<'a>> + 'a {
        let pods = self.pods;
        self.workload.pods.iter().filter_map(move |place| {
            let pod = pods.get(*place)?;
            let (_, spec, state) = pod.container(name)?;
            Some(Member { pod, spec, state })
        })
    }

    /// What a tally takes in of a container, where anything is remembered of it.
    pub fn subject(&self, member: &Member<'a>) -> Option<Subject<'a>> {
        let runs_until = (member.state.phase == Phase::Running).then(|| member.pod.observed.max(self.alive));
        Subject::of(member.pod, member.spec, member.state, self.nodes, runs_until)
    }

    /// The templates in which the container is, those with pods last, the newest at the end.
    pub fn templates(&self, name: &'a str) -> Vec<&'a Arc<PodTemplate>> {
        let newest = |template: &Arc<PodTemplate>| {
            let pods = self.members(name).filter(|member| is_same(&member.pod.template, template));
            pods.map(|member| member.pod.created.unwrap_or_default()).max()
        };
        let trials = self.workload.trials.iter().filter(|trial| trial.container(name).is_some());
        let mut templates: Vec<_> = trials.map(|trial| (newest(&trial.template), &trial.template)).collect();
        templates.sort_by_key(|(created, _)| *created);
        templates.into_iter().map(|(_, template)| template).collect()
    }

    /// All that the container has shown under a template since the last episode ended.
    pub fn tally(&self, name: &'a str, template: &Arc<PodTemplate>, case: &Case) -> Tally {
        let mut tally = Tally::default();
        let trial = self.workload.trial(template).and_then(|trial| trial.container(name));
        if let Some(folded) = trial.and_then(|(_, known)| known.folded.as_deref()) {
            tally.absorb(folded);
        }
        for member in self.members(name).filter(|member| is_same(&member.pod.template, template)) {
            if let Some(subject) = self.subject(&member) {
                tally.add(&subject, case.horizon, self.now);
            }
        }
        tally.settle_fitting();
        tally
    }

    /// The evidence about a probe (or the container itself) under a template.
    pub fn evidence(
        &self,
        name: &'a str,
        template: &'a Arc<PodTemplate>,
        effect: Effect,
        probe: Option<ProbeKind>,
        tally: &Tally,
    ) -> Option<Evidence<'a>> {
        let (container, known) = self.workload.trial(template)?.container(name)?;
        Some(Evidence {
            effect,
            container,
            probe,
            record: probe.map_or_else(ProbeRecord::default, |probe| tally.probes[probe as usize].clone()),
            own: if probe.is_none() { tally.own.clone() } else { OwnEnds::default() },
            unexplained: tally.unexplained,
            passed: known.passed.with(self.passed_in_runs(name, template)),
            came_up_after: known.came_up_after,
            earlier: self.earlier(name, template),
            before: self.before(name, template),
            fell_together: self.onsets.fell_together(self.workload, &container.name),
            blocked: self.blocked(name, template),
        })
    }

    /// Probes that passed in an incarnation that is remembered.
    fn passed_in_runs(&self, name: &'a str, template: &Arc<PodTemplate>) -> ProbeSet {
        let mut passed = ProbeSet::default();
        for subject in self
            .members(name)
            .filter(|member| is_same(&member.pod.template, template))
            .filter_map(|member| self.subject(&member))
        {
            passed = passed.with(subject.passed());
        }
        passed
    }

    /// The container under earlier templates, latest first.
    pub fn earlier(&self, name: &'a str, template: &Arc<PodTemplate>) -> Vec<Earlier<'a>> {
        let number = |template: &PodTemplate| self.workload.revision(template).map(|revision| revision.number);
        let at = self.workload.trials.iter().position(|trial| is_same(&trial.template, template)).unwrap_or(usize::MAX);
        let mine = number(template);
        let mut earlier: Vec<_> = self
            .workload
            .trials
            .iter()
            .enumerate()
            .filter(|(place, trial)| match (mine, number(&trial.template)) {
                // A revision that came back has a new number, but was there before.
                (Some(mine), Some(other)) => other < mine || *place < at,
                _ => *place != at,
            })
            .filter_map(|(place, trial)| {
                let (container, known) = trial.container(name)?;
                let revision = number(&trial.template);
                let earlier = Earlier {
                    revision,
                    template: &trial.template,
                    container,
                    passed: known.passed.with(self.passed_in_runs(name, &trial.template)),
                    came_up_after: known.came_up_after,
                };
                Some((revision, place, earlier))
            })
            .collect();
        earlier.sort_by_key(|(revision, place, _)| std::cmp::Reverse((*revision, *place)));
        earlier.into_iter().map(|(_, _, earlier)| earlier).collect()
    }

    /// The container in the revision before that of the template.
    pub fn before(&self, name: &str, template: &PodTemplate) -> Option<&'a ContainerSpec> {
        let number = self.workload.revision(template)?.number;
        let revisions = &self.workload.facts.as_ref()?.revisions;
        let before =
            revisions.iter().filter(|revision| revision.number < number).max_by_key(|revision| revision.number)?;
        before.template.containers.iter().find(|container| &*container.name == name)
    }

    /// Since when the container cannot begin in any pod of the template, and why.
    fn blocked(&self, name: &'a str, template: &Arc<PodTemplate>) -> Option<Blocked> {
        self.members(name)
            .filter(|member| is_same(&member.pod.template, template))
            .filter_map(|member| member.state.history.as_ref()?.blocked.clone())
            .min_by_key(|blocked| blocked.since)
    }

    /// Since `span` ago.
    pub fn window(&self) -> Time {
        self.now.minus(self.settings.window)
    }

    /// How long a container must run well until it is over: its kill budget, longer than any
    /// incarnation that ended badly, at least 60 s, at most 15 min.
    pub fn proof_of_health(spec: &ContainerSpec, longest_bad: Duration) -> Duration {
        let budget =
            super::judge::killing_probes(spec).map(|(_, probe)| probe.passed_after()).max().unwrap_or_default();
        let step =
            super::judge::killing_probes(spec).map(|(_, probe)| probe.period.saturating_add(probe.timeout)).max();
        // The next end may come a period later than the last one, and be told late.
        let longest = longest_bad.saturating_add(step.unwrap_or_default()).saturating_add(super::judge::PATIENCE);
        budget.max(longest).clamp(Duration::from_mins(1), Duration::from_mins(15))
    }
}

//! One container of a workload, and the episodes of what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::diagnosis::{Strength, Verdict};
use crate::engine::ChangeKind;
use crate::engine::memory::terminations::PastTerminations;
use crate::engine::observation::Uid;
use crate::finding::{Cause, Effect, Fact, Finding, Pods, RevisionChange, ServiceState, Severity};
use crate::kubelet::ProbeKind;
use crate::template::{PodTemplate, is_same};
use crate::time::Time;

/// Pods counted of an episode.
pub const MAX_AFFECTED: usize = 100_000;

/// One container of a workload, over all its pods.
#[derive(Debug, Default)]
pub struct TrackedContainer {
    /// The last episode of each thing that can be wrong with it; boxed, since a map has room for eleven
    /// as soon as it has one.
    pub episodes: BTreeMap<Problem, Box<Episode>>,
    /// Restarts seen so far.
    pub restarts: u64,
    /// Restarts before the current or next episode.
    pub base: u64,
    /// When the last restart was seen.
    pub last_restart: Option<Time>,
    /// What was before belongs to an episode that is over.
    pub horizon: Time,
    /// Ends of the last day.
    pub ends: PastTerminations,
}

impl TrackedContainer {
    /// Whether anything is going on.
    pub fn is_active(&self) -> bool {
        self.episodes.values().any(|episode| episode.is_active())
    }

    /// Whether a loop of it is confirmed and goes on.
    pub fn is_looping(&self) -> bool {
        self.episodes.get(&Problem::Loop).is_some_and(|episode| episode.is_confirmed())
    }

    /// Takes up what was said before a restart of the operator, or by another replica of it; gives
    /// back what is to be said for it: what was said under another name, or goes on no longer.
    pub fn remember(&mut self, said: &Finding, now: Time) -> Option<(ChangeKind, Arc<Finding>)> {
        let problem = Problem::of(said);
        if problem == Problem::Loop {
            // What ended before belongs to that episode, also where a first list shows it again.
            self.horizon = self.horizon.max(said.resolved_at.unwrap_or_default());
        }
        let Some(own) = self.episodes.get_mut(&problem) else {
            self.episodes.insert(problem, Box::new(Episode::remember(said, now)));
            return None;
        };
        let later = own.finding.episodes.max(said.episodes);
        if own.is_active() && said.resolved_at.is_some_and(|at| own.finding.opened_at < at) {
            // The same episode: whoever saw more of it saw its end.
            let over = own.end_as(said, now);
            self.base = self.restarts;
            return over;
        }
        if own.is_active() {
            let forgotten = own.join(said, now);
            // What the first sight of a pod shows is counted then.
            if self.restarts > 0 {
                self.restarts = self.restarts.max(self.base.saturating_add(own.finding.restarts));
            }
            return forgotten.map(|finding| (ChangeKind::Withdrawn, finding));
        }
        let is_that = said.episodes <= own.finding.episodes && Some(said.opened_at) <= own.finding.resolved_at;
        if said.resolved_at.is_none() && is_that {
            // It is over, and whoever led had not said so.
            return Some((ChangeKind::Resolved, Arc::clone(&own.finding)));
        }
        if said.resolved_at.is_none_or(|at| Some(at) > own.finding.resolved_at) {
            **own = Episode::remember(said, now);
        }
        own.change().episodes = later;
        None
    }

    /// Adds what was known of the same container under another name of its workload; gives back what
    /// was said under that name.
    pub fn absorb(&mut self, other: Self, label: &Arc<str>) -> Vec<Arc<Finding>> {
        self.restarts = self.restarts.saturating_add(other.restarts);
        self.last_restart = self.last_restart.max(other.last_restart);
        let mut published = Vec::new();
        for (problem, mut episode) in other.episodes {
            published.extend(episode.published.take());
            episode.change().workload = Arc::clone(label);
            self.episodes.entry(problem).or_insert(episode);
        }
        published
    }
}

/// The things that can be wrong with a container at the same time.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Problem {
    /// `RestartLoop` or `Killed`: one loop has one cause at a time, whatever probe it is.
    Loop,
    /// `NeverReady`
    NeverReady,
    /// `ProbeIneffective`
    Ineffective(ProbeKind),
    /// `StartBlocked`
    Blocked,
    /// `Flapping`
    Flapping(ProbeKind),
    /// `Recurring`
    Recurring,
}

impl Problem {
    /// The slot of a finding.
    pub fn of(finding: &Finding) -> Self {
        let probe = finding.probe.unwrap_or(ProbeKind::Liveness);
        match finding.effect {
            Effect::RestartLoop | Effect::Killed => Self::Loop,
            Effect::NeverReady => Self::NeverReady,
            Effect::ProbeIneffective => Self::Ineffective(probe),
            Effect::StartBlocked => Self::Blocked,
            Effect::Flapping => Self::Flapping(probe),
            Effect::Recurring => Self::Recurring,
        }
    }
}

/// One coming of a thing that is wrong.
#[derive(Debug)]
pub struct Episode {
    /// The finding as it is now; the one that was last said, until it differs.
    pub finding: Arc<Finding>,
    /// As it was last said.
    pub published: Option<Arc<Finding>>,
    /// When it was last said.
    pub published_at: Option<Time>,
    /// The template that it is about; `None` for one remembered from before a restart.
    pub template: Option<Arc<PodTemplate>>,
    /// The pods that it concerns.
    pub affected: BTreeSet<Uid>,
    /// How many it concerned before a restart of the operator.
    pub affected_before: u32,
    /// How long the longest incarnation that ended badly lasted; of `Recurring`, the longest pause.
    pub longest_bad: Duration,
    /// When the last bad end was.
    pub last_bad: Option<Time>,
    /// The first word waits until then for what would complete it.
    pub hold: Option<Time>,
    /// When it was taken over from what was said before, if it was.
    pub remembered: Option<Time>,
    /// How well what was told is known.
    pub proof: Strength,
}

/// How many pods a workload wants.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Number of pods.
    pub pods: u32,
    /// Whether there may be more at once: a Job's pods are not replaced.
    pub may_be_more: bool,
}

/// What is wrong, as seen now.
#[derive(Debug)]
pub struct Proposal {
    /// What happens.
    pub effect: Effect,
    /// Which probe does it.
    pub probe: Option<ProbeKind>,
    /// Why.
    pub verdict: Verdict,
    /// The template that it is about.
    pub template: Arc<PodTemplate>,
    /// The pods that it concerns.
    pub affected: Vec<Uid>,
    /// Whether the evidence carries it.
    pub confirmed: bool,
    /// Whether kills by its probe that were seen outweigh its own ends by far.
    pub mostly_kills: bool,
    /// Facts beside the verdict's.
    pub facts: Vec<Fact>,
    /// How long the longest incarnation that ended badly lasted; of `Recurring`, the longest pause.
    pub longest_bad: Duration,
    /// When the last bad end was.
    pub last_bad: Option<Time>,
}

impl Episode {
    /// Whether it is still going on.
    pub fn is_active(&self) -> bool {
        self.finding.resolved_at.is_none()
    }

    /// Whether it is still going on, and confirmed.
    pub fn is_confirmed(&self) -> bool {
        self.is_active() && self.finding.confirmed_at.is_some()
    }

    /// Its finding, to be changed.
    pub fn change(&mut self) -> &mut Finding {
        Arc::make_mut(&mut self.finding)
    }

    /// Whether nothing has changed since it was last said; both are one then.
    pub fn is_as_published(&mut self) -> bool {
        match &self.published {
            Some(published) if *published == self.finding => self.finding = Arc::clone(published),
            _ => return false,
        }
        true
    }

    /// An episode that begins.
    pub fn open(
        namespace: &Arc<str>,
        workload: Arc<str>,
        container: &Arc<str>,
        proposal: &Proposal,
        episodes: u32,
        now: Time,
    ) -> Self {
        Self {
            finding: Arc::new(Finding {
                namespace: Arc::clone(namespace),
                workload,
                container: Arc::clone(container),
                effect: proposal.effect,
                probe: proposal.probe,
                cause: proposal.verdict.cause,
                fault: proposal.verdict.cause.fault(),
                field: None,
                current: None,
                suggested: None,
                confidence: proposal.verdict.confidence,
                severity: Severity::Info,
                hypotheses: Vec::new(),
                evidence: Vec::new(),
                revision: None,
                change: None,
                pods: Pods::default(),
                services: Vec::new(),
                restarts: 0,
                episodes,
                opened_at: now,
                confirmed_at: None,
                resolved_at: None,
                remedy: Vec::new(),
                example: None,
                start_failure: None,
                considered: Arc::default(),
                labels: Arc::clone(&proposal.template.labels),
            }),
            published: None,
            published_at: None,
            template: None,
            affected: BTreeSet::new(),
            affected_before: 0,
            longest_bad: Duration::ZERO,
            last_bad: None,
            hold: None,
            remembered: None,
            proof: Strength::Assumed,
        }
    }

    /// An episode of before a restart of the operator.
    pub fn remember(finding: &Finding, now: Time) -> Self {
        let published = Arc::new(finding.clone());
        Self {
            finding: Arc::clone(&published),
            published: Some(published),
            published_at: None,
            template: None,
            affected: BTreeSet::new(),
            affected_before: finding.pods.affected,
            longest_bad: Duration::ZERO,
            last_bad: None,
            hold: None,
            remembered: Some(now),
            proof: Strength::Inferred,
        }
    }

    /// Ends as another replica said that it did; gives back what is to be said of that, where it had
    /// been told.
    fn end_as(&mut self, said: &Finding, now: Time) -> Option<(ChangeKind, Arc<Finding>)> {
        let mine = std::mem::replace(self, Self::remember(said, now));
        let published = mine.published?;
        match (published.identity() == said.identity(), &self.published) {
            (true, Some(over)) if published.confirmed_at.is_some() => Some((ChangeKind::Resolved, Arc::clone(over))),
            _ => Some((ChangeKind::Withdrawn, published)),
        }
    }

    /// Goes on with what another replica had said of the same thing, while it lasted; gives back what
    /// is to be forgotten, where both had told it under different names.
    fn join(&mut self, said: &Finding, now: Time) -> Option<Arc<Finding>> {
        let mine = Arc::make_mut(&mut self.finding);
        // These are not stored with a finding.
        let said = Finding { labels: Arc::clone(&mine.labels), ..said.clone() };
        if said.resolved_at.is_some() {
            mine.episodes = mine.episodes.max(said.episodes.saturating_add(1));
            return None;
        }
        mine.opened_at = mine.opened_at.min(said.opened_at);
        mine.confirmed_at = mine.confirmed_at.into_iter().chain(said.confirmed_at).min();
        mine.restarts = mine.restarts.max(said.restarts);
        mine.episodes = mine.episodes.max(said.episodes);
        self.affected_before = self.affected_before.max(said.pods.affected);
        let same = mine.identity() == said.identity();
        let says_more = said.cause != Cause::Unknown || (mine.probe.is_none() && said.probe.is_some());
        let learns = mine.cause == Cause::Unknown && says_more;
        if !same && !learns {
            return Some(Arc::new(said));
        }
        let forgotten = self.published.take_if(|_| !same);
        if learns {
            self.learn(&said, now);
        }
        if said.confirmed_at.is_some()
            && self.published.as_ref().is_none_or(|published| published.confirmed_at.is_none())
        {
            self.published = Some(Arc::new(said));
        }
        forgotten
    }

    /// Takes over what was known of the cause.
    fn learn(&mut self, said: &Finding, now: Time) {
        let mine = &self.finding;
        self.finding = Arc::new(Finding {
            pods: mine.pods,
            services: mine.services.clone(),
            severity: mine.severity,
            restarts: mine.restarts,
            episodes: mine.episodes,
            opened_at: mine.opened_at,
            confirmed_at: mine.confirmed_at,
            ..said.clone()
        });
        self.remembered = Some(now);
    }

    /// Whether what was said is about another template than that.
    pub fn is_of_another(&self, template: &Arc<PodTemplate>) -> bool {
        self.template.as_ref().is_some_and(|mine| !is_same(mine, template))
    }

    /// How far it reaches: the worst so far. Services that were not yet looked up again after a restart
    /// are not out.
    pub fn reach(&mut self, wanted: Wanted, services: Option<&[ServiceState]>) {
        let affected = (self.affected.len() as u32).max(self.affected_before);
        let total = if wanted.may_be_more { wanted.pods.max(affected) } else { wanted.pods.max(affected.min(1)) };
        // Pods that took the place of others are no more than they were.
        let affected = affected.min(total);
        let ready = |services: &[ServiceState]| services.iter().map(|service| service.ready).sum::<u32>();
        let known = |services: &[ServiceState]| services.iter().map(|service| service.total).sum::<u32>();
        let is_known = services.is_some();
        let services = services.unwrap_or_default();
        let finding = &self.finding;
        let worse = affected > finding.pods.affected
            || (finding.services.is_empty() && !services.is_empty())
            || (affected == finding.pods.affected && is_known && ready(services) < ready(&finding.services))
            || (ready(services) == ready(&finding.services) && known(services) > known(&finding.services));
        if worse {
            let finding = self.change();
            finding.pods = Pods { affected, total };
            finding.services = services.to_vec();
        }
        let finding = &self.finding;
        let is_down = finding.services.iter().any(ServiceState::is_down);
        let severity = match finding.effect {
            Effect::Recurring if is_down => Severity::Warning,
            Effect::ProbeIneffective | Effect::Flapping | Effect::Recurring => Severity::Info,
            _ if finding.pods.is_all() || is_down => Severity::Critical,
            _ if finding.pods.affected > 0 => Severity::Warning,
            _ => Severity::Info,
        };
        if severity > finding.severity {
            self.change().severity = severity;
        }
    }

    /// The revision and what it changed, once known for the template, stay.
    pub fn rolled_out(&mut self, revision: Option<u64>, change: Option<RevisionChange>) {
        if self.finding.revision.is_none() || self.finding.confirmed_at.is_none() {
            let finding = self.change();
            finding.revision = revision;
            finding.change = change;
        }
    }
}

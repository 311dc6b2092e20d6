//! One container of a workload, and the episodes of its findings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::diagnosis::{Strength, Verdict};
use crate::engine::ChangeKind;
use crate::engine::memory::judged::Judgements;
use crate::engine::memory::terminations::PastTerminations;
use crate::engine::observation::Uid;
use crate::finding::{Cause, Effect, Fact, Finding, Pods, RevisionChange, ServiceState, Severity};
use crate::kubelet::ProbeKind;
use crate::template::{PodTemplate, is_same};
use crate::time::Time;

/// Maximum number of pods counted per episode.
pub const MAX_AFFECTED: usize = 100_000;

/// One container of a workload, over all its pods.
#[derive(Debug, Default)]
pub struct TrackedContainer {
    /// The last episode for each problem; boxed, since a map has room for eleven as soon as it has one.
    pub episodes: BTreeMap<Problem, Box<Episode>>,
    /// Restarts seen so far.
    pub restarts: u64,
    /// Restarts before the current or next episode.
    pub base: u64,
    /// When the last restart was seen.
    pub last_restart: Option<Time>,
    /// Earlier facts belong to a resolved episode.
    pub horizon: Time,
    /// Terminations of the last day.
    pub ends: PastTerminations,
    /// What was judged of it in its pods.
    pub judged: Judgements,
}

impl TrackedContainer {
    /// Whether any episode is open.
    pub fn is_active(&self) -> bool {
        self.episodes.values().any(|episode| episode.is_active())
    }

    /// Whether a loop of it is confirmed and open.
    pub fn is_looping(&self) -> bool {
        self.episodes.get(&Problem::Loop).is_some_and(|episode| episode.is_confirmed())
    }

    /// Takes up a finding published before a restart of the operator, or by another replica; returns the
    /// change to publish for it: it was published under another identity, or is no longer open. `past` is what was
    /// kept of it if it was forgotten.
    pub fn remember(&mut self, said: &Finding, past: Option<Past>, now: Time) -> Option<(ChangeKind, Arc<Finding>)> {
        let problem = Problem::from_finding(said);
        if problem == Problem::Loop {
            // Earlier terminations belong to that episode, even if a first list shows them again.
            self.horizon = self.horizon.max(said.resolved_at.unwrap_or_default());
        }
        let Some(own) = self.episodes.get_mut(&problem) else {
            if let Some(past) = past.filter(|past| past.has_ended(said)) {
                // It was resolved here, and the previous leader had not published that.
                let kind = if said.confirmed_at.is_some() { ChangeKind::Resolved } else { ChangeKind::Withdrawn };
                return Some((kind, Arc::new(Finding { resolved_at: Some(past.resolved_at), ..said.clone() })));
            }
            self.episodes.insert(problem, Box::new(Episode::remember(said, now)));
            return None;
        };
        let later = own.finding.episodes.max(said.episodes);
        if own.is_active() && said.resolved_at.is_some_and(|at| own.finding.opened_at < at) {
            // The same episode: the replica that saw more of it saw its end.
            let over = own.end_as(said, now);
            self.base = self.restarts;
            return over;
        }
        if own.is_active() {
            let forgotten = own.join(said, now);
            // In that case the first sight of a pod counts.
            if self.restarts > 0 {
                self.restarts = self.restarts.max(self.base.saturating_add(own.finding.restarts));
            }
            return forgotten.map(|finding| (ChangeKind::Withdrawn, finding));
        }
        if Past::from_finding(&own.finding).is_some_and(|past| past.has_ended(said)) {
            // It is resolved, and the previous leader had not published that.
            return Some((ChangeKind::Resolved, Arc::clone(&own.finding)));
        }
        if said.resolved_at.is_none_or(|at| Some(at) > own.finding.resolved_at) {
            **own = Episode::remember(said, now);
        }
        own.change().episodes = later;
        None
    }

    /// Adds what was known of the same container under another name of its workload; returns the findings
    /// published under that name.
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

/// How often a problem of a container occurred, and until when.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Past {
    /// The number of its last episode.
    pub episodes: u32,
    /// When that was resolved.
    pub resolved_at: Time,
}

impl Past {
    /// Of a problem whose last episode this is; `None` while it is open.
    pub fn from_finding(last: &Finding) -> Option<Self> {
        Some(Self { episodes: last.episodes, resolved_at: last.resolved_at? })
    }

    /// Whether a finding that is still open elsewhere is of an episode that is over.
    fn has_ended(self, said: &Finding) -> bool {
        said.resolved_at.is_none() && said.episodes <= self.episodes && said.opened_at <= self.resolved_at
    }
}

/// The problems that a container can have at the same time.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Problem {
    /// `RestartLoop` or `Killed`: one loop has one cause at a time, whichever probe it is.
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
    /// The problem of a finding.
    pub fn from_finding(finding: &Finding) -> Self {
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

/// One episode of a problem.
#[derive(Debug)]
pub struct Episode {
    /// The current finding; shared with the last published one until it differs.
    pub finding: Arc<Finding>,
    /// As last published.
    pub published: Option<Arc<Finding>>,
    /// When it was last published.
    pub published_at: Option<Time>,
    /// The template that it is about; `None` for one remembered from before a restart.
    pub template: Option<Arc<PodTemplate>>,
    /// The pods that it concerns.
    pub affected: BTreeSet<Uid>,
    /// The number of pods that it concerned before a restart of the operator.
    pub affected_before: u32,
    /// Duration of the longest incarnation that terminated badly; for `Recurring`, the longest pause.
    pub longest_bad: Duration,
    /// When the last bad termination was.
    pub last_bad: Option<Time>,
    /// Until when the first publication waits for facts that would complete it.
    pub hold: Option<Time>,
    /// When it was taken over from an earlier publication, if it was.
    pub remembered: Option<Time>,
    /// The strength of the published evidence.
    pub proof: Strength,
}

/// The desired number of pods of a workload.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Number of pods.
    pub pods: u32,
    /// Whether there may be more at once: a Job's pods are not replaced.
    pub may_be_more: bool,
}

/// A problem as seen now.
#[derive(Debug)]
pub struct Proposal {
    /// The effect.
    pub effect: Effect,
    /// The probe that causes it.
    pub probe: Option<ProbeKind>,
    /// The verdict on its cause.
    pub verdict: Verdict,
    /// The template that it is about.
    pub template: Arc<PodTemplate>,
    /// The pods that it concerns.
    pub affected: Vec<Uid>,
    /// Whether the evidence is sufficient.
    pub confirmed: bool,
    /// Whether observed kills by its probe far outweigh its own terminations.
    pub mostly_kills: bool,
    /// Facts besides those of the verdict.
    pub facts: Vec<Fact>,
    /// Duration of the longest incarnation that terminated badly; for `Recurring`, the longest pause.
    pub longest_bad: Duration,
    /// When the last bad termination was.
    pub last_bad: Option<Time>,
}

impl Episode {
    /// Whether it is still open.
    pub fn is_active(&self) -> bool {
        self.finding.resolved_at.is_none()
    }

    /// Whether it is still open, and confirmed.
    pub fn is_confirmed(&self) -> bool {
        self.is_active() && self.finding.confirmed_at.is_some()
    }

    /// Its finding, for modification.
    pub fn change(&mut self) -> &mut Finding {
        Arc::make_mut(&mut self.finding)
    }

    /// Whether nothing has changed since it was last published; then both share one copy.
    pub fn is_as_published(&mut self) -> bool {
        match &self.published {
            Some(published) if *published == self.finding => self.finding = Arc::clone(published),
            _ => return false,
        }
        true
    }

    /// Opens an episode.
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
                min_ready: None,
                considered: Arc::default(),
                labels: Arc::clone(&proposal.template.labels),
                rollout: None,
                guard: None,
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

    /// An episode from before a restart of the operator.
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

    /// Ends it as another replica published; returns the change to publish for that, if it had been
    /// published here.
    fn end_as(&mut self, said: &Finding, now: Time) -> Option<(ChangeKind, Arc<Finding>)> {
        let mine = std::mem::replace(self, Self::remember(said, now));
        let published = mine.published?;
        match (published.identity() == said.identity(), &self.published) {
            (true, Some(over)) if published.confirmed_at.is_some() => Some((ChangeKind::Resolved, Arc::clone(over))),
            _ => Some((ChangeKind::Withdrawn, published)),
        }
    }

    /// Continues what another replica had published about the same problem; returns the finding to
    /// withdraw, if both had published it under different identities.
    fn join(&mut self, said: &Finding, now: Time) -> Option<Arc<Finding>> {
        let mine = Arc::make_mut(&mut self.finding);
        // The labels are not stored with a finding.
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

    /// Whether the published finding is about another template.
    pub fn is_of_another(&self, template: &Arc<PodTemplate>) -> bool {
        self.template.as_ref().is_some_and(|mine| !is_same(mine, template))
    }

    /// Its extent: the worst so far. Services not yet looked up again after a restart do not count as down.
    pub fn reach(&mut self, wanted: Wanted, services: Option<&[ServiceState]>) {
        let affected = (self.affected.len() as u32).max(self.affected_before);
        let total = if wanted.may_be_more { wanted.pods.max(affected) } else { wanted.pods.max(affected.min(1)) };
        // Replacement pods do not raise the number.
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

    /// Whether the revision and its changes may still become known: then they stay.
    pub fn may_be_rolled_out(&self) -> bool {
        self.finding.revision.is_none() || self.finding.confirmed_at.is_none()
    }

    /// The revision and its changes for the template.
    pub fn rolled_out(&mut self, revision: Option<u64>, change: Option<RevisionChange>) {
        let finding = self.change();
        finding.revision = revision;
        finding.change = change;
    }
}

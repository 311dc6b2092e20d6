//! The story, composed of the recording and the engine's changes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use super::cluster::Cluster;
use super::stock::StockAlert;
use crate::cli::channel::Sent;
use crate::cli::incidents::Incidents;
use crate::engine::{Change, ChangeKind, Chronicled, Engine, Finding};
use crate::finding::Identity;
use crate::replay::{Moment, Progress, replay};
use crate::report::case::Case;
use crate::report::slack::Payload;
use crate::report::text::demo::{Milestone, Scene, Stock, Summary, Turn};
use crate::source::recording::ReadError;
use crate::time::Time;

/// Minimum time between two scenes of the cluster in which nothing special happens.
const BETWEEN: Duration = Duration::from_secs(20);

/// The items of the story, in order.
#[derive(Debug)]
pub enum Beat {
    /// The cluster at a time.
    Scene(Scene),
    /// probehound suspects something, and sends nothing.
    Thought(Change),
    /// probehound sends a notification.
    Told {
        /// When.
        at: Time,
        /// What.
        payload: Payload,
    },
    /// The stock alert becomes pending.
    Counting {
        /// When.
        at: Time,
        /// The pod in `CrashLoopBackOff`.
        pod: Arc<str>,
        /// Its container.
        container: Arc<str>,
    },
}

impl Beat {
    /// When it happened.
    pub const fn at(&self) -> Time {
        match self {
            Self::Scene(Scene { at, .. })
            | Self::Thought(Change { at, .. })
            | Self::Told { at, .. }
            | Self::Counting { at, .. } => *at,
        }
    }
}

/// The whole story.
#[derive(Debug, Default)]
pub struct Tale {
    /// The first record's time.
    pub start: Time,
    /// The last record's time.
    pub end: Time,
    /// What happens in between.
    pub beats: Vec<Beat>,
    /// The engine's changes, except those of counts alone.
    pub changes: Vec<Change>,
    /// The findings that were open at the last change of one of them.
    pub worst: Option<(Time, Vec<Arc<Finding>>)>,
    /// The outcome of the stock alert.
    pub stock: Option<Stock>,
    /// The findings with what their pods did.
    pub cases: Vec<Case>,
    /// Why reading the recording failed.
    pub error: Option<ReadError>,
    workload: Option<String>,
    observations: u64,
}

impl Tale {
    /// Replays the recording.
    pub fn new(recording: impl Read) -> Self {
        let mut engine = Engine::default();
        engine.keep_chronicle(Chronicled::All);
        let mut writer = Writer::default();
        let replayed = replay(recording, &mut engine, |moment| match moment {
            Moment::Record(progress) => writer.record(progress),
            Moment::Change(change) => writer.change(change),
            Moment::Answer(_) | Moment::Skipped(_) | Moment::Odd(_) => {}
        });
        writer.last_scene();
        let end = replayed.last.unwrap_or_default();
        Self {
            start: replayed.first.unwrap_or_default(),
            end,
            stock: writer.stock.outcome(end),
            cases: writer.incidents.of(&engine),
            error: replayed.error,
            workload: writer.cluster.workload(),
            observations: replayed.observations,
            ..writer.tale
        }
    }

    /// What it is about.
    pub fn summary(&self) -> Summary {
        Summary {
            workload: self.workload.clone(),
            pods: self.scenes().map(|scene| scene.wanted).max().unwrap_or(0),
            lasts: self.end.since(self.start),
            observations: self.observations,
        }
    }

    /// The scenes of the cluster.
    pub fn scenes(&self) -> impl Iterator<Item = &Scene> {
        self.beats.iter().filter_map(|beat| match beat {
            Beat::Scene(scene) => Some(scene),
            _ => None,
        })
    }

    /// The milestones, in order.
    pub fn milestones(&self) -> Vec<Milestone> {
        let mut all: Vec<Milestone> = Vec::new();
        let confirmed = self.said(ChangeKind::Confirmed);
        let rollout = confirmed.and_then(|change| change.finding.change.as_ref()?.at);
        if let (Some(at), Some(change)) = (rollout, confirmed.and_then(|change| change.finding.change.as_ref())) {
            all.push(Milestone::Rollout { at, revision: change.revision });
        }
        let restart = self.scenes().find(|scene| scene.restarts > 0).map(|scene| scene.at);
        all.extend(restart.map(Milestone::FirstRestart));
        if let Some(change) = confirmed {
            let after = |earlier: Option<Time>| earlier.map(|earlier| change.at.since(earlier));
            all.push(Milestone::Told { at: change.at, after_rollout: after(rollout), after_restart: after(restart) });
        }
        all.extend(self.stock.as_ref().map(|stock| Milestone::FirstBackOff(stock.since)));
        let out = self.scenes().filter(|scene| scene.ready == 0 && Some(scene.at) > restart);
        let out: Vec<Time> = restart.map(|_| out.map(|scene| scene.at).collect()).unwrap_or_default();
        all.extend(out.first().copied().map(Milestone::NoneReady));
        let healthy = self.scenes().find(|scene| Some(&scene.at) > out.last() && scene.ready >= scene.wanted);
        all.extend(healthy.filter(|_| !out.is_empty()).map(|scene| Milestone::AllReady(scene.at)));
        all.extend(self.said(ChangeKind::Resolved).map(|change| Milestone::Resolved(change.at)));
        all.sort_by_key(Milestone::at);
        all
    }

    fn said(&self, kind: ChangeKind) -> Option<&Change> {
        self.changes.iter().find(|change| change.kind == kind)
    }
}

#[derive(Debug, Default)]
struct Writer {
    tale: Tale,
    cluster: Cluster,
    stock: StockAlert,
    /// The last scene shown, and the newest one.
    notified: Option<Scene>,
    newest: Option<Scene>,
    turns: BTreeSet<Turn>,
    incidents: Incidents,
    findings: BTreeMap<Identity, Arc<Finding>>,
}

impl Writer {
    fn record(&mut self, progress: &Progress<'_>) {
        let at = progress.record.at;
        self.advance(at);
        self.cluster.see(progress);
        if let Some(scene) = self.cluster.scene(at) {
            self.scene(scene);
        }
        let counting = progress.observation.and_then(|observation| self.stock.see(observation, at));
        if let Some((pod, container)) = counting {
            self.tale.beats.push(Beat::Counting { at, pod, container });
        }
    }

    /// Shows a scene with the first turn of its kind in its revision, or after some time one with something
    /// new.
    fn scene(&mut self, scene: Scene) {
        let first_turn = self.turns.insert(scene.turn());
        let due = self.notified.as_ref().is_none_or(|notified| {
            !scene.looks_like(notified) && (first_turn || scene.at.since(notified.at) >= BETWEEN)
        });
        if due {
            self.notified = Some(scene.clone());
            self.tale.beats.push(Beat::Scene(scene.clone()));
        }
        self.newest = Some(scene);
    }

    /// The final state of the cluster.
    fn last_scene(&mut self) {
        if let Some(scene) = self
            .newest
            .take()
            .filter(|newest| self.notified.as_ref().is_some_and(|notified| !newest.looks_like(notified)))
        {
            self.tale.beats.push(Beat::Scene(scene));
        }
    }

    fn change(&mut self, change: Change) {
        self.advance(change.at);
        let (identity, kind) = (change.finding.identity(), change.kind);
        if kind == ChangeKind::Suspected || kind == ChangeKind::Withdrawn && change.finding.confirmed_at.is_none() {
            self.tale.beats.push(Beat::Thought(change.clone()));
        }
        let sent = self.incidents.change(&change);
        self.notified(sent);
        match kind {
            ChangeKind::Resolved | ChangeKind::Withdrawn => self.findings.remove(&identity),
            _ => self.findings.insert(identity, Arc::clone(&change.finding)),
        };
        if matches!(kind, ChangeKind::Confirmed | ChangeKind::Updated) {
            self.tale.worst = Some((change.at, self.findings.values().cloned().collect()));
        }
        if kind != ChangeKind::Counted {
            self.tale.changes.push(change);
        }
    }

    /// Advances time to `now`.
    fn advance(&mut self, now: Time) {
        let sent = self.incidents.advance(now);
        self.notified(sent);
    }

    fn notified(&mut self, sent: Vec<Sent>) {
        self.tale.beats.extend(sent.into_iter().map(|sent| Beat::Told { at: sent.at, payload: sent.payload }));
    }
}

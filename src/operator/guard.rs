//! Undoes rollouts that broke a probe, or says why not: the thin edge of [`crate::guard`], which decides.
//!
//! What is about to be done is recorded in the Finding object first, then done, then recorded as done. A
//! process that died in between left an intent, and the Deployment shows whether it was carried out.
//!
//! Invariants:
//! - Nothing is patched without a recorded intent, and nothing without asking [`Leadership::holds`] right
//!   before.
//! - A patch applies to the object as it was read, or not at all: so it is carried out at most once, however
//!   often it is sent.
//! - Nothing is read before a finding is confirmed that the guard may act on.

mod attempt;
mod cluster;
mod known;
mod say;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use super::keeper::{Refusal as Failure, Store};
use crate::config::Config;
use crate::finding::Identity;
use crate::findings::board::{Board, BoardChanges, Entry};
use crate::guard::{Mode, concerns};
use crate::metrics::Metrics;
use crate::runtime::leadership::Leadership;
use crate::runtime::stop::Stop;
use crate::source::cluster::Backoff;
use crate::text::escape::visible;
use attempt::{Attempt, Outcome};
use cluster::Cluster;
use known::{Ground, Known};
use say::Saying;

/// How often a finding is decided about again that was refused, if there is news of it.
const AGAIN: Duration = Duration::from_secs(30);
/// How long to wait before a look that failed is repeated.
const RETRY: Duration = Duration::from_secs(1);
/// The longest such wait, in first ones.
const LONGEST: u32 = 10;
/// How often a look is repeated before it is given up, unless something was sent whose outcome is not known.
const TRIES: u32 = 10;

/// What the guard works with.
pub struct Means {
    /// Reads Deployments, and patches them.
    pub client: Client,
    /// Where intents and outcomes are recorded.
    pub store: Store,
    /// The findings.
    pub board: Arc<Board>,
    /// The settings.
    pub config: watch::Receiver<Arc<Config>>,
    /// Whether this replica may act.
    pub leadership: Leadership,
    /// Counts what was done.
    pub metrics: Arc<Metrics>,
    /// The name of this replica, in Events.
    pub instance: Arc<str>,
}

/// Guards until `stop`.
pub async fn run(means: Means, mut stop: Stop) {
    let mut guard = Guard::new(means);
    tokio::select! {
        biased;
        () = stop.asked() => {}
        () = guard.stand() => {}
    }
}

struct Guard {
    cluster: Cluster,
    store: Store,
    board: Arc<Board>,
    news: BoardChanges,
    config: watch::Receiver<Arc<Config>>,
    leadership: Leadership,
    saying: Saying,
    known: Known,
    /// The findings that were decided about, or are about to be.
    cases: BTreeMap<Identity, Pending>,
}

/// A finding that was decided about, or is about to be.
struct Pending {
    ground: Ground,
    /// When it is looked at; `None`: not before there is news.
    due: Option<Instant>,
    looked_at: Option<Instant>,
    tries: u32,
}

impl Guard {
    fn new(means: Means) -> Self {
        let Means { client, store, board, config, leadership, metrics, instance } = means;
        let saying =
            Saying { client: client.clone(), store: store.clone(), board: Arc::clone(&board), metrics, instance };
        Self {
            cluster: Cluster::new(client),
            store,
            news: board.subscribe(),
            board,
            config,
            leadership,
            saying,
            known: Known::default(),
            cases: BTreeMap::new(),
        }
    }

    /// Runs forever: waits for the lead and for a mode, learns what was done before, then guards.
    async fn stand(&mut self) {
        loop {
            self.leadership.acquired().await;
            if self.mode() == Mode::Off {
                self.config_changed().await;
                continue;
            }
            let mut leadership = self.leadership.clone();
            let lost = tokio::select! {
                () = leadership.lost() => true,
                () = self.learn() => false,
            };
            if lost {
                continue;
            }
            info!(mode = self.mode().word(), "Guarding rollouts");
            self.say_whose_events_count().await;
            tokio::select! {
                () = leadership.lost() => info!("Another replica guards rollouts"),
                () = self.guard() => info!("The guard is off"),
            }
        }
    }

    /// Logs whether a kubelet's event can be trusted in this cluster.
    async fn say_whose_events_count(&self) {
        let (wanted, namespace) = {
            let config = self.config.borrow();
            let first = config.watch.namespaces.first().cloned();
            (config.guard.trust_events, first.unwrap_or_else(|| self.cluster.namespace().to_owned()))
        };
        let policy = "manifests/policies/events-of-kubelets.yaml";
        match self.cluster.only_kubelets_write_events(&namespace).await {
            Ok(true) => info!(policy, in_use = wanted, "Only kubelets can write events of kubelets"),
            Ok(false) if wanted => {
                warn!(policy, "Others than kubelets can write events of kubelets: they are not trusted");
            }
            Ok(false) => info!(policy, "Others than kubelets can write events of kubelets"),
            Err(setback) => info!(policy, ?setback, "It is not known who can write events of kubelets"),
        }
    }

    fn mode(&self) -> Mode {
        self.config.borrow().guard.mode
    }

    async fn config_changed(&mut self) {
        if self.config.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Reads what was done before, and finds out what became of what was only intended.
    async fn learn(&mut self) {
        let mut backoff = Backoff::seeded_by_chance();
        loop {
            match Known::read(&self.store).await {
                Ok(known) => {
                    self.known = known;
                    break;
                }
                // Nothing can be recorded: each decision says so.
                Err(Failure::NoApi | Failure::Forbidden(_)) => break,
                Err(failure) => {
                    let wait = backoff.wait();
                    self.store.way().pause(wait, failure.trouble(), &mut backoff).await;
                }
            }
        }
        for (identity, guarded) in std::mem::take(&mut self.known.said) {
            self.board.guarded(&identity, guarded);
        }
        for open in std::mem::take(&mut self.known.open) {
            self.attempt().settle(open).await;
        }
        self.decide_anew();
    }

    /// Decides about what is due, until the mode is off.
    async fn guard(&mut self) {
        while self.mode() != Mode::Off {
            let due = self.cases.iter().filter_map(|(identity, case)| Some((case.due?, identity))).min();
            let due = due.map(|(at, identity)| (at, identity.clone()));
            let at = due.as_ref().map_or_else(|| Instant::now() + AGAIN, |(at, _)| *at);
            tokio::select! {
                biased;
                news = self.news.next() => self.take(&news),
                () = sleep_until(at) => if let Some((_, identity)) = due {
                    self.look(&identity).await;
                },
                changed = self.config.changed() => if changed.is_ok() { self.decide_anew() },
            }
        }
    }

    /// With other settings, or as the leader, everything is decided about again.
    fn decide_anew(&mut self) {
        self.cases.clear();
        let all = self.board.all().into_iter().map(|entry| entry.finding.identity()).collect();
        self.take(&all);
    }

    fn take(&mut self, news: &BTreeSet<Identity>) {
        let settings = self.config.borrow().guard.clone();
        for identity in news {
            let entry = self.board.get(identity).filter(|entry| entry.is_open() && concerns(&entry.finding, &settings));
            let Some(entry) = entry else {
                self.cases.remove(identity);
                continue;
            };
            let (ground, now) = (Ground::from_finding(&entry.finding), Instant::now());
            match self.cases.get_mut(identity) {
                Some(case) if case.ground == ground => {
                    let next = case.looked_at.map_or(now, |at| at + AGAIN);
                    case.due = case.due.or(Some(next));
                }
                _ => {
                    let case = Pending { ground, due: Some(now), looked_at: None, tries: 0 };
                    self.cases.insert(identity.clone(), case);
                }
            }
        }
    }

    async fn look(&mut self, identity: &Identity) {
        let finding = self.board.get(identity).filter(Entry::is_open).map(|entry| entry.finding);
        let (Some(case), Some(finding)) = (self.cases.get_mut(identity), finding) else {
            self.cases.remove(identity);
            return;
        };
        (case.due, case.looked_at) = (None, Some(Instant::now()));
        case.tries += 1;
        let is_last = case.tries >= TRIES;
        let outcome = self.attempt().decide(&finding, is_last).await;
        let Some(case) = self.cases.get_mut(identity) else { return };
        match outcome {
            Outcome::Said => case.tries = 0,
            Outcome::Early(wait) => (case.tries, case.due) = (0, Some(Instant::now() + wait)),
            Outcome::Failed { why, is_open } => {
                let workload = visible(&identity.workload);
                info!(workload, why, "The guard tries again");
                let wait = RETRY * case.tries.min(LONGEST);
                case.due = (is_open || !is_last).then(|| Instant::now() + wait);
            }
        }
    }

    fn attempt(&mut self) -> Attempt<'_> {
        let (settings, heeds_namespaces) = {
            let config = self.config.borrow();
            (config.guard.clone(), config.annotations.namespaces)
        };
        Attempt {
            settings,
            heeds_namespaces,
            cluster: &self.cluster,
            store: &self.store,
            board: &self.board,
            leadership: &self.leadership,
            saying: &self.saying,
            past: &mut self.known.past,
        }
    }
}

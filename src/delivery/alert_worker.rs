//! An Alertmanager's task: sends what fires in regular rounds, and what is resolved for a while; in
//! between, what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{info, warn};

use super::alerts::{Alerts, OVER};
use super::annotated::admit;
use super::http::Client;
use super::pace::{Pace, WORTH_A_LOOK};
use super::policy::Item;
use super::receiver::{Reply, alertmanager};
use super::sender::Unready;
use super::settings::{Alertmanager, Settings};
use crate::findings::ledger::{Reader, Record, Standing};
use crate::metrics::Metrics;
use crate::metrics::labels::Sent;
use crate::report::alertmanager::Alert;
use crate::report::object::{FindingState, ObjectKey};
use crate::runtime::clock;
use crate::runtime::leadership::Leadership;
use crate::runtime::stop::Stop;
use crate::time::Time;

/// The findings that may be sent to this receiver.
type Known = BTreeMap<ObjectKey, Standing>;

/// What was sent in a round.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Round {
    /// All alerts.
    All,
    /// The changed ones.
    Changes,
    /// Not all that had to be sent.
    Broken,
}

/// Minimum interval between rounds caused by changes: a storm becomes one request.
const SETTLE: Duration = Duration::from_secs(2);

/// Maximum number of times that a refused batch is halved in one round: enough for a dozen bad alerts among
/// thousands.
const MAX_SPLITS: usize = 100;

/// What the task works with.
pub struct AlertWorker {
    /// The receiver's name.
    pub name: String,
    /// Where the alerts go.
    pub to: Alertmanager,
    /// The findings.
    pub ledger: Reader,
    /// The routes.
    pub config: watch::Receiver<Arc<Settings>>,
    /// Whether to send.
    pub leadership: Leadership,
    /// Counts the notifications.
    pub metrics: Arc<Metrics>,
}

impl AlertWorker {
    /// Sends what fires until `stop`.
    pub async fn run(mut self, mut stop: Stop) {
        self.metrics.receiver(&self.name);
        let config = Arc::clone(&self.config.borrow());
        let mut alerts =
            Alerts::new(self.to.resend_every, config.cluster_name.clone()).with_runbook(config.runbook_url.clone());
        let mut pace = Pace::new(&self.name, clock::now());
        let (mut known, mut whole) = (BTreeMap::new(), None);
        loop {
            let mut leadership = self.leadership.clone();
            tokio::select! {
                biased;
                () = stop.asked() => return,
                () = leadership.acquired() => {}
            }
            let started = Instant::now();
            if self.ledger.record() != Record::Unknown && clock::now() >= pace.not_before() {
                // What could not be sent is sent with the next full round.
                let due = whole.is_none_or(|last: Instant| last.elapsed() >= self.to.resend_every);
                whole = match self.round(&mut alerts, &mut known, &mut pace, due).await {
                    Round::All => Some(started),
                    Round::Changes => whole,
                    Round::Broken => None,
                };
            }
            tokio::select! {
                biased;
                () = stop.asked() => return,
                () = self.next_round(started, whole, &pace) => {}
            }
        }
    }

    /// Waits for the next round: soon after a change, else after the usual interval.
    async fn next_round(&mut self, last: Instant, whole: Option<Instant>, pace: &Pace) {
        let held_back = pace.not_before().since(clock::now());
        if pace.failures() > 0 {
            return sleep(held_back.max(Duration::from_secs(1))).await;
        }
        tokio::select! {
            () = sleep_until(whole.unwrap_or(last) + self.to.resend_every) => {}
            () = self.ledger.changed() => sleep_until(last + SETTLE).await,
            Ok(()) = self.config.changed() => sleep_until(last + SETTLE).await,
        }
    }

    /// Sends all alerts, or the changed ones.
    async fn round(&mut self, alerts: &mut Alerts, known: &mut Known, pace: &mut Pace, all: bool) -> Round {
        let all = all || self.config.has_changed().unwrap_or(false);
        let (config, now) = (Arc::clone(&self.config.borrow_and_update()), clock::now());
        let changed = self.learn(known);
        let item = |standing: &Standing| {
            let admitted = admit(&config.grants, &config.notifications.routes, &self.name, standing, now);
            Item {
                finding: Arc::clone(&standing.finding),
                state: standing.state,
                silenced: admitted.silenced,
                admission: admitted.admission,
                notified: None,
            }
        };
        let mut due = vec![alerts.watchdog(now)];
        let round = if let Some(keys) = changed.filter(|_| !all) {
            let items: Vec<Item> = keys.iter().filter_map(|key| known.get(key)).map(item).collect();
            due.extend(alerts.change(&items, now));
            Round::Changes
        } else {
            due.extend(alerts.round(&known.values().map(item).collect::<Vec<_>>(), now));
            Round::All
        };
        if round == Round::All {
            self.forget(known, now);
        }
        if self.send(&due, pace, now).await { round } else { Round::Broken }
    }

    /// Whether all of them were sent.
    async fn send(&self, alerts: &[Alert], pace: &mut Pace, now: Time) -> bool {
        let (client, credentials) = match self.ready() {
            Ok(ready) => ready,
            Err(unready) => {
                self.failed(pace, now, &unready.to_string(), None);
                return false;
            }
        };
        let mut batches: Vec<&[Alert]> = alerts.chunks(alertmanager::MAX_ALERTS).rev().collect();
        let mut splits = MAX_SPLITS;
        while let Some(batch) = batches.pop() {
            if !self.leadership.holds() {
                return false;
            }
            let reply = alertmanager::send(&client, &self.to.peers, credentials.clone(), batch).await;
            if matches!(reply, Reply::Refused(_)) && batch.len() > 1 && splits > 0 {
                // One of them is the reason: the others are accepted without it.
                let (one, other) = batch.split_at(batch.len() / 2);
                batches.extend([other, one]);
                splits -= 1;
                continue;
            }
            self.heed(reply, batch, pace);
            if pace.failures() > 0 {
                return false;
            }
        }
        true
    }

    /// Takes in what changed, and returns which findings; `None` if it may be all.
    fn learn(&mut self, known: &mut Known) -> Option<BTreeSet<ObjectKey>> {
        let news = self.ledger.take();
        if news.all {
            known.clear();
        }
        let mut changed = BTreeSet::new();
        for (key, standing) in news.changed {
            match standing {
                Some(standing) => {
                    changed.insert(key.clone());
                    known.insert(key, standing);
                }
                // If nobody else is notified of it, it is gone as soon as it is resolved.
                None => drop(known.remove(&key)),
            }
        }
        (!news.all).then_some(changed)
    }

    /// Drops findings that were resolved so long ago that they are no longer sent.
    fn forget(&mut self, known: &mut Known, now: Time) {
        let past = known.extract_if(.., |_, standing| {
            let ended = standing.finding.resolved_at.or(standing.finding.confirmed_at);
            standing.state != FindingState::Confirmed && ended.is_none_or(|ended| now.since(ended) >= OVER)
        });
        let past: Vec<ObjectKey> = past.map(|(key, _)| key).collect();
        self.ledger.settle(past.iter());
    }

    fn ready(&self) -> Result<(Client, Option<HeaderValue>), Unready> {
        let client = Client::new(&self.to.network)?;
        let credentials = self.to.credentials.as_ref().map(alertmanager::Credentials::header).transpose()?;
        Ok((client, credentials))
    }

    fn heed(&self, reply: Reply, batch: &[Alert], pace: &mut Pace) {
        let (receiver, now) = (self.name.as_str(), clock::now());
        match reply {
            Reply::Delivered => {
                if pace.failures() >= WORTH_A_LOOK {
                    info!(receiver, "A receiver takes alerts again");
                }
                pace.answered(now);
                self.metrics.notifications(receiver, Sent::Delivered, batch.len());
            }
            Reply::Refused(why) => {
                warn!(receiver, why, alerts = batch.len(), "Alerts are refused");
                pace.answered(now);
                self.metrics.notifications(receiver, Sent::Refused, batch.len());
            }
            Reply::Failed { why, wait } => self.failed(pace, now, &why, wait),
            Reply::Gone(why) => self.failed(pace, now, &why, None),
            Reply::Withheld => {}
        }
    }

    fn failed(&self, pace: &mut Pace, now: Time, why: &str, wait: Option<Duration>) {
        pace.failed(now, wait);
        self.metrics.notification(&self.name, Sent::Retried);
        let (receiver, failures) = (self.name.as_str(), pace.failures());
        if failures == WORTH_A_LOOK {
            warn!(receiver, why, failures, "Cannot notify a receiver; retrying");
        } else {
            info!(receiver, why, failures, "Alerts could not be sent; retrying");
        }
    }
}

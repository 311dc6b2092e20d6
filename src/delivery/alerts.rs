//! Which alerts are sent to an Alertmanager in each round: pure.
//!
//! An Alertmanager keeps state, not events: what fires is sent regularly with the time at which it expires,
//! what is resolved is sent for a while with the time at which it ended. So nothing has to be recorded:
//! after a restart the same is sent again. Between two rounds only what changed is sent, so that the cost
//! of a change does not depend on the number of findings.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::policy::{Admission, Item};
use crate::finding::Identity;
use crate::report::alertmanager::{Alert, RUNBOOK};
use crate::report::object::FindingState;
use crate::time::Time;

/// How long resolved alerts are sent, as in Prometheus (rules/alerting.go): an Alertmanager may be down.
pub const OVER: Duration = Duration::from_mins(15);
/// Number of missed rounds after which the watchdog expires.
const ROUNDS: u32 = 4;
/// Firing alerts expire after twice as many, and no sooner than this: a restart, or a new node for the
/// operator, resolves nothing, and the watchdog expires before them.
const AT_LEAST: Duration = Duration::from_mins(15);

/// The alerts of one receiver.
#[derive(Debug)]
pub struct Alerts {
    every: Duration,
    cluster: Option<String>,
    runbook: String,
    /// When the rounds began.
    since: Option<Time>,
    known: BTreeMap<Labels, Known>,
    /// The labels of the alert as which a finding fires.
    fires: BTreeMap<Identity, Labels>,
}

type Labels = BTreeMap<&'static str, String>;

#[derive(Debug)]
struct Known {
    alert: Alert,
    over: Option<Time>,
}

impl Alerts {
    /// Without alerts; firing ones will be sent at this interval.
    pub fn new(every: Duration, cluster: Option<String>) -> Self {
        let (known, fires) = (BTreeMap::new(), BTreeMap::new());
        Self { every, cluster, runbook: RUNBOOK.to_owned(), since: None, known, fires }
    }

    /// The same, with another runbook URL, if there is one.
    #[must_use]
    pub fn with_runbook(self, url: Option<String>) -> Self {
        Self { runbook: url.unwrap_or(self.runbook), ..self }
    }

    /// The alert that rounds happen at all: sent in each round, even an empty one.
    pub fn watchdog(&mut self, now: Time) -> Alert {
        let since = *self.since.get_or_insert(now);
        let ends_at = now.plus(self.every * ROUNDS);
        Alert::watchdog(self.cluster.as_deref(), since, ends_at).with_runbook(&self.runbook)
    }

    /// All alerts to send now, given all findings.
    pub fn round(&mut self, items: &[Item], now: Time) -> Vec<Alert> {
        let mut gone = std::mem::take(&mut self.fires);
        for item in items {
            let identity = item.finding.identity();
            let before = gone.remove(&identity);
            self.take(item, identity, before, now);
        }
        for labels in gone.values() {
            self.ends(labels, now);
        }
        self.known.retain(|_, known| known.over.is_none_or(|over| now.since(over) < OVER));
        self.known.values().map(Known::as_sent).collect()
    }

    /// The alerts to send for these findings, which have changed.
    pub fn change(&mut self, items: &[Item], now: Time) -> Vec<Alert> {
        let mut touched = BTreeSet::new();
        for item in items {
            let identity = item.finding.identity();
            let before = self.fires.remove(&identity);
            touched.extend(before.clone());
            touched.insert(self.take(item, identity, before, now));
        }
        touched.iter().filter_map(|labels| self.known.get(labels)).map(Known::as_sent).collect()
    }

    /// Takes in a finding that fired as `before`; returns the alert that it is now.
    fn take(&mut self, item: &Item, identity: Identity, before: Option<Labels>, now: Time) -> Labels {
        let ends_at = now.plus((self.every * ROUNDS * 2).max(AT_LEAST));
        let alert = Alert::new(&item.finding, self.cluster.as_deref(), now, ends_at).with_runbook(&self.runbook);
        let labels = alert.labels.clone();
        let fired = before.as_ref() == Some(&labels);
        let stands = Stands::new(item, fired, now);
        // With another cause or severity it is another alert.
        if let Some(before) = before.filter(|before| *before != labels || matches!(stands, Stands::Not)) {
            self.ends(&before, now);
        }
        match stands {
            Stands::Fires => {
                self.fires.insert(identity, labels.clone());
                self.known.insert(labels.clone(), Known { alert, over: None });
            }
            Stands::Over(at) => match self.known.get_mut(&labels) {
                Some(known) if fired => _ = known.over.get_or_insert(at),
                // Another finding fires as the same alert.
                Some(_) => {}
                None => _ = self.known.insert(labels.clone(), Known { alert, over: Some(at) }),
            },
            Stands::Not => {}
        }
        labels
    }

    fn ends(&mut self, labels: &Labels, now: Time) {
        if let Some(known) = self.known.get_mut(labels) {
            known.over.get_or_insert(now);
        }
    }
}

enum Stands {
    Fires,
    Over(Time),
    Not,
}

impl Stands {
    /// The state of a finding; `fired` if it fires as the same alert.
    fn new(item: &Item, fired: bool, now: Time) -> Self {
        match (item.state, item.admission) {
            (_, Admission::Barred) => Self::Not,
            (FindingState::Confirmed, _) if item.silenced => Self::Not,
            (FindingState::Confirmed, Admission::Routed) => Self::Fires,
            (FindingState::Confirmed, _) if fired => Self::Fires,
            (FindingState::Confirmed, _) => Self::Not,
            (FindingState::Resolved | FindingState::Withdrawn, _) => match item.finding.resolved_at {
                Some(at) if now.since(at) < OVER && (fired || Self::may_have_fired(item)) => Self::Over(at),
                _ => Self::Not,
            },
        }
    }

    /// Whether it may have fired before a restart: an Alertmanager that does not know it ignores it.
    fn may_have_fired(item: &Item) -> bool {
        item.admission == Admission::Routed && !item.silenced
    }
}

impl Known {
    fn as_sent(&self) -> Alert {
        let mut alert = self.alert.clone();
        if let Some(over) = self.over {
            // An end before the start would be refused.
            alert.ends_at = over.max(alert.starts_at);
        }
        alert
    }
}

//! Which alerts an Alertmanager is told, again and again: pure.
//!
//! An Alertmanager keeps no news but a state: what fires is sent every so often with the time at
//! which it ends by itself, what is over is sent for a while with the time at which it ended. So
//! nothing has to be recorded: after a restart the same is sent anew. Between two rounds only what
//! changed is sent, so that a change costs no more where much is known.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::policy::{Admission, Item};
use crate::finding::Identity;
use crate::report::alertmanager::{Alert, RUNBOOK};
use crate::report::object::FindingState;
use crate::time::Time;

/// What is over is sent so long, as Prometheus does (rules/alerting.go): an Alertmanager may be away.
pub const OVER: Duration = Duration::from_mins(15);
/// The watchdog ends by itself after so many missed rounds.
const ROUNDS: u32 = 4;
/// What fires ends by itself after twice as many, and no sooner than this: a restart, or a new node
/// for the operator, is no end, and the end of the watchdog is heard before.
const AT_LEAST: Duration = Duration::from_mins(15);

/// The alerts of one receiver.
#[derive(Debug)]
pub struct Alerts {
    every: Duration,
    cluster: Option<String>,
    runbook: String,
    /// Since when there are rounds.
    since: Option<Time>,
    known: BTreeMap<Labels, Known>,
    /// As which alert a finding fires.
    fires: BTreeMap<Identity, Labels>,
}

type Labels = BTreeMap<&'static str, String>;

#[derive(Debug)]
struct Known {
    alert: Alert,
    over: Option<Time>,
}

impl Alerts {
    /// None yet; what fires will be sent that often.
    pub fn new(every: Duration, cluster: Option<String>) -> Self {
        let (known, fires) = (BTreeMap::new(), BTreeMap::new());
        Self { every, cluster, runbook: RUNBOOK.to_owned(), since: None, known, fires }
    }

    /// The same, with the runbook at another URL, if there is one.
    #[must_use]
    pub fn with_runbook(self, url: Option<String>) -> Self {
        Self { runbook: url.unwrap_or(self.runbook), ..self }
    }

    /// That there are rounds at all: sent beside what each says, also where that is nothing.
    pub fn watchdog(&mut self, now: Time) -> Alert {
        let since = *self.since.get_or_insert(now);
        let ends_at = now.plus(self.every * ROUNDS);
        Alert::watchdog(self.cluster.as_deref(), since, ends_at).with_runbook(&self.runbook)
    }

    /// All that is to be sent now, where these are all findings that there are.
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

    /// What is to be sent of these findings, which have changed.
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

    /// Takes in how a finding is, that fired as `before`; gives back which alert it is now.
    fn take(&mut self, item: &Item, identity: Identity, before: Option<Labels>, now: Time) -> Labels {
        let ends_at = now.plus((self.every * ROUNDS * 2).max(AT_LEAST));
        let alert = Alert::of(&item.finding, self.cluster.as_deref(), now, ends_at).with_runbook(&self.runbook);
        let labels = alert.labels.clone();
        let fired = before.as_ref() == Some(&labels);
        let stands = Stands::of(item, fired, now);
        // Of another cause or severity it is another alert.
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
                // Another finding fires as the same.
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
    /// How a finding stands; `fired` where it fires as the same alert.
    fn of(item: &Item, fired: bool, now: Time) -> Self {
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

    /// Whether it may have fired before a restart: an Alertmanager that does not know it passes it over.
    fn may_have_fired(item: &Item) -> bool {
        item.admission == Admission::Routed && !item.silenced
    }
}

impl Known {
    fn as_sent(&self) -> Alert {
        let mut alert = self.alert.clone();
        if let Some(over) = self.over {
            // An end before the beginning would be refused.
            alert.ends_at = over.max(alert.starts_at);
        }
        alert
    }
}

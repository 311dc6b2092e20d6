//! Which alerts an Alertmanager is told, again and again: pure.
//!
//! An Alertmanager keeps no news but a state: what fires is sent every so often with the time at
//! which it ends by itself, what is over is sent for a while with the time at which it ended. So
//! nothing has to be recorded: after a restart the same is sent anew.

use std::collections::BTreeMap;
use std::time::Duration;

use super::policy::{Admission, Item};
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
        Self { every, cluster, runbook: RUNBOOK.to_owned(), since: None, known: BTreeMap::new() }
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

    /// All that is to be sent now.
    pub fn round(&mut self, items: &[Item], now: Time) -> Vec<Alert> {
        let mut firing = BTreeMap::new();
        for item in items {
            let ends_at = now.plus((self.every * ROUNDS * 2).max(AT_LEAST));
            let alert = Alert::of(&item.finding, self.cluster.as_deref(), now, ends_at).with_runbook(&self.runbook);
            match self.stands(item, &alert.labels, now) {
                Stands::Fires => drop(firing.insert(alert.labels.clone(), Known { alert, over: None })),
                Stands::Over(at) => self.end(alert, at),
                Stands::Not => {}
            }
        }
        for known in self.known.values_mut().filter(|known| known.over.is_none()) {
            known.over = Some(now);
        }
        self.known.extend(firing);
        self.known.retain(|_, known| known.over.is_none_or(|over| now.since(over) < OVER));
        self.known.values().map(Known::as_sent).collect()
    }

    fn stands(&self, item: &Item, labels: &Labels, now: Time) -> Stands {
        let fired = self.known.get(labels).is_some_and(|known| known.over.is_none());
        match (item.state, item.admission) {
            (_, Admission::Barred) => Stands::Not,
            (FindingState::Confirmed, _) if item.silenced => Stands::Not,
            (FindingState::Confirmed, Admission::Routed) => Stands::Fires,
            (FindingState::Confirmed, _) if fired => Stands::Fires,
            (FindingState::Confirmed, _) => Stands::Not,
            (FindingState::Resolved | FindingState::Withdrawn, _) => match item.finding.resolved_at {
                Some(at) if now.since(at) < OVER && (fired || Self::may_have_fired(item)) => Stands::Over(at),
                _ => Stands::Not,
            },
        }
    }

    /// Whether it may have fired before a restart: an Alertmanager that does not know it passes it over.
    fn may_have_fired(item: &Item) -> bool {
        item.admission == Admission::Routed && !item.silenced
    }

    /// One that is over, unless the same fires again under another finding.
    fn end(&mut self, alert: Alert, at: Time) {
        let known = self.known.entry(alert.labels.clone()).or_insert(Known { alert, over: Some(at) });
        known.over.get_or_insert(at);
    }
}

enum Stands {
    Fires,
    Over(Time),
    Not,
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

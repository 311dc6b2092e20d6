//! The notified channel: by the operator's policy, in the format of its Slack receiver.

use std::collections::BTreeMap;

use crate::delivery::policy::{self, Admission, Item, Next, Past, Settings};
use crate::engine::{Change, ChangeKind};
use crate::finding::Identity;
use crate::report::object::FindingState;
use crate::report::slack::{Context, Payload};
use crate::report::update::Outcome;
use crate::time::Time;

/// The name of the receiver in a configuration.
const RECEIVER: &str = "slack";

/// One receiver with the default settings, and its notifications.
#[derive(Debug, Default)]
pub struct Channel {
    /// When it was first served.
    since: Option<Time>,
    items: BTreeMap<Identity, Item>,
    /// When the policy wants to be asked again.
    wakes: Option<Time>,
}

impl Channel {
    /// Advances time to `now`; returns what was sent until then.
    pub fn advance(&mut self, now: Time) -> Vec<(Time, Payload)> {
        self.since.get_or_insert(now);
        let mut sent = Vec::new();
        while let Some(at) = self.wakes.filter(|at| *at <= now) {
            self.wakes = None;
            sent.extend(self.send(at));
        }
        sent
    }

    /// Takes in a change of the engine; returns what is sent at once.
    pub fn hear(&mut self, change: &Change) -> Vec<(Time, Payload)> {
        let finding = &change.finding;
        if finding.confirmed_at.is_none() {
            return Vec::new();
        }
        let item = self.items.entry(finding.identity()).or_insert_with(|| Item {
            finding: finding.clone(),
            state: FindingState::Confirmed,
            silenced: false,
            admission: Admission::Routed,
            notified: None,
        });
        item.finding = finding.clone();
        item.state = match change.kind {
            ChangeKind::Resolved => FindingState::Resolved,
            ChangeKind::Withdrawn => FindingState::Withdrawn,
            _ => FindingState::Confirmed,
        };
        self.send(change.at)
    }

    /// Sends until nothing is due.
    fn send(&mut self, now: Time) -> Vec<(Time, Payload)> {
        let past = Past { since: self.since.unwrap_or(now), first_notified: None, not_before: now };
        let mut sent = Vec::new();
        loop {
            let items: Vec<Item> = self.items.values().cloned().collect();
            match policy::next(&items, past, &Settings::default(), now) {
                Next::Send(dispatch) => {
                    sent.push((now, Payload::new(&dispatch, Context { cluster: None, now })));
                    for (identity, notified) in dispatch.records(RECEIVER, now, &Outcome::Delivered) {
                        self.items.entry(identity).and_modify(|item| item.notified = Some(notified));
                    }
                }
                Next::Wait(until) => {
                    self.wakes = Some(until);
                    return sent;
                }
                Next::Nothing => {
                    self.wakes = None;
                    return sent;
                }
            }
        }
    }
}

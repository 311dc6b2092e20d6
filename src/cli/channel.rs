//! A channel as the operator would notify it: by its policy with default settings, in the format of its
//! Slack receiver.

use std::collections::BTreeMap;

use crate::delivery::policy::{self, Admission, Item, Next, Past, Settings};
use crate::engine::{Change, ChangeKind};
use crate::finding::Identity;
use crate::report::message::Message;
use crate::report::object::FindingState;
use crate::report::slack::{Context, Payload};
use crate::report::update::{Dispatch, FindingUpdate, Outcome};
use crate::time::Time;

/// The name of the receiver in a configuration.
const RECEIVER: &str = "slack";

/// A message.
#[derive(Debug)]
pub struct Sent {
    /// When.
    pub at: Time,
    /// In the receiver's format.
    pub payload: Payload,
    /// The findings that it is about, and what it says of each.
    pub of: Vec<(Identity, String)>,
}

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
    pub fn advance(&mut self, now: Time) -> Vec<Sent> {
        self.since.get_or_insert(now);
        let mut sent = Vec::new();
        while let Some(at) = self.wakes.filter(|at| *at <= now) {
            self.wakes = None;
            sent.extend(self.send(at));
        }
        sent
    }

    /// Takes in a change of the engine; returns what is sent at once.
    pub fn hear(&mut self, change: &Change) -> Vec<Sent> {
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
    fn send(&mut self, now: Time) -> Vec<Sent> {
        let past = Past { since: self.since.unwrap_or(now), first_notified: None, not_before: now };
        let mut sent = Vec::new();
        loop {
            let items: Vec<Item> = self.items.values().cloned().collect();
            match policy::next(&items, past, &Settings::default(), now) {
                Next::Send(dispatch) => {
                    let payload = Payload::new(&dispatch, Context { cluster: None, now });
                    sent.push(Sent { at: now, payload, of: said(&dispatch, now) });
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

fn said(dispatch: &Dispatch, now: Time) -> Vec<(Identity, String)> {
    let updates: Vec<&FindingUpdate> = match dispatch {
        Dispatch::One(update) => vec![update],
        Dispatch::Digest(digest) => digest.news.iter().collect(),
    };
    updates.into_iter().map(|update| (update.finding.identity(), Message::tell(update, now).in_one_line())).collect()
}

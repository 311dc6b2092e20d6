//! One finding, and its notifications.

use std::sync::Arc;

use super::{Left, Standing};
use crate::engine::ChangeKind;
use crate::finding::Finding;
use crate::findings::asked::Asked;
use crate::findings::board;
use crate::report::object::{ENTRIES, FindingState, Notification, Notified};
use crate::time::Time;

/// A finding, its notifications, and those of them stored in its object.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// `None` while only its object is known.
    finding: Option<Arc<Finding>>,
    state: Option<FindingState>,
    silenced: bool,
    asked: Arc<Asked>,
    /// By receiver, unordered: there are few.
    notified: Vec<Notification>,
    recorded: Vec<Recorded>,
    /// It cannot be recorded, and need not be retried before something changes.
    pub excused: bool,
    /// The receivers that need no more notifications of it, if it is resolved.
    settled: Vec<String>,
    /// The time by which it is ordered among resolved findings, if it is.
    pub ordered: Option<Time>,
}

/// The part of an object's record that is compared. What an older CRD version drops of the rest must not be
/// rewritten forever.
#[derive(Clone, PartialEq, Debug)]
struct Recorded {
    receiver: String,
    episode: u32,
    notified: Notified,
    at: Time,
}

impl Recorded {
    fn from_notification(notified: &Notification) -> Self {
        Self {
            receiver: notified.receiver.clone(),
            episode: notified.episode,
            notified: notified.notified,
            at: notified.at,
        }
    }

    fn is_of(&self, notified: &Notification) -> bool {
        (&*self.receiver, self.episode, self.notified, self.at)
            == (&*notified.receiver, notified.episode, notified.notified, notified.at)
    }
}

impl Entry {
    /// Takes over the state on the board.
    pub fn hear(&mut self, shown: &board::Entry) {
        self.finding = Some(Arc::clone(&shown.finding));
        self.silenced = shown.silenced_by.is_some();
        self.asked = Arc::clone(&shown.asked);
        self.state = Some(match shown.kind {
            ChangeKind::Resolved => FindingState::Resolved,
            ChangeKind::Withdrawn => FindingState::Withdrawn,
            _ => FindingState::Confirmed,
        });
        self.settled.clear();
    }

    /// Takes over what its object says, unless more is known.
    pub fn leave(&mut self, left: Left) {
        if self.finding.is_none() {
            (self.finding, self.state, self.silenced) = (Some(Arc::new(left.finding)), Some(left.state), left.silenced);
            self.asked = left.asked;
        }
    }

    /// Takes in the object's notifications; `false` if that changes nothing.
    pub fn saw(&mut self, goes_on: bool, notifications: &[Notification]) -> bool {
        let same = self.recorded.len() == notifications.len()
            && self.recorded.iter().zip(notifications).all(|(known, notified)| known.is_of(notified));
        if same && (goes_on || self.finding.is_some()) {
            return false;
        }
        for notified in notifications {
            match self.notified.iter_mut().find(|known| known.receiver == notified.receiver) {
                Some(known) if known.at >= notified.at => {}
                Some(known) => *known = notified.clone(),
                None => self.notified.push(notified.clone()),
            }
        }
        self.recorded = notifications.iter().map(Recorded::from_notification).collect();
        self.excused = false;
        if !goes_on && self.finding.is_none() {
            self.notified.clear();
        }
        true
    }

    /// The object was deleted.
    pub fn gone(&mut self) {
        self.recorded.clear();
        if self.finding.is_none() {
            self.notified.clear();
        }
    }

    /// A receiver was notified.
    pub fn tell(&mut self, notified: &Notification) {
        match self.notified.iter_mut().find(|known| known.receiver == notified.receiver) {
            Some(known) => *known = notified.clone(),
            None => self.notified.push(notified.clone()),
        }
        self.excused = false;
    }

    /// Its state for a receiver; `None` while the finding is not known.
    pub fn standing(&self, receiver: &str) -> Option<Standing> {
        Some(Standing {
            finding: Arc::clone(self.finding.as_ref()?),
            state: self.state?,
            silenced: self.silenced,
            asked: Arc::clone(&self.asked),
            notified: self.notified.iter().find(|notified| notified.receiver == receiver).cloned(),
        })
    }

    /// When it ended, if it is resolved.
    pub fn ended(&self) -> Option<Time> {
        let finding = self.finding.as_ref().filter(|_| self.state != Some(FindingState::Confirmed))?;
        Some(finding.resolved_at.or(finding.confirmed_at).unwrap_or(finding.opened_at))
    }

    /// Whether no receiver needs more notifications of it, or nothing is known of it.
    pub fn is_done(&self, reads: impl Fn(&str) -> bool, readers: usize) -> bool {
        if self.finding.is_none() {
            return self.notified.is_empty();
        }
        let settled = self.settled.iter().filter(|receiver| reads(receiver)).count();
        self.ended().is_some() && !self.is_owed() && settled >= readers
    }

    /// A receiver needs no more notifications of it; `false` if it is not resolved.
    pub fn settle(&mut self, receiver: &str) -> bool {
        if self.ended().is_none() {
            return false;
        }
        if !self.settled.iter().any(|settled| settled == receiver) {
            self.settled.push(receiver.to_owned());
        }
        true
    }

    /// A receiver may need notifications of it again.
    pub fn unsettle(&mut self, receiver: &str) {
        self.settled.retain(|settled| settled != receiver);
    }

    /// Whether a notification is missing in the object.
    pub fn is_owed(&self) -> bool {
        let stands = |notified: &Notification| self.recorded.iter().any(|recorded| recorded.is_of(notified));
        !self.excused && self.finding.is_some() && !self.newest().iter().all(stands)
    }

    /// The same, after it could not be recorded before.
    pub fn owes_anew(&mut self) -> bool {
        self.excused = false;
        self.is_owed()
    }

    /// As many notifications as fit into an object, the newest.
    pub fn newest(&self) -> Vec<Notification> {
        let mut all = self.notified.clone();
        all.sort_by_key(|notified| std::cmp::Reverse(notified.at));
        all.truncate(ENTRIES);
        all.sort_by(|one, other| one.receiver.cmp(&other.receiver));
        all
    }
}

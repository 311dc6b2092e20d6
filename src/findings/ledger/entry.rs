//! What is known of one finding, and of what was told of it.

use std::sync::Arc;

use super::{Left, Standing};
use crate::engine::ChangeKind;
use crate::finding::Finding;
use crate::findings::board;
use crate::report::object::{ENTRIES, FindingState, Notification, Notified};
use crate::time::Time;

/// A finding, what was told of it, and what of that stands in its object.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// `None` while only its object is known.
    finding: Option<Arc<Finding>>,
    state: Option<FindingState>,
    silenced: bool,
    /// By receiver, in no order: there are few.
    notified: Vec<Notification>,
    recorded: Vec<Recorded>,
    /// It cannot be recorded, and need not be tried again before something changes.
    pub excused: bool,
    /// The receivers that have nothing more to hear of it, where it is over.
    settled: Vec<String>,
    /// By which end it stands among those that are over, if it does.
    pub ordered: Option<Time>,
}

/// As much of what stands in an object as is compared. What an older definition of the API drops of
/// the rest must not be written for ever.
#[derive(Clone, PartialEq, Debug)]
struct Recorded {
    receiver: String,
    episode: u32,
    notified: Notified,
    at: Time,
}

impl Recorded {
    fn of(notified: &Notification) -> Self {
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
    /// Becomes what the board shows.
    pub fn hear(&mut self, shown: &board::Entry) {
        self.finding = Some(Arc::clone(&shown.finding));
        self.silenced = shown.silenced_by.is_some();
        self.state = Some(match shown.kind {
            ChangeKind::Resolved => FindingState::Resolved,
            ChangeKind::Withdrawn => FindingState::Withdrawn,
            _ => FindingState::Confirmed,
        });
        self.settled.clear();
    }

    /// Becomes what its object says, unless more is known.
    pub fn leave(&mut self, left: Left) {
        if self.finding.is_none() {
            (self.finding, self.state, self.silenced) = (Some(Arc::new(left.finding)), Some(left.state), left.silenced);
        }
    }

    /// Takes in what stands in the object; `false` if that changes nothing.
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
        self.recorded = notifications.iter().map(Recorded::of).collect();
        self.excused = false;
        if !goes_on && self.finding.is_none() {
            self.notified.clear();
        }
        true
    }

    /// There is no object any more.
    pub fn gone(&mut self) {
        self.recorded.clear();
        if self.finding.is_none() {
            self.notified.clear();
        }
    }

    /// A receiver was told something.
    pub fn tell(&mut self, notified: &Notification) {
        match self.notified.iter_mut().find(|known| known.receiver == notified.receiver) {
            Some(known) => *known = notified.clone(),
            None => self.notified.push(notified.clone()),
        }
        self.excused = false;
    }

    /// How a receiver stands to it; `None` while it is not known what it is.
    pub fn standing(&self, receiver: &str) -> Option<Standing> {
        Some(Standing {
            finding: Arc::clone(self.finding.as_ref()?),
            state: self.state?,
            silenced: self.silenced,
            notified: self.notified.iter().find(|notified| notified.receiver == receiver).cloned(),
        })
    }

    /// When it ended, if it is over.
    pub fn ended(&self) -> Option<Time> {
        let finding = self.finding.as_ref().filter(|_| self.state != Some(FindingState::Confirmed))?;
        Some(finding.resolved_at.or(finding.confirmed_at).unwrap_or(finding.opened_at))
    }

    /// Whether nobody has anything more to hear of it, or nothing is known of it.
    pub fn is_done(&self, reads: impl Fn(&str) -> bool, readers: usize) -> bool {
        if self.finding.is_none() {
            return self.notified.is_empty();
        }
        let settled = self.settled.iter().filter(|receiver| reads(receiver)).count();
        self.ended().is_some() && !self.is_owed() && settled >= readers
    }

    /// A receiver has nothing more to hear of it; `false` if it is not over.
    pub fn settle(&mut self, receiver: &str) -> bool {
        if self.ended().is_none() {
            return false;
        }
        if !self.settled.iter().any(|settled| settled == receiver) {
            self.settled.push(receiver.to_owned());
        }
        true
    }

    /// A receiver is there that may have something to hear of it.
    pub fn unsettle(&mut self, receiver: &str) {
        self.settled.retain(|settled| settled != receiver);
    }

    /// Whether something that was told does not stand in the object.
    pub fn is_owed(&self) -> bool {
        let stands = |notified: &Notification| self.recorded.iter().any(|recorded| recorded.is_of(notified));
        !self.excused && self.finding.is_some() && !self.newest().iter().all(stands)
    }

    /// The same, once more after it could not be recorded.
    pub fn owes_anew(&mut self) -> bool {
        self.excused = false;
        self.is_owed()
    }

    /// As many entries as an object takes, the newest.
    pub fn newest(&self) -> Vec<Notification> {
        let mut all = self.notified.clone();
        all.sort_by_key(|notified| std::cmp::Reverse(notified.at));
        all.truncate(ENTRIES);
        all.sort_by(|one, other| one.receiver.cmp(&other.receiver));
        all
    }
}

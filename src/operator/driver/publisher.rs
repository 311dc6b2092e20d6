//! Publishes findings on the board: upserted with the silence that applies, removed when nobody needs them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::change_log;
use crate::config::Silences;
use crate::engine::{Change, ChangeKind, Finding};
use crate::finding::Identity;
use crate::findings::board::{Board, Entry, Upserted};
use crate::time::Time;

/// How long resolved findings stay on the board: every consumer has taken them by then, and holds what it
/// still has to do with them.
const LINGERS: Duration = Duration::from_mins(1);

/// Maintains the board.
pub(super) struct Publisher {
    board: Arc<Board>,
    silences: Silences,
    /// When a silence next expires.
    turns: Option<Time>,
    over: BTreeMap<Identity, Time>,
    leaving: BTreeSet<(Time, Identity)>,
}

impl Publisher {
    pub fn new(board: Arc<Board>, silences: Silences) -> Self {
        // A time in the past: the first check computes when the next one is due.
        let turns = Some(Time::default());
        Self { board, silences, turns, over: BTreeMap::new(), leaving: BTreeSet::new() }
    }

    /// Publishes and logs a change.
    pub fn change(&mut self, change: &Change, now: Time) {
        let silenced_by = self.silence(&change.finding, now);
        change_log::log(change, silenced_by.as_deref());
        let entry = Entry { finding: Arc::clone(&change.finding), kind: change.kind, at: change.at, silenced_by };
        self.upsert(entry);
    }

    /// Publishes a finding from before a restart or from another replica, unless it is resolved or more is
    /// known.
    pub fn remember(&mut self, finding: &Finding, now: Time) {
        let known = self.board.get(&finding.identity());
        let knows_more = known.is_some_and(|known| known.finding.confirmed_at.is_some());
        if finding.resolved_at.is_some() || knows_more {
            return;
        }
        let silenced_by = self.silence(finding, now);
        let at = finding.confirmed_at.unwrap_or(finding.opened_at);
        self.upsert(Entry { finding: Arc::new(finding.clone()), kind: ChangeKind::Confirmed, at, silenced_by });
    }

    /// Publishes the final counts of a finding, if they are newer than what was published.
    pub fn last_count(&mut self, finding: Arc<Finding>, now: Time) {
        let shown = self.board.get(&finding.identity()).filter(|shown| {
            let goes_on = shown.is_open() && shown.finding.confirmed_at.is_some() && finding.resolved_at.is_none();
            goes_on && shown.finding.episodes == finding.episodes && shown.finding != finding
        });
        if let Some(shown) = shown {
            self.upsert(Entry { finding, kind: ChangeKind::Counted, at: now, ..shown });
        }
    }

    /// Continues with other silences.
    pub fn set_silences(&mut self, silences: Silences, now: Time) {
        self.silences = silences;
        self.silence_anew(now);
    }

    /// Removes what nobody needs any more, and ends silences that have expired.
    pub fn tick(&mut self, now: Time) {
        while self.leaving.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, identity)) = self.leaving.pop_first() {
                self.over.remove(&identity);
                self.board.remove(&identity);
            }
        }
        if self.turns.is_some_and(|turns| turns <= now) {
            self.silence_anew(now);
        }
    }

    /// When [`Publisher::tick`] is next due.
    pub fn next_deadline(&self) -> Option<Time> {
        self.leaving.first().map(|(at, _)| *at).into_iter().chain(self.turns).min()
    }

    fn upsert(&mut self, entry: Entry) {
        let (identity, at) = (entry.finding.identity(), entry.at);
        if let Some(leaves) = self.over.remove(&identity) {
            self.leaving.remove(&(leaves, identity.clone()));
        }
        let is_over = !entry.is_open();
        match self.board.upsert(entry) {
            Upserted::Up if is_over => self.leaves(identity, at),
            Upserted::Up => {}
            Upserted::Instead(other) => self.leaves(other, at),
            // Withdrawn, if it was on the board.
            Upserted::Dropped => self.leaves(identity, at),
        }
    }

    fn leaves(&mut self, identity: Identity, over: Time) {
        let leaves = over.plus(LINGERS);
        if let Some(before) = self.over.insert(identity.clone(), leaves) {
            self.leaving.remove(&(before, identity.clone()));
        }
        self.leaving.insert((leaves, identity));
    }

    fn silence_anew(&mut self, now: Time) {
        self.turns = self.silences.0.iter().filter_map(|silence| silence.until).filter(|until| *until > now).min();
        for mut entry in self.board.all() {
            let silenced_by = self.silence(&entry.finding, now);
            if entry.is_open() && entry.silenced_by != silenced_by {
                entry.silenced_by = silenced_by;
                self.board.upsert(entry);
            }
        }
    }

    fn silence(&self, finding: &Finding, now: Time) -> Option<Arc<str>> {
        self.silences.of(finding, now).map(|silence| Arc::from(silence.name.as_str()))
    }
}

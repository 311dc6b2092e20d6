//! Publishes findings on the board: upserted with the silence that applies and what their annotations ask
//! for, removed when nobody needs them.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::change_log;
use crate::config::{Config, Silences};
use crate::engine::{Change, ChangeKind, Finding, Need, Observation};
use crate::finding::Identity;
use crate::findings::board::{Board, Entry, Upserted};
use crate::operator::annotations::{Annotated, Complain};
use crate::source::Input;
use crate::source::cluster::{Answer, NamespaceAnswer};
use crate::source::objects::PodLite;
use crate::time::Time;

/// How long resolved findings stay on the board: every consumer has taken them by then, and holds what it
/// still has to do with them.
const LINGERS: Duration = Duration::from_mins(1);

/// Minimum interval between looks at everything for changed annotations.
const AT_MOST: Duration = Duration::from_secs(1);

/// Maintains the board.
pub(super) struct Publisher {
    board: Arc<Board>,
    silences: Silences,
    annotated: Annotated,
    /// When what applies to a finding next changes: a silence expires, a window opens or closes.
    turns: Option<Time>,
    /// When everything was last looked at for that.
    turned: Time,
    /// A look-up for the sake of the annotations.
    need: Option<Need>,
    over: BTreeMap<Identity, Time>,
    leaving: BTreeSet<(Time, Identity)>,
}

impl Publisher {
    pub fn new(board: Arc<Board>, config: &Config) -> Self {
        Self {
            board,
            silences: config.silences.clone(),
            annotated: Annotated::new(config.annotations.clone()),
            // A time in the past: the first check computes when the next one is due.
            turns: Some(Time::default()),
            turned: Time::default(),
            need: None,
            over: BTreeMap::new(),
            leaving: BTreeSet::new(),
        }
    }

    /// Reports values of annotations that have no effect.
    pub fn set_complain(&mut self, complain: Complain) {
        self.annotated.set_complain(complain);
    }

    /// Takes in annotations of pods.
    pub fn handle_input<P: Borrow<PodLite>, E>(&mut self, input: &Input<P, E>, now: Time) {
        if self.annotated.handle_input(input, now) {
            self.turn(now);
        }
    }

    /// Takes in annotations of workloads.
    pub fn handle_answer(&mut self, answer: &Answer, facts: Option<&Observation>, now: Time) {
        if self.annotated.handle_answer(answer, facts, now) {
            self.turn(now);
        }
    }

    /// Takes in annotations of a namespace.
    pub fn handle_namespace(&mut self, answer: &NamespaceAnswer, now: Time) {
        if self.annotated.handle_namespace(answer, now) {
            self.turn(now);
        }
    }

    /// The namespaces that are to be read for the sake of their annotations.
    pub fn take_namespaces(&mut self) -> Vec<Arc<str>> {
        self.annotated.take_namespaces()
    }

    /// The look-up that is due for the sake of the annotations.
    pub const fn take_need(&mut self) -> Option<Need> {
        self.need.take()
    }

    /// Publishes and logs a change.
    pub fn change(&mut self, change: &Change, now: Time) {
        let finding = Arc::clone(&change.finding);
        let entry = self.entry(finding, change.kind, change.at, now);
        change_log::log(change, &entry);
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
        let at = finding.confirmed_at.unwrap_or(finding.opened_at);
        let entry = self.entry(Arc::new(finding.clone()), ChangeKind::Confirmed, at, now);
        self.upsert(entry);
    }

    /// Withdraws a finding of before, unless it is over or was withdrawn just now.
    pub fn forget(&mut self, finding: &Finding, now: Time) {
        if finding.resolved_at.is_none() && self.board.get(&finding.identity()).is_none() {
            let finding = Arc::new(finding.clone());
            self.change(&Change { kind: ChangeKind::Withdrawn, at: now, finding }, now);
        }
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

    /// Continues with other silences and grants.
    pub fn set_settings(&mut self, config: &Config, now: Time) {
        self.silences = config.silences.clone();
        self.annotated.set_settings(config.annotations.clone(), &self.board.all());
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
        if self.need.is_none() {
            self.need = self.annotated.refresh(now);
        }
    }

    /// When [`Publisher::tick`] is next due.
    pub fn next_deadline(&self) -> Option<Time> {
        let leaves = self.leaving.first().map(|(at, _)| *at);
        leaves.into_iter().chain(self.turns).chain(self.annotated.next_refresh()).min()
    }

    fn upsert(&mut self, entry: Entry) {
        let (identity, at) = (entry.finding.identity(), entry.at);
        if let Some(leaves) = self.over.remove(&identity) {
            self.leaving.remove(&(leaves, identity.clone()));
        }
        let is_over = !entry.is_open();
        self.annotated.note(&entry);
        match self.board.upsert(entry) {
            Upserted::Up if is_over => self.leaves(identity, at),
            Upserted::Up => {}
            Upserted::Instead(other) => {
                self.annotated.forget(&other);
                self.leaves(other, at);
            }
            // Withdrawn, if it was on the board.
            Upserted::Dropped => {
                self.annotated.forget(&identity);
                self.leaves(identity, at);
            }
        }
    }

    fn leaves(&mut self, identity: Identity, over: Time) {
        let leaves = over.plus(LINGERS);
        if let Some(before) = self.over.insert(identity.clone(), leaves) {
            self.leaving.remove(&(before, identity.clone()));
        }
        self.leaving.insert((leaves, identity));
    }

    /// Looks at everything again, soon, but not for each of many changes.
    fn turn(&mut self, now: Time) {
        let at = now.max(self.turned.plus(AT_MOST));
        self.turns = Some(self.turns.map_or(at, |turns| turns.min(at)));
    }

    fn silence_anew(&mut self, now: Time) {
        self.turned = now;
        self.turns = self.silences.0.iter().filter_map(|silence| silence.until).filter(|until| *until > now).min();
        for entry in self.board.all().into_iter().filter(Entry::is_open) {
            let anew = self.entry(Arc::clone(&entry.finding), entry.kind, entry.at, now);
            if (&anew.silenced_by, &anew.asked) != (&entry.silenced_by, &entry.asked) {
                self.board.upsert(anew);
            }
        }
    }

    /// An entry with the silence that applies, and with what the annotations ask for.
    fn entry(&mut self, finding: Arc<Finding>, kind: ChangeKind, at: Time, now: Time) -> Entry {
        let silenced_by = self.silences.of(&finding, now).map(|silence| Arc::from(silence.name.as_str()));
        let (asked, turns) = self.annotated.ask(&finding, now);
        self.turns = self.turns.into_iter().chain(turns.map(|turns| turns.max(now.plus(AT_MOST)))).min();
        Entry { finding, kind, at, silenced_by, asked }
    }
}

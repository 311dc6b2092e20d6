//! The parts of a message: the same content for every receiver, in the same words and order. Raw text: each
//! medium cuts and escapes it, and lays it out.

use std::fmt;

use super::headline::headline;
use super::notified::Content;
use super::remedies::{self, Line};
use super::sentence::Sentence;
use super::update::{FindingUpdate, Kind};
use super::wording::{changed_by, doubt, extent, field_is, guarded, news, over, since, worst};
use crate::engine::{Change, ChangeKind, Fact, Finding, RevisionChange, Severity};
use crate::finding::guard::Outcome;
use crate::time::Time;

/// The content of a message about a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The kind of message.
    pub word: Word,
    /// The severity.
    pub severity: Severity,
    /// Who it is about, and what is wrong, in one sentence without a full stop.
    pub headline: String,
    /// What has changed since the previous message.
    pub news: Option<Sentence>,
    /// How many pods, and the effect on the Services; or how it ended.
    pub extent: Option<Sentence>,
    /// Since when, or how bad it was.
    pub since: Option<Sentence>,
    /// The field, its value and one that works.
    pub field: Option<Sentence>,
    /// The revision, and who changed what.
    pub change: Option<Sentence>,
    /// What the guard did, or why it did nothing.
    pub guard: Option<Sentence>,
    /// The facts that it is based on, in chronological order.
    pub facts: Vec<Fact>,
    /// The change made by the rollout; one of the facts states it, too.
    pub rollout: Option<RevisionChange>,
    /// The confidence and the alternatives; `None` if there are none.
    pub doubt: Option<String>,
    /// What to type or do, best first; empty if it is resolved.
    pub remedies: Vec<Line>,
}

/// What happened to a finding, as the first word of a message.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// It was confirmed.
    Confirmed,
    /// It changed.
    Updated,
    /// It is still open.
    GoesOn,
    /// It was resolved.
    Resolved,
    /// Another finding replaced it.
    Withdrawn,
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Confirmed => "CONFIRMED",
            Self::Updated => "UPDATED",
            Self::GoesOn => "GOES ON",
            Self::Resolved => "RESOLVED",
            Self::Withdrawn => "WITHDRAWN",
        })
    }
}

impl Message {
    /// The message for a change; `None` for one that is not sent. `before` is the finding as last reported:
    /// if only its extent has changed, the rest is not repeated.
    pub fn from_change(change: &Change, before: Option<&Finding>) -> Option<Self> {
        let finding = &change.finding;
        match change.kind {
            ChangeKind::Suspected | ChangeKind::Counted | ChangeKind::Withdrawn => None,
            ChangeKind::Resolved => Some(Self::over(Word::Resolved, finding, change.at)),
            ChangeKind::Updated if before.is_some_and(|before| same_diagnosis(before, finding)) => {
                Some(Self { extent: Some(extent(finding)), ..Self::bare(Word::Updated, finding) })
            }
            ChangeKind::Updated => Some(Self::whole(Word::Updated, finding)),
            ChangeKind::Confirmed => Some(Self::whole(Word::Confirmed, finding)),
        }
    }

    /// The message to a receiver at `now`.
    pub fn tell(update: &FindingUpdate, now: Time) -> Self {
        let finding = &update.finding;
        let before = update.before.as_ref().and_then(|before| before.content.as_ref());
        let message = match update.kind {
            Kind::Opened => Self { news: again(finding), ..Self::whole(Word::Confirmed, finding) },
            Kind::Changed => Self::changed(finding, before),
            Kind::GoesOn => Self::in_short(Word::GoesOn, finding),
            Kind::Resolved | Kind::Missed => return Self::over(Word::Resolved, finding, now),
            Kind::Withdrawn => return Self::withdrawn(finding),
        };
        Self { since: Some(since(finding, now)), ..message }
    }

    /// The sentences below the headline, without those for single messages only.
    pub fn sentences(&self) -> impl Iterator<Item = &Sentence> {
        [&self.extent, &self.field, &self.change, &self.guard].into_iter().flatten()
    }

    /// What is new in it, in a line: `confirmed: Container auth is being killed …`.
    pub fn in_one_line(&self) -> String {
        let what =
            self.news.as_ref().or(self.extent.as_ref()).map_or_else(|| self.headline.clone(), ToString::to_string);
        format!("{}: {what}", self.word.to_string().to_lowercase())
    }

    fn bare(word: Word, finding: &Finding) -> Self {
        Self {
            word,
            severity: finding.severity,
            headline: headline(finding),
            news: None,
            extent: None,
            since: None,
            field: None,
            change: None,
            guard: None,
            facts: Vec::new(),
            rollout: None,
            doubt: None,
            remedies: Vec::new(),
        }
    }

    fn whole(word: Word, finding: &Finding) -> Self {
        Self {
            change: changed_by(finding),
            facts: finding.evidence.clone(),
            rollout: finding.change.clone(),
            doubt: doubt(finding),
            ..Self::in_short(word, finding)
        }
    }

    /// Its extent and remedies, without the reasons.
    fn in_short(word: Word, finding: &Finding) -> Self {
        Self {
            extent: Some(extent(finding)),
            field: field_is(finding),
            guard: guarded(finding),
            remedies: remedies::lines(finding),
            ..Self::bare(word, finding)
        }
    }

    fn changed(finding: &Finding, before: Option<&Content>) -> Self {
        let same = before.is_some_and(|before| Content::from_finding(finding).same_diagnosis(before));
        let message = if same { Self::in_short(Word::Updated, finding) } else { Self::whole(Word::Updated, finding) };
        let news = before.and_then(|before| news(finding, before));
        // It stands in the news already.
        let guard =
            message.guard.filter(|_| before.is_none_or(|before| before.guard == Content::from_finding(finding).guard));
        Self { news, guard, ..message }
    }

    fn over(word: Word, finding: &Finding, at: Time) -> Self {
        let undone = finding.guard.as_ref().is_some_and(|guard| guard.outcome == Outcome::Undone);
        let guard = guarded(finding).filter(|_| undone);
        Self { extent: Some(over(finding, at)), since: Some(worst(finding)), guard, ..Self::bare(word, finding) }
    }

    fn withdrawn(finding: &Finding) -> Self {
        let sentence =
            "Taken back: another finding of this container took its place, or its namespace is watched no more.";
        Self { extent: Some(Sentence::new(sentence)), ..Self::bare(Word::Withdrawn, finding) }
    }
}

/// That it occurred before.
fn again(finding: &Finding) -> Option<Sentence> {
    (finding.episodes > 1).then(|| Sentence::new(format!("It came back: this is episode {}.", finding.episodes)))
}

/// Whether only its extent or severity changed.
fn same_diagnosis(a: &Finding, b: &Finding) -> bool {
    Content::from_finding(a).same_diagnosis(&Content::from_finding(b))
        && a.confirmed_at.is_some() == b.confirmed_at.is_some()
}

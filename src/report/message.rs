//! A message in its parts: what every receiver is told of a finding, in the same words and order.
//! Raw text: each medium cuts and escapes it, and lays it out.

use std::fmt;

use super::headline::headline;
use super::notified::Content;
use super::remedies::{self, Line};
use super::sentence::Sentence;
use super::sentences::{changed_by, doubt, extent, field_is, news, over, since, worst};
use super::update::{FindingUpdate, Kind};
use crate::engine::{Change, ChangeKind, Fact, Finding, RevisionChange, Severity};
use crate::time::Time;

/// What is told of a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// What happened to it.
    pub word: Word,
    /// How bad it is.
    pub severity: Severity,
    /// Who it is about, and what is wrong, in one sentence without a full stop.
    pub headline: String,
    /// What is new beside what was told before.
    pub news: Option<Sentence>,
    /// How many pods, and what that does to the Services; or how it ended.
    pub extent: Option<Sentence>,
    /// Since when, or how bad it was.
    pub since: Option<Sentence>,
    /// The field, its value and one that works.
    pub field: Option<Sentence>,
    /// Which revision, and who changed what.
    pub change: Option<Sentence>,
    /// The facts that it rests on, in the order in which they happened.
    pub facts: Vec<Fact>,
    /// What the rollout changed, as one of the facts says it, too.
    pub rollout: Option<RevisionChange>,
    /// How sure it is and what else it could be; `None` where nothing else could.
    pub doubt: Option<String>,
    /// What to type or do, best first; none where it is over.
    pub remedies: Vec<Line>,
}

/// What happened to a finding, as the first word of a message.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// The evidence carries it.
    Confirmed,
    /// It changed.
    Updated,
    /// It goes on.
    GoesOn,
    /// It is over.
    Resolved,
    /// Another finding took its place.
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
    /// What is told of a change; `None` of one that is only shown. `before` is what was told of
    /// the finding last: where only its extent is news, the rest is not said again.
    pub fn of(change: &Change, before: Option<&Finding>) -> Option<Self> {
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

    /// What a receiver is told at `now`.
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

    /// The sentences below the headline, but for what only a message by itself says.
    pub fn sentences(&self) -> impl Iterator<Item = &Sentence> {
        [&self.extent, &self.field, &self.change].into_iter().flatten()
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

    /// How far it reaches and what to do about it, without why.
    fn in_short(word: Word, finding: &Finding) -> Self {
        Self {
            extent: Some(extent(finding)),
            field: field_is(finding),
            remedies: remedies::lines(finding),
            ..Self::bare(word, finding)
        }
    }

    fn changed(finding: &Finding, before: Option<&Content>) -> Self {
        let same = before.is_some_and(|before| Content::of(finding).same_diagnosis(before));
        let message = if same { Self::in_short(Word::Updated, finding) } else { Self::whole(Word::Updated, finding) };
        Self { news: before.and_then(|before| news(finding, before)), ..message }
    }

    fn over(word: Word, finding: &Finding, at: Time) -> Self {
        Self { extent: Some(over(finding, at)), since: Some(worst(finding)), ..Self::bare(word, finding) }
    }

    fn withdrawn(finding: &Finding) -> Self {
        let sentence = "Taken back: another finding of this container took its place.";
        Self { extent: Some(Sentence::new(sentence)), ..Self::bare(Word::Withdrawn, finding) }
    }
}

/// That it was there before.
fn again(finding: &Finding) -> Option<Sentence> {
    (finding.episodes > 1).then(|| Sentence::new(format!("It came back: this is episode {}.", finding.episodes)))
}

/// Whether only its extent or severity changed.
fn same_diagnosis(a: &Finding, b: &Finding) -> bool {
    Content::of(a).same_diagnosis(&Content::of(b)) && a.confirmed_at.is_some() == b.confirmed_at.is_some()
}

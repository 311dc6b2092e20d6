//! The findings on the screen: sorted, filtered, one of them selected.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::keys::Move;
use crate::engine::{Change, ChangeKind, Finding};
use crate::finding::Identity;
use crate::finding::rank::Rank;
use crate::report::text::block::word;

/// Maximum number of findings shown, as many as in the operator.
const MAX_FINDINGS: usize = 5_000;
/// Maximum number of resolved ones among them.
const MAX_OVER: usize = 500;

/// The sort order.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Sort {
    /// Worst first.
    #[default]
    Worst,
    /// Most recent first.
    Newest,
    /// Most affected pods first.
    Pods,
    /// By namespace and workload.
    Name,
}

impl Sort {
    /// Its name on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Worst => "worst",
            Self::Newest => "newest",
            Self::Pods => "pods",
            Self::Name => "name",
        }
    }

    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Worst => Self::Newest,
            Self::Newest => Self::Pods,
            Self::Pods => Self::Name,
            Self::Name => Self::Worst,
        }
    }

    fn compare(self, one: &Finding, other: &Finding) -> Ordering {
        let worst = || {
            (is_over(one), Reverse(Rank::from_finding(one))).cmp(&(is_over(other), Reverse(Rank::from_finding(other))))
        };
        let first = match self {
            Self::Worst => Ordering::Equal,
            Self::Newest => other.opened_at.cmp(&one.opened_at),
            Self::Pods => other.pods.affected.cmp(&one.pods.affected),
            Self::Name => named(one).cmp(&named(other)),
        };
        first.then_with(worst).then_with(|| one.identity().cmp(&other.identity()))
    }
}

/// The findings.
#[derive(Debug, Default)]
pub struct Findings {
    all: BTreeMap<Identity, Arc<Finding>>,
    /// The selected one, with its index when it was selected; if `None`, the first one is selected.
    chosen: Option<(Identity, usize)>,
    /// The sort order.
    pub sort: Sort,
    /// Words that must all occur in a finding's description for it to be shown.
    pub filter: String,
    left_out: u64,
}

impl Findings {
    /// Takes in a change.
    pub fn apply(&mut self, change: Change) {
        let identity = change.finding.identity();
        if change.kind == ChangeKind::Withdrawn {
            self.all.remove(&identity);
            return;
        }
        self.all.insert(identity, change.finding);
        let over = self.all.values().filter(|finding| is_over(finding)).count();
        if self.all.len() > MAX_FINDINGS || over > MAX_OVER {
            self.leave_one_out();
        }
    }

    /// Those that match the filter, in order.
    pub fn rows(&self) -> Vec<&Finding> {
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let mut rows: Vec<&Finding> = self.all.values().map(AsRef::as_ref).filter(|it| matches(it, &words)).collect();
        rows.sort_by(|one, other| self.sort.compare(one, other));
        rows
    }

    /// The index of the selected one among the rows.
    pub fn place(&self, rows: &[&Finding]) -> usize {
        let Some((chosen, before)) = &self.chosen else { return 0 };
        let place = rows.iter().position(|row| row.identity() == *chosen);
        place.unwrap_or_else(|| (*before).min(rows.len().saturating_sub(1)))
    }

    /// The selected one, if there is any.
    pub fn chosen(&self) -> Option<&Finding> {
        let rows = self.rows();
        rows.get(self.place(&rows)).copied()
    }

    /// One of them.
    pub fn get(&self, identity: &Identity) -> Option<&Finding> {
        self.all.get(identity).map(AsRef::as_ref)
    }

    /// Selects one, which stays selected wherever it moves.
    pub fn choose(&mut self, identity: &Identity) {
        let place = self.rows().iter().position(|row| row.identity() == *identity);
        self.chosen = place.map(|place| (identity.clone(), place));
    }

    /// Selects another one. Going to the first one means following whatever is first.
    pub fn go(&mut self, to: Move) {
        let rows = self.rows();
        let last = rows.len().saturating_sub(1);
        let place = match to {
            Move::First => 0,
            Move::Last => last,
            Move::By(rows_down) => self.place(&rows).saturating_add_signed(rows_down).min(last),
        };
        self.chosen = rows.get(place).filter(|_| to != Move::First).map(|row| (row.identity(), place));
    }

    /// The numbers of open and of resolved findings.
    pub fn count(&self) -> (usize, usize) {
        let over = self.all.values().filter(|finding| is_over(finding)).count();
        (self.all.len() - over, over)
    }

    /// The number of findings for which there was no room.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The one resolved longest ago is dropped first, then the least important one.
    fn leave_one_out(&mut self) {
        let least = self.all.iter().min_by_key(|(_, it)| (!is_over(it), it.resolved_at, Rank::from_finding(it)));
        if let Some(identity) = least.map(|(identity, _)| identity.clone()) {
            let gone = self.all.remove(&identity);
            self.left_out += u64::from(gone.is_some_and(|finding| !is_over(&finding)));
        }
    }
}

fn is_over(finding: &Finding) -> bool {
    finding.resolved_at.is_some()
}

fn named(finding: &Finding) -> (&str, &str, &str) {
    (&finding.namespace, &finding.workload, &finding.container)
}

fn matches(finding: &Finding, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let Finding { namespace, workload, container, effect, cause, .. } = finding;
    let text = format!("{namespace}/{workload} {container} {effect} {cause} {}", word(finding)).to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

//! Shows findings on a person's own machine as they are confirmed, change and are resolved.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::engine::Finding;
use crate::finding::Identity;
use crate::findings::board::{Board, Entry};
use crate::report::notified::Content;

/// How a finding has changed, for a person who is watching.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Turn {
    /// It was confirmed, or more is known about it.
    Confirmed,
    /// It was resolved.
    Resolved,
    /// Another finding replaced it.
    Withdrawn,
}

type Show = Box<dyn FnMut(Turn, &Finding) + Send>;

/// Shows findings to a person.
pub struct Console(Show);

impl Console {
    /// A console that shows them with `show`.
    pub fn new(show: impl FnMut(Turn, &Finding) + Send + 'static) -> Self {
        Self(Box::new(show))
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}

/// Shows what is on the board, forever. Findings that are only suspected or silenced are not shown.
pub async fn run(board: Arc<Board>, mut console: Console) {
    let mut changes = board.subscribe();
    let mut shown: BTreeMap<Identity, Content> = BTreeMap::new();
    loop {
        for identity in changes.next().await {
            let Some(entry) = board.get(&identity) else {
                shown.remove(&identity);
                continue;
            };
            if let Some(turn) = turn(&entry, shown.get(&identity)) {
                (console.0)(turn, &entry.finding);
            }
            if entry.is_open() && is_shown(&entry) {
                shown.insert(identity, Content::from_finding(&entry.finding));
            } else {
                shown.remove(&identity);
            }
        }
    }
}

fn is_shown(entry: &Entry) -> bool {
    entry.finding.confirmed_at.is_some() && entry.silenced_by.is_none()
}

/// How the entry differs from what was last shown of it.
fn turn(entry: &Entry, before: Option<&Content>) -> Option<Turn> {
    if entry.is_open() {
        let is_news = before.is_none_or(|before| Content::from_finding(&entry.finding).is_news_after(before));
        return (is_shown(entry) && is_news).then_some(Turn::Confirmed);
    }
    before?;
    Some(if entry.finding.resolved_at.is_some() { Turn::Resolved } else { Turn::Withdrawn })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ChangeKind;
    use crate::operator::testing::{at, finding};

    fn entry(kind: ChangeKind, change: impl FnOnce(&mut Finding)) -> Entry {
        let mut finding = finding("web");
        change(&mut finding);
        Entry { finding: Arc::new(finding), kind, at: at(1), silenced_by: None, asked: Arc::default() }
    }

    #[test]
    fn each_turn_is_shown_once() {
        let confirmed = entry(ChangeKind::Confirmed, |_| ());
        let known = Content::from_finding(&confirmed.finding);
        assert_eq!(turn(&confirmed, None), Some(Turn::Confirmed));
        assert_eq!(turn(&entry(ChangeKind::Counted, |finding| finding.restarts += 1), Some(&known)), None);
        let resolved = entry(ChangeKind::Resolved, |finding| finding.resolved_at = Some(at(9)));
        assert_eq!((turn(&resolved, Some(&known)), turn(&resolved, None)), (Some(Turn::Resolved), None));
        assert_eq!(turn(&entry(ChangeKind::Withdrawn, |_| ()), Some(&known)), Some(Turn::Withdrawn));
    }

    #[test]
    fn what_is_suspected_or_silenced_is_not_shown() {
        assert_eq!(turn(&entry(ChangeKind::Suspected, |finding| finding.confirmed_at = None), None), None);
        let silenced = Entry { silenced_by: Some("known".into()), ..entry(ChangeKind::Confirmed, |_| ()) };
        assert_eq!(turn(&silenced, None), None);
    }
}

//! What is known now: the newest state of each finding, for whoever passes it on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::engine::{ChangeKind, Finding};
use crate::finding::Identity;
use crate::time::Time;

/// Most findings that are kept; a cluster in which more loop at once has one cause for most.
const MOST: usize = 20_000;

/// The newest state of each finding.
///
/// Bounded by the findings there are: a reader that is slow misses states in between, never the
/// newest one.
#[derive(Debug, Default)]
pub struct Board {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<Identity, Entry>,
    readers: Vec<Arc<Reader>>,
    dropped: u64,
}

/// A finding as it was last said.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The finding.
    pub finding: Arc<Finding>,
    /// What last happened to it.
    pub kind: ChangeKind,
    /// When.
    pub at: Time,
    /// The silence that keeps it from being told, if one does.
    pub silenced_by: Option<Arc<str>>,
}

impl Entry {
    /// Whether it goes on, as far as is known.
    pub fn is_open(&self) -> bool {
        !matches!(self.kind, ChangeKind::Resolved | ChangeKind::Withdrawn)
    }
}

#[derive(Debug, Default)]
struct Reader {
    news: Mutex<BTreeSet<Identity>>,
    woken: Notify,
}

/// What is new since one reader last looked.
#[derive(Debug)]
pub struct News {
    reader: Arc<Reader>,
}

impl Board {
    /// Puts up a finding as it is now, and wakes the readers.
    pub fn put_up(&self, entry: Entry) {
        let identity = entry.finding.identity();
        let mut state = locked(&self.state);
        if state.entries.len() >= MOST && !state.entries.contains_key(&identity) {
            state.dropped += 1;
            return;
        }
        state.entries.insert(identity.clone(), entry);
        for reader in &state.readers {
            locked(&reader.news).insert(identity.clone());
            reader.woken.notify_one();
        }
    }

    /// Takes down what nobody needs any more.
    pub fn take_down(&self, identity: &Identity) {
        locked(&self.state).entries.remove(identity);
    }

    /// The newest state of one finding.
    pub fn get(&self, identity: &Identity) -> Option<Entry> {
        locked(&self.state).entries.get(identity).cloned()
    }

    /// All of them, in the order of their identities.
    pub fn all(&self) -> Vec<Entry> {
        locked(&self.state).entries.values().cloned().collect()
    }

    /// How many findings did not fit.
    pub fn dropped(&self) -> u64 {
        locked(&self.state).dropped
    }

    /// A reader of its own, to which all that is up is news.
    pub fn subscribe(&self) -> News {
        let mut state = locked(&self.state);
        let reader = Arc::new(Reader::default());
        locked(&reader.news).extend(state.entries.keys().cloned());
        state.readers.push(Arc::clone(&reader));
        News { reader }
    }
}

impl News {
    /// Waits for news; gives each finding once, however often it changed.
    pub async fn next(&mut self) -> BTreeSet<Identity> {
        loop {
            let news = self.take();
            if !news.is_empty() {
                return news;
            }
            self.reader.woken.notified().await;
        }
    }

    /// What is new at the moment, without waiting.
    pub fn take(&mut self) -> BTreeSet<Identity> {
        std::mem::take(&mut *locked(&self.reader.news))
    }
}

/// What a panic elsewhere left is still the newest state.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::testing::finding;

    #[tokio::test]
    async fn a_slow_reader_is_told_of_each_finding_once_and_finds_its_newest_state() {
        let board = Board::default();
        board.put_up(entry("one", ChangeKind::Confirmed));
        let mut news = board.subscribe();
        for kind in [ChangeKind::Suspected, ChangeKind::Confirmed, ChangeKind::Resolved] {
            board.put_up(entry("two", kind));
        }
        let told = news.next().await;
        assert_eq!(told.len(), 2, "what was up before is news to a new reader");
        let kinds: Vec<_> = told.iter().filter_map(|identity| board.get(identity)).map(|entry| entry.kind).collect();
        assert_eq!(kinds, [ChangeKind::Confirmed, ChangeKind::Resolved]);
    }

    #[tokio::test]
    async fn news_wait_until_there_are_some() {
        let board = Arc::new(Board::default());
        let mut news = board.subscribe();
        let told = tokio::spawn(async move { news.next().await });
        tokio::task::yield_now().await;
        board.put_up(entry("one", ChangeKind::Confirmed));
        assert_eq!(told.await.expect("it does not panic").len(), 1);
    }

    #[test]
    fn a_board_that_is_full_says_how_much_is_missing() {
        let board = Board::default();
        for number in 0..=MOST {
            board.put_up(entry(&number.to_string(), ChangeKind::Confirmed));
        }
        assert_eq!((board.all().len(), board.dropped()), (MOST, 1));
        let up = board.all()[0].finding.identity();
        board.take_down(&up);
        assert!(board.get(&up).is_none());
    }

    fn entry(workload: &str, kind: ChangeKind) -> Entry {
        let finding = Arc::new(finding(workload));
        Entry { at: finding.opened_at, finding, kind, silenced_by: None }
    }
}

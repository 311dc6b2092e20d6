//! The board: the newest state of each finding, for all consumers.

mod room;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::engine::{ChangeKind, Finding};
use crate::finding::Identity;
use crate::finding::guard::Guarded;
use crate::finding::rank::Rank;
use crate::findings::asked::Asked;
use crate::time::Time;
use room::{Place, Room};

/// Maximum number of open findings that are shown. Each costs up to 4 KB here, in the engine and in the
/// ledger: 20 MB of the 128 that the manifests allow.
pub const MAX_FINDINGS: usize = 5_000;
/// Maximum number of them per namespace: a tenant gets no more than a fifth.
pub const MAX_OF_ONE: usize = 1_000;

/// The newest state of each finding.
///
/// A slow reader misses states in between, never the newest one.
///
/// Invariants:
/// - No more than [`MAX_FINDINGS`] findings are open at once, and no more than [`MAX_OF_ONE`] in a
///   namespace. If there are more the worst are kept, and those that lose their place are withdrawn.
#[derive(Debug, Default)]
pub struct Board {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    entries: BTreeMap<Identity, Entry>,
    room: Room,
    readers: Vec<Arc<Reader>>,
    dropped: u64,
    /// What the guard did about a finding, and in which episode: the engine does not know it.
    guarded: BTreeMap<Identity, (u32, Guarded)>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            room: Room::new(MAX_FINDINGS, MAX_OF_ONE),
            readers: Vec::new(),
            dropped: 0,
            guarded: BTreeMap::new(),
        }
    }
}

/// The result of upserting a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Upserted {
    /// It is on the board.
    Up,
    /// It is on the board in place of another one, which is withdrawn.
    Instead(Identity),
    /// There is no room for it.
    Dropped,
}

/// A finding as last published.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The finding.
    pub finding: Arc<Finding>,
    /// The kind of the last change.
    pub kind: ChangeKind,
    /// When it happened.
    pub at: Time,
    /// The silence that suppresses its notifications, if one does.
    pub silenced_by: Option<Arc<str>>,
    /// What the annotations of its workload ask for.
    pub asked: Arc<Asked>,
}

impl Entry {
    /// Whether it is open, as far as is known.
    pub fn is_open(&self) -> bool {
        !matches!(self.kind, ChangeKind::Resolved | ChangeKind::Withdrawn)
    }
}

#[derive(Debug, Default)]
struct Reader {
    news: Mutex<BTreeSet<Identity>>,
    woken: Notify,
}

/// The changes since a reader last looked.
#[derive(Debug)]
pub struct BoardChanges {
    reader: Arc<Reader>,
}

impl Board {
    /// Upserts the current state of a finding, and wakes the readers.
    pub fn upsert(&self, entry: Entry) -> Upserted {
        let mut state = locked(&self.state);
        let identity = entry.finding.identity();
        state.leave(&identity);
        let place =
            if entry.is_open() { state.room.admit(Rank::from_finding(&entry.finding), &identity) } else { Place::Free };
        let upsert = match place {
            Place::Free => Upserted::Up,
            Place::Of(other) => {
                state.dropped += 1;
                state.withdraw(&other, entry.at);
                Upserted::Instead(other)
            }
            Place::None => {
                state.dropped += 1;
                // Those who were notified of it are notified of its end.
                state.withdraw(&identity, entry.at);
                return Upserted::Dropped;
            }
        };
        state.upsert(identity, entry);
        upsert
    }

    /// Removes a finding that nobody needs any more.
    pub fn remove(&self, identity: &Identity) {
        let mut state = locked(&self.state);
        state.leave(identity);
        state.entries.remove(identity);
        state.guarded.remove(identity);
    }

    /// Adds what the guard did about an episode of a finding, now and whenever it changes.
    pub fn guarded(&self, identity: &Identity, (episode, guarded): (u32, Guarded)) {
        let mut state = locked(&self.state);
        if state.guarded.len() < MAX_FINDINGS || state.guarded.contains_key(identity) {
            state.guarded.insert(identity.clone(), (episode, guarded));
        }
        if let Some(entry) = state.entries.get(identity).cloned() {
            state.upsert(identity.clone(), entry);
        }
    }

    /// The newest state of one finding.
    pub fn get(&self, identity: &Identity) -> Option<Entry> {
        locked(&self.state).entries.get(identity).cloned()
    }

    /// All of them, ordered by identity.
    pub fn all(&self) -> Vec<Entry> {
        locked(&self.state).entries.values().cloned().collect()
    }

    /// Number of findings that did not fit.
    pub fn dropped(&self) -> u64 {
        locked(&self.state).dropped
    }

    /// A new reader, for which everything on the board is a change.
    pub fn subscribe(&self) -> BoardChanges {
        let mut state = locked(&self.state);
        let reader = Arc::new(Reader::default());
        locked(&reader.news).extend(state.entries.keys().cloned());
        state.readers.push(Arc::clone(&reader));
        BoardChanges { reader }
    }
}

impl State {
    fn upsert(&mut self, identity: Identity, mut entry: Entry) {
        let guarded = self.guarded.get(&identity).filter(|(episode, _)| *episode == entry.finding.episodes);
        if let Some((_, guarded)) = guarded
            && entry.finding.guard.as_deref() != Some(guarded)
        {
            Arc::make_mut(&mut entry.finding).guard = Some(Arc::new(guarded.clone()));
        }
        for reader in &self.readers {
            locked(&reader.news).insert(identity.clone());
            reader.woken.notify_one();
        }
        self.entries.insert(identity, entry);
    }

    /// Frees the place of a finding, if it has one.
    fn leave(&mut self, identity: &Identity) {
        if let Some(entry) = self.entries.get(identity).filter(|entry| entry.is_open()) {
            self.room.leave(Rank::from_finding(&entry.finding), identity);
        }
    }

    /// Another finding has taken its place: readers are to forget it.
    fn withdraw(&mut self, identity: &Identity, at: Time) {
        if let Some(entry) = self.entries.get(identity).filter(|entry| entry.is_open()).cloned() {
            self.upsert(identity.clone(), Entry { kind: ChangeKind::Withdrawn, at, ..entry });
        }
    }
}

impl BoardChanges {
    /// Waits for changes; returns each finding once, however often it changed.
    pub async fn next(&mut self) -> BTreeSet<Identity> {
        loop {
            let news = self.take();
            if !news.is_empty() {
                return news;
            }
            self.reader.woken.notified().await;
        }
    }

    /// The current changes, without waiting.
    pub fn take(&mut self) -> BTreeSet<Identity> {
        std::mem::take(&mut *locked(&self.reader.news))
    }
}

/// What a panic elsewhere left behind is still the newest state.
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
        board.upsert(entry("one", ChangeKind::Confirmed));
        let mut news = board.subscribe();
        for kind in [ChangeKind::Suspected, ChangeKind::Confirmed, ChangeKind::Resolved] {
            board.upsert(entry("two", kind));
        }
        let notified = news.next().await;
        assert_eq!(notified.len(), 2, "what was up before is news to a new reader");
        let kinds: Vec<_> =
            notified.iter().filter_map(|identity| board.get(identity)).map(|entry| entry.kind).collect();
        assert_eq!(kinds, [ChangeKind::Confirmed, ChangeKind::Resolved]);
    }

    #[tokio::test]
    async fn news_wait_until_there_are_some() {
        let board = Arc::new(Board::default());
        let mut news = board.subscribe();
        let notified = tokio::spawn(async move { news.next().await });
        tokio::task::yield_now().await;
        board.upsert(entry("one", ChangeKind::Confirmed));
        assert_eq!(notified.await.expect("it does not panic").len(), 1);
    }

    #[test]
    fn a_board_that_is_full_keeps_the_worst_and_says_how_much_is_missing() {
        let board = Board::default();
        for number in 0..MAX_OF_ONE {
            assert_eq!(board.upsert(entry(&number.to_string(), ChangeKind::Confirmed)), Upserted::Up);
        }
        assert_eq!(board.upsert(entry("late", ChangeKind::Confirmed)), Upserted::Dropped);
        let early = Entry {
            finding: Arc::new(Finding { opened_at: Time::default(), ..finding("early") }),
            ..entry("early", ChangeKind::Confirmed)
        };
        let Upserted::Instead(gone) = board.upsert(early) else {
            panic!("it is older, and there is no other difference")
        };
        assert_eq!(board.get(&gone).map(|entry| entry.kind), Some(ChangeKind::Withdrawn));
        assert_eq!(board.all().iter().filter(|entry| entry.is_open()).count(), MAX_OF_ONE);
        assert_eq!(board.dropped(), 2);
    }

    #[test]
    fn what_the_guard_did_stays_with_its_episode() {
        use crate::finding::guard::Outcome;

        let board = Board::default();
        let identity = finding("web").identity();
        let done = Guarded {
            outcome: Outcome::Undone,
            refusal: None,
            revision: Some(8),
            to_revision: Some(7),
            at: Time::default(),
        };
        board.upsert(entry("web", ChangeKind::Confirmed));
        let mut news = board.subscribe();
        assert_eq!(news.take().len(), 1);
        board.guarded(&identity, (1, done.clone()));
        assert_eq!(news.take().len(), 1, "it is news");
        board.upsert(entry("web", ChangeKind::Counted));
        let guard = |board: &Board| board.get(&identity).and_then(|entry| entry.finding.guard.as_deref().cloned());
        assert_eq!(guard(&board), Some(done));
        let again = Arc::new(Finding { episodes: 2, ..finding("web") });
        board.upsert(Entry { finding: again, ..entry("web", ChangeKind::Confirmed) });
        assert_eq!(guard(&board), None, "another episode");
    }

    #[test]
    fn what_is_over_and_what_is_taken_down_leaves_its_place() {
        let board = Board::default();
        for number in 0..=MAX_OF_ONE {
            board.upsert(entry("over", ChangeKind::Confirmed));
            board.upsert(entry("over", ChangeKind::Resolved));
            board.upsert(entry(&number.to_string(), ChangeKind::Confirmed));
            board.remove(&finding(&number.to_string()).identity());
        }
        assert_eq!((board.all().len(), board.dropped()), (1, 0));
    }

    fn entry(workload: &str, kind: ChangeKind) -> Entry {
        let finding = Arc::new(finding(workload));
        Entry { at: finding.opened_at, finding, kind, silenced_by: None, asked: Arc::default() }
    }
}

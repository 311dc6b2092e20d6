//! What is known now: the newest state of each finding, for whoever passes it on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::engine::{Change, ChangeKind, Finding};
use crate::finding::Identity;

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
    /// Puts up what a change says, and wakes the readers.
    pub fn put_up(&self, change: &Change) {
        let identity = change.finding.identity();
        let entry = Entry { finding: Arc::clone(&change.finding), kind: change.kind };
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
            let news = std::mem::take(&mut *locked(&self.reader.news));
            if !news.is_empty() {
                return news;
            }
            self.reader.woken.notified().await;
        }
    }
}

/// What a panic elsewhere left is still the newest state.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

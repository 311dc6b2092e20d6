//! What is known of the tokens of callers, by a hash of each; bounded.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ring::digest::{SHA256, digest};
use tokio::time::Instant;

/// How long an answer of the API server is valid.
pub const FRESH: Duration = Duration::from_mins(1);
/// Maximum number of remembered tokens.
pub const MAX_CALLERS: usize = 256;

/// A token's hash.
pub type Mark = Box<[u8]>;

/// The hash of a token.
pub fn mark(token: &str) -> Mark {
    digest(&SHA256, token.as_bytes()).as_ref().into()
}

/// What is known of each token, and since when.
pub struct Tokens<T> {
    known: Mutex<BTreeMap<Mark, (T, Instant)>>,
    is_admitted: fn(&T) -> bool,
}

impl<T: Clone> Tokens<T> {
    /// Nothing is known yet. Trying many tokens evicts nobody who `is_admitted`, while there are others.
    pub const fn new(is_admitted: fn(&T) -> bool) -> Self {
        Self { known: Mutex::new(BTreeMap::new()), is_admitted }
    }

    /// What is known of a token, however old it is, and since when.
    pub fn get(&self, mark: &Mark) -> Option<(T, Instant)> {
        self.locked().get(mark).cloned()
    }

    /// Remembers what became known of a token `at` that time.
    pub fn remember(&self, mark: Mark, what: T, at: Instant) {
        let mut known = self.locked();
        if known.len() >= MAX_CALLERS {
            known.retain(|_, (_, at)| at.elapsed() < FRESH);
        }
        if known.len() >= MAX_CALLERS {
            let first = known.iter().min_by_key(|(_, (what, at))| ((self.is_admitted)(what), *at));
            let first = first.map(|(mark, _)| mark.clone());
            first.and_then(|mark| known.remove(&mark));
        }
        known.insert(mark, (what, at));
    }

    /// How many tokens are remembered.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.locked().len()
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<Mark, (T, Instant)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

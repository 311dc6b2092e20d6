//! What cannot be read or written is told once, and again when it works.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use super::refusal::Refusal;
use super::state::Key;
use crate::engine::Scope;
use crate::metrics::instruments::Instruments;
use crate::text::escape::visible;

/// Trouble that may pass by itself is told again after so long, if nothing was written meanwhile.
const AGAIN: Duration = Duration::from_mins(10);

/// Tells what is wrong with the API, and whether it is there.
#[derive(Debug)]
pub struct Complaints {
    instruments: Arc<Instruments>,
    /// What there is no API or no right for, and of which kind the refusal is.
    closed: BTreeMap<(Deed, Scope), &'static str>,
    /// Other kinds of trouble, and when they were last told.
    notified: BTreeMap<&'static str, Instant>,
}

#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Deed {
    Watch,
    Write,
}

impl Complaints {
    /// Nothing is wrong, as far as is known.
    pub const fn new(instruments: Arc<Instruments>) -> Self {
        Self { instruments, closed: BTreeMap::new(), notified: BTreeMap::new() }
    }

    /// The objects can be watched there.
    pub fn can_watch(&mut self, scope: &Scope) {
        self.works(&[(Deed::Watch, scope.clone())]);
    }

    /// The objects cannot be watched there.
    pub fn cannot_watch(&mut self, scope: &Scope, refusal: &Refusal) {
        self.complain(Deed::Watch, scope.clone(), None, refusal);
    }

    /// Whether there is the API for all objects, and the right to see them.
    pub fn can_all_be_watched(&self) -> bool {
        self.closed.keys().all(|(deed, _)| *deed != Deed::Watch)
    }

    /// An object was written.
    pub fn can_write(&mut self, key: &Key) {
        self.notified.retain(|word, _| *word == CONTESTED);
        self.works(&[(Deed::Write, Scope::All), (Deed::Write, scope(key))]);
    }

    /// An object cannot be written.
    pub fn cannot_write(&mut self, key: &Key, refusal: &Refusal) {
        let scope = if *refusal == Refusal::NoApi { Scope::All } else { scope(key) };
        self.complain(Deed::Write, scope, Some(key), refusal);
    }

    /// An object is written over by somebody else again and again.
    pub fn contested(&mut self, key: &Key) {
        if self.may_tell(CONTESTED) {
            warn!(
                namespace = visible(&key.namespace),
                object = visible(&key.name),
                hint = "run one replica, or set leaderElection.enabled",
                "Somebody else writes the same Finding objects"
            );
        }
    }

    /// Whether trouble of a kind is to be told now.
    fn may_tell(&mut self, word: &'static str) -> bool {
        let now = Instant::now();
        let tells = self.notified.get(word).is_none_or(|notified| now.duration_since(*notified) >= AGAIN);
        if tells {
            self.notified.insert(word, now);
        }
        tells
    }

    fn works(&mut self, what: &[(Deed, Scope)]) {
        let before = self.closed.len();
        for what in what {
            self.closed.remove(what);
        }
        if before > 0 && self.closed.is_empty() {
            info!("Finding objects can be read and written again");
        }
        self.instruments.findings_api(self.closed.is_empty());
    }

    fn complain(&mut self, deed: Deed, scope: Scope, key: Option<&Key>, refusal: &Refusal) {
        let namespace = match &scope {
            Scope::All => None,
            Scope::Namespace(namespace) => Some(visible(namespace)),
        };
        let word = refusal.word();
        let Some(hint) = refusal.hint() else {
            if self.may_tell(word) {
                let object = key.map(|key| visible(&key.name));
                warn!(namespace, object, cause = %refusal, "Cannot keep Finding objects up to date; trying again");
            }
            return;
        };
        self.instruments.findings_api(false);
        let known =
            self.closed.iter().any(|((done, _), notified)| *notified == word && (*done == deed || word == "no_api"));
        self.closed.insert((deed, scope), word);
        if !known {
            warn!(namespace, cause = %refusal, hint, "{COST}");
        }
    }
}

const CONTESTED: &str = "contested";

/// What it costs to do without.
const COST: &str = "Cannot use Finding objects: findings are in the metrics and in this log only, and what was notified \
                    is forgotten with a restart";

fn scope(key: &Key) -> Scope {
    Scope::Namespace(Arc::clone(&key.namespace))
}

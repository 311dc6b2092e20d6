//! Logs what cannot be read or written once, and again when it works.

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

/// How often temporary trouble is logged again, if nothing was written meanwhile.
const AGAIN: Duration = Duration::from_mins(10);

/// Logs what is wrong with the API, and whether it is available.
#[derive(Debug)]
pub struct Complaints {
    instruments: Arc<Instruments>,
    /// For what the API or a permission is missing, and the kind of refusal.
    closed: BTreeMap<(Deed, Scope), &'static str>,
    /// Other kinds of trouble, and when they were last logged.
    notified: BTreeMap<&'static str, Instant>,
}

#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Deed {
    Watch,
    Write,
}

impl Complaints {
    /// No known trouble.
    pub const fn new(instruments: Arc<Instruments>) -> Self {
        Self { instruments, closed: BTreeMap::new(), notified: BTreeMap::new() }
    }

    /// The objects can be watched in that scope.
    pub fn can_watch(&mut self, scope: &Scope) {
        self.works(&[(Deed::Watch, scope.clone())]);
    }

    /// The objects cannot be watched in that scope.
    pub fn cannot_watch(&mut self, scope: &Scope, refusal: &Refusal) {
        self.complain(Deed::Watch, scope.clone(), None, refusal);
    }

    /// Whether the API and the permission to watch exist in all scopes.
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

    /// Somebody else keeps overwriting an object.
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

    /// Whether trouble of a kind is to be logged now.
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

/// The consequences of doing without it.
const COST: &str = "Cannot use Finding objects: findings are in the metrics and in this log only, and what was notified \
                    is forgotten with a restart";

fn scope(key: &Key) -> Scope {
    Scope::Namespace(Arc::clone(&key.namespace))
}

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
/// How long an API or a permission that was there has to be missing before that is logged: an API server that
/// starts refuses for a moment what it has not yet read of its own definitions and roles.
const STARTING: Duration = Duration::from_secs(5);

/// Logs what is wrong with the API, and whether it is available.
#[derive(Debug)]
pub struct Complaints {
    instruments: Arc<Instruments>,
    /// For what the API or a permission is missing.
    closed: BTreeMap<(Deed, Scope), Closed>,
    /// Whether anything was ever read or written.
    has_worked: bool,
    /// Other kinds of trouble, and when they were last logged.
    notified: BTreeMap<&'static str, Instant>,
}

/// Why something is refused, since when, and whether that was logged.
#[derive(Debug)]
struct Closed {
    word: &'static str,
    since: Instant,
    is_logged: bool,
}

#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Deed {
    Watch,
    Write,
}

impl Complaints {
    /// No known trouble.
    pub const fn new(instruments: Arc<Instruments>) -> Self {
        Self { instruments, closed: BTreeMap::new(), has_worked: false, notified: BTreeMap::new() }
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
        self.has_worked = true;
        let was_logged = self.closed.values().any(|closed| closed.is_logged);
        for what in what {
            self.closed.remove(what);
        }
        if was_logged && self.closed.is_empty() {
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
        if self.close(deed, scope, word) {
            warn!(namespace, cause = %refusal, hint, "{COST}");
        }
    }

    /// Notes that something is refused; returns whether that is to be logged now.
    fn close(&mut self, deed: Deed, scope: Scope, word: &'static str) -> bool {
        let now = Instant::now();
        let is_same = |done: Deed, closed: &Closed| closed.word == word && (done == deed || word == "no_api");
        let known = self.closed.iter().filter(|((done, _), closed)| is_same(*done, closed));
        let (since, is_logged) = known.fold((now, false), |(since, is_logged), (_, closed)| {
            (since.min(closed.since), is_logged || closed.is_logged)
        });
        let may_be_starting = self.has_worked && now.duration_since(since) < STARTING;
        let logs = !is_logged && !may_be_starting;
        self.closed.insert((deed, scope), Closed { word, since, is_logged: is_logged || logs });
        logs
    }
}

const CONTESTED: &str = "contested";

/// The consequences of doing without it.
const COST: &str = "Cannot use Finding objects: findings are in the metrics and in this log only, and what was notified \
                    is forgotten with a restart";

fn scope(key: &Key) -> Scope {
    Scope::Namespace(Arc::clone(&key.namespace))
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_never_worked_is_logged_at_once_and_once() {
        let mut complaints = complaints();
        assert!(complaints.close(Deed::Watch, Scope::All, "no_api"));
        assert!(!complaints.close(Deed::Watch, Scope::All, "no_api"));
        assert!(!complaints.close(Deed::Write, Scope::All, "no_api"), "it is the same that is missing");
        assert!(complaints.close(Deed::Write, Scope::All, "forbidden"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_worked_has_to_be_missing_for_longer_than_a_server_takes_to_start() {
        let mut complaints = complaints();
        complaints.can_watch(&Scope::All);
        assert!(!complaints.close(Deed::Watch, Scope::All, "no_api"));
        advance(STARTING / 2).await;
        assert!(!complaints.close(Deed::Watch, Scope::All, "no_api"));
        advance(STARTING / 2).await;
        assert!(complaints.close(Deed::Watch, Scope::All, "no_api"));
        assert!(!complaints.close(Deed::Watch, Scope::All, "no_api"));
        complaints.can_watch(&Scope::All);
        assert!(!complaints.close(Deed::Watch, Scope::All, "no_api"), "it is another start");
    }

    fn complaints() -> Complaints {
        let instruments = Instruments::new(&prometheus::Registry::new()).expect("names of its own");
        Complaints::new(Arc::new(instruments))
    }
}

//! Which lists of pods are running, and until when each watch was certainly unbroken.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::observation::Scope;
use crate::time::Time;

/// Maximum number of concurrent lists, and of namespaces with a watch of their own.
const MAX_LISTS: usize = 4096;

/// How long kubelets may need to write what happened while the API server was down: the state of a pod in a
/// list may be as old as that outage.
const SETTLE: Duration = Duration::from_secs(15);

/// The running lists, and the watches that they belong to.
#[derive(Debug, Default)]
pub struct Lists {
    /// The number of lists begun so far.
    begun: u32,
    /// The running ones, and their numbers.
    running: BTreeMap<Scope, u32>,
    /// The watch of all namespaces.
    watch: Watch,
    /// Those of namespaces with a watch of their own.
    watches: BTreeMap<Arc<str>, Watch>,
}

/// The state of a watch.
#[derive(Copy, Clone, Default, Debug)]
struct Watch {
    /// Until when it was certainly unbroken.
    alive: Time,
    /// When a list last contained a pod that was known.
    listed_again: Option<Time>,
}

impl Lists {
    /// A list begins, or is restarted; if there are too many the oldest is forgotten, and its end removes
    /// nothing.
    pub fn start(&mut self, scope: Scope) {
        self.begun = self.begun.saturating_add(1);
        if let Scope::Namespace(namespace) = &scope
            && self.watches.len() < MAX_LISTS
        {
            self.watches.entry(Arc::clone(namespace)).or_default();
        }
        self.running.insert(scope, self.begun);
        if self.running.len() > MAX_LISTS {
            let oldest = self.running.iter().min_by_key(|(_, number)| **number).map(|(scope, _)| scope.clone());
            oldest.and_then(|scope| self.running.remove(&scope));
        }
    }

    /// A list is complete: pods last seen under a smaller number are gone. `None` for a list that did not
    /// begin.
    pub fn finish(&mut self, scope: &Scope) -> Option<u32> {
        self.running.remove(scope)
    }

    /// The number of the last list begun, with which pods seen now are marked.
    pub const fn number(&self) -> u32 {
        self.begun
    }

    /// Whether a namespace is being relisted, so that its known state may be outdated.
    pub fn is_listing(&self, namespace: &Arc<str>) -> bool {
        self.running.contains_key(&Scope::All) || self.running.contains_key(&Scope::Namespace(Arc::clone(namespace)))
    }

    /// A change of a pod arrived.
    pub fn changed(&mut self, namespace: &str, now: Time) {
        let watch = self.watch_mut(namespace);
        if watch.listed_again.is_none_or(|at| now.since(at) > SETTLE) {
            watch.alive = now;
        }
    }

    /// A list contained a pod that was known.
    pub fn listed_again(&mut self, namespace: &str, now: Time) {
        self.watch_mut(namespace).listed_again = Some(now);
    }

    /// When a change of a pod last arrived on the watch of that namespace while it was not catching up:
    /// until then it was certainly unbroken.
    pub fn alive(&self, namespace: &str) -> Time {
        self.watches.get(namespace).unwrap_or(&self.watch).alive
    }

    fn watch_mut(&mut self, namespace: &str) -> &mut Watch {
        self.watches.get_mut(namespace).unwrap_or(&mut self.watch)
    }
}

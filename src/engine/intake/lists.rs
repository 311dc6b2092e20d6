//! Which lists of pods run, and until when each watch was surely unbroken.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::observation::Scope;
use crate::time::Time;

/// Lists that run at the same time, and namespaces that are watched one by one.
const MAX_LISTS: usize = 4096;

/// How long kubelets may need to write what happened while no API server took it: what a list shows
/// of a pod may be as old as that outage.
const SETTLE: Duration = Duration::from_secs(15);

/// The lists that run, and the watches that they belong to.
#[derive(Debug, Default)]
pub struct Lists {
    /// How many have begun so far.
    begun: u32,
    /// Those that run, and their numbers.
    running: BTreeMap<Scope, u32>,
    /// The watch of all namespaces.
    watch: Watch,
    /// Those of the namespaces that are watched one by one.
    watches: BTreeMap<Arc<str>, Watch>,
}

/// What came on a watch.
#[derive(Copy, Clone, Default, Debug)]
struct Watch {
    /// Until when it was surely unbroken.
    alive: Time,
    /// When a list last showed a pod that was known.
    listed_again: Option<Time>,
}

impl Lists {
    /// A list begins, or begins anew; the oldest of too many is forgotten, and nothing is gone by it.
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

    /// A list is complete: what was last seen under a lesser number is gone. `None` for one that did
    /// not begin.
    pub fn finish(&mut self, scope: &Scope) -> Option<u32> {
        self.running.remove(scope)
    }

    /// The number of the list that began last, which what is seen now carries.
    pub const fn number(&self) -> u32 {
        self.begun
    }

    /// Whether what is known of a namespace is being listed anew, and may be old.
    pub fn is_listing(&self, namespace: &Arc<str>) -> bool {
        self.running.contains_key(&Scope::All) || self.running.contains_key(&Scope::Namespace(Arc::clone(namespace)))
    }

    /// A change of a pod came.
    pub fn changed(&mut self, namespace: &str, now: Time) {
        let watch = self.watch_mut(namespace);
        if watch.listed_again.is_none_or(|at| now.since(at) > SETTLE) {
            watch.alive = now;
        }
    }

    /// A list showed a pod that was known.
    pub fn listed_again(&mut self, namespace: &str, now: Time) {
        self.watch_mut(namespace).listed_again = Some(now);
    }

    /// When a change of a pod last came on the watch of that namespace, and nothing was being caught
    /// up with: until then it was surely unbroken.
    pub fn alive(&self, namespace: &str) -> Time {
        self.watches.get(namespace).unwrap_or(&self.watch).alive
    }

    fn watch_mut(&mut self, namespace: &str) -> &mut Watch {
        self.watches.get_mut(namespace).unwrap_or(&mut self.watch)
    }
}

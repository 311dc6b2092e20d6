//! Which lists of pods run, and until when each watch was surely unbroken.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::observation::Scope;
use crate::time::Time;

/// Lists that run at the same time, and namespaces that are watched one by one.
const MOST: usize = 4096;

/// The lists that run, and the watches that they belong to.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// How many have begun so far.
    begun: u32,
    /// Those that run, and their numbers.
    running: BTreeMap<Scope, u32>,
    /// When a change of a pod last came.
    changed: Time,
    /// The same of the namespaces that are watched one by one.
    changed_in: BTreeMap<Arc<str>, Time>,
}

impl Lists {
    /// A list begins, or begins anew; the oldest of too many is forgotten, and nothing is gone by it.
    pub fn start(&mut self, scope: Scope) {
        self.begun = self.begun.saturating_add(1);
        if let Scope::Namespace(namespace) = &scope
            && self.changed_in.len() < MOST
        {
            self.changed_in.entry(Arc::clone(namespace)).or_default();
        }
        self.running.insert(scope, self.begun);
        if self.running.len() > MOST {
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
        *self.changed_in.get_mut(namespace).unwrap_or(&mut self.changed) = now;
    }

    /// When a change of a pod last came on the watch of that namespace: until then it was surely
    /// unbroken.
    pub fn alive(&self, namespace: &str) -> Time {
        self.changed_in.get(namespace).copied().unwrap_or(self.changed)
    }
}

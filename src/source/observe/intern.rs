//! Shared values, kept once and only while they are in use.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use crate::engine::PodTemplate;

/// Minimum number of entries before unused ones are looked for.
const FEW: usize = 1024;

/// Number of entries beyond which nothing more is shared, so that forged names cannot fill the memory.
const MANY: usize = 262_144;

/// Equal values.
#[derive(Debug)]
pub struct Shared<T: ?Sized> {
    known: HashSet<Arc<T>>,
    purge_at: usize,
}

impl<T: ?Sized> Default for Shared<T> {
    fn default() -> Self {
        Self { known: HashSet::new(), purge_at: 0 }
    }
}

impl<T: ?Sized + Eq + Hash> Shared<T> {
    /// The shared copy of a value.
    pub fn get<V: Borrow<T> + Into<Arc<T>>>(&mut self, value: V) -> Arc<T> {
        if let Some(known) = self.known.get(value.borrow()) {
            return Arc::clone(known);
        }
        let value: Arc<T> = value.into();
        if self.known.len() >= self.purge_at.max(FEW) {
            self.known.retain(|known| Arc::strong_count(known) > 1);
            self.purge_at = 2 * self.known.len();
        }
        if self.known.len() < MANY {
            self.known.insert(Arc::clone(&value));
        }
        value
    }
}

/// Templates, by a hash of their parts.
#[derive(Debug, Default)]
pub struct Templates {
    known: HashMap<u64, Arc<PodTemplate>>,
    purge_at: usize,
}

impl Templates {
    /// The template with that hash.
    pub fn get(&self, mark: u64) -> Option<Arc<PodTemplate>> {
        self.known.get(&mark).cloned()
    }

    /// Keeps a template for others with the same hash.
    pub fn keep(&mut self, mark: u64, template: &Arc<PodTemplate>) {
        if self.known.len() >= self.purge_at.max(FEW) {
            self.known.retain(|_, template| Arc::strong_count(template) > 1);
            self.purge_at = 2 * self.known.len();
        }
        if self.known.len() < MANY {
            self.known.insert(mark, Arc::clone(template));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nobody_uses_are_dropped() {
        let mut names = Shared::<str>::default();
        let kept = names.get("kept");
        for number in 0..10 * FEW {
            names.get(number.to_string().as_str());
        }
        assert!(names.known.len() <= FEW + 1);
        assert!(Arc::ptr_eq(&kept, &names.get("kept")));
    }
}

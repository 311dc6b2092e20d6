//! The annotations of Namespace objects, as they were last read, and which to read again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::notes::Notes;
use crate::source::cluster::{NamespaceAnswer, Trouble};
use crate::time::Time;

/// How often a namespace with an open finding is read again.
const EVERY: Duration = Duration::from_mins(1);
/// Maximum number of namespaces read at once: an outage of 400 is known before its receivers wait no more.
const AT_ONCE: usize = 16;

/// The namespaces with open findings, of which there are no more than findings on the board.
#[derive(Debug, Default)]
pub struct Namespaces {
    all: BTreeMap<Arc<str>, Namespace>,
    due: Vec<Arc<str>>,
}

#[derive(Debug)]
struct Namespace {
    notes: Notes,
    read: Option<Time>,
    asked: Time,
}

impl Namespaces {
    /// Takes in what was read; `false` if that changes nothing.
    ///
    /// Without the right nothing is asked for. Any other trouble passes, and changes nothing.
    pub fn answered(&mut self, answer: &NamespaceAnswer, now: Time) -> bool {
        // None of its findings is open any more.
        let Some(known) = self.all.get_mut(&answer.namespace) else { return false };
        let notes = match &answer.annotations {
            Ok(annotations) => Notes::from_annotations(annotations),
            Err(Trouble::Forbidden) => Notes::default(),
            Err(_) => return false,
        };
        // What was read long ago did not count as known any more.
        let is_new = known.notes != notes || known.read.is_none_or(|read| now.since(read) > 2 * EVERY);
        (known.notes, known.read) = (notes, Some(now));
        is_new
    }

    /// Those of a namespace.
    pub fn get(&self, namespace: &str) -> Option<&Notes> {
        self.all.get(namespace).map(|known| &known.notes)
    }

    /// Whether they were read at that time or later.
    pub fn are_read_since(&self, namespace: &str, time: Time) -> bool {
        self.all.get(namespace).and_then(|known| known.read).is_some_and(|read| read >= time)
    }

    /// Has those of these namespaces read of which it is time, the ones that were never read first, and forgets
    /// the others.
    pub fn refresh(&mut self, open: impl Iterator<Item = Arc<str>>, now: Time) {
        let open: BTreeSet<Arc<str>> = open.collect();
        self.all.retain(|namespace, _| open.contains(namespace));
        let asked = |namespace: &str| self.all.get(namespace).map(|known| known.asked);
        let mut due: Vec<_> = open.into_iter().map(|namespace| (asked(&namespace), namespace)).collect();
        due.retain(|(asked, _)| asked.is_none_or(|asked| now.since(asked) >= EVERY));
        due.sort();
        for (_, namespace) in due.into_iter().take(AT_ONCE) {
            let unread = Namespace { notes: Notes::default(), read: None, asked: now };
            self.all.entry(Arc::clone(&namespace)).or_insert(unread).asked = now;
            self.due.push(namespace);
        }
    }

    /// The namespaces that are to be read now.
    pub fn take_due(&mut self) -> Vec<Arc<str>> {
        std::mem::take(&mut self.due)
    }
}

//! The annotations of workloads, as look-ups show them, and which to look up again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::notes::Notes;
use crate::engine::{Need, Observation};
use crate::source::cluster::Answer;
use crate::time::Time;

/// Maximum number of workloads: twice as many as there can be findings.
const MAX_WORKLOADS: usize = 10_000;
/// How often a workload with an open finding is looked up again.
const EVERY: Duration = Duration::from_mins(1);

/// Namespace, and `KIND/NAME`.
pub type Key = (Arc<str>, Arc<str>);

/// The workloads that were looked up.
#[derive(Debug, Default)]
pub struct Workloads(BTreeMap<Key, Workload>);

#[derive(Debug)]
struct Workload {
    /// What finds it.
    need: Need,
    notes: Notes,
    read: Time,
    asked: Time,
}

impl Workloads {
    /// Takes in an answer, and what was made of it; `false` if that changes nothing.
    pub fn answered(&mut self, answer: &Answer, facts: Option<&Observation>, now: Time) -> bool {
        let Need::Workload { namespace, owner } = &answer.need else { return false };
        let top = match facts {
            Some(Observation::Workload(facts)) => &facts.top,
            _ => owner,
        };
        let key = (Arc::clone(namespace), Arc::from(format!("{}/{}", top.kind, top.name)));
        let notes = Notes::of_workload(&top.kind, &top.name, &answer.objects);
        let known = self.0.get(&key);
        let kept = || known.map(|known| known.notes.clone()).filter(|_| !answer.is_whole).unwrap_or_default();
        let notes = notes.unwrap_or_else(kept);
        // What was read long ago did not count as known any more.
        let is_new = known.is_none_or(|known| known.notes != notes || now.since(known.read) > 2 * EVERY);
        if known.is_some() || self.0.len() < MAX_WORKLOADS {
            self.0.insert(key, Workload { need: answer.need.clone(), notes, read: now, asked: now });
        }
        is_new
    }

    /// Those of a workload, and when they were read.
    pub fn get(&self, key: &Key) -> Option<(&Notes, Time)> {
        self.0.get(key).map(|workload| (&workload.notes, workload.read))
    }

    /// The look-up of that one of these workloads which was looked up longest ago, if it is time.
    pub fn refresh(&mut self, open: impl Iterator<Item = Key>, now: Time) -> Option<Need> {
        let oldest = open.filter_map(|key| Some((self.0.get(&key)?.asked, key))).min()?;
        let (_, key) = Some(oldest).filter(|(asked, _)| now.since(*asked) >= EVERY)?;
        let workload = self.0.get_mut(&key)?;
        workload.asked = now;
        Some(workload.need.clone())
    }

    /// Forgets workloads that are not among these, if there are many.
    pub fn make_room(&mut self, is_open: impl Fn(&Key) -> bool) {
        if self.0.len() >= MAX_WORKLOADS {
            self.0.retain(|key, _| is_open(key));
        }
    }
}

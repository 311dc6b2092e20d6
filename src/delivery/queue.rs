//! What one receiver may have to be told: pure.
//!
//! Holds the findings of which something is due, now or later, and what was told in the last minute.
//! What a change costs does not depend on how many findings there are.

use std::collections::{BTreeMap, BTreeSet};

use super::policy::storm::AT_ONCE;
use super::policy::{self, Item, Next, Past, Settings};
use super::route::Routes;
use crate::operator::ledger::{News, Standing};
use crate::report::object::ObjectKey;
use crate::report::tidings::Kind;
use crate::time::Time;

/// By what is measured what is news.
#[derive(Copy, Clone, Debug)]
pub struct Measure<'a> {
    /// The receiver's name.
    pub receiver: &'a str,
    /// Which findings it is told.
    pub routes: &'a Routes,
    /// The timing.
    pub settings: &'a Settings,
    /// What its past decides.
    pub past: Past,
    /// The time.
    pub now: Time,
}

/// What one receiver may have to be told.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: BTreeMap<ObjectKey, (Time, Kind, Standing)>,
    by_time: BTreeSet<(Time, ObjectKey)>,
    /// Those that only wait for their reminder.
    reminders: usize,
    /// What was told in the last minute.
    recent: BTreeMap<ObjectKey, Standing>,
}

impl Queue {
    /// Takes in what changed; gives back of which findings nothing is due.
    pub fn take_in(&mut self, news: News, measure: &Measure) -> Vec<ObjectKey> {
        if news.all {
            (self.waiting, self.by_time, self.reminders) = Default::default();
        }
        let mut quiet = Vec::new();
        for (key, standing) in news.changed {
            self.remove(&key);
            let Some(standing) = standing else { continue };
            if !self.put(key.clone(), standing, measure) {
                quiet.push(key);
            }
        }
        quiet
    }

    /// What to do next.
    pub fn next(&mut self, measure: &Measure) -> Next {
        self.forget_what_is_past(measure.now);
        let ready: Vec<ObjectKey> =
            self.by_time.iter().take_while(|(at, _)| *at <= measure.now).map(|(_, key)| key.clone()).collect();
        // A mute time may have begun, or a reminder be due only later by now.
        let mut items = Vec::with_capacity(ready.len() + self.recent.len());
        for key in ready {
            let Some(standing) = self.remove(&key) else { continue };
            items.push(item(&standing, measure));
            self.put(key, standing, measure);
        }
        items.extend(
            self.recent.iter().filter(|(key, _)| !self.is_ready(key, measure.now)).map(|(_, it)| item(it, measure)),
        );
        match policy::next(&items, measure.past, measure.settings, measure.now) {
            Next::Nothing => self.by_time.first().map_or(Next::Nothing, |(at, _)| Next::Wait(*at)),
            Next::Wait(until) => {
                let first = self.by_time.iter().map(|(at, _)| *at).find(|at| *at > measure.now);
                Next::Wait(first.map_or(until, |at| at.min(until)))
            }
            send @ Next::Send(_) => send,
        }
    }

    /// How many findings the receiver has yet to hear of, now or when its time has come. A reminder is
    /// nothing that waits.
    pub fn pending(&self) -> usize {
        self.waiting.len() - self.reminders
    }

    fn is_ready(&self, key: &ObjectKey, now: Time) -> bool {
        self.waiting.get(key).is_some_and(|(at, ..)| *at <= now)
    }

    /// `false` if nothing of it is due.
    fn put(&mut self, key: ObjectKey, standing: Standing, measure: &Measure) -> bool {
        if standing.told.as_ref().is_some_and(|told| told.at > measure.now.minus(AT_ONCE)) {
            self.recent.insert(key.clone(), standing.clone());
        }
        let Some((at, kind)) = policy::due(&item(&standing, measure), measure.past, measure.settings) else {
            return false;
        };
        self.reminders += usize::from(kind == Kind::GoesOn);
        self.by_time.insert((at, key.clone()));
        self.waiting.insert(key, (at, kind, standing));
        true
    }

    fn remove(&mut self, key: &ObjectKey) -> Option<Standing> {
        let (at, kind, standing) = self.waiting.remove(key)?;
        self.reminders -= usize::from(kind == Kind::GoesOn);
        self.by_time.remove(&(at, key.clone()));
        Some(standing)
    }

    fn forget_what_is_past(&mut self, now: Time) {
        self.recent.retain(|_, standing| standing.told.as_ref().is_some_and(|told| told.at > now.minus(AT_ONCE)));
    }
}

/// A finding, with what the routes say of it now.
pub fn item(standing: &Standing, measure: &Measure) -> Item {
    Item {
        finding: standing.finding.clone(),
        state: standing.state,
        silenced: standing.silenced,
        admission: measure.routes.admission(measure.receiver, &standing.finding, measure.now),
        told: standing.told.clone(),
    }
}

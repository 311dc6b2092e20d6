//! What one receiver may have to be notified of: pure.
//!
//! Holds the findings for which a notification is due, now or later, and those sent in the last minute. The
//! cost of a change does not depend on how many findings there are, nor on how many wait: the policy, which
//! looks at everything that may be sent now, is asked when a message may be sent.

use std::collections::{BTreeMap, BTreeSet};

use super::annotated::{Grants, admit};
use super::policy::storm::AT_ONCE;
use super::policy::{self, Item, MAX_IN_DIGEST, Next, Past, Settings};
use super::route::Routes;
use crate::findings::ledger::{LedgerChanges, Standing};
use crate::report::object::ObjectKey;
use crate::report::update::Kind;
use crate::time::Time;

/// What determines whether a finding needs a notification.
#[derive(Copy, Clone, Debug)]
pub struct Measure<'a> {
    /// The receiver's name.
    pub receiver: &'a str,
    /// Which findings are routed to it.
    pub routes: &'a Routes,
    /// What annotations may change about that.
    pub grants: &'a Grants,
    /// The timing.
    pub settings: &'a Settings,
    /// The receiver's history.
    pub past: Past,
    /// The time.
    pub now: Time,
}

/// Notifications that may be sent now are gathered, so that they are sent together.
#[derive(Copy, Clone, Debug)]
struct Gathering {
    until: Time,
    /// The policy is asked earlier if there are this many.
    enough: usize,
}

/// What one receiver may have to be notified of.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: BTreeMap<ObjectKey, (Time, Kind, Standing)>,
    /// Those that are not due yet, by due time, and those that may be sent now.
    later: BTreeSet<(Time, ObjectKey)>,
    ready: BTreeSet<ObjectKey>,
    gathering: Option<Gathering>,
    /// Number of those that only wait for their reminder.
    reminders: usize,
    /// Those sent in the last minute.
    recent: BTreeMap<ObjectKey, Standing>,
    /// When outdated entries of `recent` were last removed.
    cleaned: Time,
    /// Findings that were shown to the policy.
    #[cfg(test)]
    shown: usize,
}

impl Queue {
    /// Takes in changes; returns the findings for which nothing is due.
    pub fn take_in(&mut self, news: LedgerChanges, measure: &Measure) -> Vec<ObjectKey> {
        if news.all {
            (self.waiting, self.later, self.ready, self.gathering, self.reminders) = Default::default();
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

    /// Decides what to do next.
    pub fn next(&mut self, measure: &Measure) -> Next {
        self.come_due(measure.now);
        if measure.now.since(self.cleaned) >= AT_ONCE {
            self.forget_what_is_past(measure.now);
        }
        let later = self.later.first().map(|(at, _)| *at);
        let sooner = |until: Time| Next::Wait(later.map_or(until, |at| at.min(until)));
        if self.ready.is_empty() {
            return later.map_or(Next::Nothing, Next::Wait);
        }
        if measure.now < measure.past.not_before {
            return sooner(measure.past.not_before);
        }
        if let Some(Gathering { until, enough }) = self.gathering
            && measure.now < until
            && self.ready.len() < enough
        {
            return sooner(until);
        }
        self.ask(measure)
    }

    /// Asks the policy, which looks at everything that may be sent now and at what was just sent.
    fn ask(&mut self, measure: &Measure) -> Next {
        self.gathering = None;
        self.forget_what_is_past(measure.now);
        let mut items = Vec::with_capacity(self.ready.len() + self.recent.len());
        // A mute time may have begun meanwhile, or a reminder be due only later.
        for key in std::mem::take(&mut self.ready) {
            let Some(standing) = self.remove(&key) else { continue };
            items.push(item(&standing, measure));
            self.put(key, standing, measure);
        }
        let recent = self.recent.iter().filter(|(key, _)| !self.ready.contains(*key));
        items.extend(recent.map(|(_, standing)| item(standing, measure)));
        #[cfg(test)]
        {
            self.shown += items.len();
        }
        let later = self.later.first().map(|(at, _)| *at);
        match policy::next(&items, measure.past, measure.settings, measure.now) {
            Next::Nothing => later.map_or(Next::Nothing, Next::Wait),
            Next::Wait(until) => {
                let enough = MAX_IN_DIGEST.max(self.ready.len() * 2);
                self.gathering = (!self.ready.is_empty()).then_some(Gathering { until, enough });
                Next::Wait(later.map_or(until, |at| at.min(until)))
            }
            send @ Next::Send(_) => send,
        }
    }

    /// Number of findings of which the receiver still has to be notified, now or later. Reminders do not
    /// count.
    pub fn pending(&self) -> usize {
        self.waiting.len() - self.reminders
    }

    fn forget_what_is_past(&mut self, now: Time) {
        self.recent.retain(|_, standing| is_recent(standing, now));
        self.cleaned = now;
    }

    fn come_due(&mut self, now: Time) {
        while self.later.first().is_some_and(|(at, _)| *at <= now) {
            self.ready.extend(self.later.pop_first().map(|(_, key)| key));
        }
    }

    /// `false` if nothing is due for it.
    fn put(&mut self, key: ObjectKey, standing: Standing, measure: &Measure) -> bool {
        if is_recent(&standing, measure.now) {
            self.recent.insert(key.clone(), standing.clone());
        }
        let Some((at, kind)) = policy::due(&item(&standing, measure), measure.past, measure.settings) else {
            return false;
        };
        self.reminders += usize::from(kind == Kind::GoesOn);
        if at <= measure.now {
            self.ready.insert(key.clone());
        } else {
            self.later.insert((at, key.clone()));
        }
        self.waiting.insert(key, (at, kind, standing));
        true
    }

    fn remove(&mut self, key: &ObjectKey) -> Option<Standing> {
        let (at, kind, standing) = self.waiting.remove(key)?;
        self.reminders -= usize::from(kind == Kind::GoesOn);
        self.later.remove(&(at, key.clone()));
        if self.ready.remove(key) && self.ready.len() < MAX_IN_DIGEST {
            // That few need not be gathered any more.
            self.gathering = None;
        }
        Some(standing)
    }
}

fn is_recent(standing: &Standing, now: Time) -> bool {
    standing.notified.as_ref().is_some_and(|notified| notified.at > now.minus(AT_ONCE))
}

/// A finding, with its current routing.
pub fn item(standing: &Standing, measure: &Measure) -> Item {
    let admitted = admit(measure.grants, measure.routes, measure.receiver, standing, measure.now);
    Item {
        finding: standing.finding.clone(),
        state: standing.state,
        silenced: admitted.silenced,
        admission: admitted.admission,
        notified: standing.notified.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::delivery::route::Route;
    use crate::finding::Finding;
    use crate::operator::testing::{at, finding};
    use crate::report::object::{Content, FindingState, Notification, Notified};

    #[test]
    fn a_change_shows_the_policy_no_more_where_ten_thousand_findings_are_known() {
        let shown = |known: usize| {
            let mut receiver = Receiver::that_knows(known);
            receiver.hear(standing("new", None), at(600));
            assert!(matches!(receiver.next(at(600)), Next::Send(_)));
            receiver.hear(standing("new", Some(at(600))), at(601));
            assert!(matches!(receiver.next(at(601)), Next::Nothing));
            receiver.queue.shown
        };
        assert_eq!(shown(100), 1);
        assert_eq!(shown(10_000), 1);
    }

    #[test]
    fn while_a_receiver_fails_what_waits_is_not_looked_at() {
        let mut receiver = Receiver::that_knows(0);
        receiver.past.not_before = at(900);
        for number in 0..1_000 {
            receiver.hear(standing(&format!("web-{number}"), None), at(600));
            assert!(matches!(receiver.next(at(600)), Next::Wait(until) if until == at(900)));
        }
        assert_eq!(receiver.queue.shown, 0);
        assert!(matches!(receiver.next(at(900)), Next::Send(_)));
    }

    #[test]
    fn a_first_look_is_gathered_without_looking_at_all_of_it_for_each() {
        let mut receiver = Receiver::that_knows(0);
        receiver.past.first_notified = None;
        let findings = 4_000;
        for number in 0..findings {
            receiver.hear(standing(&format!("web-{number}"), None), at(3));
            assert!(matches!(receiver.next(at(3)), Next::Wait(_)));
        }
        assert!(receiver.queue.shown < 3 * findings, "{}", receiver.queue.shown);
        assert!(matches!(receiver.next(at(60)), Next::Send(_)));
    }

    struct Receiver {
        queue: Queue,
        routes: Routes,
        settings: Settings,
        past: Past,
    }

    impl Receiver {
        fn that_knows(known: usize) -> Self {
            let past = Past { since: at(0), first_notified: Some(at(1)), not_before: Time::default() };
            let routes = Routes(vec![Route::default_to("slack")]);
            let mut it = Self { queue: Queue::default(), routes, settings: Settings::default(), past };
            for number in 0..known {
                it.hear(standing(&format!("known-{number}"), Some(at(2))), at(500));
            }
            it
        }

        fn hear(&mut self, standing: Standing, now: Time) {
            let key = ObjectKey::from_identity(&standing.finding.identity());
            let news = LedgerChanges { changed: vec![(key, Some(standing))], ..LedgerChanges::default() };
            let Self { queue, routes, settings, past } = self;
            let grants = &Grants::default();
            queue.take_in(news, &Measure { receiver: "slack", routes, grants, settings, past: *past, now });
        }

        fn next(&mut self, now: Time) -> Next {
            let Self { queue, routes, settings, past } = self;
            let grants = &Grants::default();
            queue.next(&Measure { receiver: "slack", routes, grants, settings, past: *past, now })
        }
    }

    fn standing(workload: &str, notified: Option<Time>) -> Standing {
        let finding = Finding { confirmed_at: Some(at(1)), ..finding(workload) };
        let notified = notified.map(|at| Notification {
            receiver: "slack".to_owned(),
            episode: 1,
            notified: Notified::Opened,
            at,
            content: Some(Content::from_finding(&finding)),
            digest: None,
            refused: None,
        });
        let (finding, asked) = (Arc::new(finding), Arc::default());
        Standing { finding, state: FindingState::Confirmed, silenced: false, asked, notified }
    }
}

//! A receiver that is down for a day.

use std::collections::BTreeMap;
use std::time::Duration;

use probehound::delivery::pace::Pace;
use probehound::delivery::policy::{Next, Settings};
use probehound::engine::{Finding, Severity};
use probehound::finding::Identity;
use probehound::report::update::{Dispatch, Kind, Outcome, Why};
use probehound::time::Time;

use super::receiver::{Receiver, count};
use super::samples::{at, finding};

const DAY: u64 = 86_400;

/// Two hundred were notified before the outage; five hundred occur during it.
#[test]
fn after_a_day_without_the_receiver_all_that_is_still_news_is_told_once_and_in_order() {
    let mut world = World::new();
    for number in 0..200 {
        world.opens(number, 10 + number);
    }
    let before = world.run(0, 1_000, |_| true);
    assert_eq!(count(&before).len(), 200);

    // Of these fifty change, a hundred are resolved; of the new ones every second is resolved, and some
    // recur.
    for number in 0..50 {
        world.gets_critical(number, 2_000 + number * 60);
    }
    for number in 50..150 {
        world.ends(number, 3_000 + number * 60);
    }
    for number in 200..700 {
        world.opens(number, 4_000 + number * 100);
        if number % 2 == 0 {
            world.ends(number, 4_500 + number * 100);
        }
        if number % 10 == 0 {
            world.comes_again(number, 5_000 + number * 100);
        }
    }
    let attempts = world.attempts;
    let meanwhile = world.run(1_000, 1_000 + DAY, |_| false);
    assert!(meanwhile.is_empty());
    assert!(world.attempts - attempts < 400, "{} attempts in a day", world.attempts - attempts);

    let after = world.run(1_000 + DAY, 1_000 + DAY + 600, |_| true);
    let notified = count(&after);
    assert!(notified.values().all(|times| *times == 1), "something is told twice");
    let of = |kind: Kind| notified.keys().filter(|(_, notified)| *notified == kind).count();
    assert_eq!((of(Kind::Changed), of(Kind::Resolved)), (50, 100));
    // 250 open ones, and 50 that recurred.
    assert_eq!((of(Kind::Opened), of(Kind::Missed)), (300, 200));
    let summaries = after.iter().filter(|dispatch| is_summary(dispatch)).count();
    assert_eq!(summaries, 1, "what is old is summed up in one");
    assert!(after.len() < 25, "{} messages", after.len());
}

#[test]
fn no_two_messages_are_closer_than_a_second_and_none_is_out_of_order_in_its_workload() {
    let mut world = World::new();
    for number in 0..300 {
        world.opens(number, 10 + number);
        if number % 3 == 0 {
            world.ends(number, 400 + number);
        }
    }
    let mut flaky = 0_u64;
    world.run(0, 5_000, |_| {
        flaky += 1;
        !flaky.is_multiple_of(3)
    });
    let times = &world.times;
    assert!(times.windows(2).all(|pair| pair[1].since(pair[0]) >= Duration::from_secs(1)), "{times:?}");
    let mut last: BTreeMap<Identity, Kind> = BTreeMap::new();
    for news in world.heard.iter().flat_map(Dispatch::news) {
        let before = last.insert(news.finding.identity(), news.kind);
        match news.kind {
            Kind::Opened | Kind::Missed => assert_eq!(before, None),
            _ => assert!(matches!(before, Some(Kind::Opened | Kind::Changed)), "{:?} after {before:?}", news.kind),
        }
    }
}

fn is_summary(dispatch: &Dispatch) -> bool {
    matches!(dispatch, Dispatch::Digest(digest) if digest.why == Why::Missed)
}

/// The findings, and one receiver.
struct World {
    receiver: Receiver,
    pace: Pace,
    plan: BTreeMap<u64, Vec<Event>>,
    attempts: u64,
    times: Vec<Time>,
    heard: Vec<Dispatch>,
}

enum Event {
    Opens(u64),
    GetsCritical(u64),
    Ends(u64),
    ComesAgain(u64),
}

impl World {
    fn new() -> Self {
        Self {
            receiver: Receiver::old(Settings::default(), at(0)),
            pace: Pace::new("slack", at(0)),
            plan: BTreeMap::new(),
            attempts: 0,
            times: Vec::new(),
            heard: Vec::new(),
        }
    }

    fn opens(&mut self, number: u64, second: u64) {
        self.plan.entry(second).or_default().push(Event::Opens(number));
    }

    fn gets_critical(&mut self, number: u64, second: u64) {
        self.plan.entry(second).or_default().push(Event::GetsCritical(number));
    }

    fn ends(&mut self, number: u64, second: u64) {
        self.plan.entry(second).or_default().push(Event::Ends(number));
    }

    fn comes_again(&mut self, number: u64, second: u64) {
        self.plan.entry(second).or_default().push(Event::ComesAgain(number));
    }

    /// Simulates the seconds; `works` is the result of each attempt.
    fn run(&mut self, from: u64, to: u64, mut works: impl FnMut(u64) -> bool) -> Vec<Dispatch> {
        let mut arrived = Vec::new();
        for second in from..to {
            for event in self.plan.remove(&second).unwrap_or_default() {
                self.happens(&event, second);
            }
            self.receiver.past.not_before = self.pace.not_before();
            if at(second) < self.pace.not_before() {
                continue;
            }
            let Next::Send(dispatch) = self.receiver.next(at(second)) else { continue };
            self.attempts += 1;
            self.times.push(at(second));
            if works(second) {
                self.receiver.record(&dispatch, at(second), &Outcome::Delivered);
                self.pace.answered(at(second));
                self.heard.push(dispatch.clone());
                arrived.push(dispatch);
            } else {
                self.pace.failed(at(second), None);
            }
        }
        arrived
    }

    fn happens(&mut self, event: &Event, second: u64) {
        match *event {
            Event::Opens(number) => self.receiver.open(&named(number, second)),
            Event::GetsCritical(number) => {
                let finding = Finding { severity: Severity::Critical, ..self.now(number) };
                self.receiver.open(&finding);
            }
            Event::Ends(number) => {
                let finding = self.now(number);
                self.receiver.over(&finding, at(second));
            }
            Event::ComesAgain(number) => {
                let finding = Finding { episodes: 2, ..named(number, second) };
                self.receiver.open(&finding);
            }
        }
    }

    fn now(&mut self, number: u64) -> Finding {
        Finding::clone(&self.receiver.item(&named(number, 0)).finding)
    }
}

fn named(number: u64, second: u64) -> Finding {
    finding(&format!("web-{number:03}"), second)
}

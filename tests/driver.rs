//! The operator's driver finds the same in a cluster as replay in its recording.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::support::replay::continue_with;
use crate::support::{Incident, Line, Recording, assert_none, corpus};
use probehound::config::Config;
use probehound::engine::{Change, ChangeKind, Engine, Need};
use probehound::finding::Identity;
use probehound::findings::board::{Board, Entry};
use probehound::metrics::instruments::Instruments;
use probehound::operator::driver::Driver;
use probehound::source::cluster::Answer;
use probehound::source::recording::{Item, Object, Reader, Record, RecordKind};
use probehound::time::Time;
use prometheus::Registry;

#[test]
fn the_driver_says_what_replay_says() {
    let mut failures = Vec::new();
    for incident in corpus() {
        let expected = said_by_replay(incident);
        let driven = drive(incident.recording());
        let end = incident.recording().lines.last().map(|line| line.at).unwrap_or_default();
        // Resolved findings stay on the board for a minute.
        let left = |change: &&Change| {
            let over = matches!(change.kind, ChangeKind::Resolved | ChangeKind::Withdrawn);
            over && change.at.plus(Duration::from_mins(1)) <= end
        };
        let has_left = expected.values().filter(left).count();
        for (identity, change) in expected.iter().filter(|(_, change)| !left(change)) {
            let shown = driven.get(identity).map(|entry| (entry.kind, entry.at, &*entry.finding));
            if shown != Some((change.kind, change.at, &*change.finding)) {
                failures.push(format!("{}: {change:#?}\nis shown as {shown:#?}", incident.name));
            }
        }
        if driven.len() != expected.len() - has_left {
            failures.push(format!("{}: {} findings, not {}", incident.name, driven.len(), expected.len() - has_left));
        }
    }
    assert_none("findings", &failures);
}

/// The last change of each finding.
fn said_by_replay(incident: &Incident) -> BTreeMap<Identity, Change> {
    let (_, changes) = continue_with(&mut Engine::default(), incident.recording());
    changes.into_iter().map(|change| (change.finding.identity(), change)).collect()
}

/// The board at the end.
fn drive(recording: &Recording) -> BTreeMap<Identity, Entry> {
    let board = Arc::new(Board::default());
    let instruments = Arc::new(Instruments::new(&Registry::new()).expect("names of its own"));
    let driver = Driver::new(&Config::default(), Arc::clone(&board), instruments, Box::new(|_, _| {}));
    let mut cluster = Cluster { driver, objects: BTreeMap::new(), open: BTreeSet::new() };
    for line in &recording.lines {
        cluster.time_goes_on_to(line.at);
        cluster.happens(line);
    }
    board.all().into_iter().map(|entry| (entry.finding.identity(), entry)).collect()
}

/// A recording presented as the cluster that it was taken from: a look-up returns what exists at that time.
struct Cluster {
    driver: Driver,
    /// The related objects, by resource and UID.
    objects: BTreeMap<(Arc<str>, String), Line>,
    /// Needs that could not be answered yet.
    open: BTreeSet<Need>,
}

impl Cluster {
    fn time_goes_on_to(&mut self, now: Time) {
        while let Some(deadline) = self.driver.next_deadline().filter(|deadline| *deadline <= now) {
            self.driver.handle_deadline(deadline);
            self.converse(deadline);
        }
    }

    fn happens(&mut self, line: &Line) {
        let Some(record) = record(line) else { return };
        match record.object.input(record.kind) {
            Some(input) => self.driver.handle_input(&input, line.at),
            None if matches!(record.object, Object::Nothing | Object::Foreign | Object::Event(_)) => {}
            None => self.keep(line, record.kind),
        }
        self.converse(line.at);
    }

    fn keep(&mut self, line: &Line, kind: RecordKind) {
        let key = (Arc::clone(&line.resource), line.object.uid.clone());
        match kind {
            RecordKind::Deleted => self.objects.remove(&key),
            _ => self.objects.insert(key, line.clone()),
        };
        for need in std::mem::take(&mut self.open) {
            self.look_up(need, line.at);
        }
    }

    fn converse(&mut self, now: Time) {
        loop {
            let needs = self.driver.take_needs();
            if needs.is_empty() {
                break;
            }
            for need in needs {
                self.look_up(need, now);
            }
        }
        self.driver.speak(now);
    }

    /// Answers from everything that exists; an unanswered need stays open.
    fn look_up(&mut self, need: Need, now: Time) {
        let objects = self.objects.values().filter_map(record).map(|record| Arc::new(record.object)).collect();
        // A recording does not show whether it is complete.
        let answer = Answer { need, objects, is_whole: false };
        if !self.driver.handle_answer(&answer, now) {
            self.open.insert(answer.need);
        }
    }
}

fn record(line: &Line) -> Option<Record> {
    match Reader::new(line.text().as_bytes()).expect("memory can be read").next() {
        Some(Ok(Item::Record(record))) => Some(record),
        _ => None,
    }
}

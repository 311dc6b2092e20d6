//! Replays a recording through the engine.

use std::collections::BTreeSet;
use std::io::Read;

use crate::engine::{Change, Engine, Need, Observation};
use crate::source::recording::{Item, Object, ReadError, Reader, Record, RecordKind, Skipped};
use crate::source::{Observed, Observer, Oddity, Related};
use crate::time::Time;

/// Maximum number of consecutive rounds of answers to the engine's needs.
const MAX_ROUNDS: usize = 16;

/// Maximum number of unanswered needs kept for objects that come later.
const MAX_OPEN: usize = 1024;

/// Number of ticks in a row without the deadline advancing after which the record is applied anyway.
const MAX_STALLED: usize = 1000;

/// A step of a replay.
#[derive(Debug)]
pub enum Moment<'a> {
    /// A record, before it is applied.
    Record(&'a Progress<'a>),
    /// An answer to a need, passed to the engine.
    Answer(&'a Observation),
    /// A change published by the engine.
    Change(Change),
    /// A record was skipped.
    Skipped(Skipped),
    /// A record is used without a field that does not match the API.
    Odd(Skipped),
}

/// A record, and the resulting observation.
#[derive(Debug)]
pub struct Progress<'a> {
    /// The record.
    pub record: &'a Record,
    /// The observation that will be passed to the engine, if any.
    pub observation: Option<&'a Observation>,
    /// The related objects, this one included.
    pub related: &'a Related,
    /// Number of bytes of the recording read so far, compressed ones if it is compressed.
    pub bytes_read: u64,
}

/// The result of a replay.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Number of records that were understood.
    pub observations: u64,
    /// Number of lines that were skipped.
    pub skipped: u64,
    /// Number of fields treated as absent, since they do not match the API, in records that were used
    /// without them.
    pub odd: u64,
    /// The first record's time.
    pub first: Option<Time>,
    /// The last record's time.
    pub last: Option<Time>,
    /// Why it stopped before the end of the recording, if it did.
    pub error: Option<ReadError>,
}

/// Replays one recording through an engine, and passes what happens to `on`, in order.
///
/// Before a record is applied the engine ticks at each deadline up to the record's time. After each of
/// these steps its needs are answered from the recording's own related objects as they were then. Time ends
/// with the last record. While pods are not observed no time passes for the engine.
pub fn replay(input: impl Read, engine: &mut Engine, on: impl FnMut(Moment<'_>)) -> Replayed {
    let mut replay = Replay::new(engine, on);
    match Reader::new(input) {
        Ok(reader) => replay.run(reader),
        Err(error) => replay.result.error = Some(error),
    }
    replay.result
}

struct Replay<'e, F> {
    engine: &'e mut Engine,
    on: F,
    observer: Observer,
    related: Related,
    open: BTreeSet<Need>,
    blind: bool,
    result: Replayed,
}

impl<'e, F: FnMut(Moment<'_>)> Replay<'e, F> {
    fn new(engine: &'e mut Engine, on: F) -> Self {
        Self {
            engine,
            on,
            observer: Observer::new(),
            related: Related::new(),
            open: BTreeSet::new(),
            blind: false,
            result: Replayed::default(),
        }
    }

    fn run<R: Read>(&mut self, mut reader: Reader<R>) {
        while let Some(item) = reader.next() {
            match item {
                Ok(Item::Record(record)) => self.record(&record, reader.bytes_read()),
                Ok(Item::Skipped(skipped)) => self.skip(skipped),
                Err(error) => self.result.error = Some(error),
            }
        }
    }

    fn skip(&mut self, skipped: Skipped) {
        self.result.skipped += 1;
        (self.on)(Moment::Skipped(skipped));
    }

    fn record(&mut self, record: &Record, bytes_read: u64) {
        self.result.first.get_or_insert(record.at);
        self.result.last = Some(record.at);
        self.look(record);
        if !self.blind {
            self.tick_until(record.at);
        }
        let Observed { observation, odd } = match self.observe(record) {
            Ok(observed) => observed,
            Err(oddity) => return self.skip(Skipped { line: record.line, what: oddity.to_string() }),
        };
        for oddity in odd {
            self.result.odd += 1;
            (self.on)(Moment::Odd(Skipped { line: record.line, what: oddity.to_string() }));
        }
        self.result.observations += u64::from(!matches!(record.object, Object::Foreign));
        (self.on)(Moment::Record(&Progress {
            record,
            observation: observation.as_ref(),
            related: &self.related,
            bytes_read,
        }));
        if let Some(observation) = observation {
            self.engine.apply(observation, record.at);
        }
        self.converse(record.at);
    }

    /// What the engine is given of a record; a related object is kept instead.
    fn observe(&mut self, record: &Record) -> Result<Observed, Oddity> {
        if let Some(input) = record.object.input(record.kind) {
            return self.observer.observe(&input);
        }
        let kept = self.related.apply(record.kind, &record.object, &mut self.observer);
        let odd = self.observer.take_oddities();
        if kept? {
            self.answer_open(record.at);
        }
        Ok(Observed { observation: None, odd })
    }

    /// Notes whether pods are observed. When they are again, what was due meanwhile is due now.
    fn look(&mut self, record: &Record) {
        match record.kind {
            RecordKind::Blind => {
                self.tick_until(record.at);
                self.blind = true;
            }
            RecordKind::Bookmark if std::mem::take(&mut self.blind) => {
                self.engine.tick(record.at);
                self.converse(record.at);
            }
            _ => {}
        }
    }

    fn tick_until(&mut self, now: Time) {
        let mut stalled = 0;
        let mut before = None;
        while let Some(deadline) = self.engine.next_deadline().filter(|deadline| *deadline <= now) {
            stalled = if before == Some(deadline) { stalled + 1 } else { 0 };
            if stalled > MAX_STALLED {
                break;
            }
            before = Some(deadline);
            self.engine.tick(deadline);
            self.converse(deadline);
        }
    }

    /// Answers the engine's needs, and passes on its changes.
    fn converse(&mut self, now: Time) {
        for _ in 0..MAX_ROUNDS {
            let needs = self.engine.take_needs();
            if needs.is_empty() {
                break;
            }
            for need in needs {
                self.answer(need, now);
            }
        }
        for change in self.engine.take_changes() {
            (self.on)(Moment::Change(change));
        }
    }

    fn answer(&mut self, need: Need, now: Time) {
        match self.related.answer(&need) {
            Some(answer) => {
                self.open.remove(&need);
                (self.on)(Moment::Answer(&answer));
                self.engine.apply(answer, now);
            }
            None if self.open.len() < MAX_OPEN => {
                self.open.insert(need);
            }
            None => {}
        }
    }

    /// Answers needs that could not be answered before.
    fn answer_open(&mut self, now: Time) {
        for need in std::mem::take(&mut self.open) {
            self.answer(need, now);
        }
    }
}

//! Recordings: JSON lines, gzipped or not, read one at a time.

pub(crate) mod lines;
mod record;

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flate2::bufread::MultiGzDecoder;

use crate::time::Time;
use lines::{Line, Lines};
pub use record::{Object, Record, RecordKind, WATCH_LOST};
pub(crate) use record::{object, words};

/// Why reading a recording failed.
#[derive(Debug, thiserror::Error)]
#[error("reading the recording after line {after}: {source}")]
pub struct ReadError {
    /// The last line that was read.
    pub after: u64,
    /// What went wrong: a truncated gzip stream, a failing disk.
    pub source: io::Error,
}

/// A skipped line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Skipped {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

/// What a line holds.
#[derive(Debug)]
pub enum Item {
    /// A record.
    Record(Record),
    /// A line that cannot be used.
    Skipped(Skipped),
}

/// Reads a recording, gzipped or not, in the order of its lines.
///
/// Lines that cannot be used are returned as [`Item::Skipped`]; a [`ReadError`] is the last item. Time
/// never goes back: a record from before the previous one gets the previous one's time.
#[derive(Debug)]
pub struct Reader<R: Read> {
    lines: Lines<Stream<R>>,
    read: Arc<AtomicU64>,
    ahead: Option<Result<Item, ReadError>>,
    clock: Clock,
    over: bool,
    cut_off: Option<ReadError>,
}

impl<R: Read> Reader<R> {
    /// A reader of `input`, from its beginning.
    ///
    /// # Errors
    /// The first bytes cannot be read.
    pub fn new(input: R) -> Result<Self, ReadError> {
        let read = Arc::new(AtomicU64::new(0));
        let counted = Counted { input, read: Arc::clone(&read) };
        let stream = Stream::new(counted).map_err(|source| ReadError { after: 0, source })?;
        Ok(Self { lines: Lines::new(stream), read, ahead: None, clock: Clock::default(), over: false, cut_off: None })
    }

    /// Number of bytes read so far, compressed ones if the input is compressed.
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// The next item, as it is in the recording.
    fn pull(&mut self) -> Option<Result<Item, ReadError>> {
        while !self.over {
            let number = self.lines.number() + 1;
            let skipped = |what| Some(Ok(Item::Skipped(Skipped { line: number, what })));
            match self.lines.next_line() {
                Err(source) => {
                    self.over = true;
                    let after = number - 1;
                    let what = format!("the recording cannot be read on: {source}");
                    self.cut_off = Some(ReadError { after, source });
                    return Some(Ok(Item::Skipped(Skipped { line: number, what })));
                }
                Ok(None) => self.over = true,
                Ok(Some(Line::TooLong)) => {
                    return skipped(format!("the line is longer than {} MiB", lines::MAX_LINE >> 20));
                }
                Ok(Some(Line::Bytes(bytes))) => match record::decode(number, bytes) {
                    Ok(Some(record)) => return Some(Ok(Item::Record(record))),
                    Ok(None) => {}
                    Err(what) => return skipped(what),
                },
            }
        }
        self.cut_off.take().map(Err)
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Item, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut item = self.ahead.take().or_else(|| self.pull())?;
        if item.is_ok() {
            self.ahead = self.pull();
        }
        if let Ok(Item::Record(record)) = &mut item {
            let next = match &self.ahead {
                Some(Ok(Item::Record(next))) => Some(next.at),
                _ => None,
            };
            record.at = self.clock.settle(record.at, next);
        }
        Some(item)
    }
}

/// The time of a recording, which never goes back.
#[derive(Debug, Default)]
struct Clock(Option<Time>);

/// A timestamp that is further ahead than this has to be confirmed by the next one.
const LEAP: Duration = Duration::from_hours(1);

/// How far a timestamp may lie behind the previous one; clocks are adjusted, lines are written in another
/// order than they were stamped.
const SLACK: Duration = Duration::from_secs(10);

impl Clock {
    /// The time of a record with the timestamp `at`, followed by one with the timestamp `next`.
    fn settle(&mut self, at: Time, next: Option<Time>) -> Time {
        let settled = match self.0 {
            Some(now) if at < now => now,
            Some(now) if at > now.plus(LEAP) && next.is_some_and(|next| next.plus(SLACK) < at) => now,
            // The first timestamp has no previous one to compare with.
            None => next.filter(|next| next.plus(LEAP) < at).unwrap_or(at),
            _ => at,
        };
        self.0 = Some(settled);
        settled
    }
}

/// The input, decompressed if it has to be.
#[derive(Debug)]
enum Stream<R: Read> {
    Plain(BufReader<Whole<R>>),
    Gzip(Box<BufReader<MultiGzDecoder<BufReader<Whole<R>>>>>),
}

/// The input with its first bytes put back.
type Whole<R> = io::Chain<Cursor<Vec<u8>>, Counted<R>>;

/// Number of bytes read, and decompressed, at once.
const BUFFER: usize = 64 * 1024;

impl<R: Read> Stream<R> {
    fn new(mut input: Counted<R>) -> io::Result<Self> {
        let mut head = Vec::new();
        input.by_ref().take(2).read_to_end(&mut head)?;
        let gzip = head == [0x1f, 0x8b];
        let whole = BufReader::with_capacity(BUFFER, Cursor::new(head).chain(input));
        Ok(if gzip {
            Self::Gzip(Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(whole))))
        } else {
            Self::Plain(whole)
        })
    }
}

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Gzip(stream) => stream.read(buffer),
        }
    }
}

impl<R: Read> BufRead for Stream<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Plain(stream) => stream.fill_buf(),
            Self::Gzip(stream) => stream.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        match self {
            Self::Plain(stream) => stream.consume(amount),
            Self::Gzip(stream) => stream.consume(amount),
        }
    }
}

/// An input that counts the bytes read.
#[derive(Debug)]
struct Counted<R> {
    input: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests;

//! The effects of a bad connection on a recording.

use crate::kubelet::chance::Chance;
use crate::kubelet::stream::{Line, Stream};
use crate::worlds::draw::pick;

/// A distortion of a recording. Times in seconds, shares in percent.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Noise {
    LosesEvents(u64),
    NoKilling,
    NoEvents,
    LateEvents(u64),
    Swapped(u64),
    Doubled,
    Gap(i64, i64),
    Starts(i64),
}

impl Noise {
    /// The distortions of the recording of a world of that many seconds; mostly none.
    pub fn draw(chance: &mut Chance, seconds: i64) -> Vec<Self> {
        let mut noise = Vec::new();
        if chance.happens(12, 100) {
            noise.push(Self::LosesEvents(pick(chance, &[5, 20, 50])));
        }
        if chance.happens(4, 100) {
            noise.push(Self::NoKilling);
        }
        if chance.happens(3, 100) {
            noise.push(Self::NoEvents);
        }
        if chance.happens(8, 100) {
            noise.push(Self::LateEvents(pick(chance, &[10, 50])));
        }
        if chance.happens(8, 100) {
            noise.push(Self::Swapped(20));
        }
        if chance.happens(8, 100) {
            noise.push(Self::Doubled);
        }
        if chance.happens(8, 100) {
            let from = chance.between(20, seconds);
            noise.push(Self::Gap(from, (from + chance.between(5, 120)).min(seconds)));
        }
        if chance.happens(12, 100) {
            noise.push(Self::Starts(chance.between(10, (seconds * 2 / 3).max(20))));
        }
        noise
    }

    /// Whether it removes what a cause may be based on.
    pub fn is_heavy(self) -> bool {
        match self {
            Self::LosesEvents(share) => share > 20,
            Self::NoKilling | Self::NoEvents | Self::Gap(..) | Self::Starts(_) => true,
            Self::LateEvents(_) | Self::Swapped(_) | Self::Doubled => false,
        }
    }

    pub fn spoil(self, stream: &Stream, chance: &mut Chance) -> Stream {
        let mut happens = |share: u64| chance.happens(share, 100);
        match self {
            Self::LosesEvents(share) => {
                Stream(stream.0.iter().filter(|line| !(is_event(line) && happens(share))).cloned().collect())
            }
            Self::NoKilling => stream.without(Line::is_killing),
            Self::NoEvents => stream.without(is_event),
            Self::LateEvents(share) => late(stream, share, chance),
            Self::Swapped(share) => swapped(stream, share, chance),
            Self::Doubled => stream.doubled(),
            Self::Gap(from, to) => stream.gap(from, to),
            Self::Starts(at) => stream.starting(at),
        }
    }
}

fn is_event(line: &Line) -> bool {
    line.resource == "events"
}

/// Some events arrive up to 9 s later, but not after the recording's end.
fn late(stream: &Stream, share: u64, chance: &mut Chance) -> Stream {
    let end = stream.0.last().map_or(0, |line| line.at);
    let mut lines = stream.0.clone();
    for line in lines.iter_mut().filter(|line| is_event(line)) {
        if chance.happens(share, 100) {
            line.at = (line.at + chance.between(100, 9_000)).min(end);
        }
    }
    lines.sort_by_key(|line| line.at);
    Stream(lines)
}

/// Some adjacent lines of different kinds are swapped; the times stay.
fn swapped(stream: &Stream, share: u64, chance: &mut Chance) -> Stream {
    let mut lines = stream.0.clone();
    let mut number = 1;
    while number < lines.len() {
        let others = lines[number].resource != lines[number - 1].resource;
        let near = lines[number].at - lines[number - 1].at < 3_000;
        if others && near && lines[number].kind != "BOOKMARK" && chance.happens(share, 100) {
            let (before, after) = (lines[number - 1].at, lines[number].at);
            lines.swap(number - 1, number);
            (lines[number - 1].at, lines[number].at) = (before, after);
            number += 1;
        }
        number += 1;
    }
    Stream(lines)
}

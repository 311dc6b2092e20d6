//! Ways in which a stream can differ from what happened.

use std::collections::BTreeMap;
use std::time::Duration;

use probehound::time::Time;

use super::random::Random;
use super::recording::{Line, Recording};
use super::world::World;

/// A mutation; its `Debug` text is sufficient to reproduce it.
#[derive(Clone, Debug)]
pub enum Mutation {
    /// A share of the events is never seen.
    LoseEvents { percent: u8, seed: u64 },
    /// The events of that reason are never seen.
    LoseReason(&'static str),
    /// A share of the changes of pods is never seen.
    LosePodChanges { percent: u8, seed: u64 },
    /// A share of the lines is repeated some lines later.
    Repeat { percent: u8, later: u8, seed: u64 },
    /// Adjacent lines less than 5 s apart are swapped.
    SwapNeighbours { percent: u8, seed: u64 },
    /// The lines about a pod within 5 s of its restart come in any order, but each object's own lines stay
    /// in order.
    ShuffleRestarts { seed: u64 },
    /// The beginning is missing.
    Cut { permille: u16, start: Start },
    /// Nothing is observed for a while, then everything is listed again.
    Blind { from_permille: u16, seconds: u16, gone_first: bool },
    /// All of them, in order.
    All(Vec<Mutation>),
}

/// How a stream starts whose beginning is missing.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Start {
    /// In the middle of a watch.
    Bare,
    /// With lists of everything that exists.
    Lists,
    /// With such lists, but all earlier events have expired.
    ListsWithoutEvents,
}

const NEIGHBOURS: Duration = Duration::from_secs(5);

impl Mutation {
    /// The recording as it would have been.
    pub fn apply(&self, recording: &Recording) -> Recording {
        match *self {
            Self::LoseEvents { percent, seed } => lose(recording, percent, seed, Line::is_event),
            Self::LoseReason(reason) => recording.filtered(|_, line| !line.is_event_of(reason)),
            Self::LosePodChanges { percent, seed } => {
                lose(recording, percent, seed, |line| line.is_pod() && line.change == super::recording::Type::Modified)
            }
            Self::Repeat { percent, later, seed } => repeat(recording, percent, later, &mut Random::new(seed)),
            Self::SwapNeighbours { percent, seed } => swap_neighbours(recording, percent, &mut Random::new(seed)),
            Self::ShuffleRestarts { seed } => shuffle_restarts(recording, &mut Random::new(seed)),
            Self::Cut { permille, start } => cut(recording, permille, start),
            Self::Blind { from_permille, seconds, gone_first } => blind(recording, from_permille, seconds, gone_first),
            Self::All(ref steps) => steps.iter().fold(recording.clone(), |recording, step| step.apply(&recording)),
        }
    }
}

fn lose(recording: &Recording, percent: u8, seed: u64, which: fn(&Line) -> bool) -> Recording {
    let mut random = Random::new(seed);
    let lost: Vec<bool> = recording.lines.iter().map(|_| random.percent(percent)).collect();
    recording.filtered(|place, line| !(lost[place] && which(line)))
}

fn repeat(recording: &Recording, percent: u8, later: u8, random: &mut Random) -> Recording {
    let lines = &recording.lines;
    let mut due: BTreeMap<usize, Vec<Line>> = BTreeMap::new();
    let mut repeated = Vec::with_capacity(lines.len() * 2);
    for (place, line) in lines.iter().enumerate() {
        repeated.push(line.clone());
        if random.percent(percent) {
            let place = (place + usize::from(later)).min(lines.len() - 1);
            due.entry(place).or_default().push(line.clone());
        }
        for again in due.remove(&place).unwrap_or_default() {
            repeated.push(Line { at: line.at, ..again });
        }
    }
    Recording { lines: repeated }
}

fn swap_neighbours(recording: &Recording, percent: u8, random: &mut Random) -> Recording {
    let mut lines = recording.lines.clone();
    for place in 1..lines.len() {
        let near = lines[place].at.since(lines[place - 1].at) <= NEIGHBOURS;
        if near && random.percent(percent) {
            exchange(&mut lines, place - 1, place);
        }
    }
    Recording { lines }
}

/// Swaps the contents of two lines; their times stay, so that the stream stays in chronological order.
fn exchange(lines: &mut [Line], one: usize, other: usize) {
    let at = (lines[one].at, lines[other].at);
    lines.swap(one, other);
    (lines[one].at, lines[other].at) = at;
}

fn shuffle_restarts(recording: &Recording, random: &mut Random) -> Recording {
    let mut lines = recording.lines.clone();
    let mut shuffled_until: BTreeMap<String, Time> = BTreeMap::new();
    for (pod, at) in restarts(&recording.lines) {
        let (from, until) = (at.minus(NEIGHBOURS), at.plus(NEIGHBOURS));
        if random.percent(30) || shuffled_until.get(&pod).is_some_and(|&before| from <= before) {
            continue;
        }
        let near = |line: &Line| line.at >= from && line.at <= until && line.object.pod.as_ref() == Some(&pod);
        let places: Vec<usize> = (0..lines.len()).filter(|&place| near(&lines[place])).collect();
        shuffle(&mut lines, &places, random);
        shuffled_until.insert(pod, until);
    }
    Recording { lines }
}

/// Each restart visible in a pod's status: the pod, and the time.
fn restarts(lines: &[Line]) -> Vec<(String, Time)> {
    let mut known: BTreeMap<&str, i64> = BTreeMap::new();
    let mut found = Vec::new();
    for line in lines.iter().filter(|line| line.is_pod()) {
        let before = known.insert(&line.object.uid, line.object.restarts);
        if line.object.restarts > before.unwrap_or_default() {
            found.push((line.object.uid.clone(), line.at));
        }
    }
    found
}

/// Reorders the contents of the lines at `places` in any way that keeps the order of each object.
fn shuffle(lines: &mut [Line], places: &[usize], random: &mut Random) {
    let mut histories: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for &place in places.iter().rev() {
        let line = lines[place].clone();
        histories.entry(line.object.uid.clone()).or_default().push(line);
    }
    let mut histories: Vec<Vec<Line>> = histories.into_values().collect();
    for &place in places {
        let which = random.below(histories.len() as u64) as usize;
        let next = histories[which].pop().expect("empty histories are removed");
        if histories[which].is_empty() {
            histories.swap_remove(which);
        }
        lines[place] = Line { at: lines[place].at, ..next };
    }
}

fn cut(recording: &Recording, permille: u16, start: Start) -> Recording {
    let place = recording.lines.len() * usize::from(permille) / 1000;
    let (before, after) = recording.lines.split_at(place);
    let world = World::after(before);
    let at = before.last().map(|line| line.at).unwrap_or_default();
    let mut lines = match start {
        Start::Bare => Vec::new(),
        Start::Lists => world.listed(at),
        Start::ListsWithoutEvents => world.without_events().listed(at),
    };
    lines.extend_from_slice(after);
    Recording { lines }
}

fn blind(recording: &Recording, from_permille: u16, seconds: u16, gone_first: bool) -> Recording {
    let whole = recording.end().since(recording.start());
    let from = recording.start().plus(whole * u32::from(from_permille) / 1000);
    let until = from.plus(Duration::from_secs(seconds.into())).min(recording.end());
    let lines = &recording.lines;
    let (first, last) = (lines.partition_point(|line| line.at < from), lines.partition_point(|line| line.at < until));
    let (known, there) = (World::after(&lines[..first]), World::after(&lines[..last]));
    let (gone, listed) = (known.gone(&there, until), there.listed(until));
    let lists = if gone_first { [gone, listed] } else { [listed, gone] };
    let mut seen = lines[..first].to_vec();
    seen.extend(lists.into_iter().flatten());
    seen.extend_from_slice(&lines[last..]);
    Recording { lines: seen }
}

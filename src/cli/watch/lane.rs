//! The history of one container, and a line that shows it: a cell for each slice of time.

use std::collections::VecDeque;

use crate::time::Time;

/// Maximum number of turns kept of one container; the oldest are dropped.
const MAX_TURNS: usize = 240;

/// The state of a container between two times.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Phase {
    /// It does not exist.
    #[default]
    Absent,
    /// It runs and is ready.
    Ready,
    /// It runs and is not ready.
    Unready,
    /// It has terminated.
    Ended,
    /// It waits to be started: for an image, or for a back-off.
    Waiting,
}

/// An event in a container's history.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Turn {
    /// Its state changed.
    Phase(Phase),
    /// A probe failed.
    ProbeFailed,
    /// It was restarted.
    Restarted,
}

/// What a slice of time shows: the worst of it, least first.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cell {
    /// The container did not exist.
    Absent,
    /// It was ready.
    Ready,
    /// It ran and was not ready.
    Unready,
    /// It had terminated.
    Ended,
    /// It waited to be started.
    Waiting,
    /// A probe failed.
    ProbeFailed,
    /// It was restarted.
    Restarted,
}

impl Cell {
    /// All but `Absent`.
    pub const SHOWN: [Self; 6] =
        [Self::Ready, Self::Unready, Self::Ended, Self::Waiting, Self::ProbeFailed, Self::Restarted];

    /// Its character: distinguishable without colour.
    pub const fn mark(self) -> char {
        match self {
            Self::Absent => ' ',
            Self::Ready => '=',
            Self::Unready => '-',
            Self::Ended => '_',
            Self::Waiting => '.',
            Self::ProbeFailed => 'x',
            Self::Restarted => 'R',
        }
    }

    /// Its meaning.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Absent => "not there",
            Self::Ready => "ready",
            Self::Unready => "not ready",
            Self::Ended => "ended",
            Self::Waiting => "waits",
            Self::ProbeFailed => "probe fails",
            Self::Restarted => "restarted",
        }
    }

    const fn from_phase(phase: Phase) -> Self {
        match phase {
            Phase::Absent => Self::Absent,
            Phase::Ready => Self::Ready,
            Phase::Unready => Self::Unready,
            Phase::Ended => Self::Ended,
            Phase::Waiting => Self::Waiting,
        }
    }
}

/// A period of time.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Window {
    /// The first moment.
    pub from: Time,
    /// The last one.
    pub to: Time,
}

impl Window {
    /// The start of a slice, given their total number.
    pub fn slice(self, number: usize, of: usize) -> Time {
        let millis = self.to.since(self.from).as_millis() as u64;
        let at = u128::from(millis) * number as u128 / of.max(1) as u128;
        self.from.plus(std::time::Duration::from_millis(at as u64))
    }

    const fn includes(self, at: Time) -> bool {
        at.as_millis() >= self.from.as_millis() && at.as_millis() <= self.to.as_millis()
    }
}

/// The turns of one container, in order.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    /// Its state before the first turn kept.
    before: Phase,
    turns: VecDeque<(Time, Turn)>,
}

impl Lane {
    /// Takes in a turn; a repetition of the previous one is ignored.
    pub fn turn(&mut self, at: Time, turn: Turn) {
        let place = self.turns.partition_point(|(known, _)| *known <= at);
        let repeats = match turn {
            Turn::Phase(phase) => self.phase_before(place) == phase,
            _ => place.checked_sub(1).and_then(|last| self.turns.get(last)) == Some(&(at, turn)),
        };
        if repeats {
            return;
        }
        self.turns.insert(place, (at, turn));
        if self.turns.len() > MAX_TURNS
            && let Some((_, Turn::Phase(phase))) = self.turns.pop_front()
        {
            self.before = phase;
        }
    }

    /// The number of such turns within that time.
    pub fn count(&self, turn: Turn, within: Window) -> usize {
        self.turns.iter().filter(|(at, known)| *known == turn && within.includes(*at)).count()
    }

    /// That time in that many slices.
    pub fn cells(&self, within: Window, slices: usize) -> Vec<Cell> {
        let mut turns = self.turns.iter().peekable();
        let mut phase = self.before;
        let mut cells = Vec::with_capacity(slices);
        while let Some((_, turn)) = turns.next_if(|(at, _)| *at < within.from) {
            phase = phase_after(*turn, phase);
        }
        for number in 0..slices {
            let is_last = number + 1 == slices;
            let end = within.slice(number + 1, slices);
            let mut cell = Cell::from_phase(phase);
            while let Some((_, turn)) = turns.next_if(|(at, _)| *at < end || is_last && *at == end) {
                phase = phase_after(*turn, phase);
                cell = cell.max(match turn {
                    Turn::Phase(phase) => Cell::from_phase(*phase),
                    Turn::ProbeFailed => Cell::ProbeFailed,
                    Turn::Restarted => Cell::Restarted,
                });
            }
            cells.push(cell);
        }
        cells
    }

    /// Its state before the turn of that number.
    fn phase_before(&self, number: usize) -> Phase {
        let phases = self.turns.range(..number).rev().filter_map(|(_, turn)| match turn {
            Turn::Phase(phase) => Some(*phase),
            _ => None,
        });
        phases.into_iter().next().unwrap_or(self.before)
    }
}

const fn phase_after(turn: Turn, phase: Phase) -> Phase {
    match turn {
        Turn::Phase(next) => next,
        Turn::ProbeFailed | Turn::Restarted => phase,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    fn drawn(lane: &Lane, from: i64, to: i64, slices: usize) -> String {
        let window = Window { from: at(from), to: at(to) };
        lane.cells(window, slices).into_iter().map(Cell::mark).collect()
    }

    #[test]
    fn a_cell_shows_the_worst_of_its_slice_and_what_lasts_goes_on() {
        let mut lane = Lane::default();
        lane.turn(at(20), Turn::Phase(Phase::Unready));
        lane.turn(at(30), Turn::Phase(Phase::Ready));
        lane.turn(at(55), Turn::ProbeFailed);
        lane.turn(at(61), Turn::Restarted);
        lane.turn(at(61), Turn::Phase(Phase::Unready));
        lane.turn(at(80), Turn::Phase(Phase::Waiting));
        assert_eq!(drawn(&lane, 0, 100, 10), "  --=xR-..");
        assert_eq!(drawn(&lane, 90, 100, 3), "...");
        assert_eq!(drawn(&lane, 0, 100, 1), "R");
        assert_eq!(drawn(&lane, 0, 0, 3), "   ");
    }

    #[test]
    fn what_comes_late_has_its_own_time() {
        let mut lane = Lane::default();
        lane.turn(at(50), Turn::Phase(Phase::Ready));
        lane.turn(at(10), Turn::ProbeFailed);
        assert_eq!(drawn(&lane, 0, 100, 10), " x   =====");
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_lasts_is_not_forgotten() {
        let mut lane = Lane::default();
        lane.turn(at(0), Turn::Phase(Phase::Ready));
        for second in 1..=10 * MAX_TURNS as i64 {
            lane.turn(at(second), Turn::ProbeFailed);
            lane.turn(at(second), Turn::Phase(Phase::Ready));
        }
        assert_eq!(lane.turns.len(), MAX_TURNS);
        assert_eq!(lane.phase_before(lane.turns.len()), Phase::Ready);
        assert_eq!(drawn(&lane, 0, 10 * MAX_TURNS as i64, 10), "=========x");
    }
}

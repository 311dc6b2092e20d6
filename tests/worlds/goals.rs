//! How many worlds may fail: the one place to tighten when the engine gets better.

use crate::worlds::judge::Wrong;
use crate::worlds::tally::Tally;

/// Worlds of `make test`: seeds from 0.
pub const WORLDS: u64 = 300;

/// In how many of these worlds each problem may occur, as measured.
const AT_MOST: &[(Wrong, u64)] = &[
    (Wrong::Panic, 0),
    (Wrong::Blamed, 0),
    (Wrong::Contradiction, 0),
    (Wrong::Cause, 3),
    (Wrong::Missed, 0),
    (Wrong::TakenBack, 1),
    (Wrong::ToldTwice, 2),
    (Wrong::ResolvedTooSoon, 2),
    (Wrong::NotResolved, 0),
    (Wrong::BadAdvice, 0),
    (Wrong::Field, 0),
    (Wrong::Undone, 0),
];

/// The minimum share of the required faults that is found, in percent.
const FOUND_PERCENT: f64 = 99.0;

/// The least number of rollouts that the guard undoes in them.
const UNDONE: u64 = 1;

/// The goals that are missed.
pub fn missed(tally: &Tally) -> Vec<String> {
    let over = AT_MOST.iter().filter(|(wrong, most)| tally.count(*wrong) > *most);
    let mut missed: Vec<_> =
        over.map(|(wrong, most)| format!("{wrong:?} in {} worlds, at most {most} may", tally.count(*wrong))).collect();
    if tally.found_percent() < FOUND_PERCENT {
        missed.push(format!("found {:.1} %, not {FOUND_PERCENT} %", tally.found_percent()));
    }
    if tally.undone() < UNDONE {
        missed.push(format!("{} rollouts undone, not {UNDONE}", tally.undone()));
    }
    missed
}

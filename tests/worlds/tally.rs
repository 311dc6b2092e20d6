//! Counts over many worlds, and their table.

use std::collections::BTreeMap;
use std::fmt;

use crate::worlds::judge::{Failure, Found, Judged, Wrong};
use crate::worlds::world::World;

/// Number of seeds kept for each failure.
const SEEDS: usize = 4;

#[derive(Clone, Debug, Default)]
struct Row {
    worlds: u64,
    /// Faults, those that must be found, and how these were found.
    faults: u64,
    enough: u64,
    exactly: u64,
    acceptably: u64,
    otherwise: u64,
    missed: u64,
    /// Rollouts that the guard undid.
    undone: u64,
    /// Number of worlds with each kind of failure.
    wrong: [u64; Wrong::ALL.len()],
}

#[derive(Clone, Debug, Default)]
struct Heap {
    worlds: u64,
    seeds: Vec<u64>,
    example: String,
}

/// The results of many worlds.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    rows: BTreeMap<&'static str, Row>,
    heaps: BTreeMap<(Wrong, String), Heap>,
}

impl Tally {
    pub fn add(&mut self, world: &World, judged: &Judged) {
        let row = self.rows.entry(world.kind).or_default();
        row.worlds += 1;
        row.undone += judged.undone.len() as u64;
        for outcome in &judged.outcomes {
            row.faults += 1;
            if !outcome.suffices {
                continue;
            }
            row.enough += 1;
            *match outcome.found {
                Found::Exactly => &mut row.exactly,
                Found::Acceptably => &mut row.acceptably,
                Found::Otherwise => &mut row.otherwise,
                Found::Not => &mut row.missed,
            } += 1;
        }
        for (count, wrong) in row.wrong.iter_mut().zip(Wrong::ALL) {
            *count += u64::from(judged.failures.iter().any(|it| it.wrong == wrong));
        }
        let mut counted = Vec::new();
        for Failure { wrong, key, text } in &judged.failures {
            let key = (*wrong, key.clone());
            if counted.contains(&key) {
                continue;
            }
            let heap = self.heaps.entry(key.clone()).or_default();
            heap.worlds += 1;
            if heap.seeds.len() < SEEDS {
                heap.seeds.push(world.seed);
            }
            if heap.example.is_empty() {
                heap.example.clone_from(text);
            }
            counted.push(key);
        }
    }

    fn all(&self) -> Row {
        let mut all = Row::default();
        for row in self.rows.values() {
            all.worlds += row.worlds;
            all.faults += row.faults;
            all.enough += row.enough;
            all.exactly += row.exactly;
            all.acceptably += row.acceptably;
            all.otherwise += row.otherwise;
            all.missed += row.missed;
            all.undone += row.undone;
            for (all, one) in all.wrong.iter_mut().zip(row.wrong) {
                *all += one;
            }
        }
        all
    }

    pub fn worlds(&self) -> u64 {
        self.all().worlds
    }

    /// The number of rollouts that the guard undid.
    pub fn undone(&self) -> u64 {
        self.all().undone
    }

    /// The number of worlds with that problem.
    pub fn count(&self, wrong: Wrong) -> u64 {
        let place = Wrong::ALL.iter().position(|it| *it == wrong).expect("it is one of all");
        self.all().wrong[place]
    }

    /// The share of the required faults that was found, in percent.
    pub fn found_percent(&self) -> f64 {
        let all = self.all();
        100.0 * (all.exactly + all.acceptably) as f64 / all.enough.max(1) as f64
    }

    /// One line per failure, the most frequent first.
    pub fn heaps(&self, most: usize) -> Vec<String> {
        let mut all: Vec<_> = self.heaps.iter().collect();
        all.sort_by_key(|((wrong, key), heap)| (std::cmp::Reverse(heap.worlds), *wrong, key.clone()));
        let line = |((wrong, key), heap): (&(Wrong, String), &Heap)| {
            let seeds: Vec<_> = heap.seeds.iter().map(ToString::to_string).collect();
            format!("{:>5}  {wrong:?}: {key}  [seeds {}]\n         {}", heap.worlds, seeds.join(", "), heap.example)
        };
        all.into_iter().take(most).map(line).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = ["worlds", "faults", "enough", "exact", "fine", "other", "missed"];
        let wrong = [
            "panic", "blamed", "contra", "cause", "missed", "back", "twice", "soon", "open", "advice", "field", "undo",
        ];
        write!(f, "{:<27}", "kind")?;
        for column in columns.iter().chain(&wrong) {
            write!(f, "{column:>7}")?;
        }
        writeln!(f)?;
        let all = self.all();
        for (kind, row) in self.rows.iter().map(|(kind, row)| (*kind, row)).chain([("all", &all)]) {
            write!(f, "{kind:<27}")?;
            let counts = [row.worlds, row.faults, row.enough, row.exactly, row.acceptably, row.otherwise, row.missed];
            for count in counts.iter().chain(&row.wrong) {
                write!(f, "{:>7}", if *count == 0 { "·".to_owned() } else { count.to_string() })?;
            }
            writeln!(f)?;
        }
        writeln!(f, "\nfound {:.1} % of what the evidence carries", self.found_percent())?;
        let (undone, failed) = (self.undone(), self.count(Wrong::Undone));
        writeln!(f, "the guard undid {undone} rollouts; in {failed} worlds one that did not help")
    }
}

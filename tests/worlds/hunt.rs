//! `make hunt`: any number of worlds.

use std::io::{IsTerminal, Write};

use crate::worlds::judge::{Judged, Wrong, judge};
use crate::worlds::kinds::KINDS;
use crate::worlds::tally::Tally;
use crate::worlds::world::World;
use crate::worlds::{found, shrink};

/// Number of worlds between two lines of progress.
const STEP: u64 = 200;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// The body of `make hunt`: `WORLDS` worlds from `SEED` on, or the one `WORLD`, or that of `SHRINK` reduced
/// for `tests/found/worlds`.
#[test]
#[ignore = "make hunt runs it, for as long as one likes"]
fn hunt() {
    if let Some(seed) = number("WORLD") {
        return show(seed);
    }
    if let Some(seed) = number("SHRINK") {
        return make_small(seed);
    }
    let (worlds, from) = (number("WORLDS").unwrap_or(2_000), number("SEED").unwrap_or(1_000));
    let only = std::env::var("KIND").ok().filter(|kind| !kind.is_empty());
    if let Some(kind) = &only {
        let names: Vec<_> = KINDS.iter().map(|(name, _, _)| *name).collect();
        assert!(names.contains(&&**kind), "KIND={kind} is none of {names:?}");
    }
    let mut tally = Tally::default();
    let mut seed = from;
    while tally.worlds() < worlds {
        let world = World::draw(seed);
        seed += 1;
        if only.as_ref().is_some_and(|kind| kind != world.kind) {
            continue;
        }
        let judged = judge(&world);
        for failure in judged.failures.iter().filter(|it| it.wrong <= Wrong::Contradiction || it.wrong == Wrong::Undone)
        {
            println!("\rworld {} ({}): {:?}: {}", world.seed, world.kind, failure.wrong, failure.text);
        }
        tally.add(&world, &judged);
        if tally.worlds().is_multiple_of(STEP) && std::io::stderr().is_terminal() {
            eprint!("\r{} of {worlds} worlds, seed {seed}", tally.worlds());
            std::io::stderr().flush().expect("a terminal takes a line");
        }
    }
    println!("\n{tally}\n{}", tally.heaps(60).join("\n"));
    let worst = [Wrong::Panic, Wrong::Blamed, Wrong::Contradiction, Wrong::Undone].map(|wrong| tally.count(wrong));
    assert_eq!(worst, [0; 4], "panics, probes blamed wrongly, contradictions, rollouts undone in vain");
}

/// Prints a world, its truth, the findings, and their problems.
fn show(seed: u64) {
    let world = World::draw(seed);
    println!("{world}");
    let played = world.play();
    for done in &played.done {
        println!("  {:>9.3} s  {} {} {:?}", done.at as f64 / 1000.0, done.pod, done.container, done.deed);
    }
    if let Ok(file) = std::env::var("KEEP") {
        std::fs::write(file, world.spoilt(played.stream).bytes()).expect("the file can be written");
    }
    let Judged { outcomes, failures, said, undone } = judge(&world);
    println!();
    for change in said.changes.iter().filter(|change| change.kind != "Counted") {
        println!("  {:>9.3} s  {} {}", change.at as f64 / 1000.0, change.kind, change.finding);
    }
    for it in &said.findings {
        println!("\n{}", serde_json::to_string_pretty(&it.0).expect("a finding is plain data"));
    }
    for it in &undone {
        println!("\n{:>9.3} s  the guard goes back to {}: {}", it.at as f64 / 1000.0, it.back_to, it.finding);
    }
    println!("\n{outcomes:?}");
    for failure in &failures {
        println!("{:?}: {}: {}", failure.wrong, failure.key, failure.text);
    }
}

/// Stores the smallest recording found with the worst problem of a world.
fn make_small(seed: u64) {
    let world = World::draw(seed);
    let mut failures = judge(&world).failures;
    failures.sort_by_key(|failure| failure.wrong);
    let Some(failure) = failures.first() else { panic!("nothing goes wrong in world {seed}") };
    println!("{:?}: {}", failure.wrong, failure.key);
    let path = shrink::keep(&shrink::shrink(&world, failure), &found::folder());
    println!("kept as {}", path.display());
}

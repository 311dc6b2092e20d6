//! Random worlds whose truth is known by construction, and probehound's findings about them.
//!
//! `make hunt` runs any number of them; see CONTRIBUTING.md.

mod cure;
mod draw;
mod evidence;
mod found;
mod goals;
mod guard;
mod hunt;
mod judge;
mod kinds;
#[allow(dead_code, reason = "the stories use the rest")]
mod noise;
mod seen;
mod shrink;
mod tally;
mod told;
mod truth;
mod world;

use std::sync::LazyLock;

use crate::kubelet::manifest::Controller;
use crate::kubelet::{Deed, Done};
use judge::judge_played;
use tally::Tally;
use told::listen;
use truth::Needs;
use world::World;

/// Seconds in which a cure has replaced the old pods.
const SETTLES: i64 = 120;

/// The worlds of `make test`, each played once: the results, and violations of the worlds' own truth.
static ALL: LazyLock<(Tally, Vec<String>)> = LazyLock::new(|| {
    let (mut tally, mut untrue) = (Tally::default(), Vec::new());
    for seed in 0..goals::WORLDS {
        let world = World::draw(seed);
        let played = world.play();
        untrue.extend(lies(&world, &played.done));
        tally.add(&world, &judge_played(&world, &played));
    }
    (tally, untrue)
});

/// What is seen of the world of a seed, as the lines of a recording.
pub fn stream_of(seed: u64) -> Vec<u8> {
    let world = World::draw(seed);
    world.spoilt(world.play().stream).bytes()
}

#[test]
fn what_is_said_of_random_worlds_is_right() {
    let tally = &ALL.0;
    let missed = goals::missed(tally);
    assert!(missed.is_empty(), "{tally}\n{}\n{}", tally.heaps(40).join("\n"), missed.join("\n"));
}

#[test]
fn the_same_seed_gives_the_same_world_and_the_same_words() {
    for seed in (0..goals::WORLDS).step_by(37) {
        let (one, other) = (World::draw(seed), World::draw(seed));
        let streams = [one, other].map(|world| world.spoilt(world.play().stream));
        assert_eq!(streams[0].bytes(), streams[1].bytes(), "world {seed}");
        let said = streams.map(|stream| format!("{:?}", listen(&stream)));
        assert_eq!(said[0], said[1], "world {seed}");
    }
}

/// The claims of the kinds of faults are true: a fault has the effect it claims, it disappears once cured,
/// and nothing else is wrong in its world.
#[test]
fn what_is_true_of_random_worlds_is_true() {
    assert!(ALL.1.is_empty(), "\n{}", ALL.1.join("\n"));
}

fn lies(world: &World, done: &[Done]) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = format!("world {} ({})", world.seed, world.kind);
    for expect in &world.truth {
        let of_it = || done.iter().filter(|it| it.workload == expect.workload && it.container == expect.container);
        let shown = match expect.needs {
            Needs::Kills(kind) | Needs::OneEnd(kind) => of_it().any(|it| it.deed == Deed::Killed(kind)),
            Needs::Ends => of_it().any(|it| matches!(it.deed, Deed::Ended(_))),
            _ => true,
        };
        if !shown {
            wrong.push(format!("{name}: {} did not show itself", expect.workload));
        }
        // Those proceed pod by pod, as pods become ready.
        let ordered = |it: Controller| matches!(it, Controller::StatefulSet | Controller::DaemonSet);
        let waits = world.manifests().any(|it| it.name == expect.name() && ordered(it.controller));
        let slow = world.manifests().any(|it| it.name == expect.name() && it.gradual);
        let Some(cured) = expect.cured.filter(|_| !waits && !slow) else { continue };
        if let Some(late) = of_it().find(|it| it.at > (cured + SETTLES) * 1000) {
            wrong.push(format!("{name}: cured at {cured} s, and yet {late:?}"));
        }
    }
    let quiet = matches!(world.kind, "one hang" | "one reboot" | "node overloaded" | "node strikes");
    let reboots = world.steps.iter().any(|(_, step)| matches!(step, crate::kubelet::Step::Reboot(_)));
    if !quiet && !reboots {
        let alien = done
            .iter()
            .find(|it| !world.truth.iter().any(|expect| expect.workload == it.workload) && it.deed != Deed::Ended(0));
        wrong.extend(alien.map(|it| format!("{name}: something else is wrong: {it:?}")));
    }
    wrong
}

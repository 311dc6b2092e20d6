//! Reduces a failing world to a small failing recording.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::kubelet::Step;
use crate::kubelet::manifest::Workload;
use crate::worlds::judge::{Failure, judge, judge_played};
use crate::worlds::seen::suffices;
use crate::worlds::truth::{Claim, Expect};
use crate::worlds::world::World;

/// Maximum number of rounds in which every part is tried.
const ROUNDS: usize = 4;

/// The smallest world found with the same failure.
pub fn shrink(world: &World, failure: &Failure) -> World {
    let goes_wrong =
        |world: &World| judge(world).failures.iter().any(|it| it.wrong == failure.wrong && it.key == failure.key);
    let mut best = world.clone();
    for _ in 0..ROUNDS {
        let before = size(&best);
        let mut number = 0;
        // After a removal, the same number may be another part.
        while let Some(smaller) = candidate(&best, number) {
            if size(&smaller) < size(&best) && goes_wrong(&smaller) {
                best = smaller;
            } else {
                number += 1;
            }
        }
        if size(&best) == before {
            break;
        }
    }
    best
}

fn size(world: &World) -> i64 {
    let weight = |it: &Workload| {
        let inside: usize = it.containers.iter().map(|one| 1 + one.probes.len()).sum();
        (it.replicas * 10 + it.nodes + usize::from(it.gradual) + inside) as i64
    };
    let steps: i64 = world.manifests().map(weight).sum();
    world.seconds + steps + 50 * (world.steps.len() + world.noise.len()) as i64
}

/// The world with one part less; `None` if all have been tried.
fn candidate(world: &World, number: usize) -> Option<World> {
    let mut it = world.clone();
    let (noise, steps) = (it.noise.len(), it.steps.len());
    if number < noise {
        it.noise.remove(number);
        return Some(it);
    }
    if number < noise + steps {
        if may_go(world, number - noise) {
            it.steps.remove(number - noise);
        }
        return Some(it);
    }
    let all = |it: &mut World, change: &dyn Fn(&mut Workload)| {
        for (_, step) in &mut it.steps {
            if let Step::Apply(workload) = step {
                change(workload);
            }
        }
    };
    match number - noise - steps {
        0 => all(&mut it, &|workload| workload.replicas = workload.replicas.min(1)),
        1 => all(&mut it, &|workload| workload.replicas = workload.replicas.min(2)),
        2 => all(&mut it, &|workload| workload.nodes = 1),
        3 => all(&mut it, &|workload| workload.gradual = false),
        4 => {
            let truth = world.truth.clone();
            all(&mut it, &move |workload| {
                let first = workload.containers[0].name;
                workload.containers.retain(|one| one.name == first || truth.iter().any(|it| it.container == one.name));
            });
        }
        cut @ 5..=8 => it.seconds = it.seconds * [50, 70, 85, 95][cut - 5] / 100,
        _ => return None,
    }
    Some(it)
}

/// Whether a world's truth is the same without that step.
fn may_go(world: &World, step: usize) -> bool {
    let (at, step) = &world.steps[step];
    let concerns = |name: &str| world.truth.iter().any(|expect| expect.name() == name);
    match step {
        Step::Apply(workload) => !concerns(workload.name) && (!world.truth.is_empty() || world.manifests().count() > 1),
        Step::Scale(..) | Step::Delete(_) => !world.truth.iter().any(|expect| expect.cured == Some(*at)),
        Step::Overload(..) | Step::Strike(_) => world.truth.is_empty(),
        _ => true,
    }
}

/// Writes a world's recording and its truth into a folder; returns the recording's path.
pub fn keep(world: &World, folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).expect("the folder can be made");
    let name = format!("{}-{}", world.kind.replace(' ', "-"), world.seed);
    let played = world.play();
    let stream = world.spoilt(played.stream.clone());
    let mut truth = String::from("findings:\n");
    let mut may = String::from("may:\n");
    for expect in &world.truth {
        let enough = !world.is_spoilt() && suffices(&stream, expect);
        let all = std::iter::once(&expect.exact).chain(&expect.fine);
        let same: Vec<_> =
            all.filter(|it| it.effects == expect.exact.effects && it.probe == expect.exact.probe).collect();
        let causes: Vec<_> = same.iter().flat_map(|it| it.causes.clone()).collect();
        let main = Claim { causes, ..expect.exact.clone() };
        write(if enough { &mut truth } else { &mut may }, expect, &main);
        let other = expect.fine.iter().filter(|it| !same.contains(it));
        for claim in other.chain(&expect.beside) {
            write(&mut may, expect, claim);
        }
    }
    let text = |list: String, name: &str| if list.ends_with(":\n") { format!("{name}: []\n") } else { list };
    let yaml = text(truth, "findings") + &text(may, "may");
    std::fs::write(folder.join(format!("{name}.expect.yaml")), yaml).expect("the truth can be written");
    let path = folder.join(format!("{name}.jsonl.gz"));
    let file = std::fs::File::create(&path).expect("the recording can be written");
    let mut gz = GzEncoder::new(file, Compression::best());
    gz.write_all(&stream.bytes()).and_then(|()| gz.finish().map(drop)).expect("the recording can be written");
    println!("{world}");
    for failure in judge_played(world, &played).failures {
        println!("{:?}: {}: {}", failure.wrong, failure.key, failure.text);
    }
    path
}

fn write(list: &mut String, expect: &Expect, claim: &Claim) {
    let probe = claim.probe.unwrap_or("null");
    // Writing to a string cannot fail.
    let _ = write!(
        list,
        "- workload: {}\n  container: {}\n  effect: [{}]\n  probe: {probe}\n  cause: [{}]\n",
        expect.workload,
        expect.container,
        claim.effects.join(", "),
        claim.causes.join(", ")
    );
}

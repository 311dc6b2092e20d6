//! What was judged of a container is kept until something that it rests on changes: an engine that judges
//! everything anew says the same, byte for byte, and is due at the same times.

use probehound::engine::{Engine, Observation};
use probehound::replay::{Moment, replay};
use probehound::time::Time;

use crate::support::mutation::{Mutation, Start};
use crate::support::{assert_none, corpus};
use crate::worlds::stream_of;

/// Number of random worlds, and the step between their seeds.
const WORLDS: u64 = 100;
const STEP: usize = 3;
/// Number of looks in a row after which the next observation comes anyway.
const MOST_LOOKS: usize = 1_000;

#[test]
fn recordings_say_the_same_if_nothing_judged_is_kept() {
    let differing = corpus().iter().filter_map(|incident| differs(&incident.recording().bytes(), &incident.name));
    assert_none("differing courses", &differing.collect::<Vec<_>>());
}

#[test]
fn spoilt_recordings_say_the_same_if_nothing_judged_is_kept() {
    let incidents = corpus().iter().enumerate().filter(|(place, _)| place % STEP == 0);
    let differing = incidents.filter_map(|(place, incident)| {
        let seed = place as u64;
        let mutation = match place / STEP % 4 {
            0 => Mutation::LosePodChanges { percent: 40, seed },
            1 => Mutation::SwapNeighbours { percent: 30, seed },
            2 => Mutation::Repeat { percent: 30, later: 20, seed },
            _ => Mutation::Cut { permille: 400, start: Start::Lists },
        };
        differs(&mutation.apply(incident.recording()).bytes(), &format!("{} {mutation:?}", incident.name))
    });
    assert_none("differing courses", &differing.collect::<Vec<_>>());
}

#[test]
fn random_worlds_say_the_same_if_nothing_judged_is_kept() {
    let seeds = (0..WORLDS * STEP as u64).step_by(STEP);
    let differing = seeds.filter_map(|seed| differs(&stream_of(seed), &format!("world {seed}")));
    assert_none("differing courses", &differing.collect::<Vec<_>>());
}

/// Where the courses of both engines part, if they do.
fn differs(recording: &[u8], name: &str) -> Option<String> {
    let observations = observations(recording);
    let [kept, anew] = [false, true].map(|forgets| course(&observations, forgets));
    let parted = kept.iter().zip(&anew).find(|(kept, anew)| kept != anew);
    match parted {
        Some((kept, anew)) => Some(format!("{name}: {kept}\n  instead of {anew}")),
        None => (kept.len() != anew.len()).then(|| format!("{name}: one says more")),
    }
}

/// What was observed in a recording, the answers to look-ups included.
fn observations(recording: &[u8]) -> Vec<(Time, Observation)> {
    let (mut all, mut at) = (Vec::new(), Time::default());
    replay(recording, &mut Engine::default(), |moment| match moment {
        Moment::Record(progress) => {
            at = progress.record.at;
            all.extend(progress.observation.map(|observation| (at, observation.clone())));
        }
        Moment::Answer(observation) => all.push((at, observation.clone())),
        Moment::Change(_) | Moment::Skipped(_) | Moment::Odd(_) => {}
    });
    all
}

/// What an engine does with observations, step by step.
fn course(observations: &[(Time, Observation)], forgets: bool) -> Vec<String> {
    let (mut engine, mut course) = (Engine::default(), Vec::new());
    let mut step = |act: &dyn Fn(&mut Engine)| {
        if forgets {
            engine.forget_judged();
        }
        act(&mut engine);
        course.push(format!("{:?} {:?}", engine.take_changes(), engine.take_needs()));
        engine.next_deadline()
    };
    let mut due = None;
    for (at, observation) in observations {
        for _ in 0..MOST_LOOKS {
            let Some(now) = due.filter(|due| due <= at) else { break };
            due = step(&|engine| engine.tick(now));
        }
        due = step(&|engine| engine.apply(observation.clone(), *at));
    }
    step(&Engine::settle);
    course.push(format!("{:?}", engine.findings()));
    course
}

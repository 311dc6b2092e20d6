//! The mutations do what they claim: a property proven on an impossible stream proves nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::mutation::Start;
use crate::support::recording::Type;
use crate::support::{Line, Mutation, Recording, incident};

#[test]
fn every_mutation_keeps_the_order_of_time() {
    for mutation in all() {
        let mutated = mutation.apply(story());
        assert!(mutated.lines.is_sorted_by_key(|line| line.at), "{mutation:?}");
        assert!(mutated.lines.len() > 20, "{mutation:?}");
    }
}

#[test]
fn a_mutation_is_the_same_every_time() {
    for mutation in all() {
        assert_eq!(mutation.apply(story()).bytes(), mutation.apply(story()).bytes(), "{mutation:?}");
    }
}

#[test]
fn an_untouched_recording_is_written_as_it_was_read() {
    let first = Mutation::Repeat { percent: 0, later: 0, seed: 1 }.apply(story());
    assert_eq!(first.bytes(), story().bytes());
}

#[test]
fn swaps_and_shuffles_only_change_the_order() {
    for mutation in [Mutation::SwapNeighbours { percent: 50, seed: 1 }, Mutation::ShuffleRestarts { seed: 1 }] {
        let mutated = mutation.apply(story());
        assert_ne!(shown(&mutated), shown(story()), "{mutation:?} changes nothing");
        let (mut mutated, mut untouched) = (shown(&mutated), shown(story()));
        mutated.sort_unstable();
        untouched.sort_unstable();
        assert_eq!(mutated, untouched, "{mutation:?}");
    }
}

#[test]
fn a_shuffle_keeps_each_objects_history_in_order() {
    for seed in 0..20 {
        let mutated = Mutation::ShuffleRestarts { seed }.apply(story());
        assert_eq!(histories(&mutated), histories(story()), "seed {seed}");
    }
}

#[test]
fn a_start_in_the_middle_lists_what_exists_and_goes_on() {
    let permille = 400;
    let whole = &story().lines;
    let place = whole.len() * usize::from(permille) / 1000;
    for start in [Start::Lists, Start::ListsWithoutEvents, Start::Bare] {
        let mutated = Mutation::Cut { permille, start }.apply(story());
        let lists = &mutated.lines[..mutated.lines.len() - (whole.len() - place)];
        assert!(lists.iter().all(|line| line.change == Type::Added && line.at == whole[place - 1].at));
        assert_eq!(lists.iter().any(Line::is_event), start == Start::Lists);
        assert_eq!(lists.iter().any(Line::is_pod), start != Start::Bare);
        assert_eq!(&shown(&mutated)[lists.len()..], &shown(story())[place..]);
    }
}

#[test]
fn nothing_is_seen_in_a_blind_gap_and_all_is_listed_after_it() {
    let (from_permille, seconds) = (100, 300);
    for gone_first in [true, false] {
        let mutated = Mutation::Blind { from_permille, seconds, gone_first }.apply(story());
        let from = story().start().plus(story().end().since(story().start()) / 10);
        let until = from.plus(Duration::from_secs(seconds.into()));
        assert!(!mutated.lines.iter().any(|line| line.at >= from && line.at < until));
        let relist = mutated.lines.iter().filter(|line| line.at == until && line.change == Type::Added);
        assert!(relist.count() > 5);
    }
}

fn story() -> &'static Recording {
    incident("liveness-http-404-wrong-path").recording()
}

fn all() -> Vec<Mutation> {
    let seed = 7;
    let mut all = vec![
        Mutation::LoseEvents { percent: 30, seed },
        Mutation::LoseReason("Killing"),
        Mutation::LosePodChanges { percent: 30, seed },
        Mutation::Repeat { percent: 50, later: 5, seed },
        Mutation::SwapNeighbours { percent: 50, seed },
        Mutation::ShuffleRestarts { seed },
        Mutation::Blind { from_permille: 300, seconds: 120, gone_first: true },
    ];
    all.extend(
        [Start::Bare, Start::Lists, Start::ListsWithoutEvents].map(|start| Mutation::Cut { permille: 300, start }),
    );
    all.push(Mutation::All(all.clone()));
    all
}

/// The contents of the lines, without times.
fn shown(recording: &Recording) -> Vec<&str> {
    recording.lines.iter().map(|line| line.object.json.as_str()).collect()
}

fn histories(recording: &Recording) -> BTreeMap<&str, Vec<&str>> {
    let mut histories: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in &recording.lines {
        histories.entry(&line.object.uid).or_default().push(&line.object.json);
    }
    histories
}

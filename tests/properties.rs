//! Whatever is lost, repeated or late in a stream: nothing panics, and no probe is blamed for what it did
//! not do.

use crate::support::document::Identity;
use crate::support::hunt::{hunt, none};
use crate::support::replay::replay_bytes;
use crate::support::truth::Scale;
use crate::support::{Document, Finding, Incident, Mutation, assert_none, corpus, mutation::Start, replay};
use proptest::prelude::*;

/// Number of mutations per incident and property; about a second for the whole corpus.
const CASES: u32 = 4;

#[test]
fn losing_events_never_blames_a_probe_wrongly() {
    never_blames_wrongly(&(1..100_u8, any::<u64>()).prop_map(|(percent, seed)| Mutation::LoseEvents { percent, seed }));
}

#[test]
fn a_watch_without_events_never_blames_a_probe_wrongly() {
    never_blames_wrongly(&Just(Mutation::LoseEvents { percent: 100, seed: 0 }));
}

#[test]
fn a_watch_without_killing_events_never_blames_a_probe_wrongly() {
    never_blames_wrongly(&Just(Mutation::LoseReason("Killing")));
}

#[test]
fn losing_changes_of_pods_blames_no_innocent_probe() {
    let holes = (1..=100_u8, any::<u64>()).prop_map(|(percent, seed)| Mutation::LosePodChanges { percent, seed });
    blames_no_innocent(&holes);
}

#[test]
fn old_lines_that_come_again_blame_no_innocent_probe() {
    let repeats = (1..=100_u8, 0..30_u8, any::<u64>());
    blames_no_innocent(&repeats.prop_map(|(percent, later, seed)| Mutation::Repeat { percent, later, seed }));
}

#[test]
fn neighbours_in_the_other_order_blame_no_innocent_probe() {
    blames_no_innocent(&swaps());
}

#[test]
fn a_missing_beginning_blames_no_innocent_probe() {
    blames_no_innocent(&cuts(Start::Bare));
}

#[test]
fn a_start_in_the_middle_with_lists_never_blames_a_probe_wrongly() {
    never_blames_wrongly(&cuts(Start::Lists));
}

#[test]
fn a_start_after_all_events_are_gone_never_blames_a_probe_wrongly() {
    never_blames_wrongly(&cuts(Start::ListsWithoutEvents));
}

#[test]
fn a_blind_gap_and_a_new_list_never_blame_a_probe_wrongly() {
    never_blames_wrongly(&gaps());
}

#[test]
fn several_losses_together_raise_no_false_alarm() {
    let failures = tell_mutated(corpus(), &losses(), |incident, told| {
        let verdict = incident.truth.judge(told, Scale::Lenient);
        none(&[verdict.false_alarms, verdict.bad_advice].concat())
    });
    assert_none("false alarms or bad advice", &failures);
}

#[test]
fn the_lines_of_a_restart_in_any_order_tell_the_same() {
    let shuffles = any::<u64>().prop_map(|seed| Mutation::ShuffleRestarts { seed });
    tells_the_same(&shuffles);
}

#[test]
fn lines_that_come_twice_tell_the_same() {
    let doubles = (1..=100_u8, any::<u64>());
    tells_the_same(&doubles.prop_map(|(percent, seed)| Mutation::Repeat { percent, later: 0, seed }));
}

#[test]
fn a_stream_without_killing_events_tells_the_same() {
    tells_the_same(&Just(Mutation::LoseReason("Killing")));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let differing = corpus().iter().filter(|incident| {
        let recording = incident.recording();
        replay_bytes(recording) != replay_bytes(recording)
    });
    let failures: Vec<String> = differing.map(|incident| incident.name.clone()).collect();
    assert_none("differing answers", &failures);
}

/// A blamed probe is one that the truth blames, and a suggestion is one that works.
fn never_blames_wrongly(mutations: &impl Strategy<Value = Mutation>) {
    let failures = tell_mutated(corpus(), mutations, |incident, told| {
        let verdict = incident.truth.judge(told, Scale::Lenient);
        none(&[verdict.blamed, verdict.bad_advice].concat())
    });
    assert_none("probes blamed or bad advice", &failures);
}

/// If the truth blames no probe, none is blamed: for streams that no watch would produce, for which the
/// rest of the truth cannot be required.
fn blames_no_innocent(mutations: &impl Strategy<Value = Mutation>) {
    let innocent = corpus().iter().filter(|incident| !incident.truth.blames_a_probe());
    let failures = tell_mutated(innocent, mutations, |_, told| {
        let blamed = told.confirmed().filter(|finding| finding.blames_a_probe());
        none(&blamed.map(Finding::brief).collect::<Vec<_>>())
    });
    assert_none("probes blamed", &failures);
}

/// The confirmed findings and their causes are those of the original recording.
fn tells_the_same(mutations: &impl Strategy<Value = Mutation>) {
    let mut failures = Vec::new();
    for incident in corpus() {
        let expected = replay(incident.recording()).identities();
        failures.extend(tell_mutated([incident], mutations, |_, told| same(&expected, &told.identities())));
    }
    assert_none("other causes", &failures);
}

fn same(expected: &[Identity], told: &[Identity]) -> Result<(), String> {
    let lacking = |all: &[Identity], others: &[Identity]| -> Vec<String> {
        let lacking = others.iter().filter(|one| !all.contains(one));
        lacking.map(ToString::to_string).collect()
    };
    if told == expected {
        return Ok(());
    }
    Err(format!("said {:?} instead of {:?}", lacking(expected, told), lacking(told, expected)))
}

/// The objections of `check` to the results for mutations of the incidents.
fn tell_mutated<'a>(
    incidents: impl IntoIterator<Item = &'a Incident>,
    mutations: &impl Strategy<Value = Mutation>,
    check: impl Fn(&Incident, &Document) -> Result<(), String>,
) -> Vec<String> {
    hunt(incidents, CASES, mutations, |incident, mutation| {
        check(incident, &replay(&mutation.apply(incident.recording())))
    })
}

fn swaps() -> impl Strategy<Value = Mutation> {
    (1..=100_u8, any::<u64>()).prop_map(|(percent, seed)| Mutation::SwapNeighbours { percent, seed })
}

fn cuts(start: Start) -> impl Strategy<Value = Mutation> {
    (0..1000_u16).prop_map(move |permille| Mutation::Cut { permille, start })
}

fn gaps() -> impl Strategy<Value = Mutation> {
    (0..900_u16, 20..600_u16, any::<bool>()).prop_map(|(from_permille, seconds, gone_first)| Mutation::Blind {
        from_permille,
        seconds,
        gone_first,
    })
}

/// One to three of them, in sequence.
fn losses() -> impl Strategy<Value = Mutation> {
    let one = prop_oneof![
        (1..=100_u8, any::<u64>()).prop_map(|(percent, seed)| Mutation::LoseEvents { percent, seed }),
        prop_oneof![Just("Killing"), Just("Unhealthy"), Just("BackOff")].prop_map(Mutation::LoseReason),
        prop_oneof![Just(Start::Lists), Just(Start::ListsWithoutEvents)].prop_flat_map(cuts),
        gaps(),
    ];
    prop::collection::vec(one, 1..=3).prop_map(Mutation::All)
}

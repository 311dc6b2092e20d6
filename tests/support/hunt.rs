//! Looks for a mutation that makes probehound say something wrong.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use super::{Incident, Mutation, Recording};

/// Applies mutations to each incident and collects what `check` has against the results, one text
/// an incident, with the simplest mutation found.
///
/// The same mutations every time: `PROPTEST_CASES` and `PROPTEST_RNG_SEED` hunt further.
pub fn hunt<'a, S: Strategy<Value = Mutation>>(
    incidents: impl IntoIterator<Item = &'a Incident>,
    cases: u32,
    mutations: &S,
    check: impl Fn(&Incident, &Recording) -> Result<(), String>,
) -> Vec<String> {
    let mut failures = Vec::new();
    for incident in incidents {
        let recording = incident.recording();
        let mut runner = TestRunner::new(config(cases, recording));
        let outcome = runner.run(mutations, |mutation| {
            check(incident, &mutation.apply(recording)).map_err(TestCaseError::fail)
        });
        match outcome {
            Ok(()) => {}
            Err(TestError::Fail(why, mutation)) => failures.push(format!("{}, {mutation:?}: {why}", incident.name)),
            Err(TestError::Abort(why)) => failures.push(format!("{}: given up: {why}", incident.name)),
        }
    }
    failures
}

/// Recordings of ten thousand lines cost as much as all others together.
const LONG: usize = 2_000;

fn config(cases: u32, recording: &Recording) -> Config {
    let wanted = Config::default();
    let set = |name| std::env::var_os(name).is_some();
    let cases = if set("PROPTEST_CASES") { wanted.cases } else { cases };
    Config {
        cases: if recording.lines.len() > LONG {
            cases.min(1)
        } else {
            cases
        },
        max_shrink_iters: 60,
        failure_persistence: None,
        rng_seed: if set("PROPTEST_RNG_SEED") {
            wanted.rng_seed
        } else {
            RngSeed::Fixed(0x9e37)
        },
        ..wanted
    }
}

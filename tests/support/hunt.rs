//! Searches for a mutation with which the result is wrong.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use super::Incident;
use super::random::Random;

/// Tries values on each incident and collects the objections of `check`, one text per incident, with the
/// simplest such value found.
///
/// The values are the same every time, but differ between incidents: `PROPTEST_CASES` and
/// `PROPTEST_RNG_SEED` extend the search.
pub fn hunt<'a, S: Strategy>(
    incidents: impl IntoIterator<Item = &'a Incident>,
    cases: u32,
    values: &S,
    check: impl Fn(&Incident, &S::Value) -> Result<(), String>,
) -> Vec<String> {
    let mut failures = Vec::new();
    for incident in incidents {
        let mut runner = TestRunner::new(config(cases, incident));
        let outcome = runner.run(values, |value| check(incident, &value).map_err(TestCaseError::fail));
        match outcome {
            Ok(()) => {}
            Err(TestError::Fail(why, value)) => failures.push(format!("{}, {value:?}: {why}", incident.name)),
            Err(TestError::Abort(why)) => failures.push(format!("{}: given up: {why}", incident.name)),
        }
    }
    failures
}

/// An error with the problems, if there are any.
pub fn none(problems: &[String]) -> Result<(), String> {
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}

/// Recordings of ten thousand lines cost as much as all others together.
const LONG: usize = 2_000;

fn config(cases: u32, incident: &Incident) -> Config {
    let wanted = Config::default();
    let set = |name| std::env::var_os(name).is_some();
    let cases = if set("PROPTEST_CASES") { wanted.cases } else { cases };
    let mut seed = match wanted.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => 0,
    };
    for byte in incident.name.bytes() {
        seed = Random::new(seed ^ u64::from(byte)).next();
    }
    Config {
        cases: if incident.recording().lines.len() > LONG { cases.min(1) } else { cases },
        max_shrink_iters: 60,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..wanted
    }
}

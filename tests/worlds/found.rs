//! Small recordings of worlds that once failed: `make hunt SHRINK=SEED` creates them.

use std::path::PathBuf;

use crate::support::truth::Scale;
use crate::support::{Recording, Truth, replay};

/// Those that still fail.
const OPEN: &[&str] = &[];

pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/found/worlds")
}

#[test]
fn what_was_found_in_worlds_and_mended_stays_right() {
    let mut wrong = Vec::new();
    for entry in folder().read_dir().expect("the folder of what was found") {
        let path = entry.expect("readable").path();
        let file = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        let Some(name) = file.strip_suffix(".jsonl.gz") else { continue };
        let truth = std::fs::read_to_string(folder().join(format!("{name}.expect.yaml"))).expect("the truth beside it");
        let truth: Truth = serde_saphyr::from_str(&truth).unwrap_or_else(|error| panic!("{name}: {error}"));
        let problems = truth.judge(&replay(&Recording::read(&path)), Scale::Whole).problems();
        match (problems.is_empty(), OPEN.contains(&name)) {
            (false, false) => wrong.push(format!("{name}: {}", problems.join("; "))),
            (true, true) => wrong.push(format!("{name} is right by now: it is no longer open")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

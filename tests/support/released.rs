//! `Finding` objects as releases wrote them, and their definition then (`tests/objects`).

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// Those of 0.1.0: the README's example on a real node, as kubectl printed it, and what its receiver was told
/// in the form in which that release recorded it.
pub fn objects() -> Vec<Value> {
    serde_json::from_str(&fs::read_to_string(file("0.1.0.json")).expect("readable")).expect("JSON")
}

/// The file with the definition of 0.1.0.
#[allow(dead_code, reason = "only an API server needs it")]
pub fn definition() -> PathBuf {
    file("0.1.0.crd.yaml")
}

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "objects", name].iter().collect()
}

//! Shared by the tests on recordings: the recordings, the truth about them, mutations, and the one place
//! that runs probehound.
#![allow(dead_code, unused_imports, reason = "each test crate uses a part of this")]

pub mod alertmanager;
pub mod binary;
pub mod document;
pub mod findings_api;
pub mod forms;
pub mod http;
pub mod hunt;
pub mod known;
pub mod mutation;
pub mod page;
pub mod protobuf;
pub mod proxy;
pub mod random;
pub mod recording;
pub mod released;
pub mod replay;
pub mod slack;
pub mod truth;
pub mod world;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

pub use document::{Document, Finding};
pub use mutation::Mutation;
pub use recording::{Line, Recording};
pub use replay::replay;
pub use truth::Truth;

/// A recording and the truth about it.
pub struct Incident {
    /// The file's name without its endings: `control-healthy-k130`.
    pub name: String,
    /// The path of the recording.
    pub path: PathBuf,
    /// The expected findings.
    pub truth: Truth,
    recording: LazyLock<Recording, Box<dyn FnOnce() -> Recording + Send>>,
}

impl Incident {
    /// Its lines, read once.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }
}

/// All incidents of `tests/incidents`, by name.
pub fn corpus() -> &'static [Incident] {
    static CORPUS: LazyLock<Vec<Incident>> = LazyLock::new(|| incidents_in(&folder()));
    &CORPUS
}

/// The incidents of a folder, by name.
pub fn incidents_in(folder: &Path) -> Vec<Incident> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder can be listed")
        .filter_map(|entry| entry.expect("an entry of a folder").file_name().into_string().ok())
        .filter_map(|file| file.strip_suffix(".expect.yaml").map(str::to_owned))
        .collect();
    names.sort();
    names.into_iter().map(|name| load(folder, name)).collect()
}

/// The incident of that name.
pub fn incident(name: &str) -> &'static Incident {
    corpus().iter().find(|incident| incident.name == name).unwrap_or_else(|| panic!("there is no incident {name}"))
}

/// The folder with the recordings.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/incidents")
}

/// Fails with all of them, one per line, if there are any.
#[track_caller]
pub fn assert_none(what: &str, failures: &[String]) {
    assert!(failures.is_empty(), "{what}: {} failures\n{}", failures.len(), failures.join("\n"));
}

fn load(folder: &Path, name: String) -> Incident {
    let path = folder.join(format!("{name}.jsonl.gz"));
    let truth = folder.join(format!("{name}.expect.yaml"));
    let truth = std::fs::read_to_string(truth).expect("the truth can be read");
    let source = path.clone();
    Incident {
        truth: serde_saphyr::from_str(&truth).unwrap_or_else(|error| panic!("{name}.expect.yaml: {error}")),
        recording: LazyLock::new(Box::new(move || Recording::read(&source))),
        path,
        name,
    }
}

//! A chart of the version before. There is none of 0.1.0: charts came after it. So it is this chart, with a
//! smaller version number and the definition of the findings as 0.1.0 had it.

use std::path::{Path, PathBuf};

use super::CHART;
use crate::harness::ControlPlane;
use crate::support::released;

/// The folder of the chart.
pub fn chart(cluster: &ControlPlane) -> PathBuf {
    let folder = cluster.folder().file("older");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(CHART), &folder);
    let file = folder.join("Chart.yaml");
    let text = std::fs::read_to_string(&file).expect("readable");
    let older = text.replace("\nversion: ", "\nversion: 0.0.0-before+");
    assert_ne!(text, older, "it has a version");
    std::fs::write(file, older).expect("writable");
    std::fs::copy(released::definition(), folder.join("files/crd.yaml")).expect("a file can be copied");
    folder
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in from.read_dir().expect("a folder can be read") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}

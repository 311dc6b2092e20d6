//! `probehound record`, as a user with a kubeconfig runs it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::{ControlPlane, Process, Signal};
use crate::support::Recording;

/// A running recorder.
pub struct Recorder {
    process: Process,
    file: PathBuf,
}

impl Recorder {
    /// Records everything from now on.
    pub fn start(plane: &ControlPlane) -> Self {
        let file = plane.folder().file("node.jsonl.gz");
        let words = ["record".to_owned(), file.display().to_string()];
        let envs = [("KUBECONFIG".to_owned(), plane.admin_kubeconfig().display().to_string())];
        let program = Path::new(env!("CARGO_BIN_EXE_probehound"));
        let process = Process::start("record", program, &words, &envs, &plane.folder().file("record.log"));
        Self { process, file }
    }

    /// Ends it as a person does, and reads its recording.
    ///
    /// # Panics
    /// It fails.
    pub fn finish(mut self) -> Recording {
        self.process.signal(Signal::Interrupt);
        let status = self.process.wait(Duration::from_secs(10));
        assert!(status.is_some_and(|status| status.success()), "{status:?}: {}", self.process.last_words());
        Recording::read(&self.file)
    }
}

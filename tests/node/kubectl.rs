//! What a person types.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::ControlPlane;
use crate::harness::control_plane::program;

/// `kubectl` as the administrator of a cluster.
pub struct Kubectl {
    kubeconfig: PathBuf,
}

impl Kubectl {
    /// That of this cluster.
    pub fn new(plane: &ControlPlane) -> Self {
        Self { kubeconfig: plane.admin_kubeconfig() }
    }

    /// Makes a namespace.
    pub fn create_namespace(&self, name: &str) {
        self.run(&["create", "namespace", name]);
    }

    /// Applies the objects of a file in a namespace.
    pub fn apply(&self, namespace: &str, file: &Path) {
        let file = file.to_str().expect("paths of the repository are text");
        self.run(&["apply", "--server-side", "--namespace", namespace, "--filename", file]);
    }

    /// Runs it with these words; returns what it printed.
    ///
    /// # Panics
    /// It fails; its own words are in the message.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> String {
        let mut command = Command::new(program("kubectl"));
        // It keeps what it learns of a server in the home folder otherwise.
        let cache = self.kubeconfig.with_file_name("kubectl-cache");
        command.arg("--kubeconfig").arg(&self.kubeconfig).arg("--cache-dir").arg(cache).args(words);
        let run = command.output().expect("kubectl starts");
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "kubectl {}: {said}", words.join(" "));
        String::from_utf8_lossy(&run.stdout).into_owned()
    }
}

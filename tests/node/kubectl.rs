//! The user's commands.

use std::path::PathBuf;
use std::process::Command;

use crate::harness::ControlPlane;
use crate::harness::control_plane::program;

/// `kubectl` as the administrator of a cluster.
pub struct Kubectl {
    kubeconfig: PathBuf,
}

impl Kubectl {
    /// For this cluster.
    pub fn new(plane: &ControlPlane) -> Self {
        Self { kubeconfig: plane.admin_kubeconfig() }
    }

    /// Creates a namespace.
    pub async fn create_namespace(&self, name: &str) {
        self.run(&["create", "namespace", name]).await;
    }

    /// Applies the objects of a file of `tests/node` in a namespace.
    pub async fn apply(&self, namespace: &str, file: &str) {
        let file = format!("tests/node/{file}");
        self.run(&["apply", "--server-side", "--namespace", namespace, "--filename", &file]).await;
    }

    /// Runs it with these arguments; returns its output.
    ///
    /// # Panics
    /// It fails; its output is in the message.
    pub async fn run(&self, words: &[&str]) -> String {
        let mut command = Command::new(program("kubectl"));
        // Otherwise its discovery cache is in the home folder.
        let cache = self.kubeconfig.with_file_name("kubectl-cache");
        command.arg("--kubeconfig").arg(&self.kubeconfig).arg("--cache-dir").arg(cache).args(words);
        let run = tokio::task::spawn_blocking(move || command.output()).await;
        let run = run.expect("nothing panics there").expect("kubectl starts");
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "kubectl {}: {said}", words.join(" "));
        String::from_utf8_lossy(&run.stdout).into_owned()
    }
}

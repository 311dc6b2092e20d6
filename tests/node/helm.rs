//! Helm, as the administrator of a cluster.

use std::path::PathBuf;
use std::process::Command;

use crate::harness::ControlPlane;
use crate::harness::control_plane::program;
use crate::kubectl::finished;

/// `helm` for a cluster.
pub struct Helm {
    kubeconfig: PathBuf,
}

impl Helm {
    /// For this cluster.
    pub fn new(plane: &ControlPlane) -> Self {
        Self { kubeconfig: plane.admin_kubeconfig() }
    }

    /// Runs it with these arguments; returns its output.
    ///
    /// # Panics
    /// It fails; its output is in the message.
    pub async fn run(&self, words: &[&str]) -> String {
        let own = self.kubeconfig.with_file_name("helm");
        let mut command = Command::new(program("helm"));
        command.args(words).env("KUBECONFIG", &self.kubeconfig);
        // Otherwise its files are in the home folder.
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(name, &own);
        }
        finished(command, words).await
    }
}

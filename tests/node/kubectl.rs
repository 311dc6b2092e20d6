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

    /// Runs `kubectl probehound` with these arguments, as who has put the binary into the path under its plugin's
    /// name does; returns its output.
    ///
    /// # Panics
    /// It fails; its output is in the message.
    pub async fn probehound(&self, words: &[&str]) -> String {
        let folder = self.kubeconfig.with_file_name("plugins");
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let plugin = folder.join("kubectl-probehound");
        if !plugin.exists() {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_probehound"), &plugin).expect("a link can be made");
        }
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new(program("kubectl"));
        command.arg("probehound").args(words).env("PATH", path).env("KUBECONFIG", &self.kubeconfig);
        finished(command, words).await
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
        finished(command, words).await
    }
}

/// The output of a command.
///
/// # Panics
/// It fails; its output is in the message.
pub async fn finished(mut command: Command, words: &[&str]) -> String {
    let name = command.get_program().to_string_lossy().into_owned();
    let run = tokio::task::spawn_blocking(move || command.output()).await;
    let run = run.expect("nothing panics there").expect("it starts");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{name} {}: {said}", words.join(" "));
    String::from_utf8_lossy(&run.stdout).into_owned()
}

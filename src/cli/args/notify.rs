//! What `notify` takes.

use std::path::PathBuf;

/// What `notify` takes.
#[derive(clap::Args, Debug)]
pub struct Notify {
    /// The receiver's name
    #[arg(long, value_name = "RECEIVER", required = true)]
    pub test: String,

    /// The file of settings
    #[arg(long, value_name = "FILE", env = "PROBEHOUND_CONFIG", hide_env_values = true, required = true)]
    pub config: PathBuf,

    /// The kubeconfig that says which cluster, for a receiver of Events
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// The context in the kubeconfig; the current one by default
    #[arg(long, value_name = "CONTEXT", env = "PROBEHOUND_CONTEXT", hide_env_values = true)]
    pub context: Option<String>,
}

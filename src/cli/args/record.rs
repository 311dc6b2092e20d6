//! What can be typed behind `record`.

use std::path::PathBuf;
use std::time::Duration;

use super::of;
use crate::config::value;

/// What `record` takes.
#[derive(clap::Args, Debug)]
pub struct Record {
    /// The file to make, gzipped if its name ends in .gz; - is standard output
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// How long: 90s, 10m, 1h30m; until Ctrl-C by default
    #[arg(long = "for", value_name = "DURATION", value_parser = of(value::duration))]
    pub lasts: Option<Duration>,

    /// Record this namespace only; can be repeated
    #[arg(short, long, value_name = "NAMESPACE", value_parser = of(value::namespace))]
    pub namespace: Vec<String>,

    /// Replace names, labels, images, addresses and whatever else may tell whose cluster it is, each
    /// always by the same other one
    #[arg(long)]
    pub anonymize: bool,

    /// The kubeconfig that says which cluster, and who you are there
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// The context in the kubeconfig; the current one by default
    #[arg(long, value_name = "CONTEXT", env = "PROBEHOUND_CONTEXT", hide_env_values = true)]
    pub context: Option<String>,
}

//! What can be typed behind `watch`.

use std::path::PathBuf;

use super::scope::Scope;
use crate::cli::pace::Speed;

/// What its help says after the options.
pub const HELP: &str = "\
It looks on with the rights of whoever types it, and changes nothing: neither in the cluster, where \
nothing has to be installed, nor in a recording. Where standard output is no terminal it prints a \
line for each finding that is new, changes or is over.

Keys: arrows or j and k choose, Enter shows the finding with its command and a lane for each pod, c \
copies the command (by OSC 52, where the terminal allows it), / filters, s sorts, ? lists all of \
them, q quits.

Examples:
  # The cluster of the current context
  probehound watch

  # Two namespaces of another context
  probehound watch --context staging -n shop -n pay

  # A recording, as it happened, twenty times faster
  probehound watch -f incident.jsonl.gz --speed 20

  # Lines for a log, as long as it runs
  probehound watch -n shop > findings.log

Exit codes:
  0  somebody quit, or the recording is at its end
  1  it cannot watch, or could not read all of the recording; standard error says why
  2  the command line is wrong";

/// What `watch` takes.
#[derive(clap::Args, Debug)]
pub struct Watch {
    /// Play this recording instead of watching a cluster, packed or not; - is standard input
    #[arg(short = 'f', long = "filename", alias = "file", value_name = "FILE")]
    pub file: Option<PathBuf>,

    // A minute of an outage in three seconds: slow enough to be read.
    /// How fast to play: max, or a number of times real time (no pause lasts over 10 seconds)
    #[arg(long, default_value = "20", value_name = "SPEED", requires = "file")]
    pub speed: Speed,

    /// Of these pods
    #[command(flatten)]
    pub scope: Scope,

    /// The kubeconfig that says which cluster, and who you are there
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub kubeconfig: Option<PathBuf>,

    /// The context in the kubeconfig; the current one by default
    #[arg(long, value_name = "CONTEXT", env = "PROBEHOUND_CONTEXT", hide_env_values = true)]
    pub context: Option<String>,
}

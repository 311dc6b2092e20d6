//! What can be typed behind `scan`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use super::of;
use super::scope::Scope;
use crate::cli::scan::{Target, target};
use crate::config::value;

/// What `scan` takes.
#[derive(clap::Args, Debug, Default)]
pub struct Scan {
    /// One workload or pod, such as deployment/web: all that is known of it
    #[arg(value_name = "KIND/NAME", value_parser = target)]
    pub target: Option<Target>,

    /// Look at this instead of a cluster: a file or a folder; - is standard input. Can be repeated
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Of these pods
    #[command(flatten)]
    pub scope: Scope,

    /// What to print
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Shown,

    /// Write a report to this file too: one page that can be printed and sent, without script; - is
    /// standard output
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// In what is printed and written, replace names, labels, images and addresses, each always by the
    /// same other one; of files only, and of all that they hold
    #[arg(long, requires = "files", conflicts_with_all = ["namespace", "selector", "target"])]
    pub anonymize: bool,

    /// Only what is at least so bad
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub severity: Option<Least>,

    /// End with exit code 3 where there are findings
    #[arg(long)]
    pub exit_code: bool,

    /// Look on for so long before saying anything: 60s
    #[arg(long, value_name = "DURATION", value_parser = of(value::duration), conflicts_with = "files")]
    pub wait: Option<Duration>,

    /// The kubeconfig that says which cluster, and who you are there
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// The context in the kubeconfig; the current one by default
    #[arg(long, value_name = "CONTEXT", env = "PROBEHOUND_CONTEXT", hide_env_values = true)]
    pub context: Option<String>,
}

/// The forms in which a scan answers.
#[derive(Copy, Clone, PartialEq, Eq, ValueEnum, Debug, Default)]
pub enum Shown {
    /// A block for each finding, worst first
    #[default]
    Text,
    /// The same with all evidence
    Wide,
    /// One JSON document
    Json,
    /// The same as YAML
    Yaml,
    /// The workloads, as arguments for kubectl
    Name,
    /// To paste into a ticket
    Markdown,
}

/// The severities, least first.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Debug)]
pub enum Least {
    /// Nothing is out
    Info,
    /// Some pods are
    Warning,
    /// All pods of a workload, or all endpoints of a Service are
    Critical,
}

//! What can be typed behind `lint`.

use std::path::PathBuf;

use clap::ValueEnum;

#[cfg(feature = "operator")]
use super::of;
#[cfg(feature = "operator")]
use crate::config::value;
use crate::lint::Severity;

/// What `lint` takes.
#[derive(clap::Args, Debug)]
pub struct Lint {
    /// Manifests, or folders with some; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// What to print
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Linted,

    /// Only what is at least so bad
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub severity: Level,

    /// Compare with what runs: cluster, or a dump or recording as scan -f reads it
    #[cfg(feature = "operator")]
    #[arg(long, value_name = "cluster|FILE")]
    pub against: Option<PathBuf>,

    /// With --against: where objects are that name no namespace
    #[cfg(feature = "operator")]
    #[arg(short, long, value_name = "NAMESPACE", value_parser = of(value::namespace), requires = "against")]
    pub namespace: Option<String>,

    /// The kubeconfig that says which cluster, and who you are there
    #[cfg(feature = "operator")]
    #[arg(long, value_name = "FILE", requires = "against")]
    pub kubeconfig: Option<PathBuf>,

    /// The context in the kubeconfig; the current one by default
    #[cfg(feature = "operator")]
    #[arg(long, value_name = "CONTEXT", env = "PROBEHOUND_CONTEXT", hide_env_values = true)]
    pub context: Option<String>,
}

/// The forms in which a lint answers.
#[derive(Copy, Clone, PartialEq, Eq, ValueEnum, Debug, Default)]
pub enum Linted {
    /// A block for each finding
    #[default]
    Text,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, for code hosts
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

/// The severities, least first.
#[derive(Copy, Clone, PartialEq, Eq, ValueEnum, Debug, Default)]
pub enum Level {
    /// Good to know
    #[default]
    Info,
    /// It will do what nobody wants as soon as something goes wrong
    Warning,
    /// It cannot work
    Error,
}

impl Level {
    /// The severity of that name.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Info => Severity::Info,
            Self::Warning => Severity::Warning,
            Self::Error => Severity::Error,
        }
    }
}

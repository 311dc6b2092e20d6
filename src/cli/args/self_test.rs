//! What can be typed behind `self-test`.

use std::path::PathBuf;
use std::time::Duration;

use super::of;
use crate::cli::scan::{Target, target};
use crate::config::{Listen, value};

/// The two parts of a test of an installed operator: they run in pods of `helm test`.
#[derive(clap::Subcommand, Debug)]
pub enum SelfTest {
    /// Serve an app that answers at /health alone, for a probe that asks for something else
    App {
        /// Where to listen: :8080 or 127.0.0.1:8080
        #[arg(long, value_name = "ADDRESS", default_value = ":8080", value_parser = of(value::listen))]
        listen: Listen,
    },
    /// Wait until the operator has confirmed that a workload's probe asks for a wrong path
    Wait(Wait),
}

/// What `self-test wait` takes.
#[derive(clap::Args, Debug)]
pub struct Wait {
    /// The workload, such as deployment/web
    #[arg(value_name = "KIND/NAME", value_parser = target)]
    pub target: Target,

    /// Its namespace; by default that of the pod, or of the context
    #[arg(short, long, value_name = "NAMESPACE", value_parser = of(value::namespace))]
    pub namespace: Option<String>,

    /// For how long
    #[arg(long, value_name = "DURATION", default_value = "4m", value_parser = of(value::duration))]
    pub timeout: Duration,

    /// The kubeconfig that says which cluster, and who you are there
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
}

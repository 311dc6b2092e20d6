//! What can be typed behind `run`.

use std::path::PathBuf;

use super::log::{LogFormat, LogLevel};
use super::of;
use crate::config::{Listen, selector, value};

/// What `run` takes.
#[derive(clap::Args, Debug)]
pub struct Run {
    /// The file of settings; without it the defaults hold
    #[arg(long, value_name = "FILE", env = "PROBEHOUND_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,

    /// Say whether the settings are right, and end
    #[arg(long)]
    pub check_config: bool,

    /// Watch this namespace only; can be repeated, and separated by commas in the variable
    #[arg(
        short,
        long,
        value_name = "NAMESPACE",
        value_delimiter = ',',
        value_parser = of(value::namespace),
        env = "PROBEHOUND_NAMESPACE",
        hide_env_values = true
    )]
    pub namespace: Vec<String>,

    /// Watch all namespaces, whatever the file says
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,

    /// Watch only pods with these labels: app=web,tier!=test
    #[arg(
        short = 'l',
        long,
        value_name = "SELECTOR",
        value_parser = of(selector::selector),
        env = "PROBEHOUND_SELECTOR",
        hide_env_values = true
    )]
    pub selector: Option<String>,

    /// What the cluster is called in messages
    #[arg(
        long,
        value_name = "NAME",
        value_parser = of(value::cluster_name),
        env = "PROBEHOUND_CLUSTER_NAME",
        hide_env_values = true
    )]
    pub cluster_name: Option<String>,

    /// Where to listen for /metrics, /livez and /readyz: :8080 or 127.0.0.1:8080
    #[arg(
        long,
        value_name = "ADDRESS",
        value_parser = of(value::listen),
        env = "PROBEHOUND_LISTEN",
        hide_env_values = true
    )]
    pub listen: Option<Listen>,

    /// Whether /metrics is only for who may get it, as the API server says
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        env = "PROBEHOUND_METRICS_AUTHENTICATION",
        hide_env_values = true
    )]
    pub metrics_authentication: Option<bool>,

    /// Whether there is a page for people, at 127.0.0.1:8082 unless the file says otherwise
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        env = "PROBEHOUND_PAGE",
        hide_env_values = true
    )]
    pub page: Option<bool>,

    /// Where to serve the page: :8082 or 127.0.0.1:8082
    #[arg(
        long,
        value_name = "ADDRESS",
        value_parser = of(value::listen),
        env = "PROBEHOUND_PAGE_LISTEN",
        hide_env_values = true
    )]
    pub page_listen: Option<Listen>,

    /// Whether visitors of the page see only what the API server lets them list
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        env = "PROBEHOUND_PAGE_AUTHENTICATION",
        hide_env_values = true
    )]
    pub page_authentication: Option<bool>,

    /// Whether only the holder of a Lease writes and sends: needed with several replicas
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        env = "PROBEHOUND_LEADER_ELECT",
        hide_env_values = true
    )]
    pub leader_elect: Option<bool>,

    /// The kubeconfig that says which cluster, and who you are there
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// The context in the kubeconfig; the current one by default
    #[arg(long, value_name = "CONTEXT", env = "PROBEHOUND_CONTEXT", hide_env_values = true)]
    pub context: Option<String>,

    /// The form of the log, on standard error
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        env = "PROBEHOUND_LOG_FORMAT",
        hide_env_values = true
    )]
    pub log_format: LogFormat,

    /// How much is logged; info by default
    #[arg(long, value_enum, value_name = "LEVEL", env = "PROBEHOUND_LOG_LEVEL", hide_env_values = true)]
    pub log_level: Option<LogLevel>,
}

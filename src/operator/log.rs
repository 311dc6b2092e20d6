//! The log: to standard error, as plain lines or JSON.

use std::io;

use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// Crates whose own log output is dropped: they log all of an answer that cannot be decoded, and it may
/// hold secrets. Their callers report what went wrong.
const QUIET: [&str; 6] = ["kube_client", "kube_core", "kube_runtime", "hyper", "hyper_util", "tower"];

/// The formats of a log.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Format {
    /// Lines for people.
    Plain,
    /// Lines for people who see colour.
    Coloured,
    /// One JSON object per line.
    Json,
}

/// Starts logging.
///
/// An explicit level takes precedence over `RUST_LOG`, which takes precedence over `info`.
///
/// # Errors
/// A global logger is already set.
pub fn start(format: Format, level: Option<Level>) -> Result<(), TryInitError> {
    let asked = std::env::var("RUST_LOG").ok();
    let filter = EnvFilter::builder().parse_lossy(directives(level, asked.as_deref()));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        Format::Plain => builder.with_ansi(false).finish().try_init(),
        Format::Coloured => builder.with_ansi(true).finish().try_init(),
        Format::Json => builder.json().flatten_event(true).finish().try_init(),
    }
}

/// The filter; a quiet crate logs if `RUST_LOG` names it.
fn directives(level: Option<Level>, rust_log: Option<&str>) -> String {
    let asked = rust_log.filter(|text| !text.trim().is_empty());
    let spoken = match (level, asked) {
        (None, Some(asked)) => asked.to_owned(),
        (level, _) => format!("warn,probehound={}", level.unwrap_or(Level::INFO)),
    };
    let targets: Vec<&str> = spoken.split(',').filter_map(|part| part.split(['=', '[']).next()).collect();
    let is_named = |name: &str| targets.iter().any(|target| !target.is_empty() && name.starts_with(target));
    let quiet: Vec<String> = QUIET.iter().filter(|name| !is_named(name)).map(|name| format!(",{name}=off")).collect();
    spoken.clone() + &quiet.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_QUIET: &str = "kube_client=off,kube_core=off,kube_runtime=off,hyper=off,hyper_util=off,tower=off";

    #[test]
    fn crates_that_log_whole_answers_are_quiet_whatever_the_level() {
        assert_eq!(directives(None, None), format!("warn,probehound=INFO,{ALL_QUIET}"));
        assert_eq!(directives(Some(Level::TRACE), Some("warn")), format!("warn,probehound=TRACE,{ALL_QUIET}"));
        assert_eq!(directives(None, Some("debug")), format!("debug,{ALL_QUIET}"));
    }

    #[test]
    fn who_names_such_a_crate_hears_it() {
        let all = directives(None, Some("info,kube_client=debug"));
        assert!(all.starts_with("info,kube_client=debug,") && !all.contains("kube_client=off"), "{all}");
        assert!(all.contains("kube_runtime=off"), "{all}");
        assert!(!directives(None, Some("kube=debug")).contains("kube_runtime=off"));
    }
}

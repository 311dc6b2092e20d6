//! How much is logged, and in which form.

use clap::ValueEnum;

/// The forms of a log.
#[derive(Copy, Clone, PartialEq, Eq, ValueEnum, Debug, Default)]
pub enum LogFormat {
    /// Lines for people
    #[default]
    Plain,
    /// One JSON object a line
    Json,
}

/// How much is logged.
#[derive(Copy, Clone, PartialEq, Eq, ValueEnum, Debug)]
pub enum LogLevel {
    /// What keeps it from working
    Error,
    /// What a person should look at too
    Warn,
    /// What happens, in few lines
    Info,
    /// Why it happens
    Debug,
    /// Everything
    Trace,
}

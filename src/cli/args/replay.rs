//! What can be typed behind `replay`.

use std::path::PathBuf;

use super::Output;
use crate::cli::pace::Speed;

/// What `replay` takes.
#[derive(clap::Args, Debug)]
pub struct Replay {
    /// Recordings; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// What to print
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,

    /// With -o json: list for each finding what was considered, and what speaks for and against it
    #[arg(long)]
    pub explain: bool,

    /// Write a report to this file too: one page that can be printed and sent, without script; - is
    /// standard output
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// In what is printed and written, replace names, labels, images, addresses and whatever else may
    /// tell whose cluster it is, each always by the same other one
    #[cfg(feature = "operator")]
    #[arg(long)]
    pub anonymize: bool,

    /// How fast to play: max, or a number of times real time (no pause lasts over 10 seconds)
    #[arg(long, default_value = "max", value_name = "SPEED")]
    pub speed: Speed,
}

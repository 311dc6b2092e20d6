//! The command line: see [`probehound::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    probehound::cli::run(std::env::args_os().collect())
}

//! The command line: see [`probehound::cli`].

use std::process::ExitCode;

/// Instead of musl's own, which is slow (docs/decisions/0070).
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    probehound::cli::run(std::env::args_os().collect())
}

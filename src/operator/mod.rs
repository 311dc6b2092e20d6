//! `probehound run`: streams into the engine's task, changes out through what is known now.
//!
//! Invariants:
//! - Nothing awaits a receiver in the engine's task: what is said goes onto the [`board`], and who
//!   passes it on takes the newest state from there at its own pace.
//! - Only who holds the Lease writes and sends, and asks [`leadership`] before each time.

pub mod console;
pub mod driver;
pub mod exporter;
pub mod http;
pub mod keeper;
pub mod lease;
pub mod log;
pub mod process;
pub mod reload;
mod run;
pub mod silence;

pub use run::{Failure, Start, World, run};

#[cfg(test)]
pub(crate) mod testing;

//! `probehound run`: watch streams into the engine's task, changes out by way of the board.
//!
//! Invariants:
//! - Nothing awaits a receiver in the engine's task: changes go onto the [`board`], and consumers take the
//!   newest state from there at their own pace.
//! - Only the holder of the Lease writes and sends, and it checks [`leadership`] before each time.

pub mod annotations;
pub mod console;
pub mod driver;
pub mod exporter;
pub mod guard;
pub mod http;
pub mod keeper;
pub mod lease;
pub mod log;
pub mod page;
pub mod process;
pub mod reload;
mod run;
pub mod silence;

pub use run::{Failure, Start, World, run};

#[cfg(test)]
pub(crate) mod testing;

//! Finds out why containers restart in a loop, and names the probe field that is wrong, the value that
//! works, and the rollout that introduced it.
//!
//! Data flows one way: [`source`] → [`engine`] → [`report`]. Only the engine decides, and it is pure.
//!
//! The feature `operator`, which is on by default, contains everything that needs a cluster or a network.

pub mod cli;
#[cfg(feature = "operator")]
pub mod config;
pub mod delivery;
pub mod diagnosis;
pub mod engine;
pub mod finding;
#[cfg(feature = "operator")]
pub mod findings;
pub mod guard;
pub mod kubelet;
pub mod lint;
#[cfg(feature = "operator")]
pub mod metrics;
#[cfg(feature = "operator")]
pub mod operator;
pub mod replay;
pub mod report;
#[cfg(feature = "operator")]
pub mod runtime;
#[cfg(feature = "operator")]
pub mod scan;
pub mod source;
pub mod template;
pub mod text;
pub mod time;

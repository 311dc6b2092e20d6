//! A live cluster: watches and look-ups.
//!
//! [`Access`] is the connection, [`watch()`] the changes of pods and their events as one stream,
//! [`WatchHealth`] the state of the watches. [`Lookup`] answers the engine's needs.
//!
//! Invariants:
//! - **No failure ends a watch**, and none holds up another one.
//! - **A dead peer is noticed within 15 s**, on lists and on watches.
//! - **No message and no log holds a credential**, nor what a credential helper printed.

mod backoff;
mod catch_up;
mod client;
mod error;
mod follow;
mod health;
mod list;
mod lookup;
mod proxy;
mod raw;
pub mod settings;
mod stamps;
#[cfg(test)]
mod testing;
mod throttle;
mod trouble;
mod watch;
mod watched;
mod way;
pub mod wire;

pub use backoff::Backoff;
pub use catch_up::CatchUp;
pub use client::{Access, Target, Version};
pub use error::AccessError;
pub use health::{Resource, ResourceHealth, WatchHealth};
pub use list::{ListError, list_events, list_pods, may_list_pods};
pub use lookup::{Answer, Lookup, LookupCounts, NamespaceAnswer, NamespaceLookup};
pub use raw::watch_raw;
pub use stamps::Stamped;
pub use throttle::{Throttle, ThrottleLayer, Throttled};
pub use trouble::{Trouble, cause, watch_cause};
pub use watch::watch;
pub use watched::{Lean, Watched};
pub use way::Way;

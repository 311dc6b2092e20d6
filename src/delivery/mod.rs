//! Notifications: from findings to messages that arrived.
//!
//! [`policy`] decides what to send next; it is pure.
//!
//! Invariants:
//! - A receiver is notified only of what is new to it.
//! - A receiver gets nothing from a namespace that none of its routes and grants names.

#[cfg(feature = "operator")]
pub mod alert_worker;
#[cfg(feature = "operator")]
pub mod alerts;
#[cfg(feature = "operator")]
pub mod annotated;
#[cfg(feature = "operator")]
mod connect;
#[cfg(feature = "operator")]
pub mod failure;
#[cfg(feature = "operator")]
pub mod http;
#[cfg(feature = "operator")]
pub mod mute;
#[cfg(feature = "operator")]
pub mod network;
#[cfg(feature = "operator")]
pub mod pace;
pub mod policy;
#[cfg(feature = "operator")]
pub mod proxy;
#[cfg(feature = "operator")]
pub mod queue;
#[cfg(feature = "operator")]
pub mod receiver;
#[cfg(feature = "operator")]
pub mod route;
#[cfg(feature = "operator")]
pub mod run;
#[cfg(feature = "operator")]
pub mod secret;
#[cfg(feature = "operator")]
pub mod sender;
#[cfg(feature = "operator")]
pub mod settings;
#[cfg(feature = "operator")]
pub mod smtp;
#[cfg(feature = "operator")]
pub mod trial;
#[cfg(feature = "operator")]
pub mod worker;

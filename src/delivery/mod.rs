//! Who is told what, and when: from findings to messages that arrived.
//!
//! [`policy`] decides what to send next; it is pure.
//!
//! Invariants:
//! - Nothing is told that is not news to that receiver.
//! - A receiver hears nothing of a namespace that none of its routes names.

#[cfg(feature = "operator")]
pub mod alert_worker;
#[cfg(feature = "operator")]
pub mod alerts;
#[cfg(feature = "operator")]
pub mod http;
#[cfg(feature = "operator")]
pub mod mute;
#[cfg(feature = "operator")]
pub mod pace;
pub mod policy;
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
pub mod trial;
#[cfg(feature = "operator")]
pub mod worker;

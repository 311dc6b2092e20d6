//! Who is told what, and when: from findings to messages that arrived.
//!
//! [`policy`] decides what to send next; it is pure.
//!
//! Invariants:
//! - Nothing is told that is not news to that receiver.
//! - A receiver hears nothing of a namespace that none of its routes names.

pub mod alert_worker;
pub mod alerts;
pub mod http;
pub mod mute;
pub mod pace;
pub mod policy;
pub mod queue;
pub mod receiver;
pub mod route;
pub mod run;
pub mod secret;
pub mod sender;
pub mod trial;
pub mod worker;

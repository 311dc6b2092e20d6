//! How findings are presented: pure rendering, a file or folder per form.
//!
//! Invariant: nothing that came from a cluster reaches a reader unescaped and uncut. The wording
//! ([`headline`], [`sentences`]) is shared by all forms and raw; each form escapes it for its own
//! medium.

pub mod alertmanager;
pub mod event;
pub mod headline;
pub mod json;
mod limits;
pub mod message;
pub mod metrics;
pub mod notified;
pub mod object;
pub mod plain;
pub mod remedies;
#[cfg(feature = "operator")]
pub mod scan;
pub mod sentence;
pub mod slack;
pub mod text;
pub mod update;
pub mod webhook;
pub mod when;
pub mod wording;
pub mod written;

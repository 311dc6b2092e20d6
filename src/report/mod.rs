//! How findings are presented: pure rendering, a file or folder per form.
//!
//! Invariant: nothing that came from a cluster reaches a reader unescaped and uncut. The wording
//! ([`headline`], [`sentences`]) is shared by all forms and raw; each form escapes it for its own
//! medium.

pub mod alertmanager;
pub mod case;
pub mod discord;
pub mod email;
pub mod event;
pub mod google_chat;
pub mod headline;
pub mod html;
#[cfg(feature = "operator")]
pub mod incident;
pub mod json;
mod limits;
pub mod markdown;
pub mod message;
#[cfg(feature = "operator")]
pub mod message_template;
pub mod metrics;
pub mod min_ready;
pub mod notified;
pub mod object;
#[cfg(feature = "operator")]
pub mod opsgenie;
pub mod outline;
#[cfg(feature = "operator")]
pub mod pagerduty;
pub mod picture;
pub mod plain;
pub mod postmortem;
pub mod prevention;
pub mod remedies;
#[cfg(feature = "operator")]
pub mod scan;
pub mod sentence;
pub mod slack;
pub mod teams;
pub mod text;
pub mod update;
pub mod webhook;
pub mod when;
pub mod wording;
pub mod written;

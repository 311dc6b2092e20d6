//! The receivers: thin edges that send one message and report the outcome.
//!
//! A new one is a file here, a variant of `To` in `delivery/settings.rs`, which `delivery/sender.rs` sends
//! by, its keys in `config/notifications`, and the form of its message in `report`.

pub mod alertmanager;
pub mod events;
pub mod slack;
pub mod webhook;

use std::time::Duration;

use super::http::{Answer, Failure};

/// The outcome of sending a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// It arrived.
    Delivered,
    /// This message will never be accepted; the next one may.
    Refused(String),
    /// It did not arrive, as far as can be known; a retry may.
    Failed {
        /// Why.
        why: String,
        /// How long the receiver asks to wait.
        wait: Option<Duration>,
    },
    /// This address will accept nothing any more.
    Gone(String),
    /// Nothing was sent: another replica may lead by now.
    Withheld,
}

impl Reply {
    /// There was no answer.
    fn unanswered(failure: Failure) -> Self {
        match failure {
            Failure::Address => Self::Gone(failure.to_string()),
            _ => Self::Failed { why: failure.to_string(), wait: None },
        }
    }

    /// The answer asks for a retry later.
    fn later(why: impl Into<String>, answer: &Answer) -> Self {
        Self::Failed { why: why.into(), wait: answer.wait }
    }
}

/// The answer's body if it is a single word: anything else may contain anything.
fn word(body: &[u8]) -> Option<&str> {
    const LONGEST: usize = 60;
    let text = std::str::from_utf8(body).ok()?.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    ((1..=LONGEST).contains(&text.len()) && plain).then_some(text)
}

//! The receivers: thin edges that send one message and report the outcome.
//!
//! A new one is a file here, a variant of `To` in `delivery/settings.rs`, which `delivery/sender.rs` sends
//! by, its keys in `config/notifications`, and the form of its message in `report`.

pub mod alertmanager;
pub mod discord;
pub mod events;
pub mod google_chat;
pub mod opsgenie;
pub mod pagerduty;
pub mod slack;
pub mod teams;
pub mod webhook;

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::http::{Answer, Client, Failure};
use super::secret::Secret;

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
    /// Whether sending it again would change nothing.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Delivered | Self::Refused(_))
    }

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

/// Posts a message as JSON to the webhook of a chat, whose answers mean what `meaning` says.
pub async fn chat(client: &Client, url: &Secret, message: &impl Serialize, meaning: fn(&Answer) -> Reply) -> Reply {
    post(client, url, HeaderMap::new(), message).await.map_or_else(|reply| reply, |answer| meaning(&answer))
}

/// The answer to a value that is posted as JSON, or the outcome where there is none.
async fn post(client: &Client, url: &Secret, headers: HeaderMap, value: &impl Serialize) -> Result<Answer, Reply> {
    let body = serde_json::to_vec(value);
    let body = body.map_err(|error| Reply::Refused(format!("it cannot be written as JSON: {error}")))?;
    client.post(url, headers, body).await.map_err(Reply::unanswered)
}

/// What the answer of a webhook means where its documentation says nothing else.
fn usual(answer: &Answer) -> Reply {
    let status = answer.status;
    let what = format!("it answers {}", status.as_u16());
    match status {
        status if status.is_success() && is_page(&answer.body) => {
            Reply::later(format!("{what} with a page: something else stands in between"), answer)
        }
        status if status.is_success() => Reply::Delivered,
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::UNPROCESSABLE_ENTITY => Reply::Refused(what),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => {
            Reply::Gone(what)
        }
        StatusCode::TOO_MANY_REQUESTS => Reply::later(format!("{what}: too many messages"), answer),
        status if status.is_redirection() => Reply::later(format!("{what}, a redirect, and none is followed"), answer),
        _ => Reply::later(what, answer),
    }
}

/// Whether a body is HTML: the page at which a network has people sign in.
fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

/// The answer's body if it is a single word: anything else may contain anything.
fn word(body: &[u8]) -> Option<&str> {
    const LONGEST: usize = 60;
    let text = std::str::from_utf8(body).ok()?.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    ((1..=LONGEST).contains(&text.len()) && plain).then_some(text)
}

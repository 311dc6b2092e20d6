//! A Discord webhook.
//!
//! The meaning of its answers: docs.discord.com/developers/topics/opcodes-and-status-codes and
//! docs.discord.com/developers/topics/rate-limits.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use super::{Reply, usual};
use crate::delivery::http::Answer;

/// What it says about a request that it does not accept.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    /// Its number for the error.
    code: Option<u64>,
    /// Seconds to wait.
    retry_after: Option<f64>,
}

/// Interprets an answer.
pub fn meaning(answer: &Answer) -> Reply {
    let body: Body = serde_json::from_slice(&answer.body).unwrap_or_default();
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS => {
            let asked = body.retry_after.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            Reply::Failed { why: "it answers 429: too many messages".to_owned(), wait: answer.wait.or(asked) }
        }
        // What protects Discord from floods refuses a network for a while; Discord itself gives a number.
        StatusCode::FORBIDDEN if body.code.is_none() => Reply::later("it answers 403, and not as Discord does", answer),
        _ => usual(answer),
    }
}

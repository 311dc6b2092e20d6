//! A Slack incoming webhook.
//!
//! The meaning of its answers: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, "Handling
//! errors".

use http::StatusCode;

use super::{Reply, word};
use crate::delivery::http::Answer;

/// Answers with status 400 that concern the webhook, not the message.
const ABOUT_THE_WEBHOOK: [&str; 2] = ["no_active_hooks", "user_not_found"];

/// Interprets an answer.
pub fn meaning(answer: &Answer) -> Reply {
    let word = word(&answer.body);
    let said = |what: String| word.map_or(what.clone(), |word| format!("{what}: {word}"));
    let status = answer.status;
    match status {
        StatusCode::OK if word == Some("ok") => Reply::Delivered,
        StatusCode::OK => Reply::later("it answers 200, but not with ok: something else stands in between", answer),
        StatusCode::BAD_REQUEST if word.is_some_and(|word| ABOUT_THE_WEBHOOK.contains(&word)) => {
            Reply::Gone(said("it answers 400".to_owned()))
        }
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            Reply::Refused(said(format!("it answers {}", status.as_u16())))
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => {
            Reply::Gone(said(format!("it answers {}", status.as_u16())))
        }
        StatusCode::TOO_MANY_REQUESTS => Reply::later("it answers 429: too many messages", answer),
        status if status.is_redirection() => {
            Reply::later(format!("it answers {}, a redirect, and none is followed", status.as_u16()), answer)
        }
        status => Reply::later(said(format!("it answers {}", status.as_u16())), answer),
    }
}

//! A webhook of a space of Google Chat.
//!
//! It answers as all of Google's APIs do: cloud.google.com/apis/design/errors; one message a second is
//! accepted for a space (developers.google.com/workspace/chat/limits).

use super::{Reply, usual};
use crate::delivery::http::Answer;

/// Interprets an answer.
pub fn meaning(answer: &Answer) -> Reply {
    usual(answer)
}

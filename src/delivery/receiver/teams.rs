//! A webhook of a workflow of Microsoft Teams ("When a Teams webhook request is received").
//!
//! Such a workflow answers as Power Automate does: learn.microsoft.com/troubleshoot/power-platform/power-automate,
//! and 202 as soon as it has begun, whatever becomes of the message.

use http::StatusCode;
use serde::Deserialize;

use super::{Reply, usual};
use crate::delivery::http::Answer;

/// What it says about a request that it does not accept.
#[derive(Deserialize)]
struct Body {
    error: Error,
}

/// The error.
#[derive(Deserialize)]
struct Error {
    code: String,
}

/// Interprets an answer.
pub fn meaning(answer: &Answer) -> Reply {
    match answer.status {
        // Whoever turns it on again does not change its address.
        StatusCode::BAD_REQUEST if is_off(&answer.body) => {
            Reply::later("it answers 400: its workflow is turned off", answer)
        }
        _ => usual(answer),
    }
}

fn is_off(body: &[u8]) -> bool {
    const OFF: [&str; 2] = ["WorkflowTriggerIsNotEnabled", "WorkflowDisabled"];
    serde_json::from_slice::<Body>(body).is_ok_and(|body| OFF.contains(&body.error.code.as_str()))
}

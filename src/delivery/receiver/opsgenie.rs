//! Opsgenie, or what accepts its Alert API v2.
//!
//! The meaning of its answers: docs.opsgenie.com/docs/response.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::{Reply, post, usual};
use crate::delivery::http::{Answer, Client};
use crate::delivery::secret::Secret;
use crate::report::opsgenie::{Body, Request};

/// Sends one request.
pub async fn send(client: &Client, url: &Secret, key: &Secret, request: &Request) -> Reply {
    let Some(credentials) = credentials(key) else {
        return Reply::Gone("its key contains characters that no key has".to_owned());
    };
    let address = Secret::new(&format!("{}{}", url.reveal(), request.path));
    let headers = HeaderMap::from_iter([(AUTHORIZATION, credentials)]);
    let answer = post(client, &address, headers, &request.body).await;
    answer.map_or_else(|reply| reply, |answer| meaning(&answer, &request.body))
}

/// Interprets an answer. It processes what it accepted later, and says nothing of how that ended.
pub fn meaning(answer: &Answer, about: &Body) -> Reply {
    let what = format!("it answers {}", answer.status.as_u16());
    match answer.status {
        StatusCode::ACCEPTED => Reply::Delivered,
        StatusCode::NOT_FOUND if matches!(about, Body::Note(_)) => Reply::Refused(format!("{what}: the alert is gone")),
        StatusCode::UNAUTHORIZED => Reply::Gone(format!("{what}: the key is not valid, or its integration is off")),
        StatusCode::PAYMENT_REQUIRED => Reply::Gone(format!("{what}: the plan of the account does not include it")),
        StatusCode::FORBIDDEN => Reply::Gone(format!("{what}: the key may not create and update alerts")),
        StatusCode::METHOD_NOT_ALLOWED => Reply::Gone(what),
        status if status.is_success() => {
            Reply::later(format!("{what}, but not with 202: something else stands in between"), answer)
        }
        _ => usual(answer),
    }
}

fn credentials(key: &Secret) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("GenieKey {}", key.reveal())).ok()?;
    header.set_sensitive(true);
    Some(header)
}

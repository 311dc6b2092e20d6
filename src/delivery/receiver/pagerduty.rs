//! PagerDuty, by its Events API v2.
//!
//! The meaning of its answers: developer.pagerduty.com/docs/events-api-v2/overview, "API Response Codes &
//! Retry Logic".

use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::{Reply, post, usual};
use crate::delivery::http::{Answer, Client};
use crate::delivery::secret::Secret;
use crate::report::pagerduty::Event;

/// The path of its API.
const PATH: &str = "/v2/enqueue";

/// An event, with the key of the integration.
#[derive(Serialize)]
struct Keyed<'a> {
    routing_key: &'a str,
    #[serde(flatten)]
    event: &'a Event,
}

/// What it says about a request that it refuses.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Refusal {
    status: String,
    errors: Vec<String>,
}

/// Sends one event.
pub async fn send(client: &Client, url: &Secret, key: &Secret, event: &Event) -> Reply {
    let address = Secret::new(&format!("{}{PATH}", url.reveal()));
    let keyed = Keyed { routing_key: key.reveal(), event };
    post(client, &address, HeaderMap::new(), &keyed).await.map_or_else(|reply| reply, |answer| meaning(&answer))
}

/// Interprets an answer.
pub fn meaning(answer: &Answer) -> Reply {
    let what = format!("it answers {}", answer.status.as_u16());
    match answer.status {
        StatusCode::ACCEPTED => Reply::Delivered,
        StatusCode::BAD_REQUEST if is_about_the_key(&answer.body) => {
            Reply::Gone(format!("{what}: the routing key is not valid"))
        }
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => Reply::Refused(what),
        status if status.is_success() => {
            Reply::later(format!("{what}, but not with 202: something else stands in between"), answer)
        }
        StatusCode::TOO_MANY_REQUESTS => usual(answer),
        status if status.is_redirection() => usual(answer),
        // No other answer is documented: it is not that of PagerDuty, and may be another one the next time.
        _ => Reply::later(what, answer),
    }
}

/// Whether it refuses the key, and not the event: what comes next would be refused as well.
fn is_about_the_key(body: &[u8]) -> bool {
    let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let texts = refusal.errors.iter().chain([&refusal.status]);
    texts
        .map(|text| text.to_ascii_lowercase().replace('_', " "))
        .any(|text| text.contains("routing key") || text.contains("invalid key"))
}

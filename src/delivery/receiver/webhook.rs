//! A generic webhook.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use ring::hmac;

use super::Reply;
use crate::delivery::http::{Answer, Client};
use crate::delivery::secret::Secret;
use crate::text::hex;
use crate::time::Time;

/// The time of sending, in whole seconds since the Unix epoch: part of what is signed.
pub const TIMESTAMP: HeaderName = HeaderName::from_static("probehound-timestamp");
/// `v1=` and the HMAC-SHA256 of `TIMESTAMP.BODY` in hexadecimal digits.
pub const SIGNATURE: HeaderName = HeaderName::from_static("probehound-signature");

/// Posts one body of that type, JSON if it has none, signed if there is a key.
pub async fn send(
    client: &Client,
    address: &Secret,
    key: Option<&Secret>,
    (content_type, body): (Option<HeaderValue>, String),
    now: Time,
) -> Reply {
    let mut headers = headers(key, &body, now);
    headers.extend(content_type.map(|content_type| (CONTENT_TYPE, content_type)));
    match client.post(address, headers, body.into_bytes()).await {
        Ok(answer) => meaning(&answer),
        Err(failure) => Reply::unanswered(failure),
    }
}

/// Interprets an answer. Only its status counts: a third party's text is not shown.
pub fn meaning(answer: &Answer) -> Reply {
    let status = answer.status;
    let what = format!("it answers {}", status.as_u16());
    match status {
        status if status.is_success() => Reply::Delivered,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            Reply::Refused(what)
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => {
            Reply::Gone(what)
        }
        status if status.is_redirection() => Reply::later(format!("{what}, a redirect, and none is followed"), answer),
        _ => Reply::later(what, answer),
    }
}

fn headers(key: Option<&Secret>, body: &str, now: Time) -> HeaderMap {
    let seconds = now.as_millis().div_euclid(1000);
    let mut headers = HeaderMap::from_iter([(TIMESTAMP, HeaderValue::from(seconds))]);
    if let Some(key) = key {
        let signature = HeaderValue::from_str(&signature(key, seconds, body));
        headers.insert(SIGNATURE, signature.expect("hexadecimal digits are a header's value"));
    }
    headers
}

fn signature(key: &Secret, seconds: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.reveal().as_bytes());
    let tag = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
    format!("v1={}", hex(tag.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_documentation() {
        // printf '%s' '1795356000.{"a":1}' | openssl dgst -sha256 -hmac hunter2key
        let signature = signature(&Secret::new("hunter2key"), 1_795_356_000, r#"{"a":1}"#);
        assert_eq!(signature, "v1=c64a9c8b6a63efdadd6fd2786103137a614497db4bcb1aeec7b3fcc1766fda30");
    }

    #[test]
    fn without_a_key_there_is_no_signature() {
        let headers = headers(None, "{}", Time::from_millis(1_795_356_000_999));
        assert_eq!(headers[TIMESTAMP], "1795356000");
        assert!(!headers.contains_key(SIGNATURE));
    }
}

//! An Alertmanager, or several peers of one cluster: each is sent everything.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::Reply;
use crate::delivery::http::{Answer, Client};
use crate::delivery::secret::{Secret, SecretError, SecretSource};
use crate::report::alertmanager::Alert;

/// Maximum number of alerts per request; each is about two kilobytes.
pub const MAX_ALERTS: usize = 256;

/// How probehound authenticates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Credentials {
    /// User name and password.
    Basic {
        /// The name.
        user: String,
        /// Where the password comes from.
        password: SecretSource,
    },
    /// A bearer token.
    Bearer(SecretSource),
}

impl Credentials {
    /// The header with the credentials.
    ///
    /// # Errors
    /// The secret is not available.
    pub fn header(&self) -> Result<HeaderValue, SecretError> {
        let (text, source) = match self {
            Self::Basic { user, password } => {
                (format!("Basic {}", base64(&format!("{user}:{}", password.read()?.reveal()))), password)
            }
            Self::Bearer(token) => (format!("Bearer {}", token.read()?.reveal()), token),
        };
        let mut header = HeaderValue::from_str(&text).map_err(|_| SecretError::Content(source.to_string()))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

/// Posts the alerts to all peers; it succeeded if one of them accepted.
pub async fn send(client: &Client, peers: &[Secret], credentials: Option<HeaderValue>, alerts: &[Alert]) -> Reply {
    let body = match serde_json::to_vec(alerts) {
        Ok(body) => body,
        Err(error) => return Reply::Refused(format!("they cannot be written as JSON: {error}")),
    };
    let headers: HeaderMap = credentials.into_iter().map(|value| (AUTHORIZATION, value)).collect();
    let ask = async |peer: &Secret| match client.post(peer, headers.clone(), body.clone()).await {
        Ok(answer) => meaning(&answer),
        Err(failure) => Reply::unanswered(failure),
    };
    let replies = futures::future::join_all(peers.iter().map(ask)).await;
    best(replies)
}

/// Interprets an answer.
pub fn meaning(answer: &Answer) -> Reply {
    let what = format!("it answers {}", answer.status.as_u16());
    match answer.status {
        status if status.is_success() => Reply::Delivered,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            Reply::Refused(what)
        }
        // A proxy in front of it may let requests through again: the alerts are resent anyway.
        _ => Reply::later(what, answer),
    }
}

/// A successful one, else one with an intelligible answer, else any.
fn best(replies: Vec<Reply>) -> Reply {
    let rank = |reply: &Reply| match reply {
        Reply::Delivered => 0,
        Reply::Refused(_) => 1,
        Reply::Failed { .. } => 2,
        Reply::Gone(_) | Reply::Withheld => 3,
    };
    let none = Reply::Failed { why: "it has no peers".to_owned(), wait: None };
    replies.into_iter().min_by_key(rank).unwrap_or(none)
}

/// Base64 with padding (RFC 4648, 4).
fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let cases = ["", "f", "fo", "foo", "foob", "fooba", "foobar"];
        let encoded = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        assert_eq!(cases.map(base64), encoded);
    }

    #[test]
    fn one_peer_that_takes_it_is_enough() {
        let down = || Reply::Failed { why: "down".into(), wait: None };
        assert_eq!(best(vec![down(), Reply::Delivered]), Reply::Delivered);
        assert_eq!(best(vec![down(), Reply::Refused("400".into())]), Reply::Refused("400".into()));
        assert!(matches!(best(vec![]), Reply::Failed { .. }));
    }
}

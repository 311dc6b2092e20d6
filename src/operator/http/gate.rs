//! Who may read `/metrics`: decided by the API server, as kube-rbac-proxy does.
//!
//! A bearer token is authenticated by a `TokenReview`, and its user must be allowed to `get` the
//! non-resource URL `/metrics` (`SubjectAccessReview`). Only a hash of the token is kept.

use std::time::Duration;

use http::HeaderValue;
use k8s_openapi::api::authorization::v1::NonResourceAttributes;
use kube::Client;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::review::{Account, Asked, Review, bearer};
use super::tokens::{FRESH, Tokens, mark};

/// How long an admitted client stays admitted while the API server is down, which is what the metrics show.
const TRUSTED: Duration = Duration::from_mins(10);
/// Maximum number of concurrent reviews of tokens that were not admitted before.
const STRANGERS: usize = 4;

/// Admits clients that may `get` `/metrics`.
pub struct Gate {
    review: Review,
    known: Tokens<Verdict>,
    strangers: Semaphore,
}

/// The outcome of a request.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is admitted.
    Admitted,
    /// It has no token that the API server knows.
    Unknown,
    /// The token's user may not read metrics.
    Forbidden,
    /// The API server does not answer.
    Unanswered,
}

impl Gate {
    /// Uses that client for its reviews.
    pub fn new(client: Client) -> Self {
        let known = Tokens::new(|verdict| *verdict == Verdict::Admitted);
        Self { review: Review::new(client, "metrics"), known, strangers: Semaphore::new(STRANGERS) }
    }

    /// Whether a request with that `Authorization` header may read metrics.
    pub async fn ask(&self, authorization: Option<&HeaderValue>) -> Verdict {
        let Some(token) = authorization.and_then(bearer) else { return Verdict::Unknown };
        let mark = mark(token);
        let before = self.known.get(&mark);
        if let Some((verdict, _)) = before.filter(|(_, at)| at.elapsed() < FRESH) {
            return verdict;
        }
        let was_admitted = before.is_some_and(|(verdict, at)| verdict == Verdict::Admitted && at.elapsed() < TRUSTED);
        let place = self.strangers.try_acquire();
        if place.is_err() && !was_admitted {
            return Verdict::Unanswered;
        }
        match self.review(token).await {
            Some(verdict) => {
                self.known.remember(mark, verdict, Instant::now());
                verdict
            }
            None if was_admitted => Verdict::Admitted,
            None => Verdict::Unanswered,
        }
    }

    /// `None` if the API server does not answer.
    async fn review(&self, token: &str) -> Option<Verdict> {
        let what = NonResourceAttributes { path: Some("/metrics".to_owned()), verb: Some("get".to_owned()) };
        Some(match self.review.account(token).await? {
            Account::Unknown => Verdict::Unknown,
            Account::Known(user) if self.review.may(&user, Asked::Path(what)).await? => Verdict::Admitted,
            Account::Known(_) => Verdict::Forbidden,
        })
    }
}

#[cfg(test)]
mod tests;

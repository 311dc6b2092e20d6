//! Who may read `/metrics`: decided by the API server, as kube-rbac-proxy does.
//!
//! A bearer token is authenticated by a `TokenReview`, and its user must be allowed to `get` the
//! non-resource URL `/metrics` (`SubjectAccessReview`). Only a hash of the token is kept.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::authorization::v1::{NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::api::PostParams;
use kube::{Api, Client};
use ring::digest::{SHA256, digest};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tracing::warn;

/// How long a verdict is valid.
const FRESH: Duration = Duration::from_mins(1);
/// How long an admitted client stays admitted while the API server is down, which is what the metrics show.
const TRUSTED: Duration = Duration::from_mins(10);
/// Time limit for the API server's answers.
const PATIENCE: Duration = Duration::from_secs(5);
/// Maximum number of remembered tokens.
const MAX_CALLERS: usize = 256;
/// Maximum number of concurrent reviews of tokens that were not admitted before.
const STRANGERS: usize = 4;
/// How often it is logged again that reviews fail.
const AGAIN: Duration = Duration::from_mins(10);

/// Admits clients that may `get` `/metrics`.
pub struct Gate {
    reviews: Api<TokenReview>,
    rights: Api<SubjectAccessReview>,
    known: Mutex<BTreeMap<Mark, Known>>,
    strangers: Semaphore,
    complained: Mutex<Option<Instant>>,
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

/// A token's hash.
type Mark = Box<[u8]>;

#[derive(Copy, Clone)]
struct Known {
    verdict: Verdict,
    at: Instant,
}

impl Gate {
    /// Uses that client for its reviews.
    pub fn new(client: Client) -> Self {
        Self {
            reviews: Api::all(client.clone()),
            rights: Api::all(client),
            known: Mutex::default(),
            strangers: Semaphore::new(STRANGERS),
            complained: Mutex::default(),
        }
    }

    /// Whether a request with that `Authorization` header may read metrics.
    pub async fn ask(&self, authorization: Option<&HeaderValue>) -> Verdict {
        let Some(token) = authorization.and_then(bearer) else { return Verdict::Unknown };
        let mark: Mark = digest(&SHA256, token.as_bytes()).as_ref().into();
        let before = locked(&self.known).get(&mark).copied();
        if let Some(known) = before.filter(|known| known.at.elapsed() < FRESH) {
            return known.verdict;
        }
        let was_admitted =
            before.is_some_and(|known| known.verdict == Verdict::Admitted && known.at.elapsed() < TRUSTED);
        let place = self.strangers.try_acquire();
        if place.is_err() && !was_admitted {
            return Verdict::Unanswered;
        }
        match self.review(token).await {
            Some(verdict) => {
                self.remember(mark, verdict);
                verdict
            }
            None if was_admitted => Verdict::Admitted,
            None => Verdict::Unanswered,
        }
    }

    /// `None` if the API server does not answer.
    async fn review(&self, token: &str) -> Option<Verdict> {
        match timeout(PATIENCE, self.ask_server(token)).await {
            Ok(Ok(verdict)) => Some(verdict),
            Ok(Err(kube::Error::Api(status))) => {
                self.complain(&format!("the API server answers {}", status.code));
                None
            }
            // Log no more than this: an error may repeat what was sent.
            Ok(Err(_)) => {
                self.complain("the API server cannot be asked");
                None
            }
            Err(_) => {
                self.complain("the API server does not answer in time");
                None
            }
        }
    }

    async fn ask_server(&self, token: &str) -> kube::Result<Verdict> {
        let spec = TokenReviewSpec { token: token.to_owned(), ..TokenReviewSpec::default() };
        let review = TokenReview { spec, ..TokenReview::default() };
        let status = self.reviews.create(&PostParams::default(), &review).await?.status.unwrap_or_default();
        match status.user.filter(|_| status.authenticated == Some(true)) {
            Some(user) => self.ask_right(user).await,
            None => Ok(Verdict::Unknown),
        }
    }

    async fn ask_right(&self, user: UserInfo) -> kube::Result<Verdict> {
        let what = NonResourceAttributes { path: Some("/metrics".to_owned()), verb: Some("get".to_owned()) };
        let spec = SubjectAccessReviewSpec {
            user: user.username,
            uid: user.uid,
            groups: user.groups,
            extra: user.extra,
            non_resource_attributes: Some(what),
            ..SubjectAccessReviewSpec::default()
        };
        let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
        let status = self.rights.create(&PostParams::default(), &review).await?.status.unwrap_or_default();
        let may = status.allowed && status.denied != Some(true);
        Ok(if may { Verdict::Admitted } else { Verdict::Forbidden })
    }

    fn remember(&self, mark: Mark, verdict: Verdict) {
        let mut known = locked(&self.known);
        if known.len() >= MAX_CALLERS {
            known.retain(|_, known| known.at.elapsed() < FRESH);
        }
        if known.len() >= MAX_CALLERS {
            // Trying many tokens evicts no admitted client.
            let first = known.iter().min_by_key(|(_, known)| (known.verdict == Verdict::Admitted, known.at));
            let first = first.map(|(mark, _)| mark.clone());
            first.and_then(|mark| known.remove(&mark));
        }
        known.insert(mark, Known { verdict, at: Instant::now() });
    }

    fn complain(&self, why: &str) {
        let mut complained = locked(&self.complained);
        if complained.is_none_or(|at| at.elapsed() >= AGAIN) {
            *complained = Some(Instant::now());
            let hint =
                "it needs create of tokenreviews and subjectaccessreviews: manifests/overlays/metrics-authentication";
            warn!(why, hint, "Cannot check who may read metrics");
        }
    }
}

/// The token of `Bearer TOKEN`.
fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

//! Who may read `/metrics`: asked of the API server, as kube-rbac-proxy asks it.
//!
//! A bearer token is reviewed (`TokenReview`), and whose it is may `get` the non-resource URL
//! `/metrics` or not (`SubjectAccessReview`). Of a token only a hash is kept.

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

/// An answer holds so long.
const FRESH: Duration = Duration::from_mins(1);
/// Who was admitted stays so while the API server does not answer: its absence is what the metrics tell.
const TRUSTED: Duration = Duration::from_mins(10);
/// The API server's answers have to come within so long.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most tokens that are remembered.
const MAX_CALLERS: usize = 256;
/// Most tokens that are asked about at once, besides those that were admitted.
const STRANGERS: usize = 4;
/// That nobody can be asked is said again after so long.
const AGAIN: Duration = Duration::from_mins(10);

/// Lets in who may `get` `/metrics`.
pub struct Gate {
    reviews: Api<TokenReview>,
    rights: Api<SubjectAccessReview>,
    known: Mutex<BTreeMap<Mark, Known>>,
    strangers: Semaphore,
    complained: Mutex<Option<Instant>>,
}

/// What becomes of a request.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is answered.
    Admitted,
    /// It has no token that the API server knows.
    Unknown,
    /// Whose token it is may not read metrics.
    Forbidden,
    /// Nobody says whether it may.
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
    /// Asks by that client.
    pub fn new(client: Client) -> Self {
        Self {
            reviews: Api::all(client.clone()),
            rights: Api::all(client),
            known: Mutex::default(),
            strangers: Semaphore::new(STRANGERS),
            complained: Mutex::default(),
        }
    }

    /// Whether a request with that header `Authorization` may read metrics.
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

    /// `None` where the API server does not say.
    async fn review(&self, token: &str) -> Option<Verdict> {
        match timeout(PATIENCE, self.ask_server(token)).await {
            Ok(Ok(verdict)) => Some(verdict),
            Ok(Err(kube::Error::Api(status))) => {
                self.complain(&format!("the API server answers {}", status.code));
                None
            }
            // No more than this: an error may repeat what was sent.
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
            // Whoever tries tokens pushes out no one who was admitted.
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

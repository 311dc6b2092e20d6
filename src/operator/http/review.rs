//! Whose a token is, and what that account may: asked of the API server. No token is kept or logged.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::time::{Instant, timeout};
use tracing::warn;

/// Time limit for the API server's answers.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is logged again that reviews fail.
const AGAIN: Duration = Duration::from_mins(10);

/// Asks the API server.
pub struct Review {
    tokens: Api<TokenReview>,
    rights: Api<SubjectAccessReview>,
    /// What is protected, for the log.
    what: &'static str,
    complained: Mutex<Option<Instant>>,
}

/// Whose a token is.
#[derive(Clone, Debug)]
pub enum Account {
    /// An account's.
    Known(Arc<UserInfo>),
    /// Nobody's that the API server knows.
    Unknown,
}

/// What an account may, or not.
#[derive(Clone, Debug)]
pub enum Asked {
    /// Something with a path.
    Path(NonResourceAttributes),
    /// Something with objects.
    Objects(Box<ResourceAttributes>),
}

impl Review {
    /// Uses that client; `what` is what is protected.
    pub fn new(client: Client, what: &'static str) -> Self {
        Self { tokens: Api::all(client.clone()), rights: Api::all(client), what, complained: Mutex::default() }
    }

    /// The account of a token; `None` if the API server does not answer.
    pub async fn account(&self, token: &str) -> Option<Account> {
        let spec = TokenReviewSpec { token: token.to_owned(), ..TokenReviewSpec::default() };
        let review = TokenReview { spec, ..TokenReview::default() };
        let status = self.ask(&self.tokens, &review).await?.status.unwrap_or_default();
        let user = status.user.filter(|_| status.authenticated == Some(true));
        Some(user.map_or(Account::Unknown, |user| Account::Known(Arc::new(user))))
    }

    /// Whether an account may do something; `None` if the API server does not answer.
    pub async fn may(&self, user: &UserInfo, asked: Asked) -> Option<bool> {
        let (non_resource_attributes, resource_attributes) = match asked {
            Asked::Path(path) => (Some(path), None),
            Asked::Objects(objects) => (None, Some(*objects)),
        };
        let spec = SubjectAccessReviewSpec {
            user: user.username.clone(),
            uid: user.uid.clone(),
            groups: user.groups.clone(),
            extra: user.extra.clone(),
            non_resource_attributes,
            resource_attributes,
        };
        let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
        let status = self.ask(&self.rights, &review).await?.status.unwrap_or_default();
        Some(status.allowed && status.denied != Some(true))
    }

    async fn ask<K>(&self, api: &Api<K>, review: &K) -> Option<K>
    where
        K: Clone + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
    {
        match timeout(PATIENCE, api.create(&PostParams::default(), review)).await {
            Ok(Ok(reviewed)) => return Some(reviewed),
            Ok(Err(kube::Error::Api(status))) => self.complain(&format!("the API server answers {}", status.code)),
            // Log no more than this: an error may repeat what was sent.
            Ok(Err(_)) => self.complain("the API server cannot be asked"),
            Err(_) => self.complain("the API server does not answer in time"),
        }
        None
    }

    fn complain(&self, why: &str) {
        let mut complained = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        if complained.is_none_or(|at| at.elapsed() >= AGAIN) {
            *complained = Some(Instant::now());
            let hint =
                "it needs create of tokenreviews and subjectaccessreviews: manifests/overlays/metrics-authentication";
            warn!(why, hint, "Cannot check who may read {}", self.what);
        }
    }
}

/// The token of `Bearer TOKEN`.
pub fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

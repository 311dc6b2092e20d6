//! Which namespaces a visitor sees: decided by the API server.
//!
//! A token is authenticated by a `TokenReview`; a `SubjectAccessReview` decides, for all namespaces at once
//! or for each, whether its account may `list` findings there. The token comes as a bearer token, or as the
//! password that a browser asks for. Only a hash of it is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use futures::stream;
use http::HeaderValue;
use k8s_openapi::api::authentication::v1::UserInfo;
use k8s_openapi::api::authorization::v1::ResourceAttributes;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::operator::http::{Account, Asked, FRESH, Review, Tokens, bearer, mark};

/// Maximum number of namespaces asked about for one visitor; of the others nothing is shown.
const MAX_NAMESPACES: usize = 500;
/// Maximum number of visitors, and of namespaces of one, asked about at the same time.
const AT_ONCE: usize = 8;

/// What a visitor sees.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Sees {
    /// All namespaces.
    All,
    /// These.
    Some(BTreeSet<Arc<str>>),
}

impl Sees {
    /// Whether findings of a namespace are seen.
    pub fn has(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(namespaces) => namespaces.contains(namespace),
        }
    }
}

/// Why a visitor sees nothing.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// There is no token that the API server knows.
    Unknown,
    /// The API server does not answer.
    Unanswered,
}

/// Asks the API server about visitors.
pub struct Access {
    review: Review,
    known: Tokens<Visitor>,
    turn: Semaphore,
}

#[derive(Clone)]
struct Visitor {
    user: Option<Arc<UserInfo>>,
    rights: BTreeMap<Arc<str>, bool>,
}

impl Access {
    /// Asks by means of `review`.
    pub fn new(review: Review) -> Self {
        let known = Tokens::new(|visitor: &Visitor| visitor.user.is_some());
        Self { review, known, turn: Semaphore::new(AT_ONCE) }
    }

    /// What a visitor with that `Authorization` header sees of these namespaces.
    ///
    /// # Errors
    /// The visitor is not known, or the API server does not answer.
    pub async fn sees(
        &self,
        authorization: Option<&HeaderValue>,
        namespaces: &BTreeSet<Arc<str>>,
    ) -> Result<Sees, Refused> {
        let token = authorization.and_then(token).ok_or(Refused::Unknown)?;
        let mark = mark(&token);
        let Ok(_turn) = self.turn.acquire().await else { return Err(Refused::Unanswered) };
        let fresh = self.known.get(&mark).filter(|(_, at)| at.elapsed() < FRESH);
        let (mut visitor, at) = if let Some(known) = fresh {
            known
        } else {
            let user = match self.review.account(&token).await {
                Some(Account::Known(user)) => Some(user),
                Some(Account::Unknown) => None,
                None => return Err(Refused::Unanswered),
            };
            (Visitor { user, rights: BTreeMap::new() }, Instant::now())
        };
        let Some(user) = visitor.user.clone() else {
            self.known.remember(mark, visitor, at);
            return Err(Refused::Unknown);
        };
        let outcome = self.rights(&user, namespaces, &mut visitor.rights).await;
        self.known.remember(mark, visitor, at);
        outcome
    }

    /// Everywhere is asked first, since most see all or little.
    async fn rights(
        &self,
        user: &UserInfo,
        namespaces: &BTreeSet<Arc<str>>,
        rights: &mut BTreeMap<Arc<str>, bool>,
    ) -> Result<Sees, Refused> {
        let everywhere: Arc<str> = Arc::from("");
        let missing = |rights: &BTreeMap<Arc<str>, bool>, one: &Arc<str>| !rights.contains_key(one);
        if missing(rights, &everywhere) {
            let may = self.may(user, &everywhere).await.ok_or(Refused::Unanswered)?;
            rights.insert(Arc::clone(&everywhere), may);
        }
        if rights.get(&everywhere) == Some(&true) {
            return Ok(Sees::All);
        }
        let asked: Vec<Arc<str>> = namespaces.iter().filter(|one| missing(rights, one)).cloned().collect();
        let room = MAX_NAMESPACES.saturating_sub(rights.len());
        let answers = stream::iter(asked.into_iter().take(room))
            .map(|namespace| async move { (self.may(user, &namespace).await, namespace) })
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        for (may, namespace) in answers {
            rights.insert(namespace, may.ok_or(Refused::Unanswered)?);
        }
        Ok(Sees::Some(namespaces.iter().filter(|one| rights.get(*one) == Some(&true)).cloned().collect()))
    }

    /// Whether an account may list findings in a namespace; in all, if it is empty.
    async fn may(&self, user: &UserInfo, namespace: &str) -> Option<bool> {
        let what = ResourceAttributes {
            group: Some("probehound.dev".to_owned()),
            resource: Some("findings".to_owned()),
            verb: Some("list".to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ResourceAttributes::default()
        };
        self.review.may(user, Asked::Objects(Box::new(what))).await
    }
}

/// The token of `Bearer TOKEN`, or the password of `Basic …`, whoever's name stands beside it.
fn token(header: &HeaderValue) -> Option<String> {
    if let Some(token) = bearer(header) {
        return Some(token.to_owned());
    }
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (_, password) = text.split_once(':')?;
    Some(password.trim().to_owned()).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_bearer_token_or_a_password() {
        let of = |text: &str| token(&HeaderValue::from_str(text).expect("a header"));
        assert_eq!(of("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(of(&format!("Basic {}", STANDARD.encode("me:abc:d"))).as_deref(), Some("abc:d"));
        for text in ["Basic abc", &format!("Basic {}", STANDARD.encode("me:")), "Digest x", "abc", "Bearer "] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn who_sees_some_namespaces_sees_no_others() {
        let sees = Sees::Some([Arc::from("shop")].into());
        assert!(sees.has("shop") && !sees.has("pay") && !sees.has(""));
        assert!(Sees::All.has("pay"));
    }
}

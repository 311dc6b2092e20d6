//! Reads Namespace objects: one `get` each, for their annotations alone.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::LookupCounts;
use crate::source::cluster::client::Access;
use crate::source::cluster::health::LogThrottle;
use crate::source::cluster::trouble::{Trouble, cause};

/// Maximum number of namespaces that wait to be read; a further one is not, until it is asked for again.
const MAX_WAITING: usize = 64;
/// Maximum number of concurrent requests.
const AT_ONCE: usize = 4;
/// Timeout of a request.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads namespaces; cheap to clone. It ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct NamespaceLookup {
    asked: mpsc::Sender<Arc<str>>,
    counts: Arc<LookupCounts>,
}

/// What was read of a namespace.
#[derive(Debug)]
pub struct NamespaceAnswer {
    /// Its name.
    pub namespace: Arc<str>,
    /// Its annotations, none if it does not exist; or why they could not be read.
    pub annotations: Result<BTreeMap<String, String>, Trouble>,
}

impl NamespaceLookup {
    /// Starts the task; the answers are received at the other end. `counts` has the outcomes.
    pub fn start(access: &Access, counts: &Arc<LookupCounts>) -> (Self, mpsc::Receiver<NamespaceAnswer>) {
        let (asked, inlet) = mpsc::channel(MAX_WAITING);
        let (answers, answered) = mpsc::channel(MAX_WAITING);
        let teller = Teller { counts: Arc::clone(counts), is_refused: false, told: LogThrottle::default() };
        tokio::spawn(run(access.client().clone(), teller, inlet, answers));
        (Self { asked, counts: Arc::clone(counts) }, answered)
    }

    /// Has a namespace read, without waiting.
    pub fn ask(&self, namespace: Arc<str>) {
        if self.asked.try_send(namespace).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn run(
    client: Client,
    mut teller: Teller,
    mut asked: mpsc::Receiver<Arc<str>>,
    answers: mpsc::Sender<NamespaceAnswer>,
) {
    let asked = stream::poll_fn(move |context| asked.poll_recv(context));
    let mut read = pin!(asked.map(|namespace| read(&client, namespace)).buffer_unordered(AT_ONCE));
    while let Some((answer, cause)) = read.next().await {
        teller.note(&answer, &cause);
        if answers.send(answer).await.is_err() {
            break;
        }
    }
}

/// What was read, and the words of what was in the way.
async fn read(client: &Client, namespace: Arc<str>) -> (NamespaceAnswer, String) {
    // Names come with pods; a text that is none must not lead to another request.
    if !is_name(&namespace) {
        return (NamespaceAnswer { namespace, annotations: Ok(BTreeMap::new()) }, String::new());
    }
    let api = Api::<Namespace>::all(client.clone());
    let (annotations, cause) = match timeout(PATIENCE, api.get_metadata_opt(&namespace)).await {
        Ok(Ok(found)) => (Ok(found.and_then(|found| found.metadata.annotations).unwrap_or_default()), String::new()),
        Ok(Err(error)) => (Err(Trouble::from_error(&error)), cause(&error)),
        Err(_) => (Err(Trouble::Timeout), "no answer in time".to_owned()),
    };
    (NamespaceAnswer { namespace, annotations }, cause)
}

/// Whether it can be the name of a namespace (RFC 1123, a label).
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(fits)
}

/// Counts outcomes, and logs a missing right once, anything else rarely.
struct Teller {
    counts: Arc<LookupCounts>,
    is_refused: bool,
    told: LogThrottle,
}

impl Teller {
    fn note(&mut self, answer: &NamespaceAnswer, cause: &str) {
        let namespace = &*answer.namespace;
        let Err(trouble) = answer.annotations else {
            self.counts.answered.fetch_add(1, Ordering::Relaxed);
            return;
        };
        self.counts.failed.fetch_add(1, Ordering::Relaxed);
        if trouble == Trouble::Forbidden {
            if !std::mem::replace(&mut self.is_refused, true) {
                let hint = "give it the right to get namespaces, as manifests/overlays/namespace-annotations does";
                tracing::warn!(
                    namespace,
                    cause,
                    hint,
                    "Annotations of namespaces may not be read: they have no effect"
                );
            }
        } else if self.told.may_tell() {
            tracing::warn!(namespace, error = trouble.word(), cause, "Annotations of a namespace cannot be read");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_is_asked_for() {
        for good in ["shop", "shop-1", "1"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "..", "shop/secrets", "shop?watch=1", "Shop", &"x".repeat(64)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}

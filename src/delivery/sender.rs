//! Turns a notification into bytes and sends them: one receiver's side of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::http::{Client, ClientError};
use super::policy::Holds;
use super::receiver::{Reply, events, slack, webhook};
use super::secret::{Secret, SecretError, SecretSource};
use super::settings::{To, Webhook};
use crate::report::slack::{Context, Payload};
use crate::report::update::Dispatch;
use crate::report::webhook::Document;
use crate::runtime::clock;

/// Minimum interval between two messages to one address, whichever receivers they are for.
const BETWEEN: Duration = Duration::from_secs(1);
/// Maximum number of remembered addresses; there are few receivers.
const ADDRESSES: usize = 100;

/// Sends messages to one receiver.
pub struct Sender {
    name: String,
    to: To,
    clients: Clients,
    pace: Arc<Addresses>,
    cluster: kube::Client,
    instance: Arc<str>,
}

/// When each address was last sent to, by its mark.
#[derive(Debug, Default)]
pub struct Addresses(Mutex<BTreeMap<u64, Instant>>);

/// The clients that were built; one that cannot be built is retried.
#[derive(Debug, Default)]
struct Clients {
    made: Option<Client>,
}

/// Why nothing can be sent at all.
#[derive(thiserror::Error, Debug)]
pub enum Unready {
    /// A secret is missing.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Certificates are missing.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Sender {
    /// A sender; connects to nobody yet.
    pub fn new(name: &str, to: To, cluster: kube::Client, instance: Arc<str>, pace: Arc<Addresses>) -> Self {
        Self { name: name.to_owned(), to, clients: Clients::default(), pace, cluster, instance }
    }

    /// What one message can contain.
    pub const fn holds(&self) -> Holds {
        match self.to {
            To::Events => Holds::One,
            _ => Holds::OneOrMany,
        }
    }

    /// A mark that changes with the address; `None` if there is none.
    pub fn mark(&self) -> Option<u64> {
        match &self.to {
            To::Slack(webhook) | To::Webhook { webhook, .. } => webhook.url.read().ok().map(|url| url.mark()),
            To::Events | To::Alertmanager(_) => None,
        }
    }

    /// Sends one message, if `may` still permits it right before.
    pub async fn send(&mut self, dispatch: &Dispatch, cluster_name: Option<&str>, may: impl Fn() -> bool) -> Reply {
        match self.try_to(dispatch, cluster_name, may).await {
            Ok(reply) => reply,
            Err(unready) => Reply::Failed { why: unready.to_string(), wait: None },
        }
    }

    async fn try_to(
        &mut self,
        dispatch: &Dispatch,
        cluster: Option<&str>,
        may: impl Fn() -> bool,
    ) -> Result<Reply, Unready> {
        match &self.to {
            To::Slack(webhook) => {
                let (client, url) = self.clients.ready(webhook)?;
                self.pace.wait(&url).await;
                let payload = Payload::new(dispatch, Context { cluster, now: clock::now() });
                Ok(if may() { slack::send(&client, &url, &payload).await } else { Reply::Withheld })
            }
            To::Webhook { webhook, signing_key } => {
                let (client, url) = self.clients.ready(webhook)?;
                let key = signing_key.as_ref().map(SecretSource::read).transpose()?;
                self.pace.wait(&url).await;
                let now = clock::now();
                let body = match Document::new(dispatch, &self.name, cluster, now).render() {
                    Ok(body) => body,
                    Err(error) => return Ok(Reply::Refused(format!("it cannot be written as JSON: {error}"))),
                };
                Ok(if may() { webhook::send(&client, &url, key.as_ref(), body, now).await } else { Reply::Withheld })
            }
            To::Events => match dispatch.news() {
                [news] if may() => Ok(events::send(&self.cluster, &self.instance, news, clock::now()).await),
                _ => Ok(Reply::Withheld),
            },
            To::Alertmanager(_) => Ok(Reply::Refused("alerts are not messages".to_owned())),
        }
    }
}

impl Clients {
    fn ready(&mut self, webhook: &Webhook) -> Result<(Client, Secret), Unready> {
        Ok((self.client(webhook.ca_file.as_ref())?, webhook.url.read()?))
    }

    fn client(&mut self, ca_file: Option<&PathBuf>) -> Result<Client, ClientError> {
        if let Some(client) = &self.made {
            return Ok(client.clone());
        }
        let client = Client::new(ca_file.map(PathBuf::as_path))?;
        Ok(self.made.insert(client).clone())
    }
}

impl Addresses {
    /// Waits until the address may be sent to, and counts that as a message sent.
    async fn wait(&self, address: &Secret) {
        let mark = address.mark();
        loop {
            let next = {
                let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let now = Instant::now();
                match all.get(&mark).map(|last| *last + BETWEEN) {
                    Some(next) if now < next => next,
                    _ => {
                        if all.len() >= ADDRESSES {
                            all.retain(|_, last| now < *last + BETWEEN);
                        }
                        all.insert(mark, now);
                        return;
                    }
                }
            };
            sleep_until(next).await;
        }
    }
}

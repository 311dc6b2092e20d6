//! Turns a notification into bytes and sends them: one receiver's side of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::http::{Answer, Client};
use super::network::{Material, Network, NetworkError};
use super::policy::Holds;
use super::receiver::discord::meaning as discord_answer;
use super::receiver::google_chat::meaning as google_chat_answer;
use super::receiver::teams::meaning as teams_answer;
use super::receiver::{self, Reply, events, opsgenie, pagerduty, slack, webhook};
use super::secret::{Secret, SecretError, SecretSource};
use super::settings::{Pager, Template, To, Webhook};
use super::smtp::{Mailer, MailerError, Relay};
use crate::report::alertmanager::RUNBOOK;
use crate::report::email::Mail;
use crate::report::incident::About;
use crate::report::outline::Context;
use crate::report::slack::Payload as Slack;
use crate::report::update::Dispatch;
use crate::report::webhook::Document;
use crate::report::{discord, google_chat, opsgenie as alerts, pagerduty as incidents, teams};
use crate::runtime::clock;

/// Minimum interval between two messages to one address, whichever receivers they are for.
const BETWEEN: Duration = Duration::from_secs(1);
/// Maximum number of remembered addresses; there are few receivers.
const ADDRESSES: usize = 100;

/// Sends messages to one receiver.
pub struct Sender {
    name: String,
    to: Arc<To>,
    clients: Clients,
    pace: Arc<Addresses>,
    cluster: kube::Client,
    instance: Arc<str>,
}

/// When each address was last sent to, by its mark.
#[derive(Debug, Default)]
pub struct Addresses(Mutex<BTreeMap<u64, Instant>>);

/// The client that was built last, and what it was built from: files that change are used from then on.
#[derive(Default)]
struct Clients {
    made: Option<(Material, Client)>,
}

/// What messages say besides findings.
#[derive(Copy, Clone, Debug, Default)]
pub struct Names<'a> {
    /// The name of the cluster.
    pub cluster: Option<&'a str>,
    /// The URL of the runbook, unless it is the usual one.
    pub runbook: Option<&'a str>,
}

/// Why nothing can be sent at all.
#[derive(thiserror::Error, Debug)]
pub enum Unready {
    /// A secret is missing.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Certificates are missing, or the proxy is.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// There is no way to send mail.
    #[error(transparent)]
    Mailer(#[from] MailerError),
}

impl Sender {
    /// A sender; connects to nobody yet.
    pub fn new(name: &str, to: To, cluster: kube::Client, instance: Arc<str>, pace: Arc<Addresses>) -> Self {
        Self { name: name.to_owned(), to: Arc::new(to), clients: Clients::default(), pace, cluster, instance }
    }

    /// What one message can contain.
    pub fn holds(&self) -> Holds {
        match &*self.to {
            To::Events => Holds::One,
            to if to.is_pager() => Holds::One,
            _ => Holds::OneOrMany,
        }
    }

    /// A mark that changes with the address or the key; `None` if there is none.
    pub fn mark(&self) -> Option<u64> {
        match &*self.to {
            To::Slack(webhook)
            | To::Teams(webhook)
            | To::Discord(webhook)
            | To::GoogleChat(webhook)
            | To::Webhook { webhook, .. } => webhook.url.read().ok().map(|url| url.mark()),
            To::PagerDuty(pager) | To::Opsgenie(pager) => pager.key.read().ok().map(|key| key.mark()),
            To::Email(relay) => relay.login.as_ref()?.password.read().ok().map(|password| password.mark()),
            To::Events | To::Alertmanager(_) => None,
        }
    }

    /// Sends one message, if `may` still permits it right before.
    pub async fn send(&mut self, dispatch: &Dispatch, names: Names<'_>, may: impl Fn() -> bool) -> Reply {
        match self.try_to(dispatch, names, may).await {
            Ok(reply) => reply,
            Err(unready) => Reply::Failed { why: unready.to_string(), wait: None },
        }
    }

    async fn try_to(
        &mut self,
        dispatch: &Dispatch,
        names: Names<'_>,
        may: impl Fn() -> bool,
    ) -> Result<Reply, Unready> {
        let context = || Context { cluster: names.cluster, now: clock::now() };
        let to = Arc::clone(&self.to);
        match &*to {
            To::Slack(to) => self.chat(to, || Slack::new(dispatch, context()), slack::meaning, may).await,
            To::PagerDuty(to) => match dispatch.news() {
                [news] => self.page(to, incidents::events(news, names.about()), pagerduty::send, may).await,
                _ => Ok(only_one()),
            },
            To::Opsgenie(to) => match dispatch.news() {
                [news] => self.page(to, alerts::requests(news, names.about()), opsgenie::send, may).await,
                _ => Ok(only_one()),
            },
            To::Teams(to) => self.chat(to, || teams::Payload::new(dispatch, context()), teams_answer, may).await,
            To::Discord(to) => self.chat(to, || discord::Payload::new(dispatch, context()), discord_answer, may).await,
            To::GoogleChat(to) => {
                self.chat(to, || google_chat::Payload::new(dispatch, context()), google_chat_answer, may).await
            }
            To::Webhook { webhook, signing_key, template } => {
                self.document(webhook, signing_key.as_ref(), template.as_ref(), dispatch, names, may).await
            }
            To::Email(relay) => self.mail(relay, dispatch, names, may).await,
            To::Events => match dispatch.news() {
                [news] if may() => Ok(events::send(&self.cluster, &self.instance, news, clock::now()).await),
                _ => Ok(Reply::Withheld),
            },
            To::Alertmanager(_) => Ok(Reply::Refused("alerts are not messages".to_owned())),
        }
    }

    /// A message to the webhook of a chat.
    async fn chat<M: Serialize>(
        &mut self,
        to: &Webhook,
        message: impl FnOnce() -> M,
        meaning: fn(&Answer) -> Reply,
        may: impl Fn() -> bool,
    ) -> Result<Reply, Unready> {
        let (client, url) = (self.clients.of(&to.network)?, to.url.read()?);
        self.pace.wait(&url).await;
        let message = message();
        Ok(if may() { receiver::chat(&client, &url, &message, meaning).await } else { Reply::Withheld })
    }

    /// A document to a webhook.
    async fn document(
        &mut self,
        to: &Webhook,
        signing_key: Option<&SecretSource>,
        template: Option<&Template>,
        dispatch: &Dispatch,
        names: Names<'_>,
        may: impl Fn() -> bool,
    ) -> Result<Reply, Unready> {
        let (client, url) = (self.clients.of(&to.network)?, to.url.read()?);
        let key = signing_key.map(SecretSource::read).transpose()?;
        self.pace.wait(&url).await;
        let now = clock::now();
        let body = match body(template, &Document::new(dispatch, &self.name, names.cluster, now)) {
            Ok(body) => body,
            Err(why) => return Ok(Reply::Refused(why)),
        };
        Ok(if may() { webhook::send(&client, &url, key.as_ref(), body, now).await } else { Reply::Withheld })
    }

    /// A mail to a relay.
    async fn mail(
        &mut self,
        to: &Relay,
        dispatch: &Dispatch,
        names: Names<'_>,
        may: impl Fn() -> bool,
    ) -> Result<Reply, Unready> {
        let mailer = Mailer::new(to.clone())?;
        let password = to.login.as_ref().map(|login| login.password.read()).transpose()?;
        self.pace.wait(&Secret::new(&format!("{}:{}", to.host, to.port))).await;
        let now = clock::now();
        let mail = Mail::new(dispatch, &self.name, Context { cluster: names.cluster, now });
        Ok(if may() { mailer.send(&mail, password.as_ref(), now).await.reply } else { Reply::Withheld })
    }

    /// Opens, updates or closes an incident: what that takes, one after another, until something fails.
    async fn page<R>(
        &mut self,
        to: &Pager,
        requests: Vec<R>,
        send: impl AsyncFn(&Client, &Secret, &Secret, &R) -> Reply,
        may: impl Fn() -> bool,
    ) -> Result<Reply, Unready> {
        let (client, key) = (self.clients.of(&to.network)?, to.key.read()?);
        let mut reply = Reply::Withheld;
        for request in requests {
            self.pace.wait(&key).await;
            reply = if may() { send(&client, &to.url, &key, &request).await } else { Reply::Withheld };
            if !reply.is_final() {
                break;
            }
        }
        Ok(reply)
    }
}

impl<'a> Names<'a> {
    fn about(self) -> About<'a> {
        About { cluster: self.cluster, runbook: self.runbook.unwrap_or(RUNBOOK), now: clock::now() }
    }
}

/// The type and the text of a webhook's body, or why there is none.
fn body(template: Option<&Template>, document: &Document) -> Result<(Option<HeaderValue>, String), String> {
    let Some(Template { body: template, content_type }) = template else {
        let body = document.render().map_err(|error| format!("it cannot be written as JSON: {error}"))?;
        return Ok((None, body));
    };
    let body = template.render(document).map_err(|error| format!("its template fails: {error}"))?;
    let kind = HeaderValue::from_str(content_type).map_err(|_| "its content type is none".to_owned())?;
    Ok((Some(kind), body))
}

/// Of several findings at once nobody is paged: an incident is of one.
fn only_one() -> Reply {
    Reply::Refused("it holds one finding, and no digest".to_owned())
}

impl Clients {
    fn of(&mut self, network: &Network) -> Result<Client, NetworkError> {
        let material = network.read()?;
        if let Some((_, client)) = self.made.as_ref().filter(|(made_of, _)| *made_of == material) {
            return Ok(client.clone());
        }
        let client = Client::of(&material)?;
        self.made = Some((material, client.clone()));
        Ok(client)
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

//! The settings of delivery: receivers, routes and timing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::annotated::Grants;
use super::network::Network;
use super::policy;
use super::receiver::alertmanager::Credentials;
use super::route::Routes;
use super::secret::{Secret, SecretSource};
use super::smtp::Relay;
use crate::report::message_template::MessageTemplate;

/// All settings of delivery; reloaded while it runs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings {
    /// Receivers, routes and timing.
    pub notifications: Notifications,
    /// What annotations of workloads may ask of the receivers.
    pub grants: Grants,
    /// The name of the cluster in messages.
    pub cluster_name: Option<String>,
    /// The URL of the runbook, for alerts.
    pub runbook_url: Option<String>,
}

impl Settings {
    /// The part of larger settings that concerns delivery, now and whenever they change.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn within<C: Send + Sync + 'static>(
        mut all: watch::Receiver<Arc<C>>,
        own: impl Fn(&C) -> Self + Send + 'static,
    ) -> watch::Receiver<Arc<Self>> {
        let (sender, settings) = watch::channel(Arc::new(own(&all.borrow_and_update())));
        tokio::spawn(async move {
            // Ends with the sender, or with the last receiver of the channel.
            while tokio::select! { changed = all.changed() => changed.is_ok(), () = sender.closed() => false } {
                let settings = Arc::new(own(&all.borrow_and_update()));
                sender.send_replace(settings);
            }
        });
        settings
    }
}

/// Notifications: receivers and routes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Notifications {
    /// The receivers, in the order of the file.
    pub receivers: Vec<Receiver>,
    /// Which findings go to which of them.
    pub routes: Routes,
    /// When changes, reminders and digests are sent.
    pub timing: Timing,
}

/// The timing of notifications.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timing {
    /// Minimum interval between notifications of changes to one finding, unless it got much worse.
    pub changes_every: Duration,
    /// Interval of reminders of open findings; `None`: no reminders.
    pub remind_every: Option<Duration>,
    /// More findings than this within a minute are sent as a digest.
    pub digest_above: usize,
}

impl Default for Timing {
    fn default() -> Self {
        let policy::Settings { changes_every, remind_every, digest_above, .. } = policy::Settings::default();
        Self { changes_every, remind_every, digest_above }
    }
}

/// A receiver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receiver {
    /// Its name in routes, metrics and objects.
    pub name: String,
    /// Its type.
    pub to: To,
}

/// The types of receivers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum To {
    /// A Slack incoming webhook.
    Slack(Webhook),
    /// A webhook of a workflow of Microsoft Teams.
    Teams(Webhook),
    /// A Discord webhook.
    Discord(Webhook),
    /// A webhook of a space of Google Chat.
    GoogleChat(Webhook),
    /// PagerDuty, by its Events API v2.
    PagerDuty(Pager),
    /// Opsgenie, or what accepts its Alert API.
    Opsgenie(Pager),
    /// A webhook that accepts JSON, or what a template makes.
    Webhook {
        /// Its address.
        webhook: Webhook,
        /// The signing key, if there is one.
        signing_key: Option<SecretSource>,
        /// The template of the body, if it is not the usual one.
        template: Option<Template>,
    },
    /// Mail, by way of a relay.
    Email(Relay),
    /// Kubernetes Events on the workloads.
    Events,
    /// Alertmanagers.
    Alertmanager(Alertmanager),
}

/// A secret address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// Where its URL comes from.
    pub url: SecretSource,
    /// How it is connected to.
    pub network: Network,
}

/// The template of a webhook's body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// The template, parsed once.
    pub body: Arc<MessageTemplate>,
    /// The type of what it renders.
    pub content_type: String,
}

/// A service that pages people, one incident for each finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pager {
    /// The address of its API, without the path.
    pub url: Secret,
    /// Where its key comes from.
    pub key: SecretSource,
    /// How it is connected to.
    pub network: Network,
}

/// Alertmanagers of one cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alertmanager {
    /// The URL of each one's alerts API.
    pub peers: Vec<Secret>,
    /// How probehound authenticates.
    pub credentials: Option<Credentials>,
    /// How often firing alerts are sent.
    pub resend_every: Duration,
    /// How they are connected to.
    pub network: Network,
}

impl To {
    /// Its name in the settings file.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Teams(_) => "teams",
            Self::Discord(_) => "discord",
            Self::GoogleChat(_) => "googleChat",
            Self::PagerDuty(_) => "pagerDuty",
            Self::Opsgenie(_) => "opsgenie",
            Self::Webhook { .. } => "webhook",
            Self::Email(_) => "email",
            Self::Events => "events",
            Self::Alertmanager(_) => "alertmanager",
        }
    }

    /// Whether it opens an incident for each finding, and closes it.
    pub const fn is_pager(&self) -> bool {
        matches!(self, Self::PagerDuty(_) | Self::Opsgenie(_))
    }
}

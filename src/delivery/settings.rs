//! The settings of delivery: receivers, routes and timing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::policy;
use super::receiver::alertmanager::Credentials;
use super::route::Routes;
use super::secret::{Secret, SecretSource};

/// All settings of delivery; reloaded while it runs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings {
    /// Receivers, routes and timing.
    pub notifications: Notifications,
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
    /// A webhook that accepts JSON.
    Webhook {
        /// Its address.
        webhook: Webhook,
        /// The signing key, if there is one.
        signing_key: Option<SecretSource>,
    },
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
    /// The certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
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
    /// The certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

impl To {
    /// Its name in the settings file.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Webhook { .. } => "webhook",
            Self::Events => "events",
            Self::Alertmanager(_) => "alertmanager",
        }
    }
}

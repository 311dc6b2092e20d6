//! The settings of delivery: who is told, of what, and when.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::policy;
use super::receiver::alertmanager::Credentials;
use super::route::Routes;
use super::secret::{Secret, SecretSource};

/// All that delivery goes by; read anew while it runs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings {
    /// Who is told, and of what.
    pub notifications: Notifications,
    /// What the cluster is called in messages.
    pub cluster_name: Option<String>,
    /// Where the runbook is, for alerts.
    pub runbook_url: Option<String>,
}

impl Settings {
    /// What delivery takes from larger settings, now and whenever they change.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn within<C: Send + Sync + 'static>(
        mut all: watch::Receiver<Arc<C>>,
        own: impl Fn(&C) -> Self + Send + 'static,
    ) -> watch::Receiver<Arc<Self>> {
        let (sender, settings) = watch::channel(Arc::new(own(&all.borrow_and_update())));
        tokio::spawn(async move {
            // Ends with whoever sends, or with the last who listens.
            while tokio::select! { changed = all.changed() => changed.is_ok(), () = sender.closed() => false } {
                let settings = Arc::new(own(&all.borrow_and_update()));
                sender.send_replace(settings);
            }
        });
        settings
    }
}

/// Who is told, and of what.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Notifications {
    /// The receivers, in the order of the file.
    pub receivers: Vec<Receiver>,
    /// Which findings go to which of them.
    pub routes: Routes,
    /// When changes, reminders and digests are told.
    pub timing: Timing,
}

/// When what is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timing {
    /// Changes of one finding are told no more often, unless it got much worse.
    pub changes_every: Duration,
    /// What goes on is told again after so long; none: it is not.
    pub remind_every: Option<Duration>,
    /// More findings than this within a minute are told together.
    pub digest_above: usize,
}

impl Default for Timing {
    fn default() -> Self {
        let policy::Settings { changes_every, remind_every, digest_above, .. } = policy::Settings::default();
        Self { changes_every, remind_every, digest_above }
    }
}

/// Who is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receiver {
    /// Its name in routes, metrics and objects.
    pub name: String,
    /// What it is.
    pub to: To,
}

/// What a receiver is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum To {
    /// A Slack incoming webhook.
    Slack(Webhook),
    /// A webhook that takes JSON.
    Webhook {
        /// Where it is.
        webhook: Webhook,
        /// The key that signs, if one does.
        signing_key: Option<SecretSource>,
    },
    /// Kubernetes Events on the workloads.
    Events,
    /// Alertmanagers.
    Alertmanager(Alertmanager),
}

/// An address that is a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// Where its URL is found.
    pub url: SecretSource,
    /// The certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// Alertmanagers that are peers of one another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alertmanager {
    /// Where each takes alerts.
    pub peers: Vec<Secret>,
    /// How probehound says who it is.
    pub credentials: Option<Credentials>,
    /// How often what fires is sent.
    pub resend_every: Duration,
    /// The certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

impl To {
    /// The word of the file.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Webhook { .. } => "webhook",
            Self::Events => "events",
            Self::Alertmanager(_) => "alertmanager",
        }
    }
}

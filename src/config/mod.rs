//! The settings: one YAML file, read into a validated [`Config`].
//!
//! A setting comes from a flag, else from its environment variable, else from the file, else it has the
//! default shown in `config/probehound.yaml`. The file is read into raw types that know no more than serde
//! does ([`raw`]), and these are checked as a whole ([`check`]): every [`Config`] is valid.
//!
//! Invariants:
//! - The file contains no secret by value, only where to find it.
//! - Problems are reported with line, column and a correction, all of them at once if the file is YAML of
//!   the right shape.
//! - Everything is bounded: the file, and the number of entries.

pub mod annotations;
mod check;
mod nearest;
pub mod notifications;
mod place;
pub mod problem;
pub mod raw;
pub mod selector;
pub mod silence;
pub mod source;
pub mod value;
pub(crate) mod written;
mod yaml;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::delivery;
use crate::engine::Settings;
use crate::guard;
pub use crate::source::cluster::settings::{InitialList, Watch};
pub use annotations::Annotations;
pub use check::{Checker, check};
pub use notifications::Notifications;
pub use problem::{Problem, Problems};
pub use silence::{Silence, Silences};
pub use source::{LoadError, Loaded, Overrides, Source};
pub use value::Refusal;

/// All settings.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Config {
    /// The name of this cluster in messages.
    pub cluster_name: Option<String>,
    /// The URL of the runbook in alerts; `None`: in this project's repository.
    pub runbook_url: Option<String>,
    /// What is watched.
    pub watch: Watch,
    /// What counts as a loop.
    pub detection: Settings,
    /// Findings that are found but not notified (silences).
    pub silences: Silences,
    /// What teams may ask for by annotations.
    pub annotations: Annotations,
    /// The `Finding` objects.
    pub findings: Findings,
    /// Whether a rollout that broke a probe is undone.
    pub guard: guard::Settings,
    /// Which of several replicas writes and sends.
    pub leader_election: LeaderElection,
    /// The server for metrics and health.
    pub http: Http,
    /// The page for people.
    pub page: Page,
    /// Notifications: receivers and routes.
    pub notifications: Notifications,
}

impl Config {
    /// The part of the settings that concerns delivery.
    pub fn of_delivery(&self) -> delivery::settings::Settings {
        delivery::settings::Settings {
            notifications: self.notifications.clone(),
            grants: self.annotations.grants.clone(),
            cluster_name: self.cluster_name.clone(),
            runbook_url: self.runbook_url.clone(),
        }
    }
}

/// The `Finding` objects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Findings {
    /// How long resolved findings are kept once notified.
    pub keep_resolved: Duration,
}

impl Default for Findings {
    fn default() -> Self {
        Self { keep_resolved: Duration::from_hours(24) }
    }
}

/// Which of several replicas writes and sends. Needs a restart to change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeaderElection {
    /// Whether a Lease is used; without one this replica assumes to be the only one.
    pub enabled: bool,
    /// The Lease's namespace; `None`: the one in which probehound runs.
    pub namespace: Option<String>,
    /// The Lease's name.
    pub name: String,
}

impl Default for LeaderElection {
    fn default() -> Self {
        Self { enabled: false, namespace: None, name: "probehound".to_owned() }
    }
}

/// The server for metrics and health.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Http {
    /// Where it listens. Needs a restart to change.
    pub listen: Listen,
    /// Whether `/metrics` requires permission to `get` it. Needs a restart to change.
    pub metrics_authentication: bool,
}

/// The page for people. Needs a restart to change.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// Whether it is served.
    pub enabled: bool,
    /// Where it is served, if it is not the default.
    pub listen: Option<Listen>,
    /// Whether each visitor sees only what the API server lets them list.
    pub authentication: bool,
}

impl Page {
    /// The port of the page.
    pub const PORT: u16 = 8082;

    /// Where it is served: without authentication only on loopback, unless it is said otherwise.
    pub fn listen(&self) -> Listen {
        let host = (!self.authentication).then_some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        self.listen.unwrap_or(Listen { host, port: Self::PORT })
    }
}

/// An address to listen at.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Listen {
    /// An address of this machine; `None`: all of them.
    pub host: Option<IpAddr>,
    /// The port; 0: any free one.
    pub port: u16,
}

impl Default for Listen {
    fn default() -> Self {
        Self { host: None, port: 8080 }
    }
}

impl Listen {
    /// The socket addresses to try, in order: the IPv6 wildcard address covers IPv4 too, but not every
    /// machine has IPv6.
    pub fn addresses(self) -> Vec<SocketAddr> {
        let all = [IpAddr::from(Ipv6Addr::UNSPECIFIED), IpAddr::from([0, 0, 0, 0])];
        let hosts = self.host.map_or_else(|| all.to_vec(), |host| vec![host]);
        hosts.into_iter().map(|host| SocketAddr::new(host, self.port)).collect()
    }
}

impl std::fmt::Display for Listen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host {
            Some(host) => write!(f, "{}", SocketAddr::new(host, self.port)),
            None => write!(f, ":{}", self.port),
        }
    }
}

impl Config {
    /// These settings, with those that need a restart taken from `running`; and the keys of those that
    /// differ.
    #[must_use]
    pub fn without_restart(mut self, running: &Self) -> (Self, Vec<&'static str>) {
        let mut kept = Vec::new();
        keep(&mut self.watch, &running.watch, "watch", &mut kept);
        keep(&mut self.leader_election, &running.leader_election, "leaderElection", &mut kept);
        keep(&mut self.http.listen, &running.http.listen, "http.listen", &mut kept);
        let authentication = (&mut self.http.metrics_authentication, &running.http.metrics_authentication);
        keep(authentication.0, authentication.1, "http.metricsAuthentication", &mut kept);
        keep(&mut self.page, &running.page, "page", &mut kept);
        (self, kept)
    }
}

fn keep<T: Clone + PartialEq>(new: &mut T, running: &T, key: &'static str, kept: &mut Vec<&'static str>) {
    if new != running {
        new.clone_from(running);
        kept.push(key);
    }
}

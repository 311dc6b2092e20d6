//! Reading and writing a Lease.

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, Error};

use tokio::time::Instant;

use super::{DURATION, Record};
use crate::runtime::clock;
use crate::source::cluster;
use crate::time::Time;

/// Time limit of a request: a second one has to fit before the holder gives up.
const REQUEST: Duration = Duration::from_secs(3);
/// Maximum length of a holder's name that is kept; it may be anybody's.
const HOLDER: usize = 253;

/// One Lease, and the version that the next write is based on.
#[derive(Clone, Debug)]
pub struct VersionedLease {
    api: Api<Lease>,
    namespace: String,
    name: String,
    last: Option<Lease>,
    started: (Time, Instant),
}

/// Why a Lease could not be read or written.
#[derive(thiserror::Error, Debug)]
pub enum Trouble {
    /// Another replica was faster.
    #[error("another replica was faster")]
    Lost,
    /// The namespace does not exist.
    #[error("there is no such namespace")]
    NoNamespace,
    /// The request timed out.
    #[error("no answer within {} s", REQUEST.as_secs())]
    Late,
    /// The API server refused, or the request did not get through.
    #[error("{cause}")]
    Failed {
        /// The kind.
        kind: cluster::Trouble,
        /// The cause in words, safe to log.
        cause: String,
    },
}

impl Trouble {
    fn from_error(error: &Error) -> Self {
        match error {
            Error::Api(status) if status.code == 409 => Self::Lost,
            Error::Api(status) if status.code == 404 => Self::NoNamespace,
            error => Self::Failed { kind: cluster::Trouble::from_error(error), cause: cluster::cause(error) },
        }
    }

    /// Whether it is the same kind of trouble.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Failed { kind, .. }, Self::Failed { kind: other, .. }) => kind == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// A hint for a person.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Failed { kind: cluster::Trouble::Forbidden, .. } => {
                "allow get, create and update of leases in that namespace"
            }
            Self::NoNamespace => "set leaderElection.namespace to one that exists",
            _ => "nothing is written or sent by this replica until it holds the Lease",
        }
    }
}

impl VersionedLease {
    /// The Lease of that name.
    pub fn new(client: Client, namespace: &str, name: &str) -> Self {
        let api = Api::namespaced(client, namespace);
        let started = (clock::now(), Instant::now());
        Self { api, namespace: namespace.to_owned(), name: name.to_owned(), last: None, started }
    }

    /// Whether nothing is known that a write could be based on.
    pub const fn is_unread(&self) -> bool {
        self.last.is_none()
    }

    /// The current Lease; `None` if it does not exist.
    ///
    /// # Errors
    /// It cannot be read, or not in time.
    pub async fn read(&mut self) -> Result<Option<Record>, Trouble> {
        self.last = in_time(self.api.get_opt(&self.name)).await?;
        Ok(self.last.as_ref().map(record))
    }

    /// Writes the holder, based on what was last read or written.
    ///
    /// # Errors
    /// [`Trouble::Lost`] if it has changed since; others if it cannot be written, or not in time, or the
    /// outcome is unknown.
    pub async fn write(&mut self, holder: Option<&str>, transitions: i32) -> Result<Record, Trouble> {
        let (next, parameters) = (self.next(holder, transitions), PostParams::default());
        // After an error the state is unknown: it has to be read before the next write.
        let written = if self.last.take().is_some() {
            in_time(self.api.replace(&self.name, &parameters, &next)).await?
        } else {
            in_time(self.api.create(&parameters, &next)).await?
        };
        let record = record(&written);
        self.last = Some(written);
        Ok(record)
    }

    fn next(&self, holder: Option<&str>, transitions: i32) -> Lease {
        let before = self.last.as_ref().and_then(|last| last.spec.as_ref());
        let same = before.is_some_and(|before| before.holder_identity.as_deref() == holder);
        let now = self.now();
        let metadata = match &self.last {
            // Labels and annotations of others stay; the version is the precondition.
            Some(last) => ObjectMeta { managed_fields: None, ..last.metadata.clone() },
            None => ObjectMeta {
                name: Some(self.name.clone()),
                namespace: Some(self.namespace.clone()),
                ..ObjectMeta::default()
            },
        };
        let spec = LeaseSpec {
            acquire_time: before.filter(|_| same).and_then(|before| before.acquire_time.clone()).or(Some(now.clone())),
            holder_identity: holder.map(str::to_owned),
            lease_duration_seconds: Some(DURATION.as_secs() as i32),
            lease_transitions: Some(transitions),
            renew_time: Some(now),
            ..LeaseSpec::default()
        };
        Lease { metadata, spec: Some(spec) }
    }

    /// The time of day, by a clock that never stands still or goes back: others see by it that the Lease
    /// was renewed.
    fn now(&self) -> MicroTime {
        let (time, started) = self.started;
        let now = time.plus(started.elapsed());
        MicroTime(jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default())
    }
}

/// `NAMESPACE/NAME`
impl fmt::Display for VersionedLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

fn record(lease: &Lease) -> Record {
    let spec = lease.spec.clone().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    Record {
        holder: spec.holder_identity.filter(|holder| !holder.is_empty()).map(|holder| {
            let end = holder.floor_char_boundary(HOLDER);
            holder[..end].to_owned()
        }),
        duration: seconds.map(Duration::from_secs),
        transitions: spec.lease_transitions.unwrap_or(0),
        renewed: spec.renew_time.map(|MicroTime(time)| time.as_microsecond()),
    }
}

async fn in_time<T>(request: impl Future<Output = kube::Result<T>>) -> Result<T, Trouble> {
    match tokio::time::timeout(REQUEST, request).await {
        Ok(answer) => answer.map_err(|error| Trouble::from_error(&error)),
        Err(_) => Err(Trouble::Late),
    }
}

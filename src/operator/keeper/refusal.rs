//! Why an object could not be read or written.

use std::time::Duration;

use kube::core::Status;

use crate::source::cluster::{Trouble, cause};

/// Retry interval for what only a person can fix.
const BY_A_PERSON: Duration = Duration::from_mins(1);

/// Why an object could not be read or written, as far as it matters here.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The CRD is not installed.
    #[error("the API server does not know probehound.dev/v1alpha1")]
    NoApi,
    /// A permission is missing.
    #[error("{0}")]
    Forbidden(String),
    /// The object does not exist any more.
    #[error("there is no such object")]
    Missing,
    /// The namespace is terminating or gone.
    #[error("the namespace is going or gone")]
    NoNamespace,
    /// The object has changed since it was seen.
    #[error("the object has changed meanwhile")]
    Changed,
    /// This replica no longer leads.
    #[error("another replica may lead by now")]
    NotLeading,
    /// Anything else.
    #[error("{cause}")]
    Other {
        /// Its kind.
        trouble: Trouble,
        /// The cause in words, safe to log.
        cause: String,
    },
}

impl Refusal {
    /// Classifies a client error.
    pub fn from_error(error: &kube::Error) -> Self {
        if let kube::Error::Api(status) = error
            && let Some(refusal) = Self::of_status(status)
        {
            return refusal;
        }
        match Trouble::from_error(error) {
            Trouble::Forbidden => Self::Forbidden(cause(error)),
            trouble => Self::Other { trouble, cause: cause(error) },
        }
    }

    /// The same for an answer of the API server.
    ///
    /// A missing definition gives 404 without details (`text/plain` if the whole group is missing); for a
    /// missing object or namespace the details name its kind.
    fn of_status(status: &Status) -> Option<Self> {
        let details = status.details.as_ref();
        let kind = details.map_or("", |details| details.kind.as_str());
        let ends = |cause: &kube::core::response::StatusCause| cause.reason == "NamespaceTerminating";
        match status.code {
            404 if kind == "namespaces" => Some(Self::NoNamespace),
            404 if kind == "findings" && details.is_some_and(|details| !details.name.is_empty()) => Some(Self::Missing),
            404 => Some(Self::NoApi),
            403 if details.is_some_and(|details| details.causes.iter().any(ends)) => Some(Self::NoNamespace),
            409 => Some(Self::Changed),
            _ => None,
        }
    }

    /// The kind of trouble.
    pub const fn trouble(&self) -> Trouble {
        match self {
            Self::Other { trouble, .. } => *trouble,
            Self::Forbidden(_) => Trouble::Forbidden,
            _ => Trouble::Other,
        }
    }

    /// Minimum time before a retry.
    pub const fn pause(&self) -> Duration {
        match self {
            Self::NoApi | Self::Forbidden(_) => BY_A_PERSON,
            _ => Duration::ZERO,
        }
    }

    /// A hint for what only a person can fix.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoApi => Some("install it: probehound crd | kubectl apply --server-side -f -"),
            Self::Forbidden(_) => Some(
                "allow get, list, watch, create, patch and delete of findings, and patch of findings/status: \
                 `kubectl apply -k manifests/base` does",
            ),
            _ => None,
        }
    }

    /// Whether the record will never be accepted: retrying it would hold up everything else.
    pub fn is_for_good(&self) -> bool {
        match self {
            Self::NoApi | Self::Forbidden(_) => true,
            Self::Other { trouble, .. } => *trouble == Trouble::Other,
            _ => false,
        }
    }

    /// The kind as a word, to distinguish troubles in the log.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NoApi => "no_api",
            Self::Forbidden(_) => "forbidden",
            Self::Missing => "missing",
            Self::NoNamespace => "no_namespace",
            Self::Changed => "changed",
            Self::NotLeading => "not_leading",
            Self::Other { trouble, .. } => trouble.word(),
        }
    }
}

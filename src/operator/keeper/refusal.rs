//! Why an object could not be read or written.

use std::time::Duration;

use kube::core::Status;

use crate::source::cluster::{Trouble, cause};

/// What only a person can mend is tried again so often.
const BY_A_PERSON: Duration = Duration::from_mins(1);

/// Why an object could not be read or written, as far as it makes a difference.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The definition is not installed.
    #[error("the API server does not know probehound.dev/v1alpha1")]
    NoApi,
    /// A right is missing.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such object any more.
    #[error("there is no such object")]
    Missing,
    /// The namespace is going or gone.
    #[error("the namespace is going or gone")]
    NoNamespace,
    /// It is no longer the object that was seen.
    #[error("the object has changed meanwhile")]
    Changed,
    /// This replica leads no more.
    #[error("another replica may lead by now")]
    NotLeading,
    /// Anything else.
    #[error("{cause}")]
    Other {
        /// Its kind.
        trouble: Trouble,
        /// In words, harmless.
        cause: String,
    },
}

impl Refusal {
    /// What an error of the client means.
    pub fn of(error: &kube::Error) -> Self {
        if let kube::Error::Api(status) = error
            && let Some(refusal) = Self::of_status(status)
        {
            return refusal;
        }
        match Trouble::of(error) {
            Trouble::Forbidden => Self::Forbidden(cause(error)),
            trouble => Self::Other { trouble, cause: cause(error) },
        }
    }

    /// The same for what the API server answers.
    ///
    /// A missing definition gives 404 without details (`text/plain` where the whole group is
    /// missing), a missing object or namespace names its kind in them.
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

    /// What kind of trouble it is.
    pub const fn trouble(&self) -> Trouble {
        match self {
            Self::Other { trouble, .. } => *trouble,
            Self::Forbidden(_) => Trouble::Forbidden,
            _ => Trouble::Other,
        }
    }

    /// How long to wait at least before it is tried again.
    pub const fn pause(&self) -> Duration {
        match self {
            Self::NoApi | Self::Forbidden(_) => BY_A_PERSON,
            _ => Duration::ZERO,
        }
    }

    /// What to do about what only a person can mend.
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

    /// Whether what was to be recorded will not be taken: to try on would hold up all else.
    pub fn is_for_good(&self) -> bool {
        match self {
            Self::NoApi | Self::Forbidden(_) => true,
            Self::Other { trouble, .. } => *trouble == Trouble::Other,
            _ => false,
        }
    }

    /// The kind, for telling one trouble from another.
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

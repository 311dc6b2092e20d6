//! Why a cluster cannot be accessed, and what to do about it.

use std::path::Path;

use kube::config::{InClusterError, KubeconfigError};

use super::trouble::{self, Trouble, cause, find};

/// Maximum number of contexts named in a hint.
const NAMED: usize = 10;

/// Why a cluster cannot be read. No message holds a credential.
#[derive(thiserror::Error, Debug)]
pub enum AccessError {
    /// No cluster is configured.
    #[error("no kubeconfig was found, and this is not a pod of a cluster")]
    NoCluster,
    /// This is a pod, but without usable credentials.
    #[error("this is a pod of a cluster, but its credentials cannot be used: {0}")]
    InCluster(InClusterError),
    /// A kubeconfig cannot be read.
    #[error("cannot read the kubeconfig {file}: {cause}")]
    Unreadable {
        /// Its path.
        file: String,
        /// The system's error.
        cause: std::io::Error,
    },
    /// A kubeconfig is invalid.
    #[error("the kubeconfig {file} cannot be used: {cause}")]
    Malformed {
        /// Its path, or where it comes from.
        file: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A kubeconfig has no such context.
    #[error("the kubeconfig {file} has no context {context:?}")]
    NoContext {
        /// Its path, or where it comes from.
        file: String,
        /// The requested context.
        context: String,
        /// The existing contexts.
        known: Vec<String>,
    },
    /// A kubeconfig has no current context, and none was requested.
    #[error("the kubeconfig {file} has no current context")]
    NoCurrentContext {
        /// Its path, or where it comes from.
        file: String,
        /// The existing contexts.
        known: Vec<String>,
    },
    /// There are no credentials for the server.
    #[error("there are no credentials for the API server {server}: {cause}")]
    Credentials {
        /// Scheme, host and port.
        server: String,
        /// Why.
        cause: String,
    },
    /// Something the connection needs is not usable: a certificate, a key, a proxy.
    #[error("the settings for the API server {server} cannot be used: {cause}")]
    Settings {
        /// Scheme, host and port.
        server: String,
        /// Which one, and why.
        cause: String,
    },
    /// The server cannot be reached, or does not answer.
    #[error("cannot reach the API server {server}: {cause}")]
    Unreachable {
        /// Scheme, host and port.
        server: String,
        /// The connection's error.
        cause: String,
    },
    /// The server's certificate is not trusted.
    #[error("the certificate of the API server {server} is not trusted: {cause}")]
    Untrusted {
        /// Scheme, host and port.
        server: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The server does not accept the credentials: 401.
    #[error("the API server {server} does not accept the credentials")]
    Unauthorized {
        /// Scheme, host and port.
        server: String,
    },
    /// The user is not authorized: 403.
    #[error("the API server {server} refuses: {cause}")]
    Forbidden {
        /// Scheme, host and port.
        server: String,
        /// The server's message.
        cause: String,
    },
    /// The server answers with another error.
    #[error("the API server {server} cannot be used: {cause}")]
    Refused {
        /// Scheme, host and port.
        server: String,
        /// The server's message.
        cause: String,
    },
}

impl AccessError {
    /// Classifies a kubeconfig error; `file` is its path or where it comes from.
    pub(super) fn of_kubeconfig(error: &KubeconfigError, file: &str) -> Self {
        let file = file.to_owned();
        let cause = match error {
            KubeconfigError::ReadConfig(error, path) => return Self::unreadable(error, path),
            // The original message quotes the surrounding lines, which may contain a token.
            KubeconfigError::Parse(error) => match error.location() {
                Some(at) => format!("line {}, column {} is not what belongs there", at.line(), at.column()),
                None => "it is not the YAML of a kubeconfig".to_owned(),
            },
            error => error.to_string(),
        };
        Self::Malformed { file, cause }
    }

    /// Classifies a request error; `server` is scheme, host and port.
    pub(super) fn of_request(error: &kube::Error, server: &str) -> Self {
        let server = server.to_owned();
        let certificate = find::<rustls::Error>(error);
        if let Some(rustls::Error::InvalidCertificate(wrong)) = certificate {
            return Self::Untrusted { server, cause: wrong.to_string() };
        }
        let cause = cause(error);
        match Trouble::from_error(error) {
            Trouble::Unauthorized if matches!(error, kube::Error::Api(_)) => Self::Unauthorized { server },
            Trouble::Unauthorized => Self::Credentials { server, cause },
            Trouble::Forbidden => Self::Forbidden { server, cause },
            Trouble::Timeout => Self::Unreachable { server, cause: format!("no answer in time ({cause})") },
            Trouble::Connection => Self::Unreachable { server, cause },
            _ => Self::Refused { server, cause },
        }
    }

    /// Classifies an error in setting up a client.
    pub(super) fn of_settings(error: &kube::Error, server: &str) -> Self {
        let cause = match error {
            kube::Error::Auth(_) => return Self::of_request(error, server),
            kube::Error::ProxyProtocolUnsupported { .. } | kube::Error::ProxyProtocolDisabled { .. } => {
                "the proxy is not one of http:// or https://".to_owned()
            }
            error => trouble::cause(error),
        };
        Self::Settings { server: server.to_owned(), cause }
    }

    fn unreadable(error: &std::io::Error, path: &Path) -> Self {
        // An io::Error cannot be cloned; its kind contains what matters.
        let cause = error.raw_os_error().map_or_else(|| error.kind().into(), std::io::Error::from_raw_os_error);
        Self::Unreadable { file: path.display().to_string(), cause }
    }

    /// What to type or do.
    pub fn hint(&self) -> String {
        match self {
            Self::NoCluster => "name a kubeconfig with --kubeconfig FILE or KUBECONFIG=FILE; \
                                in a cluster it runs as a pod with a ServiceAccount"
                .into(),
            Self::InCluster(_) => "give the pod a ServiceAccount and do not set automountServiceAccountToken: false".into(),
            Self::Unreadable { .. } => "check the path and who may read it; `kubectl config view` shows which one kubectl uses".into(),
            Self::Malformed { .. } => "`kubectl config view` shows what kubectl makes of it".into(),
            Self::NoContext { known, .. } | Self::NoCurrentContext { known, .. } => of_contexts(known),
            Self::Credentials { .. } | Self::Unauthorized { .. } => {
                "a token or certificate may have expired: log in again, and see whether `kubectl get namespaces` works; \
                 in a pod, see that its ServiceAccount still exists"
                    .into()
            }
            Self::Settings { .. } => "compare certificate-authority, client-certificate, client-key and proxy-url in the \
                                      kubeconfig with one that works"
                .into(),
            Self::Unreachable { server, .. } => {
                format!("see whether `kubectl get --raw /version` works and whether {server} is the right address; \
                         a firewall, a VPN or a NetworkPolicy may be in the way")
            }
            Self::Untrusted { .. } => "check certificate-authority in the kubeconfig and the date of this machine; \
                                       something may also be between here and the server"
                .into(),
            Self::Forbidden { .. } => "`kubectl auth can-i --list` shows what is allowed; the manifests have the rights that it needs".into(),
            Self::Refused { .. } => "see what `kubectl get --raw /version` says".into(),
        }
    }
}

fn of_contexts(known: &[String]) -> String {
    if known.is_empty() {
        return "it has no context at all; `kubectl config view` shows which kubeconfig kubectl uses".into();
    }
    let more = if known.len() > NAMED { ", …" } else { "" };
    let named: Vec<&str> = known.iter().take(NAMED).map(String::as_str).collect();
    format!("name one with --context: {}{more}", named.join(", "))
}

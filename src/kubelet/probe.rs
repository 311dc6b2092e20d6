//! The specification of a probe.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which of a container's three probes.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProbeKind {
    /// Restarts the container when it fails.
    Liveness,
    /// Takes the pod out of its Services while it fails.
    Readiness,
    /// Holds the other two back until it has passed once; restarts the container when it never does.
    Startup,
}

impl ProbeKind {
    /// All three, in the order of the declaration.
    pub const ALL: [Self; 3] = [Self::Liveness, Self::Readiness, Self::Startup];

    /// The word used by the kubelet: `liveness`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Liveness => "liveness",
            Self::Readiness => "readiness",
            Self::Startup => "startup",
        }
    }

    /// The field in a manifest: `livenessProbe`.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Liveness => "livenessProbe",
            Self::Readiness => "readinessProbe",
            Self::Startup => "startupProbe",
        }
    }

    /// Whether its failure makes the kubelet kill the container.
    pub const fn kills(self) -> bool {
        !matches!(self, Self::Readiness)
    }
}

impl fmt::Display for ProbeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A probe of a container with the API's defaults filled in.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ProbeSpec {
    /// The handler.
    pub handler: Handler,
    /// `initialDelaySeconds`, 0 by default.
    pub initial_delay: Duration,
    /// `periodSeconds`, 10 by default.
    pub period: Duration,
    /// `timeoutSeconds`, 1 by default.
    pub timeout: Duration,
    /// `failureThreshold`, 3 by default.
    pub failure_threshold: u32,
    /// The probe's own `terminationGracePeriodSeconds`, if set.
    pub grace: Option<Duration>,
}

/// The handler of a probe.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Handler {
    /// `httpGet`
    Http(HttpGet),
    /// `tcpSocket`
    Tcp {
        /// `tcpSocket.host`; the pod's address by default.
        host: Option<Arc<str>>,
        /// `tcpSocket.port`
        port: Port,
    },
    /// `grpc`
    Grpc {
        /// `grpc.port`; always a number.
        port: Port,
        /// `grpc.service`; empty means the server as a whole.
        service: Arc<str>,
    },
    /// `exec`: the command's words, secrets masked.
    Exec(Box<[Arc<str>]>),
}

/// The fields of an `httpGet` handler.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct HttpGet {
    /// `HTTP` by default.
    pub scheme: Scheme,
    /// The pod's address by default.
    pub host: Option<Arc<str>>,
    /// Number or name.
    pub port: Port,
    /// `/` by default; values of query parameters are masked.
    pub path: Arc<str>,
    /// Names of the headers, as written.
    pub headers: Box<[Arc<str>]>,
    /// Changes when a header's name or value does; the values themselves are not kept.
    pub headers_mark: u64,
}

/// The scheme of an HTTP probe.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS; the kubelet does not verify the certificate.
    Https,
}

impl Scheme {
    /// As in a manifest: `HTTP`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
        }
    }
}

/// A port, by number or by the name of one of the container's ports.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Port {
    /// The number itself; out of range in a broken manifest.
    Number(i32),
    /// Resolved within the container only.
    Name(Arc<str>),
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Handler {
    /// The field in a manifest: `httpGet`.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Http(_) => "httpGet",
            Self::Tcp { .. } => "tcpSocket",
            Self::Grpc { .. } => "grpc",
            Self::Exec(_) => "exec",
        }
    }

    /// The port that it connects to, if it has one.
    pub const fn port(&self) -> Option<&Port> {
        match self {
            Self::Http(HttpGet { port, .. }) | Self::Tcp { port, .. } | Self::Grpc { port, .. } => Some(port),
            Self::Exec(_) => None,
        }
    }

    /// The HTTP fields, if it is `httpGet`.
    pub const fn http(&self) -> Option<&HttpGet> {
        match self {
            Self::Http(get) => Some(get),
            _ => None,
        }
    }
}

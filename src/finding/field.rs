//! The fields of a container's specification that findings name.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::kubelet::{Handler, ProbeKind};
use crate::text::cut;

/// A field of a container's specification, written as the path to it: `livenessProbe.httpGet.path`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    /// A probe as a whole: `startupProbe`.
    Probe(ProbeKind),
    /// A field of a probe.
    OfProbe(ProbeKind, ProbeField),
    /// A field of the container itself.
    OfContainer(ContainerField),
    /// One that another release named, and this one does not know; cut by [`Field::parse`].
    Other(Arc<str>),
}

/// Maximum length of the path of a field that is not known, in bytes: twice that of the longest of a pod.
const MAX_PATH: usize = 200;
/// Maximum depth of one: twice that of the deepest of a pod
/// (`volumes.ephemeral.volumeClaimTemplate.spec.selector.matchExpressions.values`).
const MAX_DEPTH: usize = 14;

macro_rules! paths {
    ($(#[$meta:meta])* $name:ident { $($variant:ident => $path:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[expect(missing_docs, reason = "each is the path beside it")]
        pub enum $name { $($variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The path to it, as a manifest has it.
            pub const fn path(self) -> &'static str {
                match self { $(Self::$variant => $path),+ }
            }
        }
    };
}

paths! {
    /// A field of a probe.
    ProbeField {
        Http => "httpGet",
        HttpPath => "httpGet.path",
        HttpPort => "httpGet.port",
        HttpScheme => "httpGet.scheme",
        HttpHost => "httpGet.host",
        HttpHeaders => "httpGet.httpHeaders",
        Tcp => "tcpSocket",
        TcpPort => "tcpSocket.port",
        TcpHost => "tcpSocket.host",
        Grpc => "grpc",
        GrpcPort => "grpc.port",
        GrpcService => "grpc.service",
        Exec => "exec",
        ExecCommand => "exec.command",
        InitialDelay => "initialDelaySeconds",
        Period => "periodSeconds",
        Timeout => "timeoutSeconds",
        FailureThreshold => "failureThreshold",
    }
}

paths! {
    /// A field of a container that is no probe's.
    ContainerField {
        Image => "image",
        ImagePullPolicy => "imagePullPolicy",
        // The image of one of its pod's image volumes.
        VolumeImage => "volumes.image.reference",
        Command => "command",
        WorkingDir => "workingDir",
        Env => "env",
        EnvFrom => "envFrom",
        Ports => "ports",
        MemoryLimit => "resources.limits.memory",
        RunAsNonRoot => "securityContext.runAsNonRoot",
        PostStart => "lifecycle.postStart",
    }
}

impl ProbeField {
    /// The handler's own field.
    pub const fn from_handler(handler: &Handler) -> Self {
        match handler {
            Handler::Http(_) => Self::Http,
            Handler::Tcp { .. } => Self::Tcp,
            Handler::Grpc { .. } => Self::Grpc,
            Handler::Exec(_) => Self::Exec,
        }
    }

    /// The handler's port; `None` where it asks none.
    pub const fn port_of(handler: &Handler) -> Option<Self> {
        match handler {
            Handler::Http(_) => Some(Self::HttpPort),
            Handler::Tcp { .. } => Some(Self::TcpPort),
            Handler::Grpc { .. } => Some(Self::GrpcPort),
            Handler::Exec(_) => None,
        }
    }

    /// The handler's host; `None` where it has none.
    pub const fn host_of(handler: &Handler) -> Option<Self> {
        match handler {
            Handler::Http(_) => Some(Self::HttpHost),
            Handler::Tcp { .. } => Some(Self::TcpHost),
            Handler::Grpc { .. } | Handler::Exec(_) => None,
        }
    }
}

impl Field {
    /// The field of that path.
    ///
    /// A path that is longer or deeper than that of any field of a pod is cut, and ends with `…`: it names
    /// nothing, and a patch made of it stays small and is refused by an API server.
    pub fn parse(path: &str) -> Self {
        let (first, below) = path.split_once('.').map_or((path, None), |(first, below)| (first, Some(below)));
        let probe = ProbeKind::ALL.into_iter().find(|kind| kind.field() == first);
        let own = || ContainerField::ALL.iter().find(|field| field.path() == path).copied();
        let known = match (probe, below) {
            (Some(kind), None) => Some(Self::Probe(kind)),
            (Some(kind), Some(below)) => {
                let field = ProbeField::ALL.iter().find(|field| field.path() == below).copied();
                field.map(|field| Self::OfProbe(kind, field))
            }
            (None, _) => own().map(Self::OfContainer),
        };
        known.unwrap_or_else(|| Self::Other(bounded(path)))
    }

    /// Whether it is a field of a probe, below the probe itself.
    pub const fn is_of_a_probe(&self) -> bool {
        matches!(self, Self::OfProbe(..))
    }

    /// The field of a probe, whichever probe it is.
    pub const fn probe_field(&self) -> Option<ProbeField> {
        match self {
            Self::OfProbe(_, field) => Some(*field),
            _ => None,
        }
    }

    /// The last word of its path: `path` of `livenessProbe.httpGet.path`.
    pub fn last(&self) -> String {
        let path = self.to_string();
        path.rsplit('.').next().unwrap_or(&path).to_owned()
    }

    /// Whether it is that one, or below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self == other || self.to_string().strip_prefix(&other.to_string()).is_some_and(|rest| rest.starts_with('.'))
    }
}

/// The beginning of a path, with an ellipsis in the place of the rest.
fn bounded(path: &str) -> Arc<str> {
    let ends = path.match_indices('.').nth(MAX_DEPTH - 1).map_or(path.len(), |(dot, _)| dot);
    let kept = cut(path, ends.min(MAX_PATH));
    if kept.len() == path.len() { path.into() } else { format!("{kept}…").into() }
}

impl From<ContainerField> for Field {
    fn from(field: ContainerField) -> Self {
        Self::OfContainer(field)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Probe(kind) => f.pad(kind.field()),
            Self::OfProbe(kind, field) => write!(f, "{}.{}", kind.field(), field.path()),
            Self::OfContainer(field) => f.pad(field.path()),
            Self::Other(path) => f.pad(path),
        }
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|path| Self::parse(&path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Field> {
        let of_probes = |kind| ProbeField::ALL.iter().map(move |field| Field::OfProbe(kind, *field));
        let own = ContainerField::ALL.iter().map(|field| Field::OfContainer(*field));
        ProbeKind::ALL.into_iter().flat_map(of_probes).chain(ProbeKind::ALL.map(Field::Probe)).chain(own)
    }

    #[test]
    fn is_read_as_it_is_written() {
        for field in all() {
            assert_eq!(Field::parse(&field.to_string()), field);
            assert_eq!(serde_json::from_value::<Field>(serde_json::json!(field)).expect("a field"), field);
        }
    }

    #[test]
    fn keeps_what_it_does_not_know() {
        for path in ["livenessProbe.exec.shell", "stopSignal", "", "livenessProbe."] {
            let field = Field::parse(path);
            assert!(matches!(field, Field::Other(_)), "{path}");
            assert_eq!(field.to_string(), path);
        }
    }

    #[test]
    fn is_cut_where_no_field_of_a_pod_is_as_long_or_as_deep() {
        let deepest = "volumes.ephemeral.volumeClaimTemplate.spec.selector.matchExpressions.values";
        assert_eq!(Field::parse(deepest).to_string(), deepest);
        for monster in [".".repeat(100_000), "a.".repeat(100_000), "ä".repeat(100_000)] {
            let field = Field::parse(&monster);
            let path = field.to_string();
            assert!(path.ends_with('…') && path.len() <= MAX_PATH + '…'.len_utf8(), "{path}");
            assert!(path.split('.').count() <= MAX_DEPTH, "{path}");
            assert_eq!(Field::parse(&path), field, "cut once");
        }
    }

    #[test]
    fn says_what_is_below_what() {
        let port = Field::OfProbe(ProbeKind::Liveness, ProbeField::GrpcPort);
        assert!(port.is_within(&Field::OfProbe(ProbeKind::Liveness, ProbeField::Grpc)));
        assert!(port.is_within(&Field::Probe(ProbeKind::Liveness)) && port.is_within(&port));
        assert!(!port.is_within(&Field::OfProbe(ProbeKind::Startup, ProbeField::Grpc)));
        assert!(!Field::Probe(ProbeKind::Liveness).is_within(&port));
    }

    #[test]
    fn has_a_last_word() {
        assert_eq!(Field::OfProbe(ProbeKind::Liveness, ProbeField::HttpPath).last(), "path");
        assert_eq!(Field::Probe(ProbeKind::Startup).last(), "startupProbe");
    }
}

//! A pod, its containers and their probes, with the accessors that the rules need.

use crate::kubelet::{ProbeKind, Timing};
use crate::source::manifest::{At, Entry, Node};
use crate::template::Role;

/// The handlers of a probe.
pub const HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "grpc"];

/// The API server's default for the grace period, in seconds.
const GRACE: i64 = 30;

/// A pod.
#[derive(Debug)]
pub struct Pod<'a> {
    /// `spec`
    pub spec: &'a Node,
    /// `terminationGracePeriodSeconds`; `None` if it is not a number.
    pub grace: Option<i64>,
    /// `hostNetwork`
    pub host_network: bool,
    /// Init containers first, as in the manifest.
    pub containers: Vec<Container<'a>>,
}

/// A container.
#[derive(Debug)]
pub struct Container<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its role in the pod.
    pub role: Role,
    /// The whole container.
    pub node: &'a Node,
    probes: Vec<Probe<'a>>,
}

/// A probe.
#[derive(Debug)]
pub struct Probe<'a> {
    /// The kind.
    pub kind: ProbeKind,
    /// The position of its key.
    pub at: At,
    /// The whole probe.
    pub node: &'a Node,
}

/// A port that a container declares.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Declared<'a> {
    /// Its name, if any.
    pub name: Option<&'a str>,
    /// Its number.
    pub number: Option<i64>,
    /// The port of the node mapped to it, if any.
    pub on_host: Option<i64>,
}

impl<'a> Pod<'a> {
    /// The pod of a template; `None` if it lacks what every pod has.
    pub fn parse(template: &'a Node) -> Option<Self> {
        let spec = template.get("spec")?;
        let of = |key, is_init| {
            let items = spec.get(key).map_or(&[][..], Node::items);
            items.iter().map(move |node| Container::parse(node, is_init))
        };
        let containers: Option<Vec<_>> = of("initContainers", true).chain(of("containers", false)).collect();
        let containers = containers.filter(|containers| containers.iter().any(|one| one.role == Role::App))?;
        Some(Self {
            spec,
            grace: spec.get("terminationGracePeriodSeconds").map_or(Some(GRACE), Node::number),
            host_network: spec.get("hostNetwork").is_some_and(Node::is_true),
            containers,
        })
    }
}

impl<'a> Container<'a> {
    fn parse(node: &'a Node, is_init: bool) -> Option<Self> {
        node.text_of("image").filter(|image| !image.is_empty())?;
        let role = match node.text_of("restartPolicy") {
            _ if !is_init => Role::App,
            Some("Always") => Role::Sidecar,
            _ => Role::Init,
        };
        let probe = |kind: ProbeKind| {
            let entry = node.entry(kind.field())?;
            Some(Probe { kind, at: entry.at, node: &entry.node })
        };
        let probes = ProbeKind::ALL.into_iter().filter_map(probe).collect();
        Some(Self { name: node.text_of("name")?, role, node, probes })
    }

    /// The probes that can run: a non-sidecar init container has none.
    pub fn probes(&self) -> impl Iterator<Item = &Probe<'a>> {
        self.probes.iter().filter(|_| self.role != Role::Init)
    }

    /// The probe of that kind.
    pub fn probe(&self, kind: ProbeKind) -> Option<&Probe<'a>> {
        self.probes().find(|probe| probe.kind == kind)
    }

    /// The declared ports.
    pub fn ports(&self) -> impl Iterator<Item = Declared<'a>> {
        self.node.get("ports").map_or(&[][..], Node::items).iter().map(|port| Declared {
            name: port.text_of("name").filter(|name| !name.is_empty()),
            number: port.get("containerPort").and_then(Node::number),
            on_host: port.get("hostPort").and_then(Node::number),
        })
    }
}

impl<'a> Probe<'a> {
    /// `livenessProbe.periodSeconds`
    pub fn field(&self, path: &str) -> String {
        format!("{}.{path}", self.kind.field())
    }

    /// The position of the entry at that path, or of its nearest existing parent.
    pub fn place(&self, path: &[&str]) -> At {
        let mut at = self.at;
        let mut node = self.node;
        for key in path {
            let Some(entry) = node.entry(key) else { break };
            (at, node) = (entry.at, &entry.node);
        }
        at
    }

    /// The handler, if there is exactly one.
    pub fn handler(&self) -> Option<(&'a str, &'a Node)> {
        let mut handlers = self.handlers();
        let one = handlers.next()?;
        handlers.next().is_none().then_some((&*one.key, &one.node))
    }

    /// The handlers.
    pub fn handlers(&self) -> impl Iterator<Item = &'a Entry> {
        let node = self.node;
        HANDLERS.iter().filter_map(move |key| node.entry(key))
    }

    /// A number, with the API server's default if it is absent or zero; `None` if it is not a number.
    pub fn number(&self, key: &str) -> Option<i64> {
        let default = match key {
            "periodSeconds" => 10,
            "failureThreshold" => 3,
            "timeoutSeconds" | "successThreshold" => 1,
            _ => 0,
        };
        match self.node.get(key) {
            None => Some(default),
            Some(node) => match node.number()? {
                0 => Some(default),
                number if (0..=i64::from(i32::MAX)).contains(&number) => Some(number),
                _ => None,
            },
        }
    }

    /// Its numbers, if all of them are valid.
    pub fn timing(&self) -> Option<Timing> {
        let number = |key| u64::try_from(self.number(key)?).ok();
        Some(Timing {
            delay: number("initialDelaySeconds")?,
            period: number("periodSeconds")?,
            timeout: number("timeoutSeconds")?,
            failures: number("failureThreshold")?,
        })
    }

    /// Its request in a normalised form, independent of how the manifest writes it.
    pub fn question(&self, container: &Container<'_>) -> Option<String> {
        let (kind, node) = self.handler()?;
        let text = |key, default| node.text_of(key).unwrap_or(default).to_owned();
        Some(match kind {
            "exec" => format!("exec {:?}", node.get("command")?.items().iter().map(Node::text).collect::<Vec<_>>()),
            "grpc" => format!("grpc {} {}", node.get("port")?.number()?, text("service", "")),
            "tcpSocket" => format!("tcp {} {}", text("host", ""), port_number(node, container)?),
            _ => {
                let header = |one: &Node| format!("{:?}", (one.text_of("name"), one.text_of("value")));
                let headers: Vec<String> =
                    node.get("httpHeaders").map_or(&[][..], Node::items).iter().map(header).collect();
                let (scheme, host, path) = (text("scheme", "HTTP"), text("host", ""), text("path", "/"));
                format!("{scheme} {host} {} {path} {headers:?}", port_number(node, container)?)
            }
        })
    }
}

/// The number of a handler's port, resolved if it is a name.
pub fn port_number(handler: &Node, container: &Container<'_>) -> Option<i64> {
    let port = handler.get("port")?;
    match port.text() {
        None => port.number(),
        Some(name) => container.ports().find(|declared| declared.name == Some(name))?.number,
    }
}

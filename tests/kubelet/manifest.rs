//! Manifests: workloads, containers and probes, and their JSON.

use serde_json::{Value, json};

use super::app::App;

/// The port of a probe.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Port {
    Number(u16),
    Name(&'static str),
}

/// The handler of a probe.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Handler {
    Http { path: &'static str, port: Port, scheme: &'static str },
    Tcp(Port),
    Grpc { port: u16, service: &'static str },
    Exec(&'static [&'static str]),
}

/// The kind of a probe.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    Liveness,
    Readiness,
    Startup,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Liveness, Self::Readiness, Self::Startup];

    /// The beginning of the kubelet's messages.
    pub fn title(self) -> &'static str {
        match self {
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
            Self::Startup => "Startup",
        }
    }
}

/// A probe; times in seconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Probe {
    pub handler: Handler,
    pub delay: i64,
    pub period: i64,
    pub timeout: i64,
    pub failures: u32,
    /// Its own grace period.
    pub grace: Option<i64>,
}

impl Probe {
    /// Every 2 s, killed at the third failure: loops appear quickly.
    fn new(handler: Handler) -> Self {
        Self { handler, delay: 0, period: 2, timeout: 1, failures: 3, grace: None }
    }

    pub fn http(path: &'static str) -> Self {
        Self::new(Handler::Http { path, port: Port::Name("http"), scheme: "HTTP" })
    }

    pub fn tcp(port: u16) -> Self {
        Self::new(Handler::Tcp(Port::Number(port)))
    }

    pub fn grpc(port: u16, service: &'static str) -> Self {
        Self::new(Handler::Grpc { port, service })
    }

    pub fn exec(command: &'static [&'static str]) -> Self {
        Self::new(Handler::Exec(command))
    }

    pub fn on(mut self, to: Port) -> Self {
        if let Handler::Http { port, .. } | Handler::Tcp(port) = &mut self.handler {
            *port = to;
        }
        self
    }

    pub fn https(mut self) -> Self {
        if let Handler::Http { scheme, .. } = &mut self.handler {
            *scheme = "HTTPS";
        }
        self
    }

    pub fn every(mut self, seconds: i64) -> Self {
        self.period = seconds;
        self
    }

    pub fn failing(mut self, times: u32) -> Self {
        self.failures = times;
        self
    }

    pub fn after(mut self, seconds: i64) -> Self {
        self.delay = seconds;
        self
    }

    pub fn within(mut self, seconds: i64) -> Self {
        self.timeout = seconds;
        self
    }

    fn json(&self) -> Value {
        let port = |port: &Port| match port {
            Port::Number(number) => json!(number),
            Port::Name(name) => json!(name),
        };
        let mut probe = json!({
            "timeoutSeconds": self.timeout, "periodSeconds": self.period,
            "successThreshold": 1, "failureThreshold": self.failures,
        });
        if self.delay > 0 {
            probe["initialDelaySeconds"] = json!(self.delay);
        }
        if let Some(grace) = self.grace {
            probe["terminationGracePeriodSeconds"] = json!(grace);
        }
        match &self.handler {
            Handler::Http { path, port: to, scheme } => {
                probe["httpGet"] = json!({"path": path, "port": port(to), "scheme": scheme});
            }
            Handler::Tcp(to) => probe["tcpSocket"] = json!({"port": port(to)}),
            Handler::Grpc { port, service } => probe["grpc"] = json!({"port": port, "service": service}),
            Handler::Exec(command) => probe["exec"] = json!({"command": command}),
        }
        probe
    }
}

/// A container, and its app.
#[derive(Clone, Debug)]
pub struct Container {
    pub name: &'static str,
    pub image: &'static str,
    pub args: Vec<&'static str>,
    pub env: Vec<(&'static str, &'static str)>,
    /// Its own restart policy.
    pub restart: Option<&'static str>,
    pub ports: Vec<(&'static str, u16)>,
    pub probes: Vec<(Kind, Probe)>,
    pub sidecar: bool,
    /// Why it cannot start: the first reason, the one between attempts, and the message.
    pub blocked: Option<[&'static str; 3]>,
    pub app: App,
}

impl Container {
    /// With a port `http` 8080.
    pub fn new(name: &'static str, app: App) -> Self {
        let ports = vec![("http", 8080)];
        Self {
            name,
            image: "registry.local/shop:1",
            args: Vec::new(),
            env: Vec::new(),
            restart: None,
            ports,
            probes: Vec::new(),
            sidecar: false,
            blocked: None,
            app,
        }
    }

    pub fn args(mut self, args: &[&'static str]) -> Self {
        self.args = args.to_vec();
        self
    }

    pub fn ports(mut self, ports: &[(&'static str, u16)]) -> Self {
        self.ports = ports.to_vec();
        self
    }

    pub fn liveness(self, probe: Probe) -> Self {
        self.probe(Kind::Liveness, probe)
    }

    pub fn readiness(self, probe: Probe) -> Self {
        self.probe(Kind::Readiness, probe)
    }

    pub fn startup(self, probe: Probe) -> Self {
        self.probe(Kind::Startup, probe)
    }

    pub fn sidecar(mut self) -> Self {
        self.sidecar = true;
        self
    }

    fn probe(mut self, kind: Kind, probe: Probe) -> Self {
        self.probes.push((kind, probe));
        self
    }

    pub fn probed(&self, kind: Kind) -> Option<&Probe> {
        self.probes.iter().find(|(its, _)| *its == kind).map(|(_, probe)| probe)
    }

    /// The number of a probe's port; `None` for an unknown name.
    pub fn port(&self, port: &Port) -> Option<u16> {
        match port {
            Port::Number(number) => Some(*number),
            Port::Name(wanted) => self.ports.iter().find(|(name, _)| name == wanted).map(|(_, number)| *number),
        }
    }

    fn json(&self) -> Value {
        let ports = self.ports.iter();
        let ports = ports.map(|(name, port)| json!({"name": name, "containerPort": port, "protocol": "TCP"}));
        let mut it = json!({
            "name": self.name, "image": self.image, "ports": ports.collect::<Vec<_>>(),
            "resources": {"limits": {"memory": "256Mi"}}, "imagePullPolicy": "IfNotPresent",
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        });
        if !self.args.is_empty() {
            it["args"] = json!(self.args);
        }
        if !self.env.is_empty() {
            let env = self.env.iter().map(|(name, value)| json!({"name": name, "value": value}));
            it["env"] = json!(env.collect::<Vec<_>>());
        }
        if let Some(policy) = self.restart {
            it["restartPolicy"] = json!(policy);
        }
        if self.sidecar {
            it["restartPolicy"] = json!("Always");
        }
        for (kind, probe) in &self.probes {
            it[format!("{}Probe", kind.title().to_lowercase())] = probe.json();
        }
        it
    }
}

/// The controller of the pods.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Controller {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
    /// Argo Rollout: it has `ReplicaSets` like a Deployment, with labels of its own.
    Rollout,
    /// None: a bare pod.
    Nobody,
}

impl Controller {
    pub fn kind(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::Rollout => "Rollout",
            Self::Nobody => "Pod",
        }
    }

    pub fn version(self) -> &'static str {
        match self {
            Self::Job | Self::CronJob => "batch/v1",
            Self::Rollout => "argoproj.io/v1alpha1",
            Self::Nobody => "v1",
            _ => "apps/v1",
        }
    }

    /// Whether it has a `ReplicaSet` for each revision.
    pub fn keeps_sets(self) -> bool {
        matches!(self, Self::Deployment | Self::Rollout)
    }

    /// The label with a revision's hash, and the annotation with its number.
    pub fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Rollout => ("rollouts-pod-template-hash", "rollout.argoproj.io/revision"),
            _ => ("pod-template-hash", "deployment.kubernetes.io/revision"),
        }
    }

    pub fn resource(self) -> String {
        format!("{}s", self.kind().to_lowercase())
    }
}

/// A workload's manifest.
#[derive(Clone, Debug)]
pub struct Workload {
    pub controller: Controller,
    pub name: &'static str,
    pub replicas: usize,
    pub grace: i64,
    pub restart: &'static str,
    /// Replaces one pod after the other, each when the previous one is ready.
    pub gradual: bool,
    /// Number of nodes that its pods are spread over.
    pub nodes: usize,
    /// How often `kubectl rollout restart` was called.
    pub restarted: u32,
    pub containers: Vec<Container>,
}

impl Workload {
    pub fn new(controller: Controller, name: &'static str, containers: &[Container]) -> Self {
        let batch = matches!(controller, Controller::Job | Controller::CronJob);
        Self {
            controller,
            name,
            replicas: 1,
            grace: 5,
            restart: if batch { "Never" } else { "Always" },
            gradual: false,
            nodes: 1,
            restarted: 0,
            containers: containers.to_vec(),
        }
    }

    pub fn deployment(name: &'static str, container: Container) -> Self {
        Self::new(Controller::Deployment, name, &[container])
    }

    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    pub fn grace(mut self, seconds: i64) -> Self {
        self.grace = seconds;
        self
    }

    pub fn on_failure(mut self) -> Self {
        self.restart = "OnFailure";
        self
    }

    pub fn gradual(mut self) -> Self {
        self.gradual = true;
        self
    }

    pub fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes;
        self
    }

    /// The effective restart policy of a container.
    pub fn restart_of(&self, container: usize) -> &'static str {
        let it = &self.containers[container];
        let own = if it.sidecar { Some("Always") } else { it.restart };
        own.unwrap_or(self.restart)
    }

    /// A key that distinguishes templates.
    pub fn template_key(&self) -> String {
        match self.restarted {
            0 => self.pod_spec().to_string(),
            times => format!("{} {times}", self.pod_spec()),
        }
    }

    /// `spec` of its pods.
    pub fn pod_spec(&self) -> Value {
        let (sidecars, containers): (Vec<_>, Vec<_>) = self.containers.iter().partition(|it| it.sidecar);
        let all = |them: Vec<&Container>| them.into_iter().map(Container::json).collect::<Vec<_>>();
        let mut spec = json!({
            "containers": all(containers), "restartPolicy": self.restart,
            "terminationGracePeriodSeconds": self.grace, "dnsPolicy": "ClusterFirst",
            "securityContext": {}, "schedulerName": "default-scheduler",
        });
        if !sidecars.is_empty() {
            spec["initContainers"] = json!(all(sidecars));
        }
        spec
    }
}

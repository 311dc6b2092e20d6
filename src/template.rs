//! The specification of a pod's containers.

use std::ops::Index;
use std::sync::Arc;
use std::time::Duration;

use crate::kubelet::{Handler, Port, ProbeKind, ProbeSpec};

/// The container specifications of a pod template.
///
/// Equal for all pods of one template: what differs between them (their labels' ordinals, injected volumes)
/// is left out.
#[derive(PartialEq, Eq, Hash, Debug)]
pub struct PodTemplate {
    /// The hash that distinguishes the owner's revisions.
    pub revision_hash: Option<Arc<str>>,
    /// The label of [`Self::revision_hash`], which shows the kind of owner that set it.
    pub hash_label: Option<HashLabel>,
    /// When a container is restarted in place, unless it has its own policy.
    pub restart: RestartPolicy,
    /// `hostNetwork`: its containers share the node's addresses and ports.
    pub host_network: bool,
    /// `terminationGracePeriodSeconds`
    pub grace: Duration,
    /// The pods' labels, sorted, without those that differ between pods.
    pub labels: Arc<[(Arc<str>, Arc<str>)]>,
    /// Init containers first, as in the manifest.
    pub containers: Containers,
}

/// The containers of a template; a sidecar that many templates have is kept once for all of them.
#[derive(PartialEq, Eq, Hash, Debug)]
pub struct Containers(Box<[Arc<ContainerSpec>]>);

impl Containers {
    /// All of them, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &ContainerSpec> + ExactSizeIterator + Clone {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The container at an index.
    pub fn get(&self, index: usize) -> Option<&ContainerSpec> {
        self.0.get(index).map(AsRef::as_ref)
    }

    /// Their number.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Index<usize> for Containers {
    type Output = ContainerSpec;

    fn index(&self, index: usize) -> &ContainerSpec {
        &self.0[index]
    }
}

impl<C: Into<Arc<ContainerSpec>>> FromIterator<C> for Containers {
    fn from_iter<I: IntoIterator<Item = C>>(containers: I) -> Self {
        Self(containers.into_iter().map(Into::into).collect())
    }
}

/// Whether two templates are equal: the same object, or the same content.
pub fn is_same(one: &Arc<PodTemplate>, other: &Arc<PodTemplate>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

/// The labels with which controllers mark a template's revisions.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum HashLabel {
    /// `rollouts-pod-template-hash`: an Argo Rollout's `ReplicaSet`.
    Rollouts,
    /// `pod-template-hash`: a Deployment's `ReplicaSet`.
    PodTemplate,
    /// `controller-revision-hash`: a `StatefulSet` or `DaemonSet`.
    ControllerRevision,
}

impl HashLabel {
    /// All of them, most specific first.
    pub const ALL: [Self; 3] = [Self::Rollouts, Self::PodTemplate, Self::ControllerRevision];

    /// The label's key.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Rollouts => "rollouts-pod-template-hash",
            Self::PodTemplate => "pod-template-hash",
            Self::ControllerRevision => "controller-revision-hash",
        }
    }
}

/// A `restartPolicy`, of a pod or of one container.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum RestartPolicy {
    /// The default.
    Always,
    /// Restarted unless it exits with 0.
    OnFailure,
    /// Not restarted in place.
    Never,
}

/// The role of a container in its pod.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// One of `containers`.
    App,
    /// One of `initContainers` that runs to its end.
    Init,
    /// One of `initContainers` with `restartPolicy: Always`.
    Sidecar,
}

/// The specification of one container; its probes are shared with all that have the same ones.
#[derive(PartialEq, Eq, Hash, Debug)]
pub struct ContainerSpec {
    /// Its name.
    pub name: Arc<str>,
    /// Its role in the pod.
    pub role: Role,
    /// Its own `restartPolicy`, which takes precedence over the pod's; `Always` for a sidecar.
    pub restart: Option<RestartPolicy>,
    /// `restartPolicyRules`, in order: the first that matches an exit code takes precedence over any
    /// policy.
    pub restart_rules: Box<[RestartRule]>,
    /// Its image, as written.
    pub image: Arc<str>,
    /// `imagePullPolicy`, if set.
    pub pull_policy: Option<Arc<str>>,
    /// `command` and `args` in one line, masked and cut; for people.
    pub invocation: Arc<str>,
    /// Changes when `command` or `args` do.
    pub invocation_mark: u64,
    /// Changes when `env` or `envFrom` do; the values are not kept.
    pub env_mark: u64,
    /// ConfigMaps and Secrets referenced by `env` and `envFrom`.
    pub env_sources: Box<[(EnvField, Arc<str>)]>,
    /// Declared ports: name, if any, and number.
    pub ports: Box<[(Option<Arc<str>>, i32)]>,
    /// `resources.limits.memory`
    pub memory_limit: Option<Arc<str>>,
    /// Whether it has `lifecycle.postStart`.
    pub post_start: bool,
    /// `livenessProbe`
    pub liveness: Option<Arc<ProbeSpec>>,
    /// `readinessProbe`
    pub readiness: Option<Arc<ProbeSpec>>,
    /// `startupProbe`
    pub startup: Option<Arc<ProbeSpec>>,
}

/// One of a container's `restartPolicyRules`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RestartRule {
    /// The action.
    pub action: RestartAction,
    /// Whether the exit code has to be one of these, or none of them; `None` for an unknown condition,
    /// which may or may not hold.
    pub exit_codes: Option<ExitCodes>,
}

impl RestartRule {
    /// Whether it matches that exit code, or may: an unknown condition counts as a match.
    pub fn fits(&self, exit: i32) -> bool {
        self.exit_codes.as_ref().is_none_or(|codes| codes.fit(exit))
    }
}

/// What a restart rule does.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum RestartAction {
    /// `Restart`: the container, in place.
    Container,
    /// `RestartAllContainers`: all of the pod, init containers first.
    All,
    /// An unknown action.
    Other,
}

/// The exit codes of a restart rule.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ExitCodes {
    /// Whether it matches those that are listed (`In`) or all others (`NotIn`).
    pub listed: bool,
    /// The listed exit codes.
    pub values: Box<[i32]>,
}

impl ExitCodes {
    /// Whether the rule matches a termination with this code.
    pub fn fit(&self, exit: i32) -> bool {
        self.values.contains(&exit) == self.listed
    }
}

/// Where a container's environment references a ConfigMap or Secret.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum EnvField {
    /// `env[].valueFrom`
    Env,
    /// `envFrom[]`
    EnvFrom,
}

impl PodTemplate {
    /// When one of its containers is restarted in place: its own policy takes precedence over the pod's.
    pub fn restart_policy_of(&self, container: &ContainerSpec) -> RestartPolicy {
        container.restart.unwrap_or(self.restart)
    }

    /// Whether both have the same containers, by name, in the same order.
    pub fn has_containers_of(&self, other: &Self) -> bool {
        self.containers.iter().map(|container| &container.name).eq(other.containers.iter().map(|other| &other.name))
    }
}

impl ContainerSpec {
    /// Whether its exit code decides what is restarted.
    pub fn has_restart_rules(&self) -> bool {
        !self.restart_rules.is_empty()
    }

    /// The probe of that kind.
    pub fn probe(&self, kind: ProbeKind) -> Option<&ProbeSpec> {
        match kind {
            ProbeKind::Liveness => self.liveness.as_deref(),
            ProbeKind::Readiness => self.readiness.as_deref(),
            ProbeKind::Startup => self.startup.as_deref(),
        }
    }

    /// The number of a probe's port; a name is resolved if the container declares it.
    pub fn port_number(&self, port: &Port) -> Option<i32> {
        match port {
            Port::Number(number) => Some(*number),
            Port::Name(name) => {
                self.ports.iter().find(|(declared, _)| declared.as_ref() == Some(name)).map(|(_, number)| *number)
            }
        }
    }

    /// Whether a probe refers to a port that the container does not declare, so that it can never run.
    pub fn lacks_port_of(&self, kind: ProbeKind) -> bool {
        let port = self.probe(kind).and_then(|spec| spec.handler.port());
        port.is_some_and(|port| self.port_number(port).is_none())
    }

    /// Whether its specification alone proves that its liveness or startup probe cannot run.
    pub fn has_probe_that_cannot_run(&self) -> bool {
        [ProbeKind::Liveness, ProbeKind::Startup].into_iter().any(|probe| self.lacks_port_of(probe))
    }

    /// The probes with this handler.
    pub fn asking(&self, handler: &Handler) -> impl Iterator<Item = ProbeKind> {
        ProbeKind::ALL.into_iter().filter(move |kind| self.probe(*kind).is_some_and(|spec| spec.handler == *handler))
    }

    /// Whether the app in it is the same: image, command, args, env and ports.
    pub fn same_app(&self, other: &Self) -> bool {
        self.image == other.image
            && self.invocation_mark == other.invocation_mark
            && self.env_mark == other.env_mark
            && self.ports == other.ports
    }
}

//! Pod specs → templates.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::words::words;
use super::{Observer, probe};
use crate::engine::{
    ContainerSpec, EnvField, ExitCodes, HashLabel, PodTemplate, RestartAction, RestartPolicy, RestartRule, Role,
};
use crate::kubelet::ProbeSpec;
use crate::source::mask::{self, MAX_NAME, MAX_TEXT};
use crate::source::objects::{
    ContainerLite, ExitCodesLite, LabelsLite, Maybe, Oddity, PodLite, PodSpecLite, PodTemplateLite, ProbeLite,
    SpecFieldsLite, TextOrNumber,
};
use crate::text::cut;
use crate::text::hash::mark;

/// Labels that differ between pods or between revisions.
const OF_ONE_POD: [&str; 8] = [
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
    "pod-template-generation",
    "statefulset.kubernetes.io/pod-name",
];

/// [`ContainerSpec::env_sources`]
type EnvSources = Box<[(EnvField, Arc<str>)]>;

/// [`ContainerSpec::ports`]
type Ports = Box<[(Option<Arc<str>>, i32)]>;

/// A pod's template: its spec and its labels.
pub fn of_pod(observer: &mut Observer, pod: &PodLite) -> Result<Arc<PodTemplate>, Oddity> {
    let none = LabelsLite::default();
    let meta = pod.metadata.required("metadata")?;
    let labels = observer.within("metadata", |observer| observer.get(&meta.labels, "labels")).unwrap_or(&none);
    let hash = HashLabel::ALL.into_iter().find_map(|label| Some((label, labels.get(label.key())?)));
    let spec = pod.spec.required("spec")?;
    shared(observer, spec, labels, hash).map_err(|oddity| oddity.under("spec"))
}

/// Implements [`Observer::template`].
pub fn of_revision(
    observer: &mut Observer,
    template: &PodTemplateLite,
    revision_hash: Option<(HashLabel, &str)>,
) -> Result<Arc<PodTemplate>, Oddity> {
    let none = LabelsLite::default();
    let meta = observer.get(&template.metadata, "metadata");
    let labels = meta.and_then(|meta| meta.labels.ok()).unwrap_or(&none);
    let spec = template.spec.required("spec")?;
    shared(observer, spec, labels, revision_hash).map_err(|oddity| oddity.under("spec"))
}

/// The shared template with that spec, labels and hash.
fn shared(
    observer: &mut Observer,
    spec: &PodSpecLite,
    labels: &LabelsLite,
    hash: Option<(HashLabel, &str)>,
) -> Result<Arc<PodTemplate>, Oddity> {
    let mark = fingerprint(spec, labels, hash);
    if let Some(template) = observer.templates.get(mark) {
        return Ok(template);
    }
    let fields = &spec.common.fields;
    fields.containers.required("containers")?;
    let template = Arc::new(observer.within("spec", |observer| build(observer, fields, labels, hash)));
    observer.templates.keep(mark, &template);
    Ok(template)
}

fn fingerprint(spec: &PodSpecLite, labels: &LabelsLite, hash: Option<(HashLabel, &str)>) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash.hash(&mut hasher);
    for pair in of_template(labels) {
        pair.hash(&mut hasher);
    }
    spec.common.mark.hash(&mut hasher);
    hasher.finish()
}

/// The labels that all pods of a template share.
fn of_template(labels: &LabelsLite) -> impl Iterator<Item = (&str, &str)> {
    let is_hash = |key: &str| HashLabel::ALL.into_iter().any(|label| label.key() == key);
    labels.pairs().filter(move |(key, _)| !is_hash(key) && !OF_ONE_POD.contains(key))
}

fn build(
    observer: &mut Observer,
    spec: &SpecFieldsLite,
    labels: &LabelsLite,
    hash: Option<(HashLabel, &str)>,
) -> PodTemplate {
    let mut containers = Vec::new();
    observer.each(&spec.init_containers, "initContainers", |observer, lite| {
        containers.extend(container(observer, lite, false));
    });
    observer.each(&spec.containers, "containers", |observer, lite| {
        containers.extend(container(observer, lite, true));
    });
    let grace = observer.number(&spec.termination_grace_period_seconds, "terminationGracePeriodSeconds");
    PodTemplate {
        revision_hash: hash.map(|(_, hash)| observer.name(cut(hash, MAX_NAME))),
        hash_label: hash.map(|(label, _)| label),
        restart: policy(observer, &spec.restart_policy).unwrap_or(RestartPolicy::Always),
        grace: Duration::from_secs(grace.map_or(30, |seconds| seconds.max(1) as u64)),
        host_network: observer.flag(&spec.host_network, "hostNetwork") == Some(true),
        labels: of_template(labels).map(|(key, value)| (observer.name(key), observer.name(value))).collect(),
        containers: containers.into_iter().map(|container| observer.containers.get(container)).collect(),
    }
}

/// A container; `None` for one without a name.
fn container(observer: &mut Observer, lite: &ContainerLite, of_app: bool) -> Option<ContainerSpec> {
    let name = cut(observer.needed(&lite.name, "name")?, MAX_NAME);
    let restart = policy(observer, &lite.restart_policy);
    let command = words(observer, &lite.command, "command");
    let args = words(observer, &lite.args, "args");
    let pull_policy = observer.get(&lite.image_pull_policy, "imagePullPolicy");
    let post_start = observer.read(&lite.lifecycle, "lifecycle", |_, lifecycle| lifecycle.post_start.ok().is_some());
    let image = cut(observer.text(&lite.image, "image"), MAX_TEXT);
    Some(ContainerSpec {
        name: observer.name(name),
        role: match restart {
            _ if of_app => Role::App,
            Some(RestartPolicy::Always) => Role::Sidecar,
            _ => Role::Init,
        },
        restart,
        restart_rules: restart_rules(observer, lite),
        image: observer.name(image),
        pull_policy: pull_policy.map(|policy| observer.name(cut(policy, MAX_NAME))),
        invocation: invocation(&command, &args),
        invocation_mark: mark(&(&command, &args)),
        env_mark: mark(&(&lite.env, &lite.env_from)),
        env_sources: env_sources(observer, lite),
        ports: ports(observer, lite),
        memory_limit: memory_limit(observer, lite),
        post_start: post_start.unwrap_or(false),
        liveness: probe_of(observer, &lite.liveness_probe, "livenessProbe"),
        readiness: probe_of(observer, &lite.readiness_probe, "readinessProbe"),
        startup: probe_of(observer, &lite.startup_probe, "startupProbe"),
    })
}

fn policy(observer: &mut Observer, field: &Maybe<String>) -> Option<RestartPolicy> {
    match observer.text(field, "restartPolicy") {
        "Always" => Some(RestartPolicy::Always),
        "OnFailure" => Some(RestartPolicy::OnFailure),
        "Never" => Some(RestartPolicy::Never),
        _ => None,
    }
}

fn restart_rules(observer: &mut Observer, lite: &ContainerLite) -> Box<[RestartRule]> {
    let mut rules = Vec::new();
    observer.each(&lite.restart_policy_rules, "restartPolicyRules", |observer, rule| {
        let action = match observer.text(&rule.action, "action") {
            "Restart" => RestartAction::Container,
            "RestartAllContainers" => RestartAction::All,
            _ => RestartAction::Other,
        };
        let exit_codes = observer.read(&rule.exit_codes, "exitCodes", exit_codes).flatten();
        rules.push(RestartRule { action, exit_codes });
    });
    rules.into_boxed_slice()
}

fn exit_codes(observer: &mut Observer, lite: &ExitCodesLite) -> Option<ExitCodes> {
    let listed = match observer.text(&lite.operator, "operator") {
        "In" => true,
        "NotIn" => false,
        _ => return None,
    };
    let mut values = Vec::new();
    observer.each(&lite.values, "values", |_, value| values.extend(i32::try_from(*value).ok()));
    Some(ExitCodes { listed, values: values.into_boxed_slice() })
}

fn probe_of(observer: &mut Observer, probe: &Maybe<Box<ProbeLite>>, name: &'static str) -> Option<Arc<ProbeSpec>> {
    observer.read(probe, name, |observer, probe| probe::spec(observer, probe)).flatten()
}

fn invocation(command: &[Cow<'_, str>], args: &[Cow<'_, str>]) -> Arc<str> {
    let words = command.iter().chain(args).map(|word| &**word);
    Arc::from(cut(&mask::command(words).join(" "), MAX_TEXT))
}

fn env_sources(observer: &mut Observer, lite: &ContainerLite) -> EnvSources {
    let env = (EnvField::Env, observer.get(&lite.env, "env"));
    let env_from = (EnvField::EnvFrom, observer.get(&lite.env_from, "envFrom"));
    let mut sources = Vec::new();
    for (field, list) in [env, env_from] {
        let names = list.into_iter().flat_map(|list| &list.sources);
        sources.extend(names.map(|name| (field, observer.name(name))));
    }
    sources.into_boxed_slice()
}

fn ports(observer: &mut Observer, lite: &ContainerLite) -> Ports {
    let mut ports = Vec::new();
    observer.each(&lite.ports, "ports", |observer, port| {
        let name = observer.get(&port.name, "name").filter(|name| !name.is_empty());
        let number = match &port.container_port {
            Maybe::Absent => observer.needed(&port.container_port, "containerPort").and(None),
            number => observer.whole(number, "containerPort"),
        };
        if let Some(number) = number {
            ports.push((name.map(|name| observer.name(cut(name, MAX_NAME))), number));
        }
    });
    ports.into_boxed_slice()
}

fn memory_limit(observer: &mut Observer, lite: &ContainerLite) -> Option<Arc<str>> {
    let limit = observer.read(&lite.resources, "resources", |observer, resources| {
        observer.read(&resources.limits, "limits", |observer, limits| {
            Some(match observer.get(&limits.memory, "memory")? {
                TextOrNumber::Text(text) => observer.name(cut(text, MAX_NAME)),
                TextOrNumber::Number(number) => Arc::from(number.to_string()),
            })
        })
    });
    limit.flatten().flatten()
}

//! Pod specs → templates.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::{Observer, probe};
use crate::engine::{
    ContainerSpec, EnvField, ExitCodes, HashLabel, PodTemplate, RestartAction, RestartPolicy, RestartRule, Role,
};
use crate::kubelet::ProbeSpec;
use crate::source::hash::mark;
use crate::source::mask::{self, MAX_NAME, MAX_TEXT, cut};
use crate::source::objects::{
    ContainerLite, ExitCodesLite, LabelsLite, List, Maybe, Oddity, PodLite, PodSpecLite, PodTemplateLite, ProbeLite,
    TextOrNumber,
};

/// Labels that differ from pod to pod or from revision to revision.
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
    let labels = meta.labels.known("labels").map_err(|oddity| oddity.under("metadata"))?;
    let labels = labels.unwrap_or(&none);
    let hash = HashLabel::ALL.into_iter().find_map(|label| Some((label, labels.get(label.key())?)));
    let spec = pod.spec.required("spec")?;
    shared(observer, spec, labels, hash).map_err(|oddity| oddity.under("spec"))
}

/// What [`Observer::template`] does.
pub fn of_revision(
    observer: &mut Observer,
    template: &PodTemplateLite,
    revision_hash: Option<(HashLabel, &str)>,
) -> Result<Arc<PodTemplate>, Oddity> {
    let none = LabelsLite::default();
    let meta = template.metadata.known("metadata")?;
    let labels = meta.and_then(|meta| meta.labels.ok()).unwrap_or(&none);
    let spec = template.spec.required("spec")?;
    shared(observer, spec, labels, revision_hash).map_err(|oddity| oddity.under("spec"))
}

/// The one template of that spec, labels and hash.
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
    let template = Arc::new(build(observer, spec, labels, hash)?);
    observer.templates.keep(mark, &template);
    Ok(template)
}

fn fingerprint(spec: &PodSpecLite, labels: &LabelsLite, hash: Option<(HashLabel, &str)>) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash.hash(&mut hasher);
    for pair in of_template(labels) {
        pair.hash(&mut hasher);
    }
    spec.containers.hash(&mut hasher);
    spec.init_containers.hash(&mut hasher);
    spec.restart_policy.hash(&mut hasher);
    spec.host_network.hash(&mut hasher);
    spec.termination_grace_period_seconds.hash(&mut hasher);
    hasher.finish()
}

/// The labels that all pods of a template share.
fn of_template(labels: &LabelsLite) -> impl Iterator<Item = (&str, &str)> {
    let is_hash = |key: &str| HashLabel::ALL.into_iter().any(|label| label.key() == key);
    labels.pairs().filter(move |(key, _)| !is_hash(key) && !OF_ONE_POD.contains(key))
}

fn build(
    observer: &mut Observer,
    spec: &PodSpecLite,
    labels: &LabelsLite,
    hash: Option<(HashLabel, &str)>,
) -> Result<PodTemplate, Oddity> {
    let mut containers = Vec::new();
    spec.init_containers.each("initContainers", |_, lite| {
        let restarts = lite.restart_policy.known("restartPolicy")?;
        let sidecar = restarts.is_some_and(|policy| policy == "Always");
        let role = if sidecar { Role::Sidecar } else { Role::Init };
        containers.push(container(observer, lite, role)?);
        Ok(())
    })?;
    spec.containers.required("containers")?;
    spec.containers.each("containers", |_, lite| {
        containers.push(container(observer, lite, Role::App)?);
        Ok(())
    })?;
    let grace = spec.termination_grace_period_seconds.known("terminationGracePeriodSeconds")?;
    Ok(PodTemplate {
        revision_hash: hash.map(|(_, hash)| observer.name(cut(hash, MAX_NAME))),
        hash_label: hash.map(|(label, _)| label),
        host_network: spec.host_network.known("hostNetwork")? == Some(&true),
        restart: policy(spec.restart_policy.known("restartPolicy")?).unwrap_or(RestartPolicy::Always),
        grace: Duration::from_secs(grace.map_or(30, |seconds| (*seconds).max(1) as u64)),
        labels: of_template(labels).map(|(key, value)| (observer.name(key), observer.name(value))).collect(),
        containers: containers.into_boxed_slice(),
    })
}

fn container(observer: &mut Observer, lite: &ContainerLite, role: Role) -> Result<ContainerSpec, Oddity> {
    let command = words(&lite.command, "command")?;
    let args = words(&lite.args, "args")?;
    let pull_policy = lite.image_pull_policy.known("imagePullPolicy")?;
    Ok(ContainerSpec {
        name: observer.name(cut(lite.name.required("name")?, MAX_NAME)),
        role,
        restart: policy(lite.restart_policy.known("restartPolicy")?),
        restart_rules: restart_rules(lite)?,
        image: observer.name(cut(lite.image.known("image")?.map_or("", String::as_str), MAX_TEXT)),
        pull_policy: pull_policy.map(|policy| observer.name(cut(policy, MAX_NAME))),
        invocation: invocation(&command, &args),
        invocation_mark: mark(&(&command, &args)),
        env_mark: mark(&(&lite.env, &lite.env_from)),
        env_sources: env_sources(observer, lite)?,
        ports: ports(observer, lite)?,
        memory_limit: memory_limit(lite)?,
        post_start: lite
            .lifecycle
            .read("lifecycle", |lifecycle| Ok(lifecycle.post_start.ok().is_some()))?
            .unwrap_or(false),
        liveness: probe_of(observer, &lite.liveness_probe, "livenessProbe")?,
        readiness: probe_of(observer, &lite.readiness_probe, "readinessProbe")?,
        startup: probe_of(observer, &lite.startup_probe, "startupProbe")?,
    })
}

fn policy(word: Option<&String>) -> Option<RestartPolicy> {
    match word?.as_str() {
        "Always" => Some(RestartPolicy::Always),
        "OnFailure" => Some(RestartPolicy::OnFailure),
        "Never" => Some(RestartPolicy::Never),
        _ => None,
    }
}

fn restart_rules(lite: &ContainerLite) -> Result<Box<[RestartRule]>, Oddity> {
    let mut rules = Vec::new();
    lite.restart_policy_rules.each("restartPolicyRules", |_, rule| {
        let action = match rule.action.known("action")?.map(String::as_str) {
            Some("Restart") => RestartAction::Container,
            Some("RestartAllContainers") => RestartAction::All,
            _ => RestartAction::Other,
        };
        let exit_codes = rule.exit_codes.read("exitCodes", exit_codes)?.flatten();
        rules.push(RestartRule { action, exit_codes });
        Ok(())
    })?;
    Ok(rules.into_boxed_slice())
}

fn exit_codes(lite: &ExitCodesLite) -> Result<Option<ExitCodes>, Oddity> {
    let listed = match lite.operator.known("operator")?.map(String::as_str) {
        Some("In") => true,
        Some("NotIn") => false,
        _ => return Ok(None),
    };
    let mut values = Vec::new();
    lite.values.each("values", |_, value| {
        values.extend(i32::try_from(*value).ok());
        Ok(())
    })?;
    Ok(Some(ExitCodes { listed, values: values.into_boxed_slice() }))
}

fn probe_of(observer: &mut Observer, probe: &Maybe<Box<ProbeLite>>, name: &str) -> Result<Option<ProbeSpec>, Oddity> {
    Ok(probe.read(name, |probe| probe::spec(observer, probe))?.flatten())
}

/// The words of a command, as they are.
pub fn words<'a, const MAX: usize>(list: &'a Maybe<List<String, MAX>>, name: &str) -> Result<Vec<&'a str>, Oddity> {
    let Some(list) = list.known(name)? else {
        return Ok(Vec::new());
    };
    let word = |(index, word): (usize, &'a Maybe<String>)| {
        let word = word.required("").map_err(|oddity| oddity.at(index).under(name))?;
        Ok(word.as_str())
    };
    list.0.iter().enumerate().map(word).collect()
}

fn invocation(command: &[&str], args: &[&str]) -> Arc<str> {
    let words = command.iter().chain(args).copied();
    Arc::from(cut(&mask::command(words).join(" "), MAX_TEXT))
}

fn env_sources(observer: &mut Observer, lite: &ContainerLite) -> Result<EnvSources, Oddity> {
    let env = (EnvField::Env, lite.env.known("env")?);
    let env_from = (EnvField::EnvFrom, lite.env_from.known("envFrom")?);
    let mut sources = Vec::new();
    for (field, list) in [env, env_from] {
        let names = list.into_iter().flat_map(|list| &list.sources);
        sources.extend(names.map(|name| (field, observer.name(name))));
    }
    Ok(sources.into_boxed_slice())
}

fn ports(observer: &mut Observer, lite: &ContainerLite) -> Result<Ports, Oddity> {
    let mut ports = Vec::new();
    lite.ports.each("ports", |_, port| {
        let name = port.name.known("name")?.filter(|name| !name.is_empty());
        let number = *port.container_port.required("containerPort")?;
        let number =
            i32::try_from(number).map_err(|_| Oddity::value("containerPort", format!("{number} is out of range")))?;
        ports.push((name.map(|name| observer.name(cut(name, MAX_NAME))), number));
        Ok(())
    })?;
    Ok(ports.into_boxed_slice())
}

fn memory_limit(lite: &ContainerLite) -> Result<Option<Arc<str>>, Oddity> {
    let limit = lite.resources.read("resources", |resources| {
        resources.limits.read("limits", |limits| {
            let memory = limits.memory.known("memory")?;
            Ok(memory.map(|memory| match memory {
                TextOrNumber::Text(text) => Arc::from(cut(text, MAX_NAME)),
                TextOrNumber::Number(number) => Arc::from(number.to_string()),
            }))
        })
    })?;
    Ok(limit.flatten().flatten())
}

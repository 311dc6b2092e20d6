//! What to type.

use super::observation::Owner;
use crate::finding::{Cause, Finding, Value};
use crate::template::{ContainerSpec, PodTemplate, Role};

/// What the remedies are made of.
pub(super) struct Remedy<'a> {
    /// The finding, all but its remedies.
    pub finding: &'a Finding,
    /// The workload.
    pub top: &'a Owner,
    /// The latest earlier revision in which the container was seen to work.
    pub good_revision: Option<u64>,
    /// Who keeps the manifests.
    pub managed_by: Option<&'a str>,
    /// Whose template the workload runs, where it is not its own.
    pub workload_ref: Option<&'a Owner>,
    /// Where the container stands in the template.
    pub place: Place,
}

/// Where a container stands in its template.
#[derive(Copy, Clone, Default)]
pub(super) struct Place {
    /// Among the init containers, sidecars included, or among the others.
    pub is_init: bool,
    /// Its index in that list.
    pub index: usize,
}

impl Place {
    /// The place of the container of that name.
    pub fn of(name: &str, template: &PodTemplate) -> Self {
        let is_init = |spec: &ContainerSpec| spec.role != Role::App;
        let spec = template.containers.iter().find(|spec| &*spec.name == name);
        let among = spec.is_some_and(is_init);
        let mut list = template.containers.iter().filter(|spec| is_init(spec) == among);
        Self { is_init: among, index: list.position(|spec| &*spec.name == name).unwrap_or_default() }
    }
}

impl Remedy<'_> {
    /// Commands and advice, best first.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(owner) = self.managed_by {
            lines.push(format!(
                "{owner} keeps this workload: change it there first, it undoes a change made in the cluster"
            ));
        }
        lines.extend(self.rollback());
        lines.extend(self.set());
        lines.extend(self.look());
        lines
    }

    fn rollback(&self) -> Option<String> {
        let revision = self.good_revision?;
        let (kind, name) = self.rollable()?;
        let namespace = word(&self.finding.namespace);
        // A Deployment that a Rollout takes its template from counts revisions of its own.
        if self.workload_ref.is_some() {
            return Some(format!("kubectl -n {namespace} rollout undo {kind}/{}", word(name)));
        }
        Some(format!("kubectl -n {namespace} rollout undo {kind}/{} --to-revision={revision}", word(name)))
    }

    /// The command that sets the field to the value that works.
    fn set(&self) -> Option<String> {
        let finding = self.finding;
        let field = finding.field.as_deref().filter(|field| field.contains("Probe."))?;
        let value = finding.suggested.as_ref()?;
        let json = match value {
            Value::Number(number) => serde_json::Value::from(*number),
            Value::Text(text) => serde_json::Value::from(text.as_str()),
        };
        let in_words = || Some(format!("set {field} of container {} to {value}", finding.container));
        if field.ends_with("exec.command") {
            return in_words();
        }
        let namespace = word(&finding.namespace);
        let Some((kind, name)) = self.rollable() else {
            return self.set_by_path(&namespace, field, &json).or_else(in_words);
        };
        let mut patch = json;
        for part in field.rsplit('.') {
            patch = serde_json::json!({ part: patch });
        }
        patch["name"] = serde_json::Value::from(&*finding.container);
        let list = if self.place.is_init { "initContainers" } else { "containers" };
        let patch = serde_json::json!({"spec": {"template": {"spec": {list: [patch]}}}});
        Some(format!("kubectl -n {namespace} patch {kind}/{} -p {}", word(name), quoted(&patch.to_string())))
    }

    /// The same for a kind that kubectl knows no strategic patch of: by the container's place in its list.
    fn set_by_path(&self, namespace: &str, field: &str, value: &serde_json::Value) -> Option<String> {
        if &*self.top.kind != "Rollout" {
            return None;
        }
        let list = if self.place.is_init { "initContainers" } else { "containers" };
        let container = format!("/spec/template/spec/{list}/{}", self.place.index);
        let below = format!("{container}/{}", field.replace('.', "/"));
        // The place is that of the container only while it is there.
        let patch = serde_json::json!([
            {"op": "test", "path": format!("{container}/name"), "value": &*self.finding.container},
            {"op": "replace", "path": below, "value": value},
        ]);
        let name = word(&self.top.name);
        Some(format!(
            "kubectl -n {namespace} patch rollouts.argoproj.io/{name} --type=json -p {}",
            quoted(&patch.to_string())
        ))
    }

    /// Where to look, when there is nothing to set.
    fn look(&self) -> Option<String> {
        let finding = self.finding;
        let target = match (&*self.top.kind, &finding.example) {
            // kubectl finds no pods of a kind that it does not know.
            ("Rollout", Some(pod)) => format!("pod/{pod}"),
            _ => format!("{}/{}", self.top.kind.to_lowercase(), self.top.name),
        };
        let (namespace, target, container) = (word(&finding.namespace), word(&target), word(&finding.container));
        match finding.cause {
            Cause::Crash
            | Cause::Exits
            | Cause::KilledExternally
            | Cause::ReportsUnhealthy
            | Cause::Hung
            | Cause::Unknown
            | Cause::NothingListening
            | Cause::KilledWhileStarting
            | Cause::HookFailed => Some(format!("kubectl -n {namespace} logs {target} -c {container} --previous")),
            Cause::OutOfMemory => Some(match &finding.current {
                Some(limit) => {
                    format!("raise resources.limits.memory of container {container} above {limit}, or find what grows")
                }
                None => "give the container a memory limit that it can live with, or find what grows".to_owned(),
            }),
            Cause::CannotPullImage | Cause::CannotStart => Some(format!("kubectl -n {namespace} describe {target}")),
            Cause::DependencyDown => Some("look at what the workloads that fell together depend on".to_owned()),
            Cause::NodeTrouble => Some("kubectl get nodes".to_owned()),
            _ => None,
        }
    }

    /// The kind and name as kubectl's rollout takes it, if it does.
    fn rollable(&self) -> Option<(&'static str, &str)> {
        let of = self.workload_ref.unwrap_or(self.top);
        let kind = match &*of.kind {
            "Deployment" => "deployment",
            "StatefulSet" => "statefulset",
            "DaemonSet" => "daemonset",
            _ => return None,
        };
        Some((kind, &of.name))
    }
}

/// A word of a shell command, quoted where it has to be.
fn word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':');
    if !text.is_empty() && text.bytes().all(plain) { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

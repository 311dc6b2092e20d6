//! What to type.

use super::observation::Owner;
use crate::finding::{Cause, Finding, Value};

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
        let kind = self.rollable()?;
        Some(format!(
            "kubectl -n {} rollout undo {kind}/{} --to-revision={revision}",
            word(&self.finding.namespace),
            word(&self.top.name)
        ))
    }

    /// The command that sets the field to the value that works.
    fn set(&self) -> Option<String> {
        let finding = self.finding;
        let field = finding.field.as_deref().filter(|field| field.contains("Probe."))?;
        let value = finding.suggested.as_ref()?;
        let Some(kind) = self.rollable().filter(|_| !field.ends_with("exec.command")) else {
            return Some(format!("set {field} of container {} to {value}", finding.container));
        };
        let mut patch = match value {
            Value::Number(number) => serde_json::Value::from(*number),
            Value::Text(text) => serde_json::Value::from(text.as_str()),
        };
        for part in field.rsplit('.') {
            patch = serde_json::json!({ part: patch });
        }
        patch["name"] = serde_json::Value::from(&*finding.container);
        let patch = serde_json::json!({"spec": {"template": {"spec": {"containers": [patch]}}}});
        Some(format!(
            "kubectl -n {} patch {kind}/{} -p {}",
            word(&finding.namespace),
            word(&self.top.name),
            quoted(&patch.to_string())
        ))
    }

    /// Where to look, when there is nothing to set.
    fn look(&self) -> Option<String> {
        let finding = self.finding;
        let target = format!("{}/{}", self.top.kind.to_lowercase(), self.top.name);
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

    /// The kind as kubectl's rollout takes it, if it does.
    fn rollable(&self) -> Option<&'static str> {
        match &*self.top.kind {
            "Deployment" => Some("deployment"),
            "StatefulSet" => Some("statefulset"),
            "DaemonSet" => Some("daemonset"),
            _ => None,
        }
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

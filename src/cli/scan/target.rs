//! `KIND/NAME`: one workload or pod.

use std::fmt;

use crate::scan::Placed;

/// The names of the kinds accepted by kubectl, and the kinds.
const KINDS: [(&str, &[&str]); 9] = [
    ("Deployment", &["deployment", "deployments", "deploy", "deployment.apps", "deployments.apps"]),
    ("StatefulSet", &["statefulset", "statefulsets", "sts", "statefulset.apps", "statefulsets.apps"]),
    ("DaemonSet", &["daemonset", "daemonsets", "ds", "daemonset.apps", "daemonsets.apps"]),
    ("ReplicaSet", &["replicaset", "replicasets", "rs", "replicaset.apps", "replicasets.apps"]),
    ("Job", &["job", "jobs", "job.batch", "jobs.batch"]),
    ("CronJob", &["cronjob", "cronjobs", "cj", "cronjob.batch", "cronjobs.batch"]),
    ("Rollout", &["rollout", "rollouts", "ro", "rollout.argoproj.io"]),
    ("ReplicationController", &["replicationcontroller", "replicationcontrollers", "rc"]),
    ("Pod", &["pod", "pods", "po"]),
];

/// A workload or a pod by its kind and name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    kind: String,
    name: String,
}

/// Parses `deployment/web`, with the kind names of kubectl.
///
/// # Errors
/// It has no kind or no name.
pub fn target(text: &str) -> Result<Target, String> {
    let hint = "write it as KIND/NAME, such as deployment/web";
    let (kind, name) = text.split_once('/').ok_or_else(|| hint.to_owned())?;
    if kind.is_empty() || name.is_empty() || name.contains('/') {
        return Err(hint.to_owned());
    }
    let lower = kind.to_lowercase();
    let known = KINDS.iter().find(|(_, names)| names.contains(&lower.as_str()));
    Ok(Target { kind: known.map_or_else(|| kind.to_owned(), |(kind, _)| (*kind).to_owned()), name: name.to_owned() })
}

impl Target {
    /// Whether it is that workload.
    pub fn is_workload(&self, workload: &str) -> bool {
        let (kind, name) = workload.split_once('/').unwrap_or_default();
        kind.eq_ignore_ascii_case(&self.kind) && name == self.name
    }

    /// Whether it is a pod, its controller, or the topmost controller.
    pub fn is_of_owner(&self, placed: &Placed) -> bool {
        self.is_workload(&placed.workload)
            || placed.owner.kind.eq_ignore_ascii_case(&self.kind) && *placed.owner.name == *self.name
            || self.kind == "Pod" && placed.pods.iter().any(|pod| **pod == *self.name)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_may_be_called_as_kubectl_calls_it() {
        for text in ["deploy/web", "Deployment/web", "deployments.apps/web"] {
            assert!(target(text).unwrap().is_workload("Deployment/web"), "{text}");
        }
        assert!(target("Sandbox/web").unwrap().is_workload("Sandbox/web"));
        assert!(!target("sts/web").unwrap().is_workload("Deployment/web"));
        for wrong in ["web", "deploy/", "/web", "a/b/c"] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }
}

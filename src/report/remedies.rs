//! The remedies of a finding as lines: commands for a shell, and advice.

mod read;
mod shell;

use std::sync::Arc;

pub use read::{read, read_or_keep};

use self::shell::Command;
use super::headline::kind_and_name;
use crate::finding::Finding;
use crate::finding::field::{Field, ProbeField};
use crate::finding::remedy::{Correction, Kind, List, Place, Remedy, Target};

/// One remedy as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its role for the reader.
    pub label: Label,
    /// The command, or the advice.
    pub text: String,
    /// Whether the text may be offered for pasting into a shell.
    pub is_command: bool,
}

/// The role of a remedy for the reader.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Label {
    /// The first one, which fixes the problem.
    Fix,
    /// The first one, which investigates further.
    Next,
    /// An alternative.
    Or,
    /// The step after the previous one.
    Then,
}

impl Label {
    /// `Fix`
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fix => "Fix",
            Self::Next => "Next",
            Self::Or => "or",
            Self::Then => "then",
        }
    }
}

/// What to type or do, best first.
pub fn lines(finding: &Finding) -> Vec<Line> {
    let mut before = None;
    finding
        .remedy
        .iter()
        .map(|remedy| {
            let label = label(before.replace(remedy), remedy);
            match text(remedy, finding) {
                Ok(text) => Line { label, text, is_command: true },
                Err(text) => Line { label, text, is_command: false },
            }
        })
        .collect()
}

/// The same as texts alone.
pub fn texts(finding: &Finding) -> Vec<String> {
    lines(finding).into_iter().map(|line| line.text).collect()
}

/// `Fix` before what fixes the problem, `Next` before what investigates further.
fn label(before: Option<&Remedy>, remedy: &Remedy) -> Label {
    match (before, remedy) {
        (Some(Remedy::Resume(_)), _) | (Some(_), Remedy::DeletePod { .. } | Remedy::DeleteOthers { .. }) => Label::Then,
        (Some(_), _) => Label::Or,
        (None, remedy) if only_looks(remedy) => Label::Next,
        (None, _) => Label::Fix,
    }
}

const fn only_looks(remedy: &Remedy) -> bool {
    matches!(
        remedy,
        Remedy::Logs { .. }
            | Remedy::DescribePod { .. }
            | Remedy::ListPods
            | Remedy::LookAtWhatIsShared { .. }
            | Remedy::LookAtNodes
    )
}

/// A command, or as an error a text that is only for reading.
fn text(remedy: &Remedy, finding: &Finding) -> Result<String, String> {
    let kubectl = || Command::within(&finding.namespace);
    match remedy {
        Remedy::Resume(target) => kubectl().words("rollout resume").target(target).finish(),
        Remedy::RollBack { target, revision } => roll_back(target, *revision, finding),
        Remedy::SetField { place, field, value } => {
            let json = serde_json::to_value(value).unwrap_or_default();
            let patch = (field.probe_field() != Some(ProbeField::ExecCommand))
                .then(|| patch(place, field, &json, finding))
                .flatten();
            let in_words =
                || Err(format!("set {field} of container {} to {value}{}", finding.container, where_it_is(place)));
            patch.unwrap_or_else(in_words)
        }
        Remedy::DeletePod { pod } => kubectl().words("delete").target(&Target::pod(pod)).finish(),
        Remedy::Logs { of, previous } => {
            let logs = kubectl().words("logs").target(of).words("-c").name(&finding.container);
            if *previous { logs.words("--previous") } else { logs }.finish()
        }
        Remedy::DescribePod { pod } => kubectl().words("describe").target(&Target::pod(pod)).finish(),
        Remedy::ListPods => kubectl().words("get pods").finish(),
        Remedy::LookAtNodes => Command::kubectl().words("get nodes").finish(),
        advice => Err(advise(advice, finding)),
    }
}

/// A remedy that is not a command.
fn advise(remedy: &Remedy, finding: &Finding) -> String {
    let container = &finding.container;
    match remedy {
        Remedy::ChangeInGit { tool } => {
            format!("{tool} keeps this workload: change it there first, it undoes a change made in the cluster")
        }
        Remedy::GoBack { target, revision } => {
            let undo = roll_back(target, Some(*revision), finding).unwrap_or_else(|text| text);
            format!("try revision {revision}, which has the same app and was not seen to work: {undo}")
        }
        Remedy::DeleteOthers { more: 1 } => "and 1 more pod that loops".to_owned(),
        Remedy::DeleteOthers { more } => {
            format!("and {more} more pods that loop, one at a time, the highest number first")
        }
        Remedy::Correct { place, field, needs } => format!("{}{}", correct(*needs, field), where_it_is(place)),
        Remedy::RaiseMemory { place, limit } => match limit {
            Some(limit) => format!(
                "find what grows, or raise resources.limits.memory of container {container} above {limit}{}",
                where_it_is(place)
            ),
            None => "find what grows, or give the container a memory limit that it can live with".to_owned(),
        },
        Remedy::LookAtWhatIsShared { with } => shared(finding, with),
        Remedy::Words(words) if words.starts_with("kubectl ") => shell::not_to_be_pasted(words),
        Remedy::Words(words) => words.clone(),
        Remedy::Resume(_)
        | Remedy::RollBack { .. }
        | Remedy::SetField { .. }
        | Remedy::DeletePod { .. }
        | Remedy::Logs { .. }
        | Remedy::DescribePod { .. }
        | Remedy::ListPods
        | Remedy::LookAtNodes => String::new(),
    }
}

fn roll_back(target: &Target, revision: Option<u64>, finding: &Finding) -> Result<String, String> {
    let revision = revision.map(|revision| format!("--to-revision={revision}"));
    if target.kind == Kind::Rollout {
        // kubectl itself does not support Rollouts; its plugin wants the flags after the name.
        let undo = Command::kubectl().words("argo rollouts undo").name(&target.name);
        let undo = undo.words("-n").name(&finding.namespace);
        let undo = if let Some(flag) = revision { undo.words(&flag) } else { undo };
        let undo = undo.finish().unwrap_or_else(|text| text);
        return Err(format!("go back with Argo's plugin: {undo}"));
    }
    let undo = Command::within(&finding.namespace).words("rollout undo").target(target);
    match revision {
        Some(flag) => undo.words(&flag),
        None => undo,
    }
    .finish()
}

/// The command that sets a field; `None` if no patch can.
fn patch(place: &Place, field: &Field, value: &serde_json::Value, finding: &Finding) -> Option<Result<String, String>> {
    let (target, patch) = match place {
        Place::Template { target, list, paused } => {
            (target, merged(target.kind, *list, *paused, field, value, &finding.container))
        }
        Place::Indexed { target, list, index } => (target, indexed(*list, *index, field, value, &finding.container)),
        Place::Anew(_) | Place::Manifest { .. } | Place::File { .. } => return None,
    };
    let command = Command::within(&finding.namespace).words("patch").target(target);
    let command = if matches!(place, Place::Indexed { .. }) { command.words("--type=json") } else { command };
    Some(command.words("-p").quoted(&patch.to_string()).finish())
}

/// A strategic merge patch: lists of containers are merged by name.
fn merged(
    kind: Kind,
    list: List,
    paused: bool,
    field: &Field,
    value: &serde_json::Value,
    container: &Arc<str>,
) -> serde_json::Value {
    let mut patch = value.clone();
    for part in field.to_string().rsplit('.') {
        patch = serde_json::json!({ part: patch });
    }
    patch["name"] = serde_json::Value::from(&**container);
    let mut spec = serde_json::json!({"template": {"spec": {list.field(): [patch]}}});
    if paused {
        spec["paused"] = false.into();
    }
    match kind {
        Kind::CronJob => serde_json::json!({"spec": {"jobTemplate": {"spec": spec}}}),
        _ => serde_json::json!({ "spec": spec }),
    }
}

/// A JSON patch, for kinds whose lists kubectl cannot merge: a test operation ensures that the index still
/// is that of the container.
fn indexed(
    list: List,
    index: usize,
    field: &Field,
    value: &serde_json::Value,
    container: &Arc<str>,
) -> serde_json::Value {
    let of_container = format!("/spec/template/spec/{}/{index}", list.field());
    serde_json::json!([
        {"op": "test", "path": format!("{of_container}/name"), "value": &**container},
        // Adds missing fields too: such kinds have no defaults.
        {"op": "add", "path": format!("{of_container}/{}", field.to_string().replace('.', "/")), "value": value},
    ])
}

/// Where to change a field that no command can change.
fn where_it_is(place: &Place) -> String {
    match place {
        Place::Template { .. } | Place::Indexed { .. } => String::new(),
        Place::Anew(target) => {
            let word = target.kind.word();
            format!(" in the {word}'s manifest; then delete the {word} and apply it again")
        }
        Place::Manifest { kind, name } => format!(" in the manifest of {kind} {name}"),
        Place::File { node: Some(node) } => {
            format!(
                " in the static pod's manifest on node {node} (by default in /etc/kubernetes/manifests); the kubelet \
                 restarts the pod by itself"
            )
        }
        Place::File { node: None } => {
            " in the static pod's manifest on its node; the kubelet restarts the pod by itself".to_owned()
        }
    }
}

fn correct(needs: Correction, field: &Field) -> String {
    match needs {
        Correction::Path => format!("set {field} to a path that the app itself answers with 200 (none was seen)"),
        Correction::Port => format!("set {field} to the port on which the app listens (none was seen)"),
        Correction::Scheme => format!("set {field} to the scheme that the port serves (none was seen)"),
        Correction::NoHost => format!("leave out {field}: without it the probe asks the pod itself"),
        Correction::Credentials => {
            format!("probe an endpoint that needs no credentials, or send them with {field} (none was seen)")
        }
        Correction::Handler => {
            "probe the port in the protocol that it serves, or the port that serves this one".to_owned()
        }
        Correction::GrpcService => {
            format!("set {field} to a service that the app's health server knows (none was seen)")
        }
        Correction::Command => {
            format!("set {field} to a command that the image contains, or put this one into it")
        }
        Correction::DeclaredPort => format!("set {field} to a port that the container declares"),
        Correction::Timeout => format!("raise {field} (how long an answer takes was not seen)"),
        Correction::StartupProbe => {
            "add a startupProbe that gives the app the time to start (how long it takes was not seen)".to_owned()
        }
        Correction::StartTime => format!("raise {field} (how long the app takes to start was not seen)"),
    }
}

/// `check what orders and payments share: database, DNS, configuration`
fn shared(finding: &Finding, with: &[Arc<str>]) -> String {
    const NAMED: usize = 3;
    let own = kind_and_name(&finding.workload).1;
    let others = with.iter().map(|workload| kind_and_name(workload).1).filter(|name| *name != own);
    let mut names: Vec<&str> = std::iter::once(own).chain(others).collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let names = match (names.as_slice(), more) {
        ([], _) | ([_], 0) => "the workloads that became unhealthy together".to_owned(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (names, more) => format!("{} and {more} more", names.join(", ")),
    };
    format!("check what {names} share: database, DNS, configuration")
}

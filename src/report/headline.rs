//! The wording shared by all forms of a message: who it is about, and what is wrong in one sentence. Raw
//! text: the caller cuts and escapes it for its medium.

use crate::engine::{Cause, Effect, Finding, Value};
use crate::kubelet::{Obstacle, StartFailure};
use crate::text::escape::cut;

/// Maximum length of a name within a headline, in columns.
const NAME: usize = 80;

/// `auth-service (Deployment, namespace prod): the liveness probe asks for a path …`
pub fn headline(finding: &Finding) -> String {
    format!("{}: {}", subject(finding), what_is_wrong(finding))
}

/// `auth-service (Deployment, namespace prod)`
pub fn subject(finding: &Finding) -> String {
    let (kind, name) = kind_and_name(&finding.workload);
    format!("{name} ({kind}, namespace {})", finding.namespace)
}

/// The two parts of `Deployment/auth-service`.
pub fn kind_and_name(workload: &str) -> (&str, &str) {
    workload.split_once('/').unwrap_or(("workload", workload))
}

/// The cause in one sentence, without a full stop.
pub fn what_is_wrong(finding: &Finding) -> String {
    let probe = probe(finding);
    match finding.cause {
        Cause::WrongPath => format!("the {probe} asks for a path that the app does not serve"),
        Cause::WrongPort => format!("the {probe} asks a port on which the app does not listen"),
        Cause::WrongScheme => wrong_scheme(&probe, finding.current.as_ref()),
        Cause::WrongHost => format!("the {probe} asks a host that does not resolve or is not the pod"),
        Cause::AuthRequired => format!("the {probe} asks an endpoint that wants credentials"),
        Cause::WrongHandler => format!("the {probe} speaks a protocol that the port does not serve"),
        Cause::WrongGrpcService => format!("the {probe} asks for a gRPC service that the app does not offer"),
        Cause::WrongCommand => format!("the {probe} runs a command that the image does not contain"),
        Cause::RedirectLoop => format!("the {probe} asks for a path that redirects for ever"),
        Cause::RedirectsElsewhere => {
            format!("the {probe} asks for a path that redirects to another host, which counts as success")
        }
        Cause::TimeoutTooShort => format!("the {probe} gives up before the app answers"),
        Cause::KilledWhileStarting => format!("the {probe} kills the app before it has started"),
        Cause::NothingListening => format!("nothing has ever listened on the port that the {probe} asks"),
        Cause::ProbeCannotRun => format!("the {probe} cannot run, so it protects nothing"),
        Cause::ReportsUnhealthy => format!("the app tells its {probe} that it is unhealthy"),
        Cause::Hung => format!("the app stopped answering its {probe}"),
        Cause::DependencyDown => "several workloads became unhealthy at once: something that they share is down".into(),
        Cause::Crash => "the app crashes".into(),
        Cause::Exits => "the app ends by itself, with exit code 0".into(),
        Cause::KilledExternally => "a signal ends the app, and neither a probe nor the memory limit sent it".into(),
        Cause::OutOfMemory => "the container needs more memory than its limit allows".into(),
        Cause::HookFailed => "the postStart hook fails".into(),
        Cause::CannotStart => cannot_start(finding.start_failure.as_ref()),
        Cause::CannotPullImage => "the image cannot be pulled".into(),
        Cause::NodeTrouble => "containers of one node ended at once: the node is in trouble".into(),
        Cause::Unknown => unknown(finding, &probe),
    }
}

fn wrong_scheme(probe: &str, current: Option<&Value>) -> String {
    match current {
        Some(Value::Text(scheme)) if scheme == "HTTPS" => {
            format!("the {probe} speaks HTTPS to a port that serves plain HTTP")
        }
        Some(Value::Text(scheme)) if scheme == "HTTP" => {
            format!("the {probe} speaks plain HTTP to a port that serves HTTPS")
        }
        _ => format!("the {probe} speaks HTTP where the app expects HTTPS, or the other way round"),
    }
}

fn cannot_start(why: Option<&StartFailure>) -> String {
    const START: &str = "the container cannot be started";
    let name = |name: &str| cut(name, NAME);
    match why {
        Some(StartFailure::MissingCommand { name: command }) => {
            format!("{START}: its command {} does not exist in the image", name(command))
        }
        Some(StartFailure::NotExecutable { name: Some(file), why: Obstacle::WorkingDir }) => {
            format!("{START}: its working directory {} is not one", name(file))
        }
        Some(StartFailure::NotExecutable { name: None, why: Obstacle::WorkingDir }) => {
            format!("{START}: its working directory is not one")
        }
        Some(StartFailure::NotExecutable { name: Some(file), .. }) => {
            format!("{START}: {} cannot be executed", name(file))
        }
        Some(StartFailure::NotExecutable { name: None, .. }) => format!("{START}: its command cannot be executed"),
        Some(StartFailure::MemoryTooSmall) => format!("{START}: its memory limit is too small"),
        Some(StartFailure::RuntimeTooOld) => format!("{START}: the node's container runtime is too old"),
        Some(StartFailure::RuntimeGaveUp) => format!("{START}: the node's container runtime gave up"),
        Some(StartFailure::RunsAsRoot) => format!("{START}: runAsNonRoot is set and the image runs as root"),
        Some(StartFailure::Config { kind, name: object, key: None }) => {
            format!("{START}: {} \"{}\" not found", kind.word(), name(object))
        }
        Some(StartFailure::Config { kind, name: object, key: Some(key) }) => {
            format!("{START}: no key {} in {} \"{}\"", name(key), kind.word(), name(object))
        }
        None => "the container cannot be created or started".to_owned(),
    }
}

fn unknown(finding: &Finding, probe: &str) -> String {
    match finding.effect {
        Effect::RestartLoop if finding.probe.is_some() => {
            format!("the {probe} kills the container again and again; the evidence does not say why")
        }
        Effect::RestartLoop => "the container restarts again and again; the evidence does not say why".into(),
        Effect::Killed => format!("its {probe} ended the container; the evidence does not say why"),
        Effect::NeverReady => "the container never becomes ready; the evidence does not say why".into(),
        Effect::ProbeIneffective => format!("the {probe} protects nothing; the evidence does not say why"),
        Effect::StartBlocked => "the container does not start; the evidence does not say why".into(),
        Effect::Flapping => format!("the {probe} fails now and then; the evidence does not say why"),
        Effect::Recurring => "the container ends from time to time; the evidence does not say why".into(),
    }
}

/// `liveness probe`; `probe` if the kind is not known.
pub fn probe(finding: &Finding) -> String {
    finding.probe.map_or_else(|| "probe".to_owned(), |probe| format!("{probe} probe"))
}

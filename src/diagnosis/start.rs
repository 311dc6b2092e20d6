//! Containers that never began.

use super::Verdict;
use super::evidence::{Blocked, Evidence};
use super::verdict::text;
use crate::finding::{Cause, Confidence};
use crate::template::{ContainerSpec, EnvField};

/// The image cannot be pulled, or the container cannot be created or started.
pub fn blocked(evidence: &Evidence) -> Option<Verdict> {
    let blocked = evidence.blocked.as_ref()?;
    let verdict = match &*blocked.reason {
        "ErrImageNeverPull" => image(evidence).field("imagePullPolicy").current(text("Never")),
        "ErrImagePull"
        | "ImagePullBackOff"
        | "InvalidImageName"
        | "ImageInspectError"
        | "RegistryUnavailable"
        | "SignatureValidationFailed" => image(evidence),
        _ => cannot_start(evidence, blocked),
    };
    let words = blocked.message.as_deref().unwrap_or("no message");
    Some(verdict.because(blocked.since, format!("{}: {words}", blocked.reason)))
}

fn image(evidence: &Evidence) -> Verdict {
    Verdict::new(Cause::CannotPullImage, Confidence::High).field("image").current(text(&*evidence.container.image))
}

fn cannot_start(evidence: &Evidence, blocked: &Blocked) -> Verdict {
    let verdict = Verdict::new(Cause::CannotStart, Confidence::High);
    let message = blocked.message.as_deref().unwrap_or_default();
    match &*blocked.reason {
        "StartError" | "RunContainerError" | "ContainerCannotRun" => verdict
            .field("command")
            .current(text(&*evidence.container.invocation).filter(|_| !evidence.container.invocation.is_empty())),
        _ => match named_in_env(evidence.container, message) {
            Some(field) => verdict.field(field),
            None => verdict,
        },
    }
}

/// The environment field that names the ConfigMap or Secret of which the message speaks.
fn named_in_env(container: &ContainerSpec, message: &str) -> Option<&'static str> {
    container.env_sources.iter().find(|(_, name)| message.split(['"', ' ', '/']).any(|word| word == &**name)).map(
        |(field, _)| match field {
            EnvField::Env => "env",
            EnvField::EnvFrom => "envFrom",
        },
    )
}

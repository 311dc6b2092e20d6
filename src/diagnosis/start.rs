//! Containers that never began.

use super::candidate::{Candidate, Strength};
use super::evidence::Evidence;
use super::facts::Blocked;
use super::verdict::text;
use crate::finding::Cause;
use crate::kubelet::{Obstacle, StartFailure, start_error};
use crate::template::{ContainerSpec, EnvField};

/// The field of an image volume's image.
const OF_A_VOLUME: &str = "volumes.image.reference";

/// The image cannot be pulled, or the container cannot be created or started.
pub fn blocked(evidence: &Evidence) -> Option<Candidate> {
    let blocked = evidence.blocked.as_ref()?;
    let candidate = match &*blocked.reason {
        "ErrImageNeverPull" => match image(evidence) {
            of_volume if of_volume.field.as_deref() == Some(OF_A_VOLUME) => of_volume,
            own => own.field("imagePullPolicy").current(text("Never")),
        },
        "ErrImagePull"
        | "ImagePullBackOff"
        | "InvalidImageName"
        | "ImageInspectError"
        | "RegistryUnavailable"
        | "SignatureValidationFailed" => image(evidence),
        _ => cannot_start(evidence, blocked),
    };
    let words = super::shortened(blocked.message.as_deref().unwrap_or("no message"));
    Some(candidate.proven(Strength::Seen, blocked.since, format!("{}: {words}", blocked.reason)))
}

/// The image of which a message speaks, where that is not the container's: a volume's.
fn of_a_volume<'a>(evidence: &Evidence, message: &'a str) -> Option<&'a str> {
    let image = &*evidence.container.image;
    let named = message.split_once("image \"")?.1.split_once('"')?.0;
    let is_own = named == image || named.ends_with(&format!("/{image}")) || named.starts_with(image);
    (!is_own && !message.contains(image)).then_some(named)
}

fn image(evidence: &Evidence) -> Candidate {
    let message = evidence.blocked.as_ref().and_then(|blocked| blocked.message.as_deref());
    if let Some(volume) = message.and_then(|message| of_a_volume(evidence, message)) {
        return Candidate::new(Cause::CannotPullImage, "the image of a volume may not be there")
            .field(OF_A_VOLUME)
            .current(text(volume));
    }
    Candidate::new(Cause::CannotPullImage, "the image may not be there")
        .field("image")
        .current(text(&*evidence.container.image))
}

fn cannot_start(evidence: &Evidence, blocked: &Blocked) -> Candidate {
    let candidate = Candidate::new(Cause::CannotStart, "the container may not be able to start");
    let message = blocked.message.as_deref().unwrap_or_default();
    let invocation = Some(&evidence.container.invocation).filter(|words| !words.is_empty()).map(|words| text(&**words));
    match start_error(message) {
        Some(StartFailure::NotExecutable { why: Obstacle::WorkingDir, .. }) => candidate.field("workingDir"),
        Some(StartFailure::MissingCommand { .. } | StartFailure::NotExecutable { .. }) => {
            candidate.field("command").current(invocation)
        }
        Some(StartFailure::MemoryTooSmall) => {
            let limit = evidence.container.memory_limit.as_ref().map(|limit| text(&**limit));
            candidate.field("resources.limits.memory").current(limit)
        }
        Some(StartFailure::RunsAsRoot) => candidate.field("securityContext.runAsNonRoot"),
        Some(StartFailure::Config { .. } | StartFailure::RuntimeTooOld) | None => {
            match named_in_env(evidence.container, message) {
                Some(field) => candidate.field(field),
                None if matches!(&*blocked.reason, "StartError" | "RunContainerError" | "ContainerCannotRun") => {
                    candidate.field("command").current(invocation)
                }
                None => candidate,
            }
        }
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

//! Containers that never started.

use super::candidate::{Candidate, Strength};
use super::evidence::Evidence;
use super::facts::Blocked;
use super::verdict::text;
use crate::finding::Cause;
use crate::finding::field::{ContainerField, Field};
use crate::kubelet::{Obstacle, StartFailure, start_error};
use crate::template::{ContainerSpec, EnvField};

/// The image cannot be pulled, or the container cannot be created or started.
pub fn blocked(evidence: &Evidence) -> Option<Candidate> {
    let blocked = evidence.blocked.as_ref()?;
    let candidate = match &*blocked.reason {
        "ErrImageNeverPull" => match image(evidence) {
            of_volume if of_volume.field == Some(ContainerField::VolumeImage.into()) => of_volume,
            own => own.field(Field::from(ContainerField::ImagePullPolicy)).current(text("Never")),
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

/// The image named in a message, if it is not the container's but a volume's.
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
            .field(Field::from(ContainerField::VolumeImage))
            .current(text(volume));
    }
    Candidate::new(Cause::CannotPullImage, "the image may not be there")
        .field(Field::from(ContainerField::Image))
        .current(text(&*evidence.container.image))
}

fn cannot_start(evidence: &Evidence, blocked: &Blocked) -> Candidate {
    let candidate = Candidate::new(Cause::CannotStart, "the container may not be able to start");
    let message = blocked.message.as_deref().unwrap_or_default();
    let invocation = Some(&evidence.container.invocation).filter(|words| !words.is_empty()).map(|words| text(&**words));
    match start_error(message) {
        Some(StartFailure::NotExecutable { why: Obstacle::WorkingDir, .. }) => {
            candidate.field(Field::from(ContainerField::WorkingDir))
        }
        Some(StartFailure::MissingCommand { .. } | StartFailure::NotExecutable { .. }) => {
            candidate.field(Field::from(ContainerField::Command)).current(invocation)
        }
        Some(StartFailure::MemoryTooSmall) => {
            let limit = evidence.container.memory_limit.as_ref().map(|limit| text(&**limit));
            candidate.field(Field::from(ContainerField::MemoryLimit)).current(limit)
        }
        Some(StartFailure::RunsAsRoot) => candidate.field(Field::from(ContainerField::RunAsNonRoot)),
        // No field of the container is to blame for its node.
        Some(StartFailure::RuntimeTooOld | StartFailure::RuntimeGaveUp) => candidate,
        Some(StartFailure::Config { .. }) | None => match named_in_env(evidence.container, message) {
            Some(field) => candidate.field(Field::from(field)),
            None if matches!(&*blocked.reason, "StartError" | "RunContainerError" | "ContainerCannotRun") => {
                candidate.field(Field::from(ContainerField::Command)).current(invocation)
            }
            None => candidate,
        },
    }
}

/// The environment field that references the ConfigMap or Secret named in the message.
fn named_in_env(container: &ContainerSpec, message: &str) -> Option<ContainerField> {
    container.env_sources.iter().find(|(_, name)| message.split(['"', ' ', '/']).any(|word| word == &**name)).map(
        |(field, _)| match field {
            EnvField::Env => ContainerField::Env,
            EnvField::EnvFrom => ContainerField::EnvFrom,
        },
    )
}

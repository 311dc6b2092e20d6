//! Plays a recording into a real API server, in real time.
//!
//! The recorded objects are written again: owners, pods with their statuses, events. What a server decides
//! itself differs there, and is translated: UIDs, all times. The player takes the place of the controllers
//! and the kubelet that once wrote all this; the cluster must not have any that interfere.

mod lag;
mod lanes;
mod objects;
mod recorder;
mod resource;
mod stage;
mod translation;
mod uids;

use std::sync::Arc;
use std::time::Duration;

use probehound::time::Time;

use crate::harness::Api;
use crate::harness::clock;
use crate::support::{self, Recording};

pub use lag::Lag;
pub use lanes::Gate;
pub use recorder::Recorder;

/// A part of a recording, to be played.
#[derive(Clone)]
pub struct Scene {
    incident: String,
    /// A recording that is not in `tests/incidents`.
    other: Option<Arc<Recording>>,
    namespace: Option<String>,
    skip: Duration,
    length: Duration,
}

/// The result of playing.
#[derive(Debug, Default)]
pub struct Played {
    /// Lines of the recording that were played.
    pub lines: usize,
    /// The delays of the writes.
    pub lag: Lag,
    /// The server's refusals.
    pub refused: Vec<String>,
}

impl Scene {
    /// The first `length` of an incident, in the namespace of the recording.
    pub fn of(incident: &str, length: Duration) -> Self {
        Self { incident: incident.to_owned(), other: None, namespace: None, skip: Duration::ZERO, length }
    }

    /// The first `length` of another recording, in that namespace.
    pub fn recorded_elsewhere(namespace: &str, recording: Recording, length: Duration) -> Self {
        let scene = Self::of(namespace, length).in_namespace(namespace);
        Self { other: Some(Arc::new(recording)), ..scene }
    }

    /// The same, from a later time: everything from before exists when it begins.
    #[must_use]
    pub fn skipping(self, skip: Duration) -> Self {
        Self { skip, ..self }
    }

    /// The same, in that namespace.
    #[must_use]
    pub fn in_namespace(self, namespace: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), ..self }
    }

    /// The incident's name.
    pub fn incident(&self) -> &str {
        &self.incident
    }

    /// The namespace in which it is played.
    pub fn namespace(&self) -> String {
        self.namespace.clone().unwrap_or_else(|| self.recorded_namespace())
    }

    /// The namespace in which it was recorded.
    pub fn recorded_namespace(&self) -> String {
        stage::namespace_of(self.recording())
    }

    /// The recorded part, from the recording's beginning on.
    pub fn recorded(&self) -> Recording {
        let until = self.recording().start().plus(self.skip + self.length);
        self.recording().filtered(|_, line| line.at < until)
    }

    fn recording(&self) -> &Recording {
        self.other.as_deref().unwrap_or_else(|| support::incident(&self.incident).recording())
    }
}

/// Plays a scene: what existed before it is written at once, and its first line at `start`, or up to a
/// second later, so that the fractions of seconds are those of the recording.
///
/// Objects are written in the order of the recording, several at a time, since a cluster's components do
/// not wait for each other either.
pub async fn play(api: &Api, scene: &Scene, start: Time) -> Played {
    play_through(api, scene, start, &Gate::default()).await
}

/// Plays a scene in the same way, but pauses the writes while the gate is held.
pub async fn play_through(api: &Api, scene: &Scene, start: Time, gate: &Gate) -> Played {
    let recording = scene.recording();
    let from = recording.start().plus(scene.skip);
    let until = from.plus(scene.length);
    let translation = translation::Translation::new(recording, &scene.namespace(), from, start);
    api.create_namespace(&scene.namespace()).await;
    for account in stage::service_accounts(recording) {
        api.create_service_account(&scene.namespace(), &account).await;
    }
    let before = stage::before(recording, from);
    let lines: Vec<_> = recording.lines.iter().filter(|line| from <= line.at && line.at < until).cloned().collect();
    let expected = stage::uids(before.iter().chain(&lines));
    let writers = lanes::Lanes::open(api, &translation, expected, gate);
    for line in before {
        writers.write(line, None).await;
    }
    let mut played = Played::default();
    for line in lines {
        let due = translation.time(line.at);
        clock::sleep_until(due).await;
        writers.write(line, Some(due)).await;
        played.lines += 1;
    }
    clock::sleep_until(translation.time(until)).await;
    writers.close(&mut played).await;
    played
}

//! The one place where a recording is replayed.

use std::sync::Arc;

use probehound::engine::{Change, Engine, Finding, Settings};
use probehound::replay::{Moment, Replayed};
use probehound::report::written::Written;
use serde_json::json;

use super::document::Document;
use super::recording::Recording;

/// The result of replaying a recording.
pub fn replay(recording: &Recording) -> Document {
    read(&replay_bytes(recording))
}

/// The same, as JSON.
pub fn replay_bytes(recording: &Recording) -> Vec<u8> {
    let mut engine = Engine::new(Settings::default());
    let (replayed, _) = continue_with(&mut engine, recording);
    bytes(&engine.findings(), replayed.observations, replayed.skipped)
}

/// The document with these findings.
pub fn document(findings: &[Arc<Finding>], observations: u64, skipped: u64) -> Document {
    read(&bytes(findings, observations, skipped))
}

/// Replays a recording into an engine, and returns the changes.
pub fn continue_with(engine: &mut Engine, recording: &Recording) -> (Replayed, Vec<Change>) {
    let mut changes = Vec::new();
    let replayed = probehound::replay::replay(recording.bytes().as_slice(), engine, |moment| {
        if let Moment::Change(change) = moment {
            changes.push(change);
        }
    });
    assert!(replayed.error.is_none(), "{:?}", replayed.error);
    (replayed, changes)
}

fn bytes(findings: &[Arc<Finding>], observations: u64, skipped: u64) -> Vec<u8> {
    let findings: Vec<Written> = findings.iter().map(|finding| Written::new(finding)).collect();
    let document = json!({"findings": findings, "observations": observations, "skipped": skipped});
    document.to_string().into_bytes()
}

fn read(bytes: &[u8]) -> Document {
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

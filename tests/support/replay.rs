//! The one place where a recording goes through probehound.

use super::binary::probehound;
use super::document::Document;
use super::recording::Recording;

/// What probehound says of a recording.
pub fn replay(recording: &Recording) -> Document {
    let bytes = replay_bytes(recording);
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&bytes)))
}

/// The same, as it prints it.
pub fn replay_bytes(recording: &Recording) -> Vec<u8> {
    let outcome = probehound(&["replay", "-o", "json", "-"], &recording.bytes());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    outcome.stdout
}

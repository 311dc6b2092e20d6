//! The objects of a cluster, beside a replay of what was recorded in it meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::harness::{ControlPlane, waiting};
use crate::player::Recorder;
use crate::support::replay;
use crate::told::{Told, by_objects, by_replay};

/// Waits until the objects say what a replay says of what was recorded meanwhile; returns that.
///
/// # Panics
/// They do not within `limit`; what only one of them says is in the message, and the recording is
/// among the files of the cluster.
pub async fn as_replayed(
    cluster: &ControlPlane,
    recorder: Recorder,
    namespaces: &[String],
    limit: Duration,
) -> Vec<Told> {
    let recording = recorder.stop();
    std::fs::write(cluster.folder().file("recording.jsonl"), recording.bytes()).expect("a file can be written");
    let expected = by_replay(&replay(&recording), namespaces);
    let api = cluster.admin();
    waiting::eventually("the objects say what the replay says", limit, async || {
        differences(&by_objects(&api, namespaces).await, &expected)
    })
    .await;
    expected
}

/// Fails with what only one of them says.
fn differences(objects: &[Told], replay: &[Told]) -> Result<(), String> {
    let [objects, replay]: [BTreeSet<&Told>; 2] = [objects.iter().collect(), replay.iter().collect()];
    if objects == replay {
        return Ok(());
    }
    let only =
        |one: &BTreeSet<&Told>, other: &BTreeSet<&Told>| format!("{:?}", one.difference(other).collect::<Vec<_>>());
    Err(format!("only the objects: {}\nonly the replay: {}", only(&objects, &replay), only(&replay, &objects)))
}

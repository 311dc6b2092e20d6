//! What exists when a scene begins.

use std::collections::{BTreeMap, BTreeSet};

use probehound::time::Time;
use serde_json::Value;

use super::objects::main_part;
use crate::support::Recording;
use crate::support::recording::{Line, Type};

/// The lines before `from` that create the state at that time, to be written at once.
///
/// Of pods and events only the last state counts. Of other objects each change outside of the status
/// counts: the server counts these changes (`metadata.generation`), and records who made them.
pub fn before(recording: &Recording, from: Time) -> Vec<Line> {
    let before = || recording.lines.iter().filter(|line| line.at < from && line.change != Type::Bookmark);
    let last: BTreeMap<&str, usize> = before().enumerate().map(|(place, line)| (&*line.object.uid, place)).collect();
    let gone: BTreeSet<&str> =
        before().filter(|line| line.change == Type::Deleted).map(|line| &*line.object.uid).collect();
    let mut mains: BTreeMap<&str, Value> = BTreeMap::new();
    let mut lines = Vec::new();
    for (place, line) in before().enumerate() {
        let uid = &*line.object.uid;
        if gone.contains(uid) {
            continue;
        }
        let is_last = last[uid] == place;
        let only_last = line.is_pod() || line.is_event();
        if is_last || (!only_last && is_news(&mut mains, uid, main_part(&line.resource, &line.value()))) {
            lines.push(line.clone());
        }
    }
    lines
}

fn is_news<'a>(known: &mut BTreeMap<&'a str, Value>, uid: &'a str, main: Value) -> bool {
    let differs = known.get(uid) != Some(&main);
    known.insert(uid, main);
    differs
}

/// The UIDs of all objects of these lines.
pub fn uids<'a>(lines: impl Iterator<Item = &'a Line>) -> BTreeSet<String> {
    lines.filter(|line| line.change != Type::Bookmark).map(|line| line.object.uid.clone()).collect()
}

/// The namespace of a recording.
pub fn namespace_of(recording: &Recording) -> String {
    first(recording, |object| object["metadata"]["namespace"].as_str()).expect("a recording of a namespace")
}

/// The node of its pods; empty if they have none.
pub fn node_of(recording: &Recording) -> String {
    first(recording, |object| object["spec"]["nodeName"].as_str()).unwrap_or_default()
}

/// The `ServiceAccounts` of its pods, without which the server rejects them.
pub fn service_accounts(recording: &Recording) -> BTreeSet<String> {
    let pods = recording.lines.iter().filter(|line| line.is_pod());
    pods.filter_map(|line| Some(line.value()["spec"]["serviceAccountName"].as_str()?.to_owned())).collect()
}

fn first(recording: &Recording, of: impl Fn(&Value) -> Option<&str>) -> Option<String> {
    recording.lines.iter().find_map(|line| of(&line.value()).map(str::to_owned))
}

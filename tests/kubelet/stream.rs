//! The recording of a story, and faulty versions of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use probehound::time::Time;
use serde_json::Value;

/// The start of stories: 2026-12-01T10:00:00Z, in milliseconds.
pub const BASE: i64 = 1_796_119_200_000;

/// A time in whole seconds, in the API's format.
pub fn stamp(millis: i64) -> String {
    let whole = (BASE + millis).div_euclid(1000) * 1000;
    Time::from_millis(whole).to_string().replace(".000Z", "Z")
}

/// A line of a recording.
#[derive(Clone, Debug)]
pub struct Line {
    /// Milliseconds since the story's start.
    pub at: i64,
    pub resource: String,
    pub kind: &'static str,
    pub object: Value,
}

impl Line {
    fn key(&self) -> (String, String) {
        (self.resource.clone(), self.object["metadata"]["uid"].as_str().unwrap_or_default().to_owned())
    }

    fn is_bookmark(&self) -> bool {
        self.kind == "BOOKMARK"
    }

    pub fn is_killing(&self) -> bool {
        self.resource == "events" && self.object["reason"] == "Killing"
    }
}

/// A recording.
#[derive(Clone, Debug)]
pub struct Stream(pub Vec<Line>);

impl Stream {
    pub fn bytes(&self) -> Vec<u8> {
        let mut text = String::new();
        for line in &self.0 {
            let ts = Time::from_millis(BASE + line.at).to_string();
            let Line { resource, kind, object, .. } = line;
            // Writing to a string cannot fail.
            let _ = writeln!(text, r#"{{"ts":"{ts}","resource":"{resource}","type":"{kind}","object":{object}}}"#);
        }
        text.into_bytes()
    }

    /// Without the lines matched by `lost`.
    pub fn without(&self, lost: impl Fn(&Line) -> bool) -> Self {
        Self(self.0.iter().filter(|line| !lost(line)).cloned().collect())
    }

    /// Every line twice.
    pub fn doubled(&self) -> Self {
        Self(self.0.iter().flat_map(|line| [line.clone(), line.clone()]).collect())
    }

    /// Starting at `at` seconds, with lists of everything.
    pub fn starting(&self, at: i64) -> Self {
        let at = at * 1000;
        let lists = listed(&self.state(at), at);
        Self(lists.into_iter().chain(self.0.iter().filter(|line| line.at > at).cloned()).collect())
    }

    /// Nothing is observed between two times, in seconds; then everything is listed again.
    pub fn gap(&self, from: i64, to: i64) -> Self {
        let (from, to) = (from * 1000, to * 1000);
        let (before, after) = (self.state(from), self.state(to));
        let known: BTreeSet<_> = after.iter().map(Line::key).collect();
        let gone = before.into_iter().filter(|line| !known.contains(&line.key()));
        let gone = gone.map(|line| Line { at: to, kind: "DELETED", ..line });
        let (head, tail) = (self.0.iter().filter(|line| line.at <= from), self.0.iter().filter(|line| line.at > to));
        Self(head.cloned().chain(listed(&after, to)).chain(gone).chain(tail.cloned()).collect())
    }

    /// The existing objects at a time, in order of appearance.
    fn state(&self, at: i64) -> Vec<Line> {
        let mut objects: BTreeMap<_, (usize, Line)> = BTreeMap::new();
        for (number, line) in self.0.iter().enumerate().filter(|(_, line)| line.at <= at && !line.is_bookmark()) {
            if line.kind == "DELETED" {
                objects.remove(&line.key());
            } else {
                let first = objects.get(&line.key()).map_or(number, |(first, _)| *first);
                objects.insert(line.key(), (first, line.clone()));
            }
        }
        let mut lines: Vec<_> = objects.into_values().collect();
        lines.sort_by_key(|(first, _)| *first);
        lines.into_iter().map(|(_, line)| line).collect()
    }
}

fn listed(state: &[Line], at: i64) -> Vec<Line> {
    let mut lines: Vec<_> = state.iter().map(|line| Line { at, kind: "ADDED", ..line.clone() }).collect();
    lines.sort_by_key(|line| match line.resource.as_str() {
        "pods" => 1,
        "events" => 2,
        _ => 0,
    });
    lines
}

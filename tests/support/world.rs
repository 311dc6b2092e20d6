//! What exists at a point of a recording, and the lists that show it.

use std::collections::BTreeMap;

use probehound::time::Time;

use super::recording::{Line, Type};

/// The existing objects in their current state.
#[derive(Clone, Default)]
pub struct World(BTreeMap<Key, Line>);

/// In the order of lists: owners of pods, pods, their events; by name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    rank: u8,
    resource: String,
    name: String,
    uid: String,
}

impl World {
    /// The world after `lines`.
    pub fn after(lines: &[Line]) -> Self {
        let mut world = Self::default();
        for line in lines {
            match line.change {
                Type::Bookmark => {}
                Type::Deleted => {
                    world.0.remove(&key(line));
                }
                Type::Added | Type::Modified => {
                    world.0.insert(key(line), line.clone());
                }
            }
        }
        world
    }

    /// Drops all events: they expire after an hour.
    #[must_use]
    pub fn without_events(mut self) -> Self {
        self.0.retain(|_, line| !line.is_event());
        self
    }

    /// Lists of everything, read at `at`.
    pub fn listed(&self, at: Time) -> Vec<Line> {
        self.0.values().map(|line| seen(line, at, Type::Added)).collect()
    }

    /// The deletions of what is missing in `later`, noticed at `at`.
    pub fn gone(&self, later: &Self, at: Time) -> Vec<Line> {
        let gone = self.0.iter().filter(|(key, _)| !later.0.contains_key(key));
        gone.map(|(_, line)| seen(line, at, Type::Deleted)).collect()
    }
}

fn seen(line: &Line, at: Time, change: Type) -> Line {
    Line { at, change, ..line.clone() }
}

fn key(line: &Line) -> Key {
    let rank = match &*line.resource {
        "pods" => 1,
        "events" => 2,
        _ => 0,
    };
    Key { rank, resource: line.resource.to_string(), name: line.object.name.clone(), uid: line.object.uid.clone() }
}

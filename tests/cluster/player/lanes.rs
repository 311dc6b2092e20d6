//! Concurrent writers, each with objects of its own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use probehound::time::Time;
use tokio::sync::{RwLock, mpsc};
use tokio::task::JoinHandle;

use super::Played;
use super::lag::Lag;
use super::objects::Writer;
use super::resource::{self, Resource};
use super::translation::Translation;
use super::uids::Uids;
use crate::harness::Api;
use crate::harness::clock;
use crate::support::recording::{Line, Type};

/// Number of writers for each resource with many objects; the others have one. Since no two resources share
/// a writer, an object may wait for the one that it references: watches of different resources are not
/// synchronized, and a pod's event can be recorded before the pod.
const WIDE: usize = 3;

/// Maximum number of lines waiting for one writer: more than any recording has at once.
const WAITING: usize = 4096;

/// A line overdue for this long was held up.
const HELD_UP: Duration = Duration::from_secs(1);

/// The gate through which all writes pass; holding it exclusively stops all of them.
pub type Gate = Arc<RwLock<()>>;

/// Writers that run until they are closed.
pub struct Lanes {
    lanes: BTreeMap<(&'static str, usize), Lane>,
}

struct Lane {
    lines: mpsc::Sender<(Line, Option<Time>)>,
    writer: JoinHandle<(Writer, Lag)>,
}

impl Lanes {
    /// Writers of objects with these UIDs.
    pub fn open(api: &Api, translation: &Translation, expected: BTreeSet<String>, gate: &Gate) -> Self {
        let uids = Arc::new(Uids::expecting(expected));
        let open = |_| {
            let (sender, lines) = mpsc::channel(WAITING);
            let writer = Writer::new(api.clone(), translation.clone(), Arc::clone(&uids));
            Lane { lines: sender, writer: tokio::spawn(run(writer, lines, Arc::clone(gate))) }
        };
        let keys =
            resource::ALL.into_iter().flat_map(|resource| (0..width(resource)).map(move |lane| (resource.name, lane)));
        Self { lanes: keys.map(|key| (key, open(key))).collect() }
    }

    /// Passes a line to the writer of its object; the delay is measured if it is due at a time.
    ///
    /// All objects of a name have one writer, whatever their UIDs: a recreated one must not be created
    /// before the one of the same name is gone.
    pub async fn write(&self, line: Line, due: Option<Time>) {
        let Some(resource) = Resource::named(&line.resource) else {
            return;
        };
        let name = &line.object.name;
        let mark = name.bytes().fold(0_usize, |mark, byte| mark.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let writer = &self.lanes[&(resource.name, mark % width(resource))];
        // A writer that is gone has panicked, which is reported on close.
        drop(writer.lines.send((line, due)).await);
    }

    /// Waits until all is written.
    pub async fn close(self, played: &mut Played) {
        for lane in self.lanes.into_values() {
            drop(lane.lines);
            let (writer, lag) = lane.writer.await.expect("a writer does not panic");
            played.refused.extend(writer.refused);
            played.lag.merge(&lag);
        }
    }
}

fn width(resource: Resource) -> usize {
    if matches!(resource.name, "pods" | "events") { WIDE } else { 1 }
}

async fn run(mut writer: Writer, mut lines: mpsc::Receiver<(Line, Option<Time>)>, gate: Gate) -> (Writer, Lag) {
    let mut lag = Lag::default();
    let mut waiting = VecDeque::new();
    while let Some((line, due)) = next(&mut waiting, &mut lines).await {
        let _open = gate.read().await;
        waiting.extend(std::iter::from_fn(|| lines.try_recv().ok()));
        if due.is_some_and(|due| clock::now().since(due) > HELD_UP) && is_superseded(&line, &waiting) {
            continue;
        }
        writer.write(&line).await;
        if let Some(due) = due {
            lag.add(clock::now().since(due));
        }
    }
    (writer, lag)
}

async fn next(
    waiting: &mut VecDeque<(Line, Option<Time>)>,
    lines: &mut mpsc::Receiver<(Line, Option<Time>)>,
) -> Option<(Line, Option<Time>)> {
    match waiting.pop_front() {
        Some(line) => Some(line),
        None => lines.recv().await,
    }
}

/// A kubelet that could not write writes the current state then: an earlier status would show a container
/// as running that has long terminated.
fn is_superseded(line: &Line, waiting: &VecDeque<(Line, Option<Time>)>) -> bool {
    let is_later = |(later, _): &(Line, _)| later.object.uid == line.object.uid && later.change == Type::Modified;
    line.is_pod() && line.change == Type::Modified && waiting.iter().any(is_later)
}

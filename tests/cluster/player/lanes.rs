//! Several writers side by side, each with objects of its own.

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

/// Writers for each resource of which there are many objects; the others have one. Since no two
/// resources share a writer, an object may wait for the one that it points to: watches of different
/// resources are not in step, and a pod's event can be recorded before the pod.
const WIDE: usize = 3;

/// Lines that wait for one writer: more than any recording has at once.
const WAITING: usize = 4096;

/// What is due for so long and not yet written was held up.
const HELD_UP: Duration = Duration::from_secs(1);

/// Through which all that is written passes; who holds it alone holds everything up.
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
    /// Writers of objects with these unique ids.
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

    /// Gives a line to the writer of its object; how late it is counts where it is due at a time.
    ///
    /// All objects of a name have one writer, whatever their unique ids: one that comes again must not be made
    /// before the one of its name is gone.
    pub async fn write(&self, line: Line, due: Option<Time>) {
        let Some(resource) = Resource::named(&line.resource) else {
            return;
        };
        let name = &line.object.name;
        let mark = name.bytes().fold(0_usize, |mark, byte| mark.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let writer = &self.lanes[&(resource.name, mark % width(resource))];
        // A writer that is gone has panicked, and says so when it is closed.
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

/// A kubelet that could not write writes what is so by then: a status of before would say that a
/// container still ran that has long ended.
fn is_superseded(line: &Line, waiting: &VecDeque<(Line, Option<Time>)>) -> bool {
    let is_later = |(later, _): &(Line, _)| later.object.uid == line.object.uid && later.change == Type::Modified;
    line.is_pod() && line.change == Type::Modified && waiting.iter().any(is_later)
}

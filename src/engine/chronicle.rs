//! What is kept so that the course of an incident can be shown: counts over time, the lanes of pods that
//! are gone, the rollouts, and what was published.
//!
//! Off by default. Nothing is kept of a pod while it exists: its lane is derived from the raw facts
//! ([`crate::engine::view::lane`]). Nothing here decides anything.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::engine::incident::{Incident, PodLane, Point, Published, Rollout};
use crate::engine::memory::nodes::Nodes;
use crate::engine::memory::pods::{Container, Pod, PodTable};
use crate::engine::memory::workload::Workload;
use crate::engine::view::lane::lane;
use crate::finding::{Change, ChangeKind, Identity};
use crate::time::Time;

/// Maximum number of workloads with a chronicle; the one that has been well for longest goes first.
const MAX_STORIES: usize = 500;
/// Maximum number of lanes of deleted pods, at up to 2 KB each; of all workloads, and of one.
const MAX_LANES: usize = 5_000;
const MAX_LANES_OF_ONE: usize = 1_000;
/// Maximum number of points; then every other one is dropped, and they come half as often.
const MAX_POINTS: usize = 240;
/// Maximum number of rollouts and of publications of one workload.
const MAX_ROLLOUTS: usize = 12;
const MAX_PUBLISHED: usize = 24;
/// How long the chronicle of a workload is kept that is well again.
const KEPT: Duration = Duration::from_hours(24);

/// Of which workloads the engine keeps a chronicle.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Chronicled {
    /// Those with a finding, from the first suspicion on.
    Unwell,
    /// All of them, from the first pod on: for recordings, so that what came before is shown.
    All,
}

/// The chronicles of all workloads.
#[derive(Debug)]
pub struct Chronicle {
    of: Chronicled,
    stories: BTreeMap<usize, Story>,
    lanes: usize,
}

/// The chronicle of one workload.
#[derive(Debug)]
struct Story {
    namespace: Arc<str>,
    workload: String,
    points: Vec<Point>,
    /// The least time between two points that differ.
    every: Duration,
    gone: VecDeque<PodLane>,
    forgotten: u32,
    rollouts: BTreeMap<u64, Rollout>,
    published: VecDeque<(Identity, Published)>,
    /// The last time at which it was unwell.
    unwell: Time,
}

impl Chronicle {
    /// An empty one.
    pub const fn new(of: Chronicled) -> Self {
        Self { of, stories: BTreeMap::new(), lanes: 0 }
    }

    /// Whether each change of a pod is of interest, not only those of workloads that are unwell.
    pub fn is_of_all(&self) -> bool {
        self.of == Chronicled::All
    }

    /// Takes in the state of a workload, and what has just been published about it.
    pub fn note(&mut self, id: usize, workload: &Workload, pods: &PodTable, changes: &[Change], now: Time) {
        let is_unwell = workload.is_unwell() || !changes.is_empty();
        if !self.stories.contains_key(&id) {
            if !is_unwell && !self.is_of_all() {
                return;
            }
            self.make_room(now);
            self.stories.insert(id, Story::new(workload, now));
        }
        let Some(story) = self.stories.get_mut(&id) else { return };
        if is_unwell {
            story.unwell = now;
        }
        story.rollouts(workload);
        story.publish(changes);
        story.point(point(workload, pods, now));
    }

    /// Keeps the lanes of a pod that is gone.
    pub fn pod_gone(&mut self, pod: &Pod, workload: &Workload, nodes: &Nodes, now: Time) {
        let Some(story) = self.stories.get_mut(&pod.workload) else { return };
        for lane in lanes_of(pod, workload, nodes, None, now) {
            let full = self.lanes >= MAX_LANES || story.gone.len() >= MAX_LANES_OF_ONE;
            let dropped = if full { story.gone.pop_front() } else { None };
            story.forgotten += u32::from(full);
            if !full || dropped.is_some() {
                story.gone.push_back(PodLane { gone: Some(now), ..lane });
                self.lanes += usize::from(!full);
            }
        }
    }

    /// A workload turned out to be another one.
    pub fn renamed(&mut self, from: usize, to: usize, workload: &Workload) {
        let Some(mut story) = self.stories.remove(&from) else { return };
        story.workload = workload.label();
        if let Some(replaced) = self.stories.insert(to, story) {
            self.lanes -= replaced.gone.len();
        }
    }

    fn make_room(&mut self, now: Time) {
        let is_stale = |story: &Story| now.since(story.unwell) > KEPT && !self.is_of_all();
        let stale: Vec<usize> = self.stories.iter().filter(|(_, story)| is_stale(story)).map(|(id, _)| *id).collect();
        let full = self.stories.len() - stale.len() >= MAX_STORIES;
        let oldest = self.stories.iter().filter(|_| full).min_by_key(|(_, story)| story.unwell).map(|(id, _)| *id);
        for id in stale.into_iter().chain(oldest) {
            self.lanes -= self.stories.remove(&id).map_or(0, |story| story.gone.len());
        }
    }

    /// What is kept of the course of a finding.
    pub fn recall(&self, finding: &Identity) -> Incident {
        let Some(story) = self.story(finding) else { return Incident::default() };
        let of_it = |lane: &&PodLane| lane.container == finding.container;
        let published = story.published.iter().filter(|(of, _)| of == finding);
        Incident {
            lanes: story.gone.iter().filter(of_it).cloned().collect(),
            forgotten: story.forgotten,
            well: 0,
            points: story.points.clone(),
            rollouts: story.rollouts.values().cloned().collect(),
            published: published.map(|(_, published)| *published).collect(),
        }
    }

    fn story(&self, finding: &Identity) -> Option<&Story> {
        self.stories
            .values()
            .rev()
            .find(|story| story.namespace == finding.namespace && *story.workload == *finding.workload)
    }
}

impl Story {
    fn new(workload: &Workload, now: Time) -> Self {
        Self {
            namespace: Arc::clone(&workload.namespace),
            workload: workload.label(),
            points: Vec::new(),
            every: Duration::ZERO,
            gone: VecDeque::new(),
            forgotten: 0,
            rollouts: BTreeMap::new(),
            published: VecDeque::new(),
            unwell: now,
        }
    }

    /// A revision that is rolled back to gets a new number: those that were seen stay.
    fn rollouts(&mut self, workload: &Workload) {
        let revisions = workload.facts.iter().flat_map(|facts| &facts.revisions);
        for revision in revisions {
            let Some(at) = revision.at else { continue };
            self.rollouts.entry(revision.number).or_insert_with(|| Rollout {
                revision: revision.number,
                at,
                by: revision.by.clone(),
            });
        }
        while self.rollouts.len() > MAX_ROLLOUTS {
            self.rollouts.pop_first();
        }
    }

    fn publish(&mut self, changes: &[Change]) {
        for change in changes.iter().filter(|change| change.kind != ChangeKind::Counted) {
            let (effect, cause) = (change.finding.effect, change.finding.cause);
            let published = Published { at: change.at, kind: change.kind, effect, cause };
            self.published.push_back((change.finding.identity(), published));
        }
        self.published.drain(..self.published.len().saturating_sub(MAX_PUBLISHED));
    }

    fn point(&mut self, point: Point) {
        let same =
            |last: &Point| (last.ready, last.wanted, last.restarts) == (point.ready, point.wanted, point.restarts);
        match self.points.last_mut() {
            Some(last) if same(last) => return,
            Some(last) if point.at.since(last.at) < self.every => *last = Point { at: last.at, ..point },
            _ => self.points.push(point),
        }
        if self.points.len() >= MAX_POINTS {
            let mut place = 0;
            self.points.retain(|_| {
                place += 1;
                place % 2 == 1
            });
            let spanned = point.at.since(self.points[0].at);
            self.every = spanned / (MAX_POINTS as u32 / 2);
        }
    }
}

fn point(workload: &Workload, pods: &PodTable, now: Time) -> Point {
    let live = workload.pods.iter().filter_map(|place| pods.get(place)).filter(|pod| pod.is_live());
    let ready = live.filter(|pod| pod.containers.iter().all(Container::is_ready)).count();
    let restarts = workload.cases.values().map(|case| case.restarts).sum();
    Point { at: now, ready: ready as u32, wanted: workload.desired(), restarts }
}

/// The lanes of a pod's containers, or of one of them, in which anything was wrong.
pub fn lanes_of<'a>(
    pod: &'a Pod,
    workload: &'a Workload,
    nodes: &'a Nodes,
    container: Option<&'a str>,
    now: Time,
) -> impl Iterator<Item = PodLane> {
    let revision = workload.revision(&pod.template).map(|revision| revision.number);
    let containers = pod.template.containers.iter().zip(&pod.containers);
    let wanted = containers.filter(move |(spec, _)| container.is_none_or(|name| *spec.name == *name));
    let nodes = nodes.seen_from(&workload.namespace);
    wanted.filter_map(move |(spec, state)| lane(pod, spec, state, nodes, (revision, now)))
}

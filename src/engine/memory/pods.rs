//! The existing pods, each in a compact record.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::Arc;

use crate::engine::memory::history::History;
use crate::engine::observation::{ContainerId, Owner, PodId, Uid};
use crate::kubelet::ProbeKind;
use crate::template::PodTemplate;
use crate::time::Time;

/// A pod; its namespace is its workload's.
#[derive(Debug)]
pub struct Pod {
    /// Its UID.
    pub uid: Uid,
    /// A hash of its namespace and name ([`PodId::called`]).
    pub called: u64,
    /// Its controller, shared with pods that were seen before.
    pub owner: Option<Arc<Owner>>,
    /// Its workload, as an index into the engine's list.
    pub workload: usize,
    /// Its template.
    pub template: Arc<PodTemplate>,
    /// Its node.
    pub node: Option<Arc<str>>,
    /// Its address.
    pub ip: Option<IpAddr>,
    /// When it was created.
    pub created: Option<Time>,
    /// When its kubelet accepted it, by the node's clock.
    pub start_time: Option<Time>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether it was terminated as a whole from outside.
    pub ended: bool,
    /// Whether it mirrors a static pod.
    pub is_static: bool,
    /// When it was last seen.
    pub observed: Time,
    /// The newest observed `resourceVersion`.
    pub version: u64,
    /// The list in which it was last seen.
    pub list: u32,
    /// Another one after each change of it: what was concluded from it then holds no longer.
    pub state: u64,
    /// Its containers, as in the template.
    pub containers: Box<[Container]>,
}

/// A container of a pod.
///
/// 32 bytes, of which there are two and more in each pod of a cluster.
#[derive(Debug, Default)]
pub struct Container {
    /// `restartCount`
    pub restarts: u32,
    /// Its current ID, and one more.
    id: Option<NonZeroU64>,
    /// Its phase.
    pub phase: Phase,
    /// Since when it has been running, in whole seconds.
    pub since: Option<Time>,
    /// Whether the current incarnation is ready.
    pub readiness: Readiness,
    /// `started`
    pub started: bool,
    /// Whether the current incarnation was watched from its start.
    pub from_start: bool,
    /// Its history, once anything was wrong.
    pub history: Option<Box<History>>,
}

impl Container {
    /// Its current ID.
    pub fn id(&self) -> Option<ContainerId> {
        self.id.map(|id| ContainerId(id.get() - 1))
    }

    /// Takes over the ID of a status, if that has one; one of all hashes is taken for none.
    pub fn take_id(&mut self, id: Option<ContainerId>) {
        self.id = id.and_then(|ContainerId(id)| NonZeroU64::new(id.wrapping_add(1))).or(self.id);
    }

    /// `ready`
    pub fn is_ready(&self) -> bool {
        self.readiness == Readiness::Ready
    }

    /// Whether the current incarnation was seen to come up after earlier ones were killed by their startup
    /// probe: whether the probe passed is for its history to decide.
    pub fn came_up_after_kills(&self) -> bool {
        self.history.as_deref().is_some_and(|history| {
            history.told_kills(ProbeKind::Startup) > 0 && history.current().is_some_and(|run| run.came_up.is_some())
        })
    }
}

/// Whether an incarnation is ready, as far as it was seen.
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It never was.
    #[default]
    NotYet,
    /// It was, and is not now.
    Lost,
    /// It is.
    Ready,
}

/// The phase of a container.
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub enum Phase {
    /// There is no status yet.
    #[default]
    Absent,
    /// Not running.
    Waiting,
    /// Running.
    Running,
    /// Terminated.
    Terminated,
}

/// A UID's bytes: an entry of a map takes 20 bytes with these, and 32 with the number, which lies at whole 16 bytes.
type UidBytes = [u8; 16];

/// All pods, by UID.
#[derive(Debug, Default)]
pub struct PodTable {
    problems: Vec<Option<Box<Pod>>>,
    free: Vec<u32>,
    by_uid: HashMap<UidBytes, u32>,
    /// Static pods, by the UID that events on them carry and by the hash of their name.
    by_event_uid: HashMap<(Uid, u64), u32>,
    /// That UID, for the few pods that have one.
    event_uids: HashMap<u32, Uid>,
    /// The number of changes of pods so far.
    changes: u64,
}

impl PodTable {
    /// The index of the pod with that UID.
    pub fn find(&self, uid: Uid) -> Option<u32> {
        self.by_uid.get(&uid.0.to_ne_bytes()).copied()
    }

    /// The index of the pod that an event is about: events of one namespace never apply to pods of another.
    pub fn addressed(&self, by: &PodId) -> Option<u32> {
        let called = by.called();
        let own = self.find(by.uid).filter(|place| self.get(*place).is_some_and(|pod| pod.called == called));
        own.or_else(|| self.by_event_uid.get(&(by.uid, called)).copied())
    }

    /// The pod at an index.
    pub fn get(&self, place: u32) -> Option<&Pod> {
        self.problems.get(place as usize)?.as_deref()
    }

    /// The pod at an index, for modification: whoever asks for it changes its state.
    pub fn get_mut(&mut self, place: u32) -> Option<&mut Pod> {
        let pod = self.problems.get_mut(place as usize)?.as_deref_mut()?;
        self.changes += 1;
        pod.state = self.changes;
        Some(pod)
    }

    /// Inserts a pod, with the other UID that events on it may carry.
    pub fn insert(&mut self, mut pod: Box<Pod>, event_uid: Option<Uid>) -> u32 {
        let (uid, called) = (pod.uid, pod.called);
        self.changes += 1;
        pod.state = self.changes;
        let place = if let Some(place) = self.free.pop() {
            self.problems[place as usize] = Some(pod);
            place
        } else {
            self.problems.push(Some(pod));
            self.problems.len() as u32 - 1
        };
        self.by_uid.insert(uid.0.to_ne_bytes(), place);
        if let Some(other) = event_uid {
            self.by_event_uid.insert((other, called), place);
            self.event_uids.insert(place, other);
        }
        place
    }

    /// Removes a pod.
    pub fn remove(&mut self, place: u32) -> Option<Box<Pod>> {
        let pod = self.problems.get_mut(place as usize)?.take()?;
        if self.find(pod.uid) == Some(place) {
            self.by_uid.remove(&pod.uid.0.to_ne_bytes());
        }
        if let Some(other) = self.event_uids.remove(&place)
            && self.by_event_uid.get(&(other, pod.called)) == Some(&place)
        {
            self.by_event_uid.remove(&(other, pod.called));
        }
        self.free.push(place);
        Some(pod)
    }

    /// The number of pods.
    pub fn len(&self) -> usize {
        self.problems.len() - self.free.len()
    }
}

impl Pod {
    /// Whether it has neither terminated nor is about to.
    pub fn is_live(&self) -> bool {
        !self.deleting && !self.ended
    }
}

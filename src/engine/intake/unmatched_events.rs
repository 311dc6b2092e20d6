//! Events that arrived before their pod.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::engine::observation::{KubeletEvent, PodId, Uid};
use crate::time::Time;

/// Maximum number of waiting events, over all pods.
const MAX_EVENTS: usize = 4096;
/// Maximum time that an event waits for its pod.
const LONGEST: Duration = Duration::from_mins(5);

/// Events that wait for their pod.
///
/// If there is no room, the namespace with the most of them loses one: events of pods that never appear do
/// not displace those of others.
#[derive(Debug, Default)]
pub struct UnmatchedEvents {
    by_pod: HashMap<PodId, Vec<KubeletEvent>>,
    /// For each namespace, whose events arrived when.
    order: BTreeMap<Arc<str>, VecDeque<(Time, PodId)>>,
    length: usize,
    dropped: u64,
}

impl UnmatchedEvents {
    /// Lets an event wait.
    pub fn push(&mut self, event: KubeletEvent, now: Time) {
        let namespace = Arc::clone(&event.pod.namespace);
        while self.oldest_of(&namespace).is_some_and(|at| now.since(at) > LONGEST) {
            self.drop_oldest(&namespace);
        }
        if self.length >= MAX_EVENTS {
            let largest = self.order.iter().max_by_key(|(_, order)| order.len());
            let largest = largest.map_or_else(|| Arc::clone(&namespace), |(largest, _)| Arc::clone(largest));
            self.drop_oldest(&largest);
        }
        self.order.entry(namespace).or_default().push_back((now, event.pod.clone()));
        self.by_pod.entry(event.pod.clone()).or_default().push(event);
        self.length += 1;
    }

    /// The events that waited for that pod, in order of arrival: those that carry its own UID, then those
    /// that carry the other one.
    pub fn take(&mut self, pod: &PodId, other: Option<Uid>) -> Vec<KubeletEvent> {
        let mut events = self.take_addressed(pod);
        if let Some(uid) = other {
            events.extend(self.take_addressed(&PodId { uid, ..pod.clone() }));
        }
        events
    }

    /// Number of events that waited in vain.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn take_addressed(&mut self, pod: &PodId) -> Vec<KubeletEvent> {
        let Some(events) = self.by_pod.remove(pod) else { return Vec::new() };
        self.length -= events.len();
        if let Some(order) = self.order.get_mut(&pod.namespace) {
            order.retain(|(_, waits)| waits != pod);
            if order.is_empty() {
                self.order.remove(&pod.namespace);
            }
        }
        events
    }

    fn oldest_of(&self, namespace: &Arc<str>) -> Option<Time> {
        self.order.get(namespace)?.front().map(|(at, _)| *at)
    }

    fn drop_oldest(&mut self, namespace: &Arc<str>) {
        let Some(order) = self.order.get_mut(namespace) else { return };
        let Some((_, pod)) = order.pop_front() else { return };
        if order.is_empty() {
            self.order.remove(namespace);
        }
        self.length -= 1;
        self.dropped += 1;
        if let Some(events) = self.by_pod.get_mut(&pod) {
            events.remove(0);
            if events.is_empty() {
                self.by_pod.remove(&pod);
            }
        }
    }
}

//! Events that came before their pod.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::observation::{KubeletEvent, Uid};
use crate::time::Time;

/// Events that wait, of all pods.
const MOST: usize = 4096;
/// So long they wait.
const LONGEST: Duration = Duration::from_mins(5);

/// Events that wait for their pod to be seen, each kind of news of a pod once.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    by_pod: HashMap<Uid, Vec<KubeletEvent>>,
    order: VecDeque<(Time, Uid)>,
    dropped: u64,
}

impl Waiting {
    /// Lets an event wait; the oldest make room.
    pub fn push(&mut self, event: KubeletEvent, now: Time) {
        while let Some((at, uid)) = self.order.front().copied() {
            if self.order.len() < MOST && now.since(at) <= LONGEST {
                break;
            }
            self.order.pop_front();
            self.drop_oldest(uid);
        }
        let uid = event.pod.uid;
        self.order.push_back((now, uid));
        self.by_pod.entry(uid).or_default().push(event);
    }

    /// The events that waited for that pod, in the order in which they came.
    pub fn take(&mut self, uid: Uid) -> Vec<KubeletEvent> {
        self.by_pod.remove(&uid).unwrap_or_default()
    }

    /// Events that waited in vain.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn drop_oldest(&mut self, uid: Uid) {
        let Some(events) = self.by_pod.get_mut(&uid) else {
            return;
        };
        events.remove(0);
        self.dropped += 1;
        if events.is_empty() {
            self.by_pod.remove(&uid);
        }
    }
}

//! The kubelet's event recorder: one object per message, with a rate limit per pod and type.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::chance::Chance;
use super::stream::stamp;

/// Burst of events per pod and type; after that one per [`REFILL`].
const BURST: i64 = 25;
const REFILL: i64 = 300_000;

/// A report of the kubelet about a pod.
#[derive(Clone, Debug)]
pub struct Said {
    pub kind: &'static str,
    pub reason: &'static str,
    pub message: String,
    /// `spec.containers{app}`, or empty.
    pub field: String,
}

/// A kubelet's cache of its events about one pod.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    known: BTreeMap<(String, &'static str, String), Known>,
    budgets: BTreeMap<&'static str, Budget>,
}

#[derive(Clone, Debug)]
struct Known {
    name: String,
    uid: String,
    count: u32,
    first: i64,
    written: bool,
}

/// Remaining events, in three-hundred-thousandths.
#[derive(Clone, Debug)]
struct Budget {
    left: i64,
    at: i64,
}

impl Budget {
    fn take(&mut self, now: i64) -> bool {
        self.left = (self.left + now - self.at).min(BURST * REFILL);
        self.at = now;
        let allowed = self.left >= REFILL;
        if allowed {
            self.left -= REFILL;
        }
        allowed
    }
}

/// The pod that an event is about.
#[derive(Clone, Debug)]
pub struct About<'a> {
    pub name: &'a str,
    pub uid: &'a str,
    pub node: &'a str,
    /// How far the node's clock is ahead, in milliseconds.
    pub skew: i64,
}

impl Recorder {
    /// The line's type and object, unless the rate limit is exceeded.
    pub fn say(&mut self, said: Said, about: &About, now: i64, chance: &mut Chance) -> Option<(&'static str, Value)> {
        let Said { kind, reason, message, field } = said;
        let known = self.known.entry((field.clone(), reason, message.clone())).or_insert_with(|| Known {
            name: format!("{}.{:016x}", about.name, 0x18ea_0000_0000_0000_u64 + chance.next() % 0xffff_ffff_ffff),
            uid: chance.uid(),
            count: 0,
            first: now,
            written: false,
        });
        known.count += 1;
        let budget = self.budgets.entry(kind).or_insert(Budget { left: BURST * REFILL, at: now });
        if !budget.take(now) {
            return None;
        }
        let written = std::mem::replace(&mut known.written, true);
        let object = json!({
            "kind": "Event", "apiVersion": "v1",
            "metadata": {
                "name": known.name, "namespace": "prod", "uid": known.uid,
                "resourceVersion": (now + 1000).to_string(),
            },
            "involvedObject": {
                "kind": "Pod", "namespace": "prod", "name": about.name, "uid": about.uid, "apiVersion": "v1",
                "fieldPath": field,
            },
            "reason": reason, "message": message, "source": {"component": "kubelet", "host": about.node},
            "firstTimestamp": stamp(known.first + about.skew), "lastTimestamp": stamp(now + about.skew), "count": known.count, "type": kind,
            "eventTime": null, "reportingComponent": "kubelet", "reportingInstance": about.node,
        });
        Some((if written { "MODIFIED" } else { "ADDED" }, object))
    }
}

//! The driver's surroundings.

use std::sync::Arc;

use crate::engine::Need;
use crate::metrics::Metrics;
use crate::metrics::labels::Queue;
use crate::operator::driver::Surroundings;
use crate::operator::http::Heartbeat;
use crate::runtime::clock;
use crate::source::cluster::{Lookup, NamespaceLookup, Resource, WatchHealth};
use crate::time::Time;

/// The cluster, the clock and the heartbeat.
pub struct World {
    /// The health of the watches.
    pub health: Arc<WatchHealth>,
    /// Looks up the engine's needs.
    pub lookup: Lookup,
    /// Reads annotations of namespaces.
    pub namespaces: NamespaceLookup,
    /// Whether the driver's loop is running.
    pub heartbeat: Heartbeat,
    /// Where queue lengths are recorded.
    pub metrics: Arc<Metrics>,
}

impl Surroundings for World {
    fn now(&self) -> Time {
        clock::now()
    }

    fn sees(&self) -> bool {
        !self.health.of(Resource::Pods).is_blind()
    }

    fn ask(&mut self, need: Need) {
        self.lookup.ask(need);
    }

    fn ask_namespace(&mut self, namespace: Arc<str>) {
        self.namespaces.ask(namespace);
    }

    fn loop_completed(&mut self, observations: usize) {
        self.heartbeat.beat();
        self.metrics.queue_depth(Queue::Observations, observations);
        self.metrics.queue_depth(Queue::Lookups, self.lookup.depth());
    }
}

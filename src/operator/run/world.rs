//! What surrounds the driver.

use std::sync::Arc;

use crate::engine::Need;
use crate::metrics::Metrics;
use crate::metrics::labels::Queue;
use crate::operator::driver::Surroundings;
use crate::operator::http::Heartbeat;
use crate::runtime::clock;
use crate::source::cluster::{Lookup, Resource, WatchHealth};
use crate::time::Time;

/// The cluster, the clock and the heart.
pub struct World {
    /// How the watches are.
    pub health: Arc<WatchHealth>,
    /// Who looks up what the engine would like to know.
    pub lookup: Lookup,
    /// Whether the driver goes round.
    pub heartbeat: Heartbeat,
    /// Where queues are counted.
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

    fn loop_completed(&mut self, observations: usize) {
        self.heartbeat.beat();
        self.metrics.queue_depth(Queue::Observations, observations);
        self.metrics.queue_depth(Queue::Lookups, self.lookup.depth());
    }
}

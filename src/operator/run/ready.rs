//! Readiness of the operator: it has seen everything that exists.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tracing::{info, warn};

use crate::operator::http::{Awaited, Readiness};
use crate::source::cluster::{Resource, Trouble, WatchHealth};

/// Polling interval: a little of what the lists of a small cluster take, since the pod counts as ready no
/// sooner.
const EVERY: Duration = Duration::from_millis(20);

/// The conditions for readiness.
#[derive(Debug)]
pub struct Lists {
    pods: Awaited,
    events: Awaited,
}

impl Lists {
    /// The first list of each watch.
    pub fn new(readiness: &Readiness) -> Self {
        Self {
            pods: readiness.wait_for("the first list of pods"),
            events: readiness.wait_for("the first list of events"),
        }
    }

    /// Polls until both are complete; then pends forever.
    pub async fn arrive(self, health: Arc<WatchHealth>) -> std::convert::Infallible {
        until(|| health.of(Resource::Pods).is_listed()).await;
        self.pods.done();
        info!("All pods are known");
        let events = health.of(Resource::Events);
        let forbidden = || events.errors(Trouble::Forbidden) > 0;
        until(|| events.is_listed() || forbidden()).await;
        if events.is_listed() {
            self.events.done();
            info!("Ready");
        } else {
            self.events.done_without("events may not be listed and watched");
            warn!(
                hint = "allow get, list and watch of events: what a probe was answered stands only there",
                "Ready, but without events: many causes stay unknown"
            );
        }
        std::future::pending().await
    }
}

async fn until(done: impl Fn() -> bool) {
    while !done() {
        sleep(EVERY).await;
    }
}

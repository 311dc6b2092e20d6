//! When an operator is ready: it has seen all that there is.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tracing::{info, warn};

use crate::operator::http::{Awaited, Readiness};
use crate::source::cluster::{Resource, Trouble, WatchHealth};

/// How often is looked.
const EVERY: Duration = Duration::from_millis(200);

/// What readiness waits for.
#[derive(Debug)]
pub struct Lists {
    pods: Awaited,
    events: Awaited,
}

impl Lists {
    /// The first list of each watch.
    pub fn of(readiness: &Readiness) -> Self {
        Self {
            pods: readiness.wait_for("the first list of pods"),
            events: readiness.wait_for("the first list of events"),
        }
    }

    /// Looks until both have come; then rests for ever.
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

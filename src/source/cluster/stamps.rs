//! When an object last changed, by its own timestamps.

use crate::source::objects::{ContainerStatusLite, EventLite, List, Maybe, PodLite};
use crate::time::Time;

/// An object with timestamps of its changes.
pub trait Stamped {
    /// The newest timestamp of what happened to it, if there is one.
    fn said_at(&self) -> Option<Time>;
}

impl Stamped for PodLite {
    /// When one of its containers last started or terminated.
    fn said_at(&self) -> Option<Time> {
        let status = self.status.ok()?;
        let newest = |statuses: &Maybe<List<ContainerStatusLite>>| {
            let statuses = statuses.ok().into_iter().flat_map(|list| &list.0).filter_map(Maybe::ok);
            statuses.filter_map(of_container).max()
        };
        newest(&status.container_statuses).max(newest(&status.init_container_statuses))
    }
}

impl Stamped for EventLite {
    /// When it last occurred.
    fn said_at(&self) -> Option<Time> {
        let series = self.series.ok().and_then(|series| parsed(&series.last_observed_time));
        parsed(&self.last_timestamp).max(parsed(&self.event_time)).max(series)
    }
}

fn of_container(status: &ContainerStatusLite) -> Option<Time> {
    let state = status.state.ok()?;
    let started = state.running.ok().and_then(|running| parsed(&running.started_at));
    let ended = state.terminated.ok().and_then(|ended| parsed(&ended.finished_at));
    started.max(ended)
}

fn parsed(field: &Maybe<String>) -> Option<Time> {
    Time::parse(field.ok()?).ok()
}

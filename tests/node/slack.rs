//! The channel into which the node's probehound writes.

use std::time::Duration;

use probehound::time::Time;
use tokio::time::Instant;

use crate::harness::clock::now;
use crate::support::slack::{Seen, Slack};

/// A Slack of our own, at the port that the overlay names.
pub struct Channel(Slack);

impl Channel {
    /// Opens it at this address.
    pub async fn open(address: &str) -> Self {
        Self(Slack::start_at(&format!("{address}:8088"), []).await)
    }

    /// All that was written into it, in order.
    pub fn messages(&self) -> Vec<Seen> {
        self.0.taken()
    }

    /// What it refused, which is a fault of ours.
    pub fn refused(&self) -> Vec<Seen> {
        self.0.seen().into_iter().filter(|seen| seen.status != 200).collect()
    }

    /// When something was first written about a workload.
    pub fn first_about(&self, workload: &str) -> Option<Time> {
        let first = self.messages().into_iter().find(|message| message.page().contains(workload))?;
        Some(wall_clock(first.at))
    }
}

/// When a message came, by the clock on the wall.
pub fn wall_clock(at: Instant) -> Time {
    let ago: Duration = at.elapsed();
    Time::from_millis(now().as_millis() - ago.as_millis() as i64)
}

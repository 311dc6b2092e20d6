//! Whether this replica may write and send.

use tokio::sync::watch;
use tokio::time::Instant;

/// Tells whether this replica holds the Lease; cheap to clone.
///
/// The answer is a deadline on the monotonic clock, so that a process that was stopped for a while
/// knows on waking that it no longer leads, before it has heard of anybody else.
#[derive(Clone, Debug)]
pub struct Leadership {
    held_until: watch::Receiver<Option<Instant>>,
}

impl Leadership {
    /// What the holder of the other end says: until when the Lease is held, `None` if it is not.
    pub const fn new(held_until: watch::Receiver<Option<Instant>>) -> Self {
        Self { held_until }
    }

    /// Leads for ever: a single replica without a Lease.
    pub fn always() -> Self {
        const YEARS: std::time::Duration = std::time::Duration::from_hours(24 * 365 * 30);
        let (_, held_until) = watch::channel(Some(Instant::now() + YEARS));
        Self { held_until }
    }

    /// Whether it leads now; to be asked before every write.
    pub fn holds(&self) -> bool {
        self.held_until.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// Waits until it leads; at once if it does.
    pub async fn acquired(&mut self) {
        let leads = |until: &Option<Instant>| until.is_some_and(|until| Instant::now() < until);
        if self.held_until.wait_for(leads).await.is_err() && !self.holds() {
            // Nobody renews any more: it will never lead.
            std::future::pending::<()>().await;
        }
    }
}

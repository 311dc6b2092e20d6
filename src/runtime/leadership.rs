//! Whether this replica may write and send.

use tokio::sync::watch;
use tokio::time::Instant;

/// Whether this replica holds the Lease; cheap to clone.
///
/// The answer is a deadline on the monotonic clock, so that a process that was suspended for a while knows
/// on waking that it no longer leads, before it has received anything.
#[derive(Clone, Debug)]
pub struct Leadership {
    held_until: watch::Receiver<Option<Instant>>,
    shared: bool,
}

impl Leadership {
    /// Follows the sender: until when the Lease is held, `None` if it is not.
    pub const fn new(held_until: watch::Receiver<Option<Instant>>) -> Self {
        Self { held_until, shared: true }
    }

    /// Leads forever: a single replica without a Lease.
    pub fn always() -> Self {
        const YEARS: std::time::Duration = std::time::Duration::from_hours(24 * 365 * 30);
        let (_, held_until) = watch::channel(Some(Instant::now() + YEARS));
        Self { held_until, shared: false }
    }

    /// Whether another replica may have led before.
    pub const fn is_shared(&self) -> bool {
        self.shared
    }

    /// Whether it leads now; to be checked before every write.
    pub fn holds(&self) -> bool {
        self.held_until.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// Waits until it leads; at once if it does.
    pub async fn acquired(&mut self) {
        let leads = |until: &Option<Instant>| until.is_some_and(|until| Instant::now() < until);
        if self.held_until.wait_for(leads).await.is_err() && !self.holds() {
            // The sender is gone, so the Lease is never renewed: it will never lead.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until it does not lead any more; at once if it does not.
    pub async fn lost(&mut self) {
        loop {
            let until = *self.held_until.borrow_and_update();
            let Some(until) = until.filter(|until| Instant::now() < *until) else {
                return;
            };
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                Ok(()) = self.held_until.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_lead_is_lost_when_nobody_renews_it_in_time() {
        let start = Instant::now();
        let (sender, receiver) = watch::channel(Some(start + Duration::from_secs(6)));
        let mut leadership = Leadership::new(receiver);
        let renewal = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            sender.send_replace(Some(start + Duration::from_secs(11)));
        });
        leadership.lost().await;
        assert_eq!(start.elapsed().as_secs(), 11);
        assert!(!leadership.holds());
        renewal.await.expect("it does not panic");
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_lead_waits_until_it_does() {
        let (sender, receiver) = watch::channel(None);
        let mut leadership = Leadership::new(receiver);
        leadership.lost().await;
        assert!(!leadership.holds());
        sender.send_replace(Some(Instant::now() + Duration::from_secs(6)));
        leadership.acquired().await;
        assert!(leadership.holds());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_lease_it_leads_for_ever() {
        let mut leadership = Leadership::always();
        leadership.acquired().await;
        tokio::time::sleep(Duration::from_hours(24 * 365)).await;
        assert!(leadership.holds());
    }
}

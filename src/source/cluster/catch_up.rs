//! When the cluster counts as observed again after a watch was lost.

use std::time::Duration;

use tokio::time::Instant;

/// After the watch is back, time for what happened meanwhile to arrive.
const CATCH_UP: Duration = Duration::from_secs(2);

/// Whether time may pass: the operator acts on it, and a recording contains it, so that a replay gives the
/// same result.
#[derive(Debug)]
pub struct CatchUp {
    until: Instant,
}

impl CatchUp {
    /// Nothing to catch up with.
    pub fn new() -> Self {
        Self { until: Instant::now() }
    }

    /// Whether the current state is unknown, where `sees` is whether it is being watched.
    pub fn is_blind(&mut self, sees: bool) -> bool {
        let now = Instant::now();
        if !sees {
            self.until = now + CATCH_UP;
        }
        now < self.until
    }
}

impl Default for CatchUp {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_missed_gets_its_time_to_come_in() {
        let mut catch_up = CatchUp::new();
        assert!(!catch_up.is_blind(true));
        assert!(catch_up.is_blind(false));
        tokio::time::advance(CATCH_UP / 2).await;
        assert!(catch_up.is_blind(true));
        tokio::time::advance(CATCH_UP / 2).await;
        assert!(!catch_up.is_blind(true));
    }
}

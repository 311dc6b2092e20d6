//! Whether the API server can be reached: what one client learns, all know.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::backoff::Backoff;
use super::trouble::Trouble;

/// Time without a success after which the server counts as down: in normal operation each watch is resumed
/// after ten seconds.
const OUTAGE: Duration = Duration::from_secs(12);
/// How long after an outage refusals may be temporary: the server's own authorization data arrives late.
const RECOVERY: Duration = Duration::from_secs(10);
/// Maximum delay during that time.
const SOON: Duration = Duration::from_secs(1);

/// The way to the API server; cheap to clone, shared by all its clients.
///
/// Each has its own back-off for failures of its own requests. Failures that affect all are over for all
/// with the first success of one.
#[derive(Clone, Debug, Default)]
pub struct Way(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    answered: Notify,
}

#[derive(Copy, Clone, Debug, Default)]
struct State {
    succeeded: Option<Instant>,
    /// When the last outage ended.
    back: Option<Instant>,
}

impl Way {
    /// The server has answered a client.
    pub(super) fn answered(&self, success: bool) {
        if success {
            let now = Instant::now();
            let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.succeeded.is_some_and(|last| now - last >= OUTAGE) {
                state.back = Some(now);
            }
            state.succeeded = Some(now);
        }
        self.0.answered.notify_waiters();
    }

    /// Whether no request has succeeded for a while.
    pub fn is_out(&self) -> bool {
        self.state().succeeded.is_none_or(|last| last.elapsed() >= OUTAGE)
    }

    /// The delay after a failure, shortened if the server has just come back.
    pub fn at_most(&self, wait: Duration) -> Duration {
        let recovers = self.state().back.is_some_and(|back| back.elapsed() < RECOVERY);
        if recovers { wait.min(SOON) } else { wait }
    }

    /// Waits until a request has succeeded after that moment.
    pub async fn success_after(&self, moment: Instant) {
        loop {
            let answered = self.0.answered.notified();
            if self.state().succeeded.is_some_and(|last| last > moment) {
                return;
            }
            answered.await;
        }
    }

    /// Waits out a failure: for that long, or until the server is back, and then a little, so that not all
    /// come at once.
    pub async fn pause(&self, wait: Duration, trouble: Trouble, backoff: &mut Backoff) {
        let (began, little, is_out) = (Instant::now(), backoff.jitter(), self.is_out());
        let back = async {
            if trouble.is_unreachable() {
                self.0.answered.notified().await;
            } else if is_out {
                self.success_after(began).await;
            } else {
                std::future::pending::<()>().await;
            }
            sleep(little).await;
        };
        let end = began + self.at_most(wait);
        tokio::select! {
            () = sleep_until(end) => {}
            () = back => {}
        }
    }

    fn state(&self) -> State {
        *self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn what_failed_while_nobody_succeeded_is_tried_again_with_the_first_success() {
        for trouble in [Trouble::Server, Trouble::Forbidden, Trouble::Connection] {
            let way = Way::default();
            way.answered(true);
            advance(Duration::from_mins(1)).await;
            assert!(waits(&way, trouble, Some(true)).await < Duration::from_secs(6), "{trouble:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_while_others_succeed_waits_by_itself() {
        let way = Way::default();
        way.answered(true);
        assert_eq!(waits(&way, Trouble::Server, Some(true)).await, LONG);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_is_no_success() {
        let way = Way::default();
        way.answered(true);
        advance(Duration::from_mins(1)).await;
        assert_eq!(waits(&way, Trouble::Server, Some(false)).await, LONG);
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_back_refuses_for_a_moment_and_is_asked_again_soon() {
        let way = Way::default();
        way.answered(true);
        advance(Duration::from_mins(1)).await;
        way.answered(true);
        assert_eq!(waits(&way, Trouble::Forbidden, None).await, SOON);
        advance(RECOVERY).await;
        assert_eq!(waits(&way, Trouble::Forbidden, None).await, LONG);
    }

    /// How long a client waits that would wait for half a minute, if another one is answered after five
    /// seconds.
    async fn waits(way: &Way, trouble: Trouble, answer: Option<bool>) -> Duration {
        let began = Instant::now();
        let mut backoff = Backoff::new(7);
        let other = async {
            sleep(Duration::from_secs(5)).await;
            if let Some(success) = answer {
                way.answered(success);
            }
        };
        let pause = async {
            way.pause(LONG, trouble, &mut backoff).await;
            began.elapsed()
        };
        tokio::join!(pause, other).0
    }
}

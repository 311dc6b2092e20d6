//! Waiting for a condition, with a time limit.

use std::fmt::Debug;
use std::time::Duration;

use super::clock::Stopwatch;

/// The polling interval.
const PAUSE: Duration = Duration::from_millis(100);

/// Polls until `look` returns something.
///
/// # Panics
/// It returns nothing within `limit`; its last error is in the message.
pub async fn eventually<T, E: Debug>(what: &str, limit: Duration, look: impl AsyncFnMut() -> Result<T, E>) -> T {
    let since = Stopwatch::start();
    let mut look = look;
    loop {
        let instead = match look().await {
            Ok(found) => return found,
            Err(instead) => instead,
        };
        assert!(since.elapsed() < limit, "not within {limit:?}: {what}; instead: {instead:?}");
        tokio::time::sleep(PAUSE).await;
    }
}

//! Waiting for something to become true, with an end.

use std::fmt::Debug;
use std::time::Duration;

use super::clock::Stopwatch;

/// How often is looked again.
const PAUSE: Duration = Duration::from_millis(100);

/// Looks until `look` gives something.
///
/// # Panics
/// It gives nothing within `limit`; what it gave instead is in the message.
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

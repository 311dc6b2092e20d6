//! The one place where the operator reads the time of day.

use crate::time::Time;

/// The current time, by the machine's clock.
#[expect(clippy::disallowed_methods, reason = "an edge: a live cluster happens now")]
pub fn now() -> Time {
    Time::from_millis(jiff::Timestamp::now().as_millisecond())
}

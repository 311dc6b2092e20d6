//! The speed at which a recording is played.

use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::time::Time;

/// Maximum pause, however long nothing happened.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The factor relative to real time.
#[derive(Copy, Clone, PartialEq, Debug)]
pub enum Speed {
    /// As fast as the engine can.
    Max,
    /// That many times real time.
    Times(f64),
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Self::Max);
        }
        match text.parse() {
            Ok(times) if f64::is_finite(times) && times > 0.0 => Ok(Self::Times(times)),
            _ => Err("neither max nor a number above 0".to_owned()),
        }
    }
}

/// Waits until the next item is due.
#[derive(Debug)]
pub struct Pace {
    speed: Speed,
    anchor: Option<(Instant, Time)>,
}

impl Pace {
    /// Starts with the first time passed in.
    pub const fn new(speed: Speed) -> Self {
        Self { speed, anchor: None }
    }

    /// Sleeps until `at` has come, at most [`LONGEST_PAUSE`].
    #[expect(clippy::disallowed_methods, reason = "an edge: playing in real time needs the real time")]
    pub fn wait_for(&mut self, at: Time) {
        let Speed::Times(times) = self.speed else { return };
        let (began, start) = *self.anchor.get_or_insert_with(|| (Instant::now(), at));
        let due = due(at.since(start), times);
        let pause = due.saturating_sub(began.elapsed());
        if pause > LONGEST_PAUSE {
            std::thread::sleep(LONGEST_PAUSE);
            self.anchor = Some((Instant::now(), at));
        } else {
            std::thread::sleep(pause);
        }
    }
}

/// How long after the start something is due that was recorded that long after it.
fn due(recorded: Duration, times: f64) -> Duration {
    Duration::try_from_secs_f64(recorded.as_secs_f64() / times).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_max_or_a_number_above_zero() {
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!("0.5".parse(), Ok(Speed::Times(0.5)));
        for wrong in ["0", "-1", "nan", "inf", "fast", ""] {
            assert!(wrong.parse::<Speed>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_minute_at_sixty_times_is_a_second() {
        assert_eq!(due(Duration::from_mins(1), 60.0), Duration::from_secs(1));
        assert_eq!(due(Duration::from_secs(u64::MAX), 1e-300), Duration::MAX);
    }
}

//! The lag of a player.

use std::fmt;
use std::time::Duration;

/// The delays of the writes.
#[derive(Clone, Debug, Default)]
pub struct Lag(Vec<Duration>);

impl Lag {
    /// Adds a delay.
    pub fn add(&mut self, late: Duration) {
        self.0.push(late);
    }

    /// Adds all delays of another.
    pub fn merge(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    /// The maximum.
    pub fn most(&self) -> Duration {
        self.0.iter().max().copied().unwrap_or_default()
    }

    /// The quantile, in thousandths.
    pub fn quantile(&self, per_mille: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let place = (sorted.len() * per_mille / 1000).min(sorted.len().saturating_sub(1));
        sorted.get(place).copied().unwrap_or_default()
    }
}

impl fmt::Display for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (half, most) = (self.quantile(500), self.quantile(990));
        write!(f, "{half:.0?} in the median, {most:.0?} in 99 of 100, {:.0?} at most", self.most())
    }
}

//! Which of many findings is kept and shown where there is no room for all.

use std::cmp::Reverse;

use crate::finding::{Confidence, Finding, Severity};
use crate::time::Time;

/// How much a finding matters beside others: the greater, the more.
///
/// What the evidence carries comes before what is suspected, since a tenant can make others suspect
/// as much as it likes; then the worse, then the surer, then what was there first.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rank {
    confirmed: bool,
    severity: Severity,
    confidence: Confidence,
    opened_at: Reverse<Time>,
}

impl Rank {
    /// That of a finding as it is now.
    pub const fn from_finding(finding: &Finding) -> Self {
        Self {
            confirmed: finding.confirmed_at.is_some(),
            severity: finding.severity,
            confidence: finding.confidence,
            opened_at: Reverse(finding.opened_at),
        }
    }

    /// Whether the evidence carries it.
    pub const fn is_confirmed(self) -> bool {
        self.confirmed
    }
}

#[cfg(all(test, feature = "operator"))]
mod tests {
    use super::*;
    use crate::operator::testing::{at, finding};

    #[test]
    fn confirmed_comes_before_suspected_then_the_worse_the_surer_and_the_older() {
        let suspected = Finding { confirmed_at: None, ..finding("web") };
        let warning = Finding { severity: Severity::Warning, ..finding("web") };
        let unsure = Finding { confidence: Confidence::Low, ..finding("web") };
        let later = Finding { opened_at: at(1), ..finding("web") };
        let mut all = [&later, &suspected, &finding("web"), &warning, &unsure].map(Rank::from_finding);
        all.sort_by_key(|rank| Reverse(*rank));
        assert_eq!(all, [&finding("web"), &later, &unsure, &warning, &suspected].map(Rank::from_finding));
    }
}

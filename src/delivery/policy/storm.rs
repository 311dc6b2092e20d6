//! When so much happens at once that it is told together.

use std::collections::BTreeSet;
use std::time::Duration;

use super::news::Due;
use super::{Item, MOST_IN_DIGEST, Settings};
use crate::finding::Identity;
use crate::time::Time;

/// Findings that are told within this count as at once.
pub(in crate::delivery) const AT_ONCE: Duration = Duration::from_mins(1);
/// Digests that are not full are no closer to one another.
const BETWEEN: Duration = Duration::from_secs(10);

/// Whether there is a storm, and what to do.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Storm {
    /// None: each is told by itself.
    No,
    /// There is, and a digest was sent just now: gather until then.
    Gathers(Time),
    /// There is, and it is time for a digest.
    Breaks,
}

/// Looks at what was told in the last minute and what is to be told now.
pub(super) fn of(items: &[Item], fresh: &[Due], settings: &Settings, now: Time) -> Storm {
    let recent = |item: &&Item| item.told.as_ref().is_some_and(|told| told.at > now.minus(AT_ONCE));
    let told = items.iter().filter(recent).map(|item| item.finding.identity());
    let all: BTreeSet<Identity> = told.chain(fresh.iter().map(|due| due.item.finding.identity())).collect();
    if all.len() <= settings.digest_above {
        return Storm::No;
    }
    let digests = items.iter().filter_map(|item| item.told.as_ref()).filter(|told| told.digest.is_some());
    match digests.map(|told| told.at.plus(BETWEEN)).max() {
        Some(until) if now < until && fresh.len() < MOST_IN_DIGEST => Storm::Gathers(until),
        _ => Storm::Breaks,
    }
}

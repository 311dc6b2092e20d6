//! Detects when so much happens at once that it is sent as a digest.

use std::collections::BTreeSet;
use std::time::Duration;

use super::due::Due;
use super::{Item, MAX_IN_DIGEST, Settings};
use crate::finding::Identity;
use crate::time::Time;

/// Notifications within this time count as simultaneous.
pub(in crate::delivery) const AT_ONCE: Duration = Duration::from_mins(1);
/// Minimum interval between digests that are not full.
const BETWEEN: Duration = Duration::from_secs(10);

/// Whether there is a storm, and what to do.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Storm {
    /// None: each finding is sent by itself.
    No,
    /// There is one, and a digest was sent just now: gather until then.
    Gathers(Time),
    /// There is one, and it is time for a digest.
    Breaks,
}

/// Evaluates the notifications of the last minute and those due now.
pub(super) fn of(items: &[Item], fresh: &[Due], settings: &Settings, now: Time) -> Storm {
    let recent = |item: &&Item| item.notified.as_ref().is_some_and(|notified| notified.at > now.minus(AT_ONCE));
    let notified = items.iter().filter(recent).map(|item| item.finding.identity());
    let all: BTreeSet<Identity> = notified.chain(fresh.iter().map(|due| due.item.finding.identity())).collect();
    if all.len() <= settings.digest_above {
        return Storm::No;
    }
    let digests = items.iter().filter_map(|item| item.notified.as_ref()).filter(|notified| notified.digest.is_some());
    match digests.map(|notified| notified.at.plus(BETWEEN)).max() {
        Some(until) if now < until && fresh.len() < MAX_IN_DIGEST => Storm::Gathers(until),
        _ => Storm::Breaks,
    }
}

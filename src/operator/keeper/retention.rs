//! Which objects of resolved findings are removed: pure.
//!
//! They are kept for people who look in the morning at what happened during the night. Where workloads come
//! and go by the thousand nobody looks at each, and the API server would have to store them all.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::state::{Kept, Key};
use crate::time::Time;

/// How much longer an object is kept if a receiver was not notified of its resolution: by then the receiver
/// is gone from the configuration, or nobody misses the notification.
const UNTOLD: Duration = Duration::from_hours(24 * 7);
/// How long the resolved findings of a workload that runs once are kept, once notified.
const FLEETING: Duration = Duration::from_hours(1);
/// Minimum time everything is kept: people and receivers have seen it by then.
const AT_LEAST: Duration = Duration::from_mins(5);
/// How long an object is kept at least after the guard undid a rollout for it.
const UNDONE: Duration = Duration::from_hours(1);
/// Maximum number of alike findings kept of workloads that run once, newest first.
const ALIKE: usize = 10;
/// Maximum number per namespace.
pub const MAX_OF_ONE: usize = 500;
/// Maximum number in total.
pub const MAX_OBJECTS: usize = 2_000;

/// An object of a resolved finding.
#[derive(Copy, Clone, Debug)]
pub struct Past<'a> {
    /// Its key.
    pub key: &'a Key,
    /// The object as it was seen.
    pub kept: &'a Kept,
    /// When it was resolved.
    pub over: Time,
}

/// Why an object is removed.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Why {
    /// Its retention time has passed.
    LongOver,
    /// There are newer ones like it.
    Alike,
    /// There are too many.
    Crowded,
}

/// Those to remove at `now`, with `keep` as retention time.
pub fn leaving(mut all: Vec<Past>, keep: Duration, now: Time) -> Vec<(Key, Why)> {
    // Those that still have to be notified first, then the newest.
    all.sort_by_key(|past| (past.kept.notified, Reverse(past.over), past.key));
    let (mut of_one, mut alike) = (BTreeMap::<&str, usize>::new(), BTreeMap::<u64, usize>::new());
    let (mut in_all, mut leaving) = (0, Vec::new());
    for past in all {
        let of_one = of_one.entry(&past.key.namespace).or_default();
        let alike = alike.entry(past.kept.alike).or_default();
        // The undos of an hour are counted from the objects.
        let why = if past.kept.undone.is_some_and(|at| at <= now && now.since(at) < UNDONE) {
            continue;
        } else if now.since(past.over) >= patience(past.kept, keep) {
            Why::LongOver
        } else if in_all >= MAX_OBJECTS || *of_one >= MAX_OF_ONE {
            Why::Crowded
        } else if past.kept.fleeting && past.kept.notified && *alike >= ALIKE && now.since(past.over) >= AT_LEAST {
            Why::Alike
        } else {
            in_all += 1;
            *of_one += 1;
            *alike += 1;
            continue;
        };
        leaving.push((past.key.clone(), why));
    }
    leaving
}

fn patience(kept: &Kept, keep: Duration) -> Duration {
    match (kept.notified, kept.fleeting) {
        (false, _) => keep.saturating_add(UNTOLD),
        (true, true) => keep.min(FLEETING),
        (true, false) => keep,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::keeper::state::Marks;
    use crate::operator::testing::at;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn what_is_over_and_told_goes_after_a_day_and_of_a_bare_pod_after_an_hour() {
        let all = [past("web", 0, |_| {}), past("pod", 0, |kept| kept.fleeting = true)];
        assert_eq!(names(&all, at(3_599)), []);
        assert_eq!(names(&all, at(3_600)), [("pod", Why::LongOver)]);
        assert_eq!(names(&all, at(24 * 3_600)), [("pod", Why::LongOver), ("web", Why::LongOver)]);
    }

    #[test]
    fn what_a_receiver_waits_for_stays_a_week_longer_and_goes_last_where_it_is_crowded() {
        let mut all: Vec<_> = (0..MAX_OF_ONE as i64).map(|number| past(&format!("{number}"), number, |_| {})).collect();
        all.push(past("untold", -1, |kept| kept.notified = false));
        assert_eq!(names(&all, at(600)), [("0", Why::Crowded)]);
        let untold = &all[MAX_OF_ONE..];
        assert_eq!(names(untold, at(7 * 24 * 3_600)), []);
        assert_eq!(names(untold, at(8 * 24 * 3_600)), [("untold", Why::LongOver)]);
    }

    #[test]
    fn of_bare_pods_that_are_alike_the_newest_ten_stay() {
        let all: Vec<_> =
            (0..13).map(|number| past(&format!("{number:02}"), number, |kept| kept.fleeting = true)).collect();
        assert_eq!(names(&all, at(310)), [("02", Why::Alike), ("01", Why::Alike), ("00", Why::Alike)]);
        let others: Vec<_> = (0..13).map(|number| past(&format!("{number:02}"), number, |_| {})).collect();
        assert_eq!(names(&others, at(310)), []);
    }

    #[test]
    fn what_was_undone_is_counted_for_an_hour() {
        let all = [past("web", 0, |kept| (kept.fleeting, kept.undone) = (true, Some(at(3_000))))];
        assert_eq!(names(&all, at(6_599)), []);
        assert_eq!(names(&all, at(6_600)), [("web", Why::LongOver)]);
    }

    #[test]
    fn there_are_no_more_than_fit() {
        let all: Vec<_> = (0..MAX_OBJECTS as i64 + 700)
            .map(|number| {
                let (mut key, kept, over) = past(&format!("{number}"), number, |_| {});
                key.namespace = format!("team-{}", number % 7).into();
                (key, kept, over)
            })
            .collect();
        assert_eq!(names(&all, at(4_000)).len(), 700);
    }

    fn past(name: &str, over: i64, change: impl FnOnce(&mut Kept)) -> (Key, Kept, Time) {
        let marks = Marks { whole: 0, essence: 0 };
        let over = at(over);
        let mut kept = Kept {
            version: 1,
            uid: 1,
            marks,
            episode: 1,
            over: Some(over),
            notified: true,
            fleeting: false,
            undone: None,
            alike: 7,
        };
        change(&mut kept);
        (Key { namespace: "prod".into(), name: name.into() }, kept, over)
    }

    fn names(all: &[(Key, Kept, Time)], now: Time) -> Vec<(&str, Why)> {
        let pasts = all.iter().map(|(key, kept, over)| Past { key, kept, over: *over }).collect();
        let gone = leaving(pasts, DAY, now);
        let name = |key: &Key| all.iter().find(|(known, ..)| known == key).map_or("", |(known, ..)| &*known.name);
        gone.iter().map(|(key, why)| (name(key), *why)).collect()
    }
}

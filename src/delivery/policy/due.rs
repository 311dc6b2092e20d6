//! What of one finding is news to a receiver.

use super::{Admission, Holds, Item, Settings};
use crate::report::object::{Content, FindingState, Notification, Notified};
use crate::report::update::{FindingUpdate, Kind};
use crate::time::Time;

/// News, and when it may be told.
#[derive(Copy, Clone, Debug)]
pub(super) struct Due<'a> {
    /// What it is news of.
    pub item: &'a Item,
    /// What is new.
    pub kind: Kind,
    /// When it happened.
    pub since: Time,
    /// When it may be told at the earliest.
    pub at: Time,
}

impl Due<'_> {
    /// As it is told.
    pub fn news(self) -> FindingUpdate {
        FindingUpdate { kind: self.kind, finding: self.item.finding.clone(), before: self.item.notified.clone() }
    }
}

/// The news of a finding to a receiver that exists since `existed`.
pub(super) fn of<'a>(item: &'a Item, existed: Time, settings: &Settings) -> Option<Due<'a>> {
    let mut due = match item.state {
        FindingState::Confirmed if item.silenced => None,
        FindingState::Confirmed => goes_on(item, settings),
        FindingState::Resolved | FindingState::Withdrawn => over(item, existed, settings),
    }?;
    match item.admission {
        Admission::Barred => return None,
        Admission::ToItsEnd if matches!(due.kind, Kind::Opened | Kind::Missed) => return None,
        Admission::Muted(until) => due.at = due.at.max(until),
        Admission::Routed | Admission::ToItsEnd => {}
    }
    Some(due)
}

fn goes_on<'a>(item: &'a Item, settings: &Settings) -> Option<Due<'a>> {
    let opened = Due { item, kind: Kind::Opened, since: confirmed(item), at: Time::default() };
    let Some(notified) = item.notified.as_ref().filter(|notified| is_of_this_coming(notified, item)) else {
        return Some(opened);
    };
    let (now, before) = (Content::of(&item.finding), notified.content.as_ref());
    let is_news = before.is_none_or(|before| now.is_news_after(before));
    if notified.notified == Notified::Nothing {
        return is_news.then_some(opened);
    }
    let again = |kind, at| Due { item, kind, since: notified.at, at };
    if !is_news {
        return settings.remind_every.map(|every| again(Kind::GoesOn, notified.at.plus(every)));
    }
    let worse = before.is_some_and(|before| now.is_worse_than(before));
    Some(again(Kind::Changed, if worse { notified.at } else { notified.at.plus(settings.changes_every) }))
}

/// Whether what was told is of this episode, and not yet that it is over.
fn is_of_this_coming(notified: &Notification, item: &Item) -> bool {
    notified.episode == item.finding.episodes && notified.notified != Notified::Resolved
}

fn over<'a>(item: &'a Item, existed: Time, settings: &Settings) -> Option<Due<'a>> {
    let since = item.finding.resolved_at.unwrap_or_else(|| confirmed(item));
    let due = |kind| Some(Due { item, kind, since, at: Time::default() });
    match (item.notified.as_ref().map(|notified| notified.notified), item.state) {
        (Some(Notified::Opened | Notified::Changed), FindingState::Withdrawn) => due(Kind::Withdrawn),
        (Some(Notified::Opened | Notified::Changed), _) => due(Kind::Resolved),
        (Some(Notified::Nothing), _) | (None | Some(Notified::Resolved), FindingState::Withdrawn) => None,
        (None | Some(Notified::Resolved), _) => {
            let notified = item.notified.as_ref().is_some_and(|notified| notified.episode == item.finding.episodes);
            let of_use = settings.holds == Holds::OneOrMany && !item.silenced && !notified;
            if of_use && confirmed(item) > existed { due(Kind::Missed) } else { None }
        }
    }
}

fn confirmed(item: &Item) -> Time {
    item.finding.confirmed_at.unwrap_or(item.finding.opened_at)
}

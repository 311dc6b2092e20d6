//! Whether a finding needs a notification to a receiver.

use super::{Admission, Holds, Item, Settings};
use crate::report::object::{Content, FindingState, Notification, Notified};
use crate::report::update::{FindingUpdate, Kind};
use crate::time::Time;

/// A notification, and when it is due.
#[derive(Copy, Clone, Debug)]
pub(super) struct Due<'a> {
    /// The finding.
    pub item: &'a Item,
    /// What kind of update it is.
    pub kind: Kind,
    /// When it happened.
    pub since: Time,
    /// The earliest time to send it.
    pub at: Time,
}

impl Due<'_> {
    /// As an update to send.
    pub fn news(self) -> FindingUpdate {
        FindingUpdate { kind: self.kind, finding: self.item.finding.clone(), before: self.item.notified.clone() }
    }
}

/// The update of a finding that is due to a receiver that has existed since `existed`.
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
    let (now, before) = (Content::from_finding(&item.finding), notified.content.as_ref());
    let is_news = before.is_none_or(|before| now.is_news_after(before));
    if notified.notified == Notified::Nothing {
        return is_news.then_some(opened);
    }
    let again = |kind, at| Due { item, kind, since: notified.at, at };
    if !is_news {
        return settings.remind_every.map(|every| again(Kind::GoesOn, notified.at.plus(every)));
    }
    let urgent = before.is_some_and(|before| now.is_urgent_after(before));
    Some(again(Kind::Changed, if urgent { notified.at } else { notified.at.plus(settings.changes_every) }))
}

/// Whether the last notification is of this episode, and was not of its end.
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

//! A receiver whose notifications are remembered, like in the cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use probehound::delivery::policy::{Admission, Item, Next, Past, Settings, next};
use probehound::engine::Finding;
use probehound::finding::Identity;
use probehound::report::object::{FindingState, Notification};
use probehound::report::update::{Dispatch, Kind, Outcome};
use probehound::time::Time;

/// The findings, and the notifications of one receiver.
pub struct Receiver {
    pub items: BTreeMap<Identity, Item>,
    pub past: Past,
    pub settings: Settings,
}

impl Receiver {
    /// One that was notified long ago: nothing is a first look.
    pub fn old(settings: Settings, since: Time) -> Self {
        let mut receiver = Self::new(settings, since);
        let mut long_ago = super::samples::finding("of-old", 0);
        long_ago.resolved_at = long_ago.confirmed_at;
        receiver.put(&long_ago, FindingState::Resolved);
        let notified = Notification {
            receiver: "slack".into(),
            episode: 1,
            notified: probehound::report::object::Notified::Resolved,
            at: Time::default(),
            content: None,
            digest: None,
            refused: None,
        };
        receiver.item(&long_ago).notified = Some(notified);
        receiver
    }

    /// One that was never notified.
    pub fn new(settings: Settings, since: Time) -> Self {
        Self { items: BTreeMap::new(), past: Past { since, first_notified: None, not_before: since }, settings }
    }

    /// Sets the state of the finding.
    pub fn put(&mut self, finding: &Finding, state: FindingState) {
        let id = finding.identity();
        let item = Item {
            finding: Arc::new(finding.clone()),
            state,
            silenced: false,
            admission: Admission::Routed,
            notified: None,
        };
        let item = self.items.entry(id).or_insert(item);
        (item.finding, item.state) = (Arc::new(finding.clone()), state);
    }

    /// It is open.
    pub fn open(&mut self, finding: &Finding) {
        self.put(finding, FindingState::Confirmed);
    }

    /// It is resolved.
    pub fn over(&mut self, finding: &Finding, at: Time) {
        let finding = Finding { resolved_at: Some(at), ..finding.clone() };
        self.put(&finding, FindingState::Resolved);
    }

    pub fn item(&mut self, finding: &Finding) -> &mut Item {
        self.items.get_mut(&finding.identity()).expect("it was put")
    }

    /// The next action.
    pub fn next(&self, now: Time) -> Next {
        let items: Vec<Item> = self.items.values().cloned().collect();
        next(&items, self.past, &self.settings, now)
    }

    /// Sends everything due at `now`, however much, without a rate limit.
    pub fn hear(&mut self, now: Time) -> Vec<Dispatch> {
        let mut heard = Vec::new();
        while let Next::Send(dispatch) = self.next(now) {
            self.record(&dispatch, now, &Outcome::Delivered);
            heard.push(dispatch);
            assert!(heard.len() < 2_000, "it goes on and on");
        }
        heard
    }

    pub fn record(&mut self, dispatch: &Dispatch, now: Time, outcome: &Outcome) {
        for (id, notified) in dispatch.records("slack", now, outcome) {
            self.items.get_mut(&id).expect("it was told of a finding that is there").notified = Some(notified);
        }
    }
}

/// `Opened web`, in order; a digest's updates after `| `.
pub fn words(dispatches: &[Dispatch]) -> Vec<String> {
    let name = |finding: &Finding| finding.workload.split('/').nth(1).unwrap_or_default().to_owned();
    let news = |dispatch: &Dispatch| match dispatch {
        Dispatch::One(news) => format!("{:?} {}", news.kind, name(&news.finding)),
        Dispatch::Digest(digest) => {
            let news: Vec<String> =
                digest.news.iter().map(|news| format!("{:?} {}", news.kind, name(&news.finding))).collect();
            format!("{:?}: {}", digest.why, news.join(", "))
        }
    };
    dispatches.iter().map(news).collect()
}

/// How often each finding was notified with each kind.
pub fn count(dispatches: &[Dispatch]) -> BTreeMap<(Identity, Kind), usize> {
    let mut counts = BTreeMap::new();
    for news in dispatches.iter().flat_map(Dispatch::news) {
        *counts.entry((news.finding.identity(), news.kind)).or_default() += 1;
    }
    counts
}

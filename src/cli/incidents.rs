//! What a report says beside the findings: what was told of them, and what their pods did.

use super::channel::{Channel, Sent};
use crate::engine::{Change, Engine};
use crate::finding::Identity;
use crate::finding::rank::Rank;
use crate::report::case::{Case, Told};
use crate::time::Time;

/// Maximum number of findings of a report, worst first; each has a picture.
pub const MAX_CASES: usize = 200;
/// The receiver in a report of a recording.
const RECEIVER: &str = "a channel with default settings";

/// Collects what would have been told while a recording is replayed.
#[derive(Debug, Default)]
pub struct Incidents {
    channel: Channel,
    told: Vec<(Identity, Told)>,
}

impl Incidents {
    /// Advances time to `now`; returns what was sent until then.
    pub fn advance(&mut self, now: Time) -> Vec<Sent> {
        let sent = self.channel.advance(now);
        self.keep(&sent);
        sent
    }

    /// Takes in a change of the engine; returns what is sent at once.
    pub fn change(&mut self, change: &Change) -> Vec<Sent> {
        let sent = self.channel.hear(change);
        self.keep(&sent);
        sent
    }

    /// The confirmed findings of the engine, worst first, with their incidents.
    pub fn of(&self, engine: &Engine) -> Vec<Case> {
        let mut findings = engine.findings();
        findings.retain(|finding| finding.confirmed_at.is_some());
        findings.sort_by_key(|finding| std::cmp::Reverse(Rank::from_finding(finding)));
        findings.truncate(MAX_CASES);
        let case = |finding: std::sync::Arc<crate::finding::Finding>| {
            let identity = finding.identity();
            let told = self.told.iter().filter(|(of, _)| *of == identity).map(|(_, told)| told.clone());
            Case { incident: engine.incident(&identity), told: told.collect(), finding }
        };
        findings.into_iter().map(case).collect()
    }

    fn keep(&mut self, sent: &[Sent]) {
        for sent in sent {
            let told = |what: &String| Told { at: sent.at, to: RECEIVER.to_owned(), what: what.clone() };
            self.told.extend(sent.of.iter().map(|(identity, what)| (identity.clone(), told(what))));
        }
    }
}

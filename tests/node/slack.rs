//! The channel to which the node's probehound writes, and the notifications in it.

use probehound::time::Time;
use tokio::time::Instant;

use crate::harness::clock::now;
use crate::support::slack::{Seen, Slack};

/// A Slack of our own, at the port in values.yaml.
pub struct Channel(Slack);

/// The notification about a workload in a line of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tiding {
    /// `web (Deployment, namespace shop)`
    pub of: String,
    /// What happened to its finding.
    pub kind: Kind,
    /// What is wrong with it: the rest of the headline.
    pub why: String,
    /// When it was sent.
    pub at: Time,
}

/// The kinds of notifications.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    Opened,
    Changed,
    Over,
    TakenBack,
}

impl Channel {
    /// Opens it at this address.
    pub async fn open(address: &str) -> Self {
        Self(Slack::start_at(&format!("{address}:8088"), []).await)
    }

    /// The notifications, in order.
    pub fn update(&self) -> Vec<Tiding> {
        self.0.taken().iter().flat_map(update).collect()
    }

    /// The refused messages, which are bugs of ours.
    pub fn refused(&self) -> Vec<String> {
        self.0.seen().into_iter().filter(|seen| seen.status != 200).map(|seen| seen.text()).collect()
    }

    /// All messages, for people to read.
    pub fn pages(&self) -> String {
        let page = |seen: &Seen| format!("---- {}\n{}\n{}\n", wall_clock(seen.at), seen.text(), seen.page());
        self.0.taken().iter().map(page).collect()
    }
}

/// Each line that begins with an icon and a headline is about one workload: the only one of a message, or
/// one of a digest.
fn update(seen: &Seen) -> Vec<Tiding> {
    let at = wall_clock(seen.at);
    let text = seen.text();
    let whole = match text.trim_start_matches("[node] ") {
        text if text.starts_with("RESOLVED") => Kind::Over,
        text if text.starts_with("UPDATE") => Kind::Changed,
        text if text.starts_with("TAKEN BACK") => Kind::TakenBack,
        _ => Kind::Opened,
    };
    let page = seen.page();
    let headlines = page.lines().filter(|line| line.starts_with(':')).filter_map(|line| line.split_once('*'));
    let tiding = |(before, headline): (&str, &str)| {
        let kind = match before {
            _ if before.contains("over:") => Kind::Over,
            _ if before.contains("changed:") || before.contains("goes on:") => Kind::Changed,
            _ if before.contains("taken back:") => Kind::TakenBack,
            _ => whole,
        };
        let (of, why) = headline.split_once("): ").filter(|(of, _)| of.contains(", namespace "))?;
        Some(Tiding { of: format!("{of})"), kind, why: why.split('*').next()?.to_owned(), at })
    };
    headlines.filter_map(tiding).collect()
}

/// When a message arrived, by the wall clock.
fn wall_clock(at: Instant) -> Time {
    Time::from_millis(now().as_millis() - at.elapsed().as_millis() as i64)
}

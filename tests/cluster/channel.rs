//! A Slack channel that an operator writes to: what was sent there, and what the objects record of it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harness::{Api, Folder, waiting};
use crate::support::slack::{Slack, Turn};
use crate::told;

/// A channel of its own.
pub struct Channel {
    slack: Slack,
    file: String,
}

/// A notification about the one finding of a namespace.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Tiding {
    pub namespace: String,
    pub kind: Kind,
}

/// The kinds of notifications, in the order in which they happen.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    Opened,
    Changed,
    Over,
}

impl Tiding {
    /// The finding of that namespace was opened.
    pub fn opened(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), kind: Kind::Opened }
    }

    /// It was resolved.
    pub fn over(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), kind: Kind::Over }
    }
}

impl Channel {
    /// Opens one; a file in `folder` holds its address.
    pub async fn open(folder: &Folder, name: &str) -> Self {
        let slack = Slack::start([]).await;
        let file = folder.write(&format!("{name}.slack"), &slack.url()).display().to_string();
        Self { slack, file }
    }

    /// The section of the configuration that sends everything to this channel; more findings than
    /// `digest_above` within a minute become a digest.
    pub fn settings(&self, digest_above: usize) -> Value {
        json!({
            "receivers": [{"name": "channel", "slack": {"urlFile": self.file}}],
            "digestAbove": digest_above,
        })
    }

    /// Delays its next answers.
    pub fn slow_down(&self, answer: Duration, answers: usize) {
        self.slack.then((0..answers).map(|_| Turn::Slow(answer)));
    }

    /// Waits for one more message than there are.
    pub async fn until_next(&self, limit: Duration) {
        let count = self.slack.taken().len() + 1;
        assert!(self.slack.took(count, limit).await.len() >= count, "no message comes within {limit:?}");
    }

    /// The number of messages it accepted.
    pub fn messages(&self) -> usize {
        self.slack.taken().len()
    }

    /// All notifications, in order, and when they arrived.
    ///
    /// # Panics
    /// The channel refused something, which is a bug of ours.
    pub fn update(&self) -> Vec<(Tiding, Instant)> {
        let seen = self.slack.seen();
        let refused: Vec<_> = seen.iter().filter(|seen| seen.status != 200).map(|seen| &seen.body).collect();
        assert!(refused.is_empty(), "{refused:#?}");
        seen.iter().filter_map(|seen| Some((tiding(&seen.text())?, seen.came))).collect()
    }

    /// The notifications to this channel that the objects record.
    pub async fn recorded(&self, api: &Api) -> BTreeSet<Tiding> {
        told::objects(api).await.iter().flat_map(recorded).collect()
    }

    /// Waits until all of these are recorded in the objects.
    pub async fn until_recorded(&self, api: &Api, wanted: &[Tiding], limit: Duration) {
        waiting::eventually("it is told and recorded", limit, async || {
            let recorded = self.recorded(api).await;
            let missing: Vec<_> = wanted.iter().filter(|tiding| !recorded.contains(tiding)).collect();
            if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?}")) }
        })
        .await;
    }
}

/// `[test] CRITICAL: web (NAMESPACE): the liveness probe …`; `None` for a digest.
fn tiding(text: &str) -> Option<Tiding> {
    let text = text.trim_start_matches("[test] ");
    let (head, rest) = text.split_once(": ")?;
    let kind = match head {
        "RESOLVED" => Kind::Over,
        _ if head.starts_with("UPDATE") => Kind::Changed,
        _ => Kind::Opened,
    };
    let (_, rest) = rest.split_once(" (")?;
    let (namespace, _) = rest.split_once("): ")?;
    Some(Tiding { namespace: namespace.to_owned(), kind })
}

/// The notifications recorded in an object; the last one implies the ones before.
fn recorded(object: &Value) -> Vec<Tiding> {
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
    let told = object["status"]["notifications"].as_array().into_iter().flatten();
    let kinds = told.filter(|told| told["receiver"] == "channel").flat_map(|told| match told["told"].as_str() {
        Some("Opened") => &[Kind::Opened][..],
        Some("Changed") => &[Kind::Opened, Kind::Changed],
        Some("Resolved") => &[Kind::Opened, Kind::Changed, Kind::Over],
        _ => &[],
    });
    kinds.map(|kind| Tiding { namespace: namespace.to_owned(), kind: *kind }).collect()
}

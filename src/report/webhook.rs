//! What a generic webhook is sent: one JSON document, versioned.
//!
//! `docs/webhook.schema.json` is its schema. Within the version `probehound.dev/v1` keys are added,
//! never changed or removed.

use ring::digest::{SHA256, digest};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::json::safe;
use super::object::Content;
use super::plain;
use super::update::{Dispatch, FindingUpdate, Kind, Why};
use super::written::Written;
use crate::text::hex;
use crate::time::Time;

/// The version of the document.
pub const VERSION: &str = "probehound.dev/v1";
/// Most items: each may be some kilobytes.
const ITEMS: usize = 100;

/// One message.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Document<'a> {
    /// `probehound.dev/v1`
    pub version: &'static str,
    /// The same for the same news, however often it is sent: what was seen already can be dropped.
    pub id: String,
    /// The receiver's name in the configuration.
    pub receiver: &'a str,
    /// What the cluster is called, if it has a name.
    pub cluster: Option<&'a str>,
    /// When it is sent.
    pub sent_at: Time,
    /// Why several findings are told together; `null` where it is one.
    pub digest: Option<Why>,
    /// The message in one line.
    pub summary: String,
    /// What is told, in order per workload.
    pub items: Vec<Item<'a>>,
    /// How many more came and went than there are items.
    pub omitted: usize,
    /// How many more findings the next message tells of.
    pub waiting: usize,
}

/// What is told of one finding.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Item<'a> {
    /// What happened to it.
    pub event: Kind,
    /// The message in lines, for people.
    pub lines: Vec<String>,
    /// The finding as it is now, as in `probehound replay -o json`.
    pub finding: Written<'a>,
}

impl<'a> Document<'a> {
    /// What is told, for a webhook.
    pub fn new(dispatch: &'a Dispatch, receiver: &'a str, cluster: Option<&'a str>, now: Time) -> Self {
        let (digest, waiting) = match dispatch {
            Dispatch::One(_) => (None, 0),
            Dispatch::Digest(digest) => (Some(digest.why), digest.waiting),
        };
        Self {
            version: VERSION,
            id: id(dispatch, receiver),
            receiver,
            cluster,
            sent_at: now,
            digest,
            summary: summary(dispatch, now),
            items: dispatch.news().iter().take(ITEMS).map(|news| Item::new(news, now)).collect(),
            omitted: dispatch.news().len().saturating_sub(ITEMS),
            waiting,
        }
    }

    /// As it is sent.
    ///
    /// # Errors
    /// None that serialising plain data can give.
    pub fn render(&self) -> serde_json::Result<String> {
        serde_json::to_string(self).map(safe)
    }
}

impl<'a> Item<'a> {
    fn new(news: &'a FindingUpdate, now: Time) -> Self {
        Self { event: news.kind, lines: plain::lines(news, now), finding: Written::new(&news.finding) }
    }
}

/// The document's schema.
pub fn schema() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Document>()
}

fn summary(dispatch: &Dispatch, now: Time) -> String {
    match dispatch.news() {
        [news] => plain::line(news, now),
        several => format!("{} findings at once", several.len()),
    }
}

/// A mark of what is told, to whom.
pub(super) fn id(dispatch: &Dispatch, receiver: &str) -> String {
    let of = |news: &FindingUpdate| {
        format!(
            "{:?}",
            (news.finding.identity(), news.finding.episodes, news.kind, Content::from_finding(&news.finding))
        )
    };
    let news: Vec<String> = dispatch.news().iter().map(of).collect();
    let digest = digest(&SHA256, format!("{receiver}\n{}", news.join("\n")).as_bytes());
    hex(&digest.as_ref()[..16])
}

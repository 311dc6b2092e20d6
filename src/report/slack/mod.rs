//! A message for a Slack incoming webhook: Block Kit, within Slack's limits by construction.
//!
//! Each part of a message has a share of the budget, and is cut to it when it is escaped; the shares add up
//! to less than Slack accepts. (docs.slack.dev/reference/block-kit/blocks/section-block)

mod digest;
pub mod escape;
mod single;

use serde::Serialize;

use super::headline::{kind_and_name, what_is_wrong};
use super::sentence::{Part, Sentence};
use super::update::{Dispatch, FindingUpdate, Kind};
use super::wording;
use crate::engine::{Finding, Severity};
use crate::finding::field::Field;
use crate::time::Time;
use escape::{code, prose};

/// Maximum length of a section's text, in characters.
pub const MAX_OF_SECTION: usize = 3000;
/// Maximum number of blocks of a message.
pub const MAX_BLOCKS: usize = 50;
/// Maximum length of all blocks together, in characters: Slack refuses some 13,000 and more, which is not
/// documented.
pub const MAX_OF_MESSAGE: usize = 12_000;
/// Maximum length of the fallback text: more does not fit on a lock screen.
const FALLBACK: usize = 600;

/// The payload to post.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Payload {
    /// The text of the phone notification.
    pub text: String,
    /// The content shown in the channel.
    pub blocks: Vec<Block>,
    /// Slack must not fetch links.
    pub unfurl_links: bool,
    /// Nor media.
    pub unfurl_media: bool,
}

/// A block.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Block {
    /// Text.
    Section {
        /// The text.
        text: Text,
    },
    /// Small print.
    Context {
        /// Its pieces.
        elements: Vec<Text>,
    },
    /// A line between two findings.
    Divider {},
}

/// Formatted text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Text {
    /// `mrkdwn`
    #[serde(rename = "type")]
    kind: &'static str,
    /// The text, escaped.
    pub text: String,
    /// Slack must not turn names and addresses into links.
    verbatim: bool,
}

/// The content of a message besides its findings.
#[derive(Copy, Clone, Debug)]
pub struct Context<'a> {
    /// The name of the cluster.
    pub cluster: Option<&'a str>,
    /// The time of the message.
    pub now: Time,
}

impl Payload {
    /// The payload for a dispatch.
    pub fn new(dispatch: &Dispatch, context: Context) -> Self {
        let (text, blocks) = match dispatch {
            Dispatch::One(news) => (fallback(news, context), single::blocks(news, None, context)),
            Dispatch::Digest(digest) => digest::render(digest, context),
        };
        Self { text, blocks, unfurl_links: false, unfurl_media: false }
    }
}

impl Block {
    fn section(text: String) -> Self {
        Self::Section { text: Text::new(text) }
    }

    fn context(text: String) -> Self {
        Self::Context { elements: vec![Text::new(text)] }
    }
}

impl Text {
    const fn new(text: String) -> Self {
        Self { kind: "mrkdwn", text, verbatim: true }
    }
}

/// What a phone shows: `CRITICAL: auth-service (prod): the liveness probe asks for … 50 of 50 pods.
/// Fix: path /v2/health → /health.`
fn fallback(news: &FindingUpdate, context: Context) -> String {
    let finding = &news.finding;
    let (_, name) = kind_and_name(&finding.workload);
    let cluster = context.cluster.map(|cluster| format!("[{cluster}] ")).unwrap_or_default();
    let first = format!("{cluster}{}: {name} ({}): {}.", alert(news), finding.namespace, what_is_wrong(finding));
    let rest = match news.kind {
        Kind::Resolved | Kind::Missed => format!(" {}", wording::over(finding, context.now)),
        Kind::Withdrawn => String::new(),
        Kind::Opened | Kind::Changed | Kind::GoesOn => reach(finding) + &fix(finding),
    };
    prose(&(first + &rest), FALLBACK)
}

/// ` 50 of 50 pods; Service auth is down (0 of 50 endpoints ready).`
fn reach(finding: &Finding) -> String {
    let down = wording::out(finding)
        .map(|service| format!("; Service {} is down (0 of {} endpoints ready)", service.name, service.total));
    format!(" {}{}.", wording::capitalised(&wording::pods(finding.pods)), down.unwrap_or_default())
}

/// ` Fix: path /v2/health → /health.`
fn fix(finding: &Finding) -> String {
    let field = finding.field.as_ref().map(Field::last).unwrap_or_default();
    match (&finding.current, &finding.suggested) {
        (Some(current), Some(suggested)) => format!(" Fix: {field} {current} → {suggested}."),
        (None, Some(suggested)) => format!(" Fix: {field} {suggested}."),
        _ => String::new(),
    }
}

/// The first word in the phone notification.
fn alert(news: &FindingUpdate) -> String {
    let severity = news.finding.severity.to_string().to_uppercase();
    match news.kind {
        Kind::Opened => severity,
        Kind::Changed => format!("UPDATE, {severity}"),
        Kind::GoesOn => format!("STILL {severity}"),
        Kind::Resolved | Kind::Missed => "RESOLVED".to_owned(),
        Kind::Withdrawn => "TAKEN BACK".to_owned(),
    }
}

/// An icon for the severity.
fn icon(news: &FindingUpdate) -> &'static str {
    match (news.kind, news.finding.severity) {
        (Kind::Resolved | Kind::Missed, _) => ":white_check_mark:",
        (Kind::Withdrawn, _) => ":leftwards_arrow_with_hook:",
        (_, Severity::Critical) => ":red_circle:",
        (_, Severity::Warning) => ":large_orange_circle:",
        (_, Severity::Info) => ":large_blue_circle:",
    }
}

/// A sentence with its names and values in code, at most `max` characters long.
fn sentence(sentence: &Sentence, max: usize) -> String {
    let mut out = String::new();
    for part in sentence.parts() {
        let room = max.saturating_sub(escape::length(&out));
        let piece = match part {
            Part::Words(text) => prose(text, room),
            Part::Name(text) | Part::Value(text) => code(text, room.max(3)),
        };
        if escape::length(&piece) > room {
            break;
        }
        out.push_str(&piece);
    }
    out
}

//! A message for a Slack incoming webhook: Block Kit, within Slack's limits by construction.
//!
//! Each part of a message has a share of the budget, and is cut to it when it is escaped; the shares add up
//! to less than Slack accepts. (docs.slack.dev/reference/block-kit/blocks/section-block)

pub mod escape;

use serde::Serialize;

pub use super::outline::Context;
use super::outline::medium::{Medium, Shares, text, texts};
use super::outline::{self, Icon, Item, Line, Outline, Share, Span};
use super::update::Dispatch;
use escape::{code, command, length, line, prose};

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

/// Slack's markup; lengths are in UTF-16 units.
struct Mrkdwn;

impl Payload {
    /// The payload for a dispatch.
    pub fn new(dispatch: &Dispatch, context: Context) -> Self {
        let outline = Outline::new(dispatch, context);
        let blocks = outline.blocks.iter().flat_map(blocks).collect();
        Self { text: prose(&outline.phone, FALLBACK), blocks, unfurl_links: false, unfurl_media: false }
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

impl Medium for Mrkdwn {
    type Piece = String;

    /// With the maximum number of findings, a digest is within the whole budget.
    const SHARES: Shares = Shares {
        headline: 720,
        sentence: 900,
        fact: 260,
        remedy: 1600,
        hypothesis: 202,
        small: 600,
        item: 330,
        item_headline: 202,
        item_detail: 600,
    };

    fn piece(span: &Span, max: usize) -> String {
        match span {
            Span::Icon(icon) => icon_name(*icon).to_owned(),
            Span::Words(text) => prose(text, max),
            Span::Bold(text) => format!("*{}*", prose(text, max.saturating_sub(2))),
            Span::Code(text) | Span::Command(text) => code(text, max.max(3)),
        }
    }

    fn length(piece: &String) -> usize {
        length(piece)
    }
}

fn blocks(block: &outline::Block) -> Vec<Block> {
    match block {
        outline::Block::Paragraph(lines) => vec![Block::section(texts::<Mrkdwn>(lines))],
        outline::Block::Facts(facts) => {
            let lines: Vec<String> = facts.iter().map(|fact| line(fact, Mrkdwn::SHARES.fact)).collect();
            vec![Block::section(format!("```{}```", lines.join("\n")))]
        }
        outline::Block::Command { label, command, instead } => vec![Block::section(remedy(label, command, instead))],
        outline::Block::Items(items) => sections(items),
        outline::Block::Small(line) => vec![Block::context(text::<Mrkdwn>(line))],
    }
}

/// A command as it has to be typed in a block of code, or where to find it.
fn remedy(label: &Span, text: &str, instead: &[Span]) -> String {
    let Shares { remedy, small, .. } = Mrkdwn::SHARES;
    let label = Mrkdwn::piece(label, small);
    match command(text, remedy) {
        Some(command) => format!("{label}\n```{command}```"),
        None => label + &outline::medium::text::<Mrkdwn>(&Line { share: Share::Small, spans: instead.to_vec() }),
    }
}

/// The findings, in as few sections as possible.
fn sections(items: &[Item]) -> Vec<Block> {
    let mut sections: Vec<String> = Vec::new();
    for item in items.iter().map(item) {
        match sections.last_mut() {
            Some(section) if length(section) + length(&item) < MAX_OF_SECTION => {
                section.push('\n');
                section.push_str(&item);
            }
            _ => sections.push(item),
        }
    }
    sections.into_iter().map(Block::section).collect()
}

fn item(item: &Item) -> String {
    let shown = item.commands.iter().find_map(|text| command(text, Mrkdwn::SHARES.item_detail));
    let command = shown.map(|command| format!("\n```{command}```"));
    texts::<Mrkdwn>(&item.lines) + &command.unwrap_or_default()
}

const fn icon_name(icon: Icon) -> &'static str {
    match icon {
        Icon::Critical => ":red_circle:",
        Icon::Warning => ":large_orange_circle:",
        Icon::Info => ":large_blue_circle:",
        Icon::Resolved => ":white_check_mark:",
        Icon::Withdrawn => ":leftwards_arrow_with_hook:",
    }
}

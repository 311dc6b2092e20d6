//! A message for a Microsoft Teams workflow ("When a Teams webhook request is received"): an Adaptive Card,
//! within the limit by construction.
//!
//! Teams refuses a message of more than 28 KB. (learn.microsoft.com/microsoftteams/platform/
//! webhooks-and-connectors/how-to/connectors-using) Where the request does not name its character set the
//! service counts two bytes a character, so a character counts as the longer of its UTF-8 and its UTF-16 here.
//!
//! All text is in `TextRun`s, which know no Markdown: no link, no formatting and no mention takes effect.
//! (learn.microsoft.com/adaptive-cards/schema-explorer/text-run) What they do know are the functions
//! `{{DATE(…)}}` and `{{TIME(…)}}`. (learn.microsoft.com/adaptive-cards/authoring-cards/text-features)

use serde::Serialize;

use super::outline::escape::{fit, head, seen};
use super::outline::medium::{Medium, Shares, pieces};
use super::outline::{Block, Context, Item, Line, Outline, Span};
use super::update::Dispatch;
use crate::text::escape::visible;

/// Maximum size of a message, in bytes.
pub const MAX_OF_MESSAGE: usize = 28_000;
/// Maximum size of the text for clients that cannot show the card, in bytes.
const FALLBACK: usize = 800;
/// Stands for a brace that would begin a function.
const BRACE: char = '❴';

/// The message to post.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Payload {
    /// `message`
    #[serde(rename = "type")]
    kind: &'static str,
    /// The card.
    pub attachments: [Attachment; 1],
}

/// An attachment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// `application/vnd.microsoft.card.adaptive`
    content_type: &'static str,
    /// Always `null`: the content is here.
    content_url: Option<&'static str>,
    /// The card.
    pub content: Card,
}

/// An Adaptive Card.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    msteams: Teams,
    /// The text for clients that cannot show the card.
    pub fallback_text: String,
    /// The content.
    pub body: Vec<Element>,
}

/// What Teams alone knows: a card as wide as the channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Teams {
    width: &'static str,
}

/// An element of a card.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "type")]
pub enum Element {
    /// A line.
    RichTextBlock {
        /// The distance to the line before.
        spacing: &'static str,
        /// Its pieces.
        inlines: Vec<Run>,
    },
    /// Lines on a grey ground: code.
    Container {
        /// `emphasis`
        style: &'static str,
        /// The lines.
        items: Vec<Element>,
    },
}

/// A piece of a line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "type", rename = "TextRun", rename_all = "camelCase")]
pub struct Run {
    /// The text.
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    font_type: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_subtle: bool,
}

/// Runs of text; lengths are in bytes of the message, with the run's own keys.
struct Runs;

impl Payload {
    /// The message for a dispatch.
    pub fn new(dispatch: &Dispatch, context: Context) -> Self {
        let outline = Outline::new(dispatch, context);
        let card = Card {
            kind: "AdaptiveCard",
            schema: "http://adaptivecards.io/schemas/adaptive-card.json",
            version: "1.4",
            msteams: Teams { width: "Full" },
            fallback_text: words(&outline.phone, FALLBACK),
            body: outline.blocks.iter().flat_map(elements).collect(),
        };
        let content_type = "application/vnd.microsoft.card.adaptive";
        Self { kind: "message", attachments: [Attachment { content_type, content_url: None, content: card }] }
    }
}

impl Medium for Runs {
    type Piece = Run;

    /// With the lines' own keys, less than 28,000 of the longest single message and of a digest of 30.
    const SHARES: Shares = Shares {
        headline: 1_000,
        sentence: 1_600,
        fact: 600,
        remedy: 1_700,
        hypothesis: 300,
        small: 800,
        item: 660,
        item_headline: 440,
        item_detail: 1_200,
    };

    fn piece(span: &Span, max: usize) -> Run {
        let empty = match span {
            Span::Icon(_) | Span::Words(_) => Run::new(None, None),
            Span::Bold(_) => Run::new(Some("Bolder"), None),
            Span::Code(_) | Span::Command(_) => Run::new(None, Some("Monospace")),
        };
        let room = max.saturating_sub(Self::length(&empty));
        let text = match span {
            Span::Icon(icon) => icon.emoji().to_owned(),
            Span::Words(text) | Span::Bold(text) => words(text, room),
            Span::Code(text) | Span::Command(text) => words(&seen(text), room),
        };
        Run { text, ..empty }
    }

    fn length(run: &Run) -> usize {
        serde_json::to_string(run).map_or(usize::MAX, |json| bytes(&json))
    }
}

impl Run {
    const fn new(weight: Option<&'static str>, font_type: Option<&'static str>) -> Self {
        Self { text: String::new(), weight, font_type, is_subtle: false }
    }
}

fn elements(block: &Block) -> Vec<Element> {
    match block {
        Block::Paragraph(lines) => paragraph(lines),
        Block::Facts(facts) => vec![code(facts.iter().map(|fact| words(fact, Runs::SHARES.fact)))],
        Block::Command { label, command, instead } => remedy(label, command, instead),
        Block::Items(items) => items.iter().flat_map(item).collect(),
        Block::Small(line) => {
            let subtle = pieces::<Runs>(&line.plain()).into_iter().map(|run| Run { is_subtle: true, ..run });
            vec![row("Default", subtle.collect())]
        }
    }
}

/// A command as it has to be typed, or where to find it.
fn remedy(label: &Span, command: &str, instead: &[Span]) -> Vec<Element> {
    let line = |rest| row("Default", pieces::<Runs>(&Line::labelled(label, rest)));
    match as_it_is(command, Runs::SHARES.remedy) {
        Some(command) => vec![line(&[]), code([command].into_iter())],
        None => vec![line(instead)],
    }
}

fn paragraph(lines: &[Line]) -> Vec<Element> {
    let spacing = ["Default"].into_iter().chain(std::iter::repeat("Small"));
    lines.iter().zip(spacing).map(|(line, spacing)| row(spacing, pieces::<Runs>(line))).collect()
}

/// A finding of a digest: each run takes its keys, so that names are among the words.
fn item(item: &Item) -> Vec<Element> {
    let lines: Vec<Line> = item.lines.iter().map(Line::plain).collect();
    let command = item.commands.iter().find_map(|command| as_it_is(command, Runs::SHARES.item_detail));
    let command = command.map(|command| code([command].into_iter()));
    paragraph(&lines).into_iter().chain(command).collect()
}

fn row(spacing: &'static str, inlines: Vec<Run>) -> Element {
    Element::RichTextBlock { spacing, inlines }
}

/// Lines of code; Teams has an element for it, but not on phones.
fn code(lines: impl Iterator<Item = String>) -> Element {
    let row = |text| row("None", vec![Run { text, ..Run::new(None, Some("Monospace")) }]);
    Element::Container { style: "emphasis", items: lines.map(row).collect() }
}

/// Text in which nothing acts, at most `max` bytes of the message long.
fn words(text: &str, max: usize) -> String {
    let characters: Vec<char> = head(text, max).chars().collect();
    let harmless = characters.iter().enumerate().map(|(at, character)| match character {
        '{' if begins_function(&characters[at + 1..]) => BRACE.to_string(),
        other => other.to_string(),
    });
    fit(harmless, max, bytes_in_json)
}

/// Whether what follows a brace makes it the beginning of a function.
fn begins_function(rest: &[char]) -> bool {
    ["{DATE(", "{TIME("].iter().any(|function| function.chars().eq(rest.iter().copied().take(6)))
}

/// A command exactly as it has to be typed, or nothing.
fn as_it_is(text: &str, max: usize) -> Option<String> {
    let characters: Vec<char> = text.chars().collect();
    let acts = (0..characters.len()).any(|at| characters[at] == '{' && begins_function(&characters[at + 1..]));
    (!acts && visible(text) == text && bytes_in_json(text) <= max).then(|| text.to_owned())
}

fn bytes_in_json(text: &str) -> usize {
    let escapes = text.chars().filter(|character| matches!(character, '"' | '\\')).count();
    bytes(text) + 2 * escapes
}

fn bytes(text: &str) -> usize {
    text.chars().map(|character| character.len_utf8().max(2 * character.len_utf16())).sum()
}

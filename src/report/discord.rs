//! A message for a Discord webhook: embeds, within Discord's limits by construction.
//!
//! An embed's title has at most 256 characters, its description 4,096, its footer 2,048, and all embeds of a
//! message 6,000 together; a message has at most ten. (docs.discord.com/developers/resources/message, "Embed
//! Limits") `content` has at most 2,000. (docs.discord.com/developers/resources/webhook, "Execute Webhook")
//!
//! Outside of code a back-slash takes a character its effect, and `allowed_mentions` allows none.

use serde::Serialize;

use super::outline::escape::{BACK_TICK, fit, head, seen};
use super::outline::medium::{Medium, Shares, text, texts};
use super::outline::{Block, Context, Icon, Item, Line, Outline, Share, Span};
use super::update::Dispatch;
use crate::text::escape::visible;

/// Maximum length of an embed's title, in UTF-16 units, as all lengths here.
pub const MAX_OF_TITLE: usize = 256;
/// Maximum length of an embed's description.
pub const MAX_OF_DESCRIPTION: usize = 4096;
/// Maximum length of all embeds together.
pub const MAX_OF_EMBEDS: usize = 6000;
/// Maximum length of the content: more does not fit on a lock screen.
const CONTENT: usize = 600;

/// The message to post.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Payload {
    /// The text of the phone notification.
    pub content: String,
    /// The details.
    pub embeds: Vec<Embed>,
    allowed_mentions: Mentions,
}

/// Whom a message may mention: nobody.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
struct Mentions {
    parse: [&'static str; 0],
}

/// A part of the details.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Embed {
    /// The headline, in the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text.
    pub description: String,
    /// The colour of its edge: `0xRRGGBB`.
    pub color: u32,
    /// Small print, in the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<Footer>,
}

/// Small print: without markup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Footer {
    /// The text.
    pub text: String,
}

/// Discord's Markdown.
struct Markdown;

/// Text without markup.
struct Plain;

/// With the maximum number of findings, a digest is within the whole budget.
const SHARES: Shares = Shares {
    headline: 250,
    sentence: 350,
    fact: 140,
    remedy: 500,
    hypothesis: 100,
    small: 300,
    item: 170,
    item_headline: 130,
    item_detail: 290,
};

impl Payload {
    /// The message for a dispatch.
    pub fn new(dispatch: &Dispatch, context: Context) -> Self {
        let outline = Outline::new(dispatch, context);
        let mut page = Page::default();
        outline.blocks.iter().for_each(|block| page.add(block));
        let line = format!("{} {}", outline.icon.emoji(), prose(&outline.phone, CONTENT));
        Self { content: line, embeds: page.embeds(color(outline.icon)), allowed_mentions: Mentions::default() }
    }
}

/// What goes into the embeds.
#[derive(Default)]
struct Page {
    title: Option<String>,
    paragraphs: Vec<String>,
    footer: Option<String>,
}

impl Page {
    /// The first headline is the title.
    fn add(&mut self, block: &Block) {
        match block {
            Block::Paragraph(lines) if self.title.is_none() => {
                let (headlines, others): (Vec<Line>, Vec<Line>) =
                    lines.iter().cloned().partition(|line| line.share == Share::Headline);
                self.title = headlines.first().map(text::<Markdown>);
                self.paragraphs.extend((!others.is_empty()).then(|| texts::<Markdown>(&others)));
            }
            Block::Paragraph(lines) => self.paragraphs.push(texts::<Markdown>(lines)),
            Block::Facts(facts) => {
                let lines: Vec<String> = facts.iter().map(|fact| code_line(fact, SHARES.fact)).collect();
                self.paragraphs.push(block_of(&lines.join("\n")));
            }
            Block::Command { label, command, instead } => self.paragraphs.push(remedy(label, command, instead)),
            Block::Items(items) => self.paragraphs.extend(items.iter().map(item)),
            Block::Small(line) => self.footer = Some(text::<Plain>(&line.plain())),
        }
    }

    /// The paragraphs in as few embeds as possible.
    fn embeds(self, color: u32) -> Vec<Embed> {
        let mut descriptions: Vec<String> = Vec::new();
        for paragraph in self.paragraphs {
            match descriptions.last_mut() {
                Some(description) if length(description) + length(&paragraph) < MAX_OF_DESCRIPTION => {
                    description.push('\n');
                    description.push_str(&paragraph);
                }
                _ => descriptions.push(paragraph),
            }
        }
        let plain = |description| Embed { title: None, description, color, footer: None };
        let mut embeds: Vec<Embed> = descriptions.into_iter().map(plain).collect();
        if let Some(first) = embeds.first_mut() {
            first.title = self.title;
        }
        if let Some(last) = embeds.last_mut() {
            last.footer = self.footer.map(|text| Footer { text });
        }
        embeds
    }
}

impl Medium for Markdown {
    type Piece = String;
    const SHARES: Shares = SHARES;

    fn piece(span: &Span, max: usize) -> String {
        match span {
            Span::Icon(icon) => icon.emoji().to_owned(),
            Span::Words(text) => prose(text, max),
            Span::Bold(text) => format!("**{}**", prose(text, max.saturating_sub(4))),
            Span::Code(text) | Span::Command(text) => {
                format!("`{}`", code_line(&seen(text), max.saturating_sub(2).max(1)))
            }
        }
    }

    fn length(piece: &String) -> usize {
        length(piece)
    }
}

impl Medium for Plain {
    type Piece = String;
    const SHARES: Shares = SHARES;

    fn piece(span: &Span, max: usize) -> String {
        match span {
            Span::Icon(icon) => icon.emoji().to_owned(),
            Span::Words(text) | Span::Bold(text) | Span::Code(text) | Span::Command(text) => {
                fit(head(text, max).chars().map(String::from), max, length)
            }
        }
    }

    fn length(piece: &String) -> usize {
        length(piece)
    }
}

/// A command as it has to be typed in a block of code, or where to find it.
fn remedy(label: &Span, text: &str, instead: &[Span]) -> String {
    let line = |rest| super::outline::medium::text::<Markdown>(&Line::labelled(label, rest));
    match command(text, SHARES.remedy) {
        Some(command) => format!("{}\n{}", line(&[]), block_of(&command)),
        None => line(instead),
    }
}

fn item(item: &Item) -> String {
    let command = item.commands.iter().find_map(|text| command(text, SHARES.item_detail));
    let command = command.map(|command| format!("\n{}", block_of(&command)));
    texts::<Markdown>(&item.lines) + &command.unwrap_or_default()
}

/// The first line of a block would be the name of a language.
fn block_of(code: &str) -> String {
    format!("```\n{code}\n```")
}

/// Text among words, at most `max` long when escaped: nothing in it is formatting, a link, a mention, an
/// emoji or a time stamp. No line begins with text from a cluster, so that lists and headings need no mark.
fn prose(text: &str, max: usize) -> String {
    let characters: Vec<char> = head(text, max).chars().collect();
    let escaped = characters.iter().enumerate().map(|(at, character)| {
        let next = characters.get(at + 1);
        let acts = match character {
            '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '>' | '[' | ']' | '#' | '@' => true,
            ':' => next.is_some_and(|next| *next != ' '),
            '.' => next.is_some_and(|next| next.is_alphanumeric()),
            _ => false,
        };
        if acts { format!("\\{character}") } else { character.to_string() }
    });
    fit(escaped, max, length)
}

/// Text within code, at most `max` long.
fn code_line(text: &str, max: usize) -> String {
    let harmless = head(text, max).replace('`', &BACK_TICK.to_string());
    fit(harmless.chars().map(String::from), max, length)
}

/// A command exactly as it has to be typed, or nothing.
fn command(text: &str, max: usize) -> Option<String> {
    let as_it_is = !text.contains('`') && visible(text) == text;
    (as_it_is && length(text) <= max).then(|| text.to_owned())
}

fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

const fn color(icon: Icon) -> u32 {
    match icon {
        Icon::Critical => 0x00d9_2d20,
        Icon::Warning => 0x00f7_9009,
        Icon::Info => 0x0015_70ef,
        Icon::Resolved => 0x0012_b76a,
        Icon::Withdrawn => 0x0066_7085,
    }
}

//! A message for a Google Chat webhook: text, within Chat's limit by construction.
//!
//! Text and no card, since it is what a phone's notification shows, and commands in it can be copied. A
//! message has at most 32,000 bytes. (developers.google.com/workspace/chat/create-messages)
//!
//! Chat knows `*bold*`, `_italic_`, `~struck~`, code, `<users/all>` and `<https://…|text>`, makes links of bare
//! addresses, and has no escapes (developers.google.com/workspace/chat/format-messages): where a character
//! would act, a look-alike stands in its place.

use serde::Serialize;

use super::outline::escape::{BACK_TICK, fit, head, is_harmless, seen, unlinked};
use super::outline::medium::{Medium, Shares, text, texts};
use super::outline::{Block, Context, Item, Line, Outline, Span};
use super::update::Dispatch;

/// Maximum size of a message, in bytes, as all lengths here.
pub const MAX_OF_MESSAGE: usize = 32_000;
/// Stands for a bracket that would begin a link or a mention.
const BRACKET: char = '‹';

/// The message to post.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Payload {
    /// The text.
    pub text: String,
}

/// Chat's markup.
struct Markup;

impl Payload {
    /// The message for a dispatch.
    pub fn new(dispatch: &Dispatch, context: Context) -> Self {
        let outline = Outline::new(dispatch, context);
        let blocks: Vec<String> = outline.blocks.iter().map(block).collect();
        Self { text: blocks.join("\n") }
    }
}

impl Medium for Markup {
    type Piece = String;

    /// Less than 30,000 for the longest single message, and for a digest of 30.
    const SHARES: Shares = Shares {
        headline: 2_000,
        sentence: 1_800,
        fact: 600,
        remedy: 2_400,
        hypothesis: 500,
        small: 1_000,
        item: 800,
        item_headline: 500,
        item_detail: 1_500,
    };

    fn piece(span: &Span, max: usize) -> String {
        match span {
            Span::Icon(icon) => icon.emoji().to_owned(),
            Span::Words(text) => prose(text, max),
            Span::Bold(text) => format!("*{}*", prose(text, max.saturating_sub(2))),
            Span::Code(text) | Span::Command(text) => format!("`{}`", code(&seen(text), max.saturating_sub(2))),
        }
    }

    fn length(piece: &String) -> usize {
        piece.len()
    }
}

fn block(block: &Block) -> String {
    match block {
        Block::Paragraph(lines) => texts::<Markup>(lines),
        Block::Facts(facts) => {
            let lines: Vec<String> = facts.iter().map(|fact| code(fact, Markup::SHARES.fact)).collect();
            fenced(&lines.join("\n"))
        }
        Block::Command { label, command, instead } => remedy(label, command, instead),
        Block::Items(items) => items.iter().map(item).collect::<Vec<_>>().join("\n"),
        Block::Small(line) => text::<Markup>(line),
    }
}

/// A command as it has to be typed in a block of code, or where to find it.
fn remedy(label: &Span, text: &str, instead: &[Span]) -> String {
    let line = |rest| super::outline::medium::text::<Markup>(&Line::labelled(label, rest));
    match command(text, Markup::SHARES.remedy) {
        Some(command) => format!("{}\n{}", line(&[]), fenced(command)),
        None => line(instead),
    }
}

fn item(item: &Item) -> String {
    let command = item.commands.iter().find_map(|text| command(text, Markup::SHARES.item_detail));
    let command = command.map(|command| format!("\n{}", fenced(command)));
    texts::<Markup>(&item.lines) + &command.unwrap_or_default()
}

fn fenced(code: &str) -> String {
    format!("```\n{code}\n```")
}

/// Text among words, at most `max` long. A mark within a word does not act, unless the word is cut behind it.
fn prose(text: &str, max: usize) -> String {
    let characters = unlinked(&head(text, max));
    let neighbour = |at: Option<usize>| at.and_then(|at| characters.get(at)).copied().unwrap_or(' ');
    let harmless = characters.iter().enumerate().map(|(at, character)| {
        let inside = neighbour(at.checked_sub(1)).is_alphanumeric() && neighbour(Some(at + 1)).is_alphanumeric();
        let harmless = match character {
            '`' => BACK_TICK,
            '<' => BRACKET,
            '*' => '∗',
            '_' if !inside => 'ˍ',
            '~' if !inside => '∼',
            other => *other,
        };
        harmless.to_string()
    });
    let cut = fit(harmless, max, str::len);
    match cut.strip_suffix('…') {
        Some(before) => format!("{}…", before.trim_end_matches(['_', '~'])),
        None => cut,
    }
}

/// Text within code, at most `max` long.
fn code(text: &str, max: usize) -> String {
    let harmless = unlinked(&head(text, max)).into_iter().map(|character| match character {
        '`' => BACK_TICK.to_string(),
        '<' => BRACKET.to_string(),
        other => other.to_string(),
    });
    fit(harmless, max, str::len)
}

/// A command exactly as it has to be typed, or nothing.
fn command(text: &str, max: usize) -> Option<&str> {
    let as_it_is = !text.contains(['`', '<']) && is_harmless(text);
    (as_it_is && text.len() <= max).then_some(text)
}

//! The content of a mail as plain text.

use crate::report::outline::escape::{fit, head, is_harmless, unlinked};
use crate::report::outline::medium::{Medium, Shares, text, texts};
use crate::report::outline::{Block, Item, Line, Outline, Share, Span};

/// What each line may take, in characters: about 20,000 in all.
pub(super) const SHARES: Shares = Shares {
    headline: 720,
    sentence: 900,
    fact: 260,
    remedy: 1600,
    hypothesis: 202,
    small: 600,
    item: 400,
    item_headline: 260,
    item_detail: 900,
};

/// Plain text: nothing in it acts but links that a reader makes of addresses.
struct Plain;

impl Medium for Plain {
    type Piece = String;
    const SHARES: Shares = SHARES;

    fn piece(span: &Span, max: usize) -> String {
        match span {
            Span::Icon(icon) => icon.emoji().to_owned(),
            Span::Words(text) | Span::Bold(text) | Span::Code(text) | Span::Command(text) => words(text, max),
        }
    }

    fn length(piece: &String) -> usize {
        length(piece)
    }
}

/// The paragraphs, with empty lines between them.
pub(super) fn render(outline: &Outline) -> String {
    outline.blocks.iter().map(block).collect::<Vec<_>>().join("\n\n") + "\n"
}

fn block(block: &Block) -> String {
    match block {
        Block::Paragraph(lines) => plain(lines),
        Block::Facts(facts) => {
            let lines: Vec<String> = facts.iter().map(|fact| format!("    {}", words(fact, SHARES.fact))).collect();
            lines.join("\n")
        }
        Block::Command { label, command, instead } => match shown(command, SHARES.remedy) {
            Some(command) => format!("{}\n    {command}", text::<Plain>(&Line::labelled(label, &[]))),
            None => text::<Plain>(&Line::labelled(label, instead).plain()),
        },
        Block::Items(items) => items.iter().map(item).collect::<Vec<_>>().join("\n\n"),
        Block::Small(line) => format!("-- \n{}", text::<Plain>(&line.plain())),
    }
}

fn item(item: &Item) -> String {
    let command = item.commands.iter().find_map(|command| shown(command, SHARES.item_detail));
    plain(&item.lines) + &command.map(|command| format!("\n    {command}")).unwrap_or_default()
}

fn plain(lines: &[Line]) -> String {
    let lines: Vec<Line> = lines.iter().map(|line| ended(&line.plain())).collect();
    texts::<Plain>(&lines)
}

/// What stands out elsewhere ends with a full stop here, if more follows.
fn ended(line: &Line) -> Line {
    let last = line.spans.len().saturating_sub(1);
    let spans = line.spans.iter().enumerate().map(|(at, span)| match span {
        Span::Bold(text) if at < last && line.share == Share::Item => Span::Bold(format!("{text}.")),
        other => other.clone(),
    });
    Line { share: line.share, spans: spans.collect() }
}

fn words(text: &str, max: usize) -> String {
    fit(unlinked(&head(text, max)).into_iter().map(String::from), max, length)
}

/// A command exactly as it has to be typed, or nothing.
pub(super) fn shown(command: &str, max: usize) -> Option<&str> {
    (is_harmless(command) && length(command) <= max).then_some(command)
}

fn length(text: &str) -> usize {
    text.chars().count()
}
